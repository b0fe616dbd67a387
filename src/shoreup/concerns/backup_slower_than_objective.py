"""Backups that run less often than their owner wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from msgspec import Struct

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import rhythm, subject
from shoreup.facts.backups.coverage import Keeper, continuous, copied
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.naming import named
from shoreup.facts.programs.schedules import longest_gap, spoken
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.location import Route
from shoreup.model.page import Source
from shoreup.model.value import Value, at, pattern

_SCHEDULES: tuple[Route, ...] = (
    ("spec", "schedule", "cron"),
    ("spec", "schedule"),
    ("spec", "backup", "schedule"),
    ("spec", "trigger", "schedule"),
    ("spec", "cron"),
)
"""Where objects that make backups have their schedule."""
_SHOWN = 8


class _Late(Struct, frozen=True):
    """Data that is copied every ``gap`` at best, and should be every ``wanted``."""

    keeper: Keeper
    gap: timedelta
    wanted: timedelta


_PROPOSAL = """spec:
  schedule: '<at least as often as the objective says>'"""


class BackupSlowerThanObjective(Concern):
    """A backup runs less often than the owner's objective for the data allows.

    **What**

    The settings say how much of the newest data may be lost (`[objectives]`, `rpo`), and the longest time between two
    runs of the fastest backup that covers the data is longer. Backups that carry every change away as it happens count
    as fast enough; so does a `[[protection]]` that covers `backup`. Data without any backup is `backup-missing`.

    **Why**

    What was written after the last run is gone. An objective that the schedule cannot meet is a promise that is
    broken on the day on which it counts.

    **Example**

    `rpo = "6h"` for a database whose only dump has the schedule `0 3 * * *`: a disk that fails in the evening takes
    the day with it.

    **Fix safety**

    Unsafe: the job does its work more often, and its copies take more room.
    """

    id = "backup-slower-than-objective"
    title = "Backup that runs less often than the objective allows"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("NIST SP 800-34: contingency planning", "https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final"),
        Source(
            "PostgreSQL: continuous archiving and point-in-time recovery",
            "https://www.postgresql.org/docs/current/continuous-archiving.html",
        ),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold the rhythm of each backup against what is wanted for its data."""
        late: dict[int, tuple[Backup, list[_Late]]] = {}
        for keeper, backups in copied(estate):
            wanted = estate.settings.objective(f"{keeper.namespace}/{keeper.name}").rpo
            if wanted is None or continuous(keeper, backups):
                continue
            gaps = [(longest_gap(_written(backup.schedule)), backup) for backup in backups]
            known = [(gap, backup) for gap, backup in gaps if gap is not None]
            if any(gap <= wanted for gap, _ in known):
                continue
            unknown = next((backup for gap, backup in gaps if gap is None), None)
            if unknown is not None:
                reason = f"how often {named(unknown.resource)} runs is not decided in the repository"
                yield self.undecided(_place(unknown), unknown="schedule", reason=reason)
                continue
            gap, fastest = min(known, key=lambda pair: pair[0])
            late.setdefault(fastest.resource.key, (fastest, []))[1].append(_Late(keeper, gap, wanted))
        for backup, found in late.values():
            yield self._slow(backup, found)

    def _slow(self, backup: Backup, late: Sequence[_Late]) -> Outcome:
        who = subject(backup)
        strictest = min(late, key=lambda one: one.wanted)
        more = f" and {len(late) - 1} more" if len(late) > 1 else ""
        wanted = spoken(strictest.wanted)
        return self.found(
            _place(backup),
            field="schedule",
            subject=who,
            message=(
                f"{who} leaves up to {spoken(strictest.gap)} between two runs{rhythm(backup)}; for "
                f"{named(strictest.keeper.resource)}{more} the settings allow a loss of {wanted}."
            ),
            consequence=f"What was written after the last run is gone: up to {spoken(strictest.gap)} of work.",
            related=tuple(
                (Place(one.keeper.resource.key), f"data of which {spoken(one.wanted)} may be lost")
                for one in late[:_SHOWN]
            ),
            fixes=(
                Fix(
                    f"Run it at least every {wanted}",
                    Safety.UNSAFE,
                    "the job does its work more often, and its copies take more room",
                ),
            ),
            dependants=len(late),
        )


def _written(schedule: Value) -> str:
    return pattern(schedule) if isinstance(schedule, (str, int, float)) else ""


def _place(backup: Backup) -> Place:
    """Where the schedule stands, or the backup where it has none."""
    body: Value = dict(backup.resource.body)
    if backup.workload is None or backup.workload.kind == "CronJob":
        for route in _SCHEDULES:
            if at(body, *route) is not None:
                return Place(backup.resource.key, route)
    return backup.place
