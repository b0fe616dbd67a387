"""Schedules as a command asks for them: listed with when they come, or kept by a process that stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from threading import Event

from shoreup.model.errors import UserError
from shoreup.model.run import RunSeen
from shoreup.model.schedule import ScheduleSeen
from shoreup.operations.leases import PATIENCE
from shoreup.operations.workflows import Executor
from shoreup.stages.running.runs import Runner
from shoreup.stages.running.scheduling import Entry, entries, queue_due, run_id
from shoreup.stages.running.working import Tell, work

_SHOWN = 3
"""How many times to come are told."""

Clock = Callable[[], datetime]


def scheduled(runner: Runner) -> tuple[Entry, ...]:
    """What is scheduled in an estate. Raises :class:`UserError`."""
    return entries(runner.given, runner.place.root)


def listed(runner: Runner, now: datetime) -> tuple[ScheduleSeen, ...]:
    """What is scheduled, when it comes, and how the last run went. A database that does not answer says nothing."""
    found = scheduled(runner)
    try:
        runs = {one.id: one for one in runner.all()}
        fired = runner.fired()
    except UserError:
        runs, fired = {}, {}
    return tuple(_seen(runner.place.estate, one, now, fired.get(one.key), runs) for one in found)


def serve(
    runner: Runner,
    stop: Event,
    tell: Tell,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    patience: float = PATIENCE,
) -> None:
    """Queue what is due and execute it, until ``stop``. Raises :class:`UserError` where nothing is scheduled."""
    found = scheduled(runner)
    if not found:
        raise UserError("Nothing is scheduled. docs/operations.md says how [schedule.NAME] is written.")
    for one in found:
        tell(f"{one.name}: '{one.words}' at {one.cron} in {one.zone}, next {one.after(clock()):%Y-%m-%dT%H:%MZ}")

    def tick(executor: Executor) -> None:
        for run in queue_due(executor, found, clock()):
            tell(f"{run}: due")

    work(runner.place, stop, tell, slots=runner.slots, tick=tick, find=runner.find, patience=patience)


def _seen(estate: str, entry: Entry, now: datetime, last: datetime | None, runs: Mapping[str, RunSeen]) -> ScheduleSeen:
    run = run_id(estate, entry, last) if last is not None else ""
    known = runs.get(run)
    coming = tuple(islice(_coming(entry, now), _SHOWN))
    return ScheduleSeen(
        name=entry.name,
        run=entry.words,
        when=entry.cron,
        time_zone=entry.zone,
        next=coming,
        last=last if known is not None else None,
        last_run=run if known is not None else "",
        state=known.state.value if known is not None else "",
    )


def _coming(entry: Entry, now: datetime) -> Iterator[datetime]:
    while True:
        try:
            now = entry.after(now)
        except ValueError:
            return
        yield now
