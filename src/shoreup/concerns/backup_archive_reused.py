"""Restored databases that write over the archive that they came from."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.backups.wal_archives import reused_archives
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Give the archive that it writes a server name of its own, and drop the annotation",
    Safety.SHOWN,
    "the name must be a new one at each restore, and the next base backup goes there first",
)


_PROPOSAL = """spec:
  backup:
    barmanObjectStore:
      serverName: <name>-<day of the restore>   # a new one at each restore
# the annotation cnpg.io/skipEmptyWalArchiveCheck goes"""


class BackupArchiveReused(Concern):
    """A database cluster archives into the very archive that it is restored from.

    **What**

    A CloudNativePG cluster recovers from a source whose store and server name are those that it archives to itself, and
    `cnpg.io/skipEmptyWalArchiveCheck` switches off the check that keeps the operator from doing so.

    **Why**

    After a restore the old archive is the only copy of what was before. The new cluster writes its own log among it:
    segments of two histories lie side by side, retention counts both, and a second attempt at the restore may find
    neither whole.

    **Example**

    `serverName: main-v1` under `plugins` and under `externalClusters` is found; `main-v2` for what it writes is not.

    **Fix safety**

    Shown: the new name is a choice, and a base backup has to follow.

    **Limits**

    Both archives must be known. Without the annotation the operator refuses, and nothing is found.
    """

    id = "backup-archive-reused"
    title = "Restored database writes into the archive that it came from"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("CloudNativePG: recovery", "https://cloudnative-pg.io/documentation/current/recovery/"),
        Source(
            "PostgreSQL: continuous archiving and point-in-time recovery",
            "https://www.postgresql.org/docs/current/continuous-archiving.html",
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every cluster that is restored from an archive."""
        for reused in reused_archives(estate):
            subject = named(reused.resource)
            yield self.found(
                reused.place,
                field="archive",
                subject=subject,
                message=f"{subject} archives to {reused.archive}, the archive that it is restored from, and the check "
                "against that is off.",
                consequence="The next restore writes a second history into the only copy of the first.",
                confidence=Confidence.LIKELY,
                related=((reused.source, "the restore reads the same archive"), (reused.check, "the check is off")),
                fixes=(_FIX,),
            )
