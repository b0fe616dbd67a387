"""Data that nothing copies."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.backup_jobs import copying, restoring
from shoreup.concerns.wording.backups import lies_on
from shoreup.facts.backups.coverage import Keeper, uncovered
from shoreup.facts.estate import Estate, Volume
from shoreup.facts.naming import named
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_REASON = "when it may run and where the copies lie only the owner decides"
_LESSER = frozenset({"dns", "vpn", "network", "ingress"})
"""Kinds of product whose data are a configuration that can be made again in an evening."""


class BackupMissing(Concern):
    """A database, or an application with data of its own, that no backup in the repository covers.

    **What**

    Its files lie on a volume that outlives the pod, and nothing copies them: no dump of the database, no job that reads
    the volume, no operator's schedule, no agent that has the same place mounted. Caches, scratch volumes and media that
    are mounted read-only do not count. Protection outside of the repository (snapshots of a NAS, say) is told by
    `[[protection]]` in `shoreup.toml`.

    **Why**

    A claim that is deleted, a disk that fails, an update that migrates the wrong way: each ends the data, and only a
    copy brings it back.

    **Example**

    A Deployment of `postgres:18` with a claim at `/var/lib/postgresql`, and no CronJob, Velero, K8up, VolSync or
    operator's backup that covers it.

    **Fix safety**

    Shown: a schedule and a place for the copies have to be chosen.
    """

    id = "backup-missing"
    title = "No backup covers lasting data"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.MISSING_FEATURES
    sources = (
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
        Source("NIST SP 800-34: contingency planning", "https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at everything that keeps data which must not be lost."""
        for keeper, reason in uncovered(estate):
            if reason:
                yield self.undecided(Place(keeper.resource.key), unknown="backup", reason=reason)
            else:
                yield self._missing(keeper)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The job is drawn up; when it runs and where the copies lie is left to say."""
        keeper = next((one for one, _ in uncovered(estate) if one.resource.key == draft.at.resource), None)
        if keeper is None:
            return self.unrepaired(draft)
        if _of_compose(keeper):
            return self.unrepaired(draft)
        left = self.unrepaired(draft, text=restoring(keeper))
        return replace(left, sketch=(copying(estate, keeper),))

    def _missing(self, keeper: Keeper) -> Outcome:
        who = named(keeper.resource)
        compose = _of_compose(keeper)
        held = "volume" if compose else "claim"
        where = " and ".join(dict.fromkeys(_shown(volume, held) for volume in keeper.volumes[:3]))
        on = f" on {where}" if where else ""
        what = f"a database of {keeper.what}" if keeper.database is not None else f"the data of {keeper.what}"
        how = "dumps it" if keeper.database is not None else "copies its files"
        return self.found(
            Place(keeper.resource.key),
            field="backup",
            subject=who,
            message=f"{who} keeps {what}{on}, and no backup in this repository covers it.",
            consequence=(
                f"A lost disk, a deleted {held} or a failed migration ends the data, unless something outside of this "
                "repository copies it."
            ),
            related=tuple((Place(keeper.resource.key, volume.route), "its data") for volume in keeper.volumes),
            fixes=(
                Fix(
                    f"Add a {'scheduled job' if compose else 'CronJob'} that {how} to another machine",
                    Safety.SHOWN,
                    _REASON,
                ),
            ),
            severity=Severity.MEDIUM if keeper.kind in _LESSER else Severity.HIGH,
            confidence=Confidence.LIKELY if keeper.likely else Confidence.CERTAIN,
        )


def _shown(volume: Volume, held: str) -> str:
    return f"the {held} {volume.claim}" if volume.claim else lies_on(volume)


def _of_compose(keeper: Keeper) -> bool:
    """Whether a host of containers runs it, which knows neither claims nor CronJobs."""
    return keeper.resource.api_version == "compose"
