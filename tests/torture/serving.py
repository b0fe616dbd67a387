"""A schedule that is served, as something to be killed: one run for every time at which it is due, no more, no less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from shoreup.model.run import State
from shoreup.operations.backup.running import backup_run
from shoreup.operations.leases import leases
from shoreup.operations.records import Records
from shoreup.operations.registry import Find
from shoreup.operations.runs import Kept, Runs
from shoreup.operations.steps import Operation, Plain
from shoreup.stages.backups import plan_of
from shoreup.stages.running.runs import Runner
from shoreup.stages.running.schedules import scheduled, serve
from shoreup.stages.settings import read_settings

SCHEDULE = '[schedule.bank]\nrun = "backup run bank"\nwhen = "* * * * *"\n'
BEGINNING = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
QUEUEING, NOTING = "queueing", "noting"
_HASTY = 0.1
"""Seconds between two looks, four times over."""


class Served:
    """``serve`` of a backup for every minute of a clock that stands still until somebody sets it."""

    cheap = False
    final = frozenset[str]()
    outside = tuple(f"{when} {what}" for what in (QUEUEING, NOTING) for when in ("before", "after"))

    def __init__(self, root: Path) -> None:
        self._root = root
        self._clock = root / "clock"

    @property
    def operation(self) -> Operation:
        return backup_run()

    def given(self) -> Mapping[str, Plain]:
        return {}

    def begin(self) -> Plain:
        runner = Runner(self._root)
        (entry,) = scheduled(runner)
        now = self._now() + timedelta(minutes=1)
        self._clock.write_text(now.isoformat())
        records = Records(runner.place)
        # As one that has been served for long: what was never looked at before would not be due.
        records.fire(entry.key, now - timedelta(minutes=1))
        records.close()
        return {"runs": [*self._runs()], "backups": [*self._backups()]}

    def serve(self, find: Find, ready: Callable[[], None]) -> None:
        """Serve until what is due now is noted, and nothing is left to do."""
        runner, stop, now = Runner(self._root, find=find), Event(), self._now()
        (entry,) = scheduled(runner)

        def clock() -> datetime:
            noted = runner.fired().get(entry.key) == now
            if noted and all(one.outcome is not None for one in self._runs().values()):
                stop.set()
            return now

        def tell(words: str) -> None:
            if words.startswith("working on"):
                ready()

        serve(runner, stop, tell, clock=clock, patience=_HASTY)

    def look(self, begun: Plain) -> str:
        assert isinstance(begun, dict)
        new = [one for run, one in self._runs().items() if run not in _list(begun["runs"])]
        if [one.id.rpartition("-")[2] for one in new] != [f"{self._now():%Y%m%dT%H%MZ}"]:
            return f"due was {self._now():%H:%M}, and run was {[one.id for one in new]}"
        taken = [good for backup, good in self._backups().items() if backup not in _list(begun["backups"])]
        if taken != [True] * (new[0].state is State.DONE):
            return f"the run is {new[0].state}, and of new backups are good: {taken}"
        return "after" if taken else "before"

    def _now(self) -> datetime:
        return datetime.fromisoformat(self._clock.read_text()) if self._clock.exists() else BEGINNING

    def _runs(self) -> dict[str, Kept]:
        place = Runner(self._root).place
        records = Records(place)
        try:
            return {one.id: one for one in Runs(place, records, leases(place, records.base, "nobody")).all()}
        finally:
            records.close()

    def _backups(self) -> dict[str, bool]:
        return {one.id: one.good for one in plan_of(read_settings(self._root), "bank", self._root).shelf().kept()}


def _list(value: Plain) -> list[Plain]:
    assert isinstance(value, list)
    return value
