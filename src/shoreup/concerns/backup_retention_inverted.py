"""Retention that keeps the oldest copies and removes the newest."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import lived_by_drill, protected, seen_by_drill, subject
from shoreup.facts.backups.own import own_backups, tried_own
from shoreup.facts.backups.recurring import running
from shoreup.facts.backups.tried_retention import TriedRetention, tried_retention
from shoreup.facts.estate import Backup, Estate, Retention
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "List the newest first before the cut: ls -1t ... | tail -n +N",
    Safety.SHOWN,
    "what the job deletes changes; look first at what it has left",
)


_PROPOSAL = """# the newest first, and what is behind the first <N> goes
ls -1t <folder>/<name>-*.<ending> | tail -n +<N + 1> | xargs -r rm --"""


class BackupRetentionInverted(Concern):
    """The command that removes old copies removes the newest.

    **What**

    A list of copies is cut at the wrong end: `ls` without `-t` gives names that begin with a date oldest first, so
    `tail -n +29` names what is newest; `ls -t | head -n -7` and `find -mtime -7 -delete` do the same. Found only where
    the order is certain from the commands and from the name that the same job writes, or where
    `shoreup drill retention` has run the job and seen it.

    **Why**

    The first N copies stay for ever and each new one is deleted by the run that made it. The folder looks right: it
    holds N files. The newest of them is as old as the job.

    **Example**

    `ls -1 vault-*.sqlite3 | tail -n +29 | xargs -r rm` is found; `ls -1t vault-*.sqlite3 | tail -n +29 | xargs -r rm`
    keeps the newest 28.

    **Fix safety**

    Shown: what is left has to be looked at before the job deletes anything else.
    """

    id = "backup-retention-inverted"
    title = "Retention removes the newest copies"
    severity = Severity.CRITICAL
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "GNU coreutils: how ls sorts",
            "https://www.gnu.org/software/coreutils/manual/html_node/Sorting-the-output.html",
        ),
        Source("GNU coreutils: tail", "https://www.gnu.org/software/coreutils/manual/html_node/tail-invocation.html"),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at what each removal takes."""
        seen: set[Place] = set()
        for backup in running(estate):
            for retention in backup.retention:
                if retention.takes_newest and retention.place not in seen:
                    seen.add(retention.place)
                    yield self._inverted(backup, retention)
            tried = tried_retention(estate, backup)
            if tried is not None and tried.newest_removed and not any(one.place in seen for one in backup.retention):
                at = backup.retention[0].place if backup.retention else backup.place
                seen.add(at)
                yield self._seen_inverted(backup, at, tried)
        for own in own_backups(estate):
            lived = tried_own(estate, own)
            if lived is not None and lived.newest_removed:
                yield self.found(
                    own.place,
                    field=f"keep {own.name}",
                    subject=own.called,
                    message=lived_by_drill(own, lived),
                    consequence="The newest backup is gone when it is needed.",
                )

    def _seen_inverted(self, backup: Backup, at: Place, tried: TriedRetention) -> Outcome:
        who = subject(backup)
        related = ((backup.place, "the copies that it removes come from here"),) if at != backup.place else ()
        return self.found(
            at,
            field="retention order",
            subject=who,
            message=seen_by_drill(who, tried),
            consequence="Each new copy is deleted by the run that made it; what is left is as old as the job.",
            related=(*related, *protected(backup)),
            fixes=(_FIX,),
        )

    def _inverted(self, backup: Backup, retention: Retention) -> Outcome:
        who = subject(backup)
        kept = f"keeps the {retention.keeps_at_least} oldest copies and " if retention.keeps_at_least else ""
        if retention.by == "age":
            kept = "looks for what is younger than an age and "
        return self.found(
            retention.place,
            field="retention order",
            subject=who,
            message=f"{who} {kept}removes the newest: {retention.command} is given the wrong end of the list.",
            consequence="Each new copy is deleted by the run that made it; what is left is as old as the job.",
            related=((backup.place, "the copies that it removes come from here"), *protected(backup)),
            fixes=(_FIX,),
        )
