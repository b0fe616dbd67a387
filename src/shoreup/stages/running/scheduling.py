"""What runs when, from ``[schedule.NAME]`` in ``shoreup.toml``, and the queueing of what is due.

A run that is due has an id that is made of its schedule and of the time at which it was due. Whoever queues it, and
however often, it is there once: two that serve, a kill between two lines, a clock that was set back. What was missed
while nobody served runs once, not once for every time; and nothing is queued while the run before has not ended.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.operations.workflows import Executor
from shoreup.stages.running.commanding import Commanded, commanded
from shoreup.stages.settings import GivenSettings

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?")


class Entry(Struct, frozen=True):
    """Something that runs again and again. ``cron`` is read by the clock of ``zone``."""

    name: str
    words: str
    cron: str
    zone: str
    does: Commanded

    @property
    def key(self) -> str:
        """The same for as long as it runs at the same times: with others it begins anew, and misses nothing."""
        return f"{self.name} {self.cron} {self.zone}"

    def after(self, moment: datetime) -> datetime:
        """When it is next due after a moment. Both in UTC."""
        return _cron(self.cron, moment.astimezone(ZoneInfo(self.zone)), back=False)

    def latest(self, now: datetime) -> datetime:
        """When it was last due, which may be now."""
        # The search backwards leaves out where it starts.
        start = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return _cron(self.cron, start.astimezone(ZoneInfo(self.zone)), back=True)


def entries(given: GivenSettings, root: Path) -> tuple[Entry, ...]:
    """Everything that is scheduled, by name. Raises :class:`UserError` for what is wrong, with its line."""
    found: list[Entry] = []
    for name, said in sorted(given.settings.schedule.items()):
        route = ("schedule", name)
        if not _NAME.fullmatch(name):
            raise given.wrong(f"{name!r} is no name: small letters, digits and hyphens, at most 42", route)
        try:
            does = commanded(given, root, said.run)
        except UserError as problem:
            raise given.wrong(f"run: {problem.message}", (*route, "run")) from None
        try:
            ZoneInfo(said.time_zone)
        except (OSError, ValueError, LookupError):
            raise given.wrong(f"there is no time zone {said.time_zone!r} here", (*route, "time-zone")) from None
        entry = Entry(name, said.run, said.when, said.time_zone, does)
        try:
            entry.after(datetime.now(UTC))
        except ValueError as problem:
            raise given.wrong(f"when: {said.when!r} is no time that cron knows ({problem})", (*route, "when")) from None
        found.append(entry)
    return tuple(found)


def queue_due(executor: Executor, scheduled: tuple[Entry, ...], now: datetime) -> tuple[str, ...]:
    """Queue what is due, and give the runs. What was never looked at before counts from now on."""
    fired = executor.records.fired()
    queued: list[str] = []
    for entry in scheduled:
        before = fired.get(entry.key)
        if before is None or before > now:
            # A clock that was ahead has written down a time still to come, which must not stop everything until then.
            # What then is due a second time has the id of what was queued before, and is not queued again.
            executor.records.fire(entry.key, now)
            continue
        due = entry.latest(now)
        if due <= before or _at_it(executor, entry):
            continue
        run = run_id(executor.place.estate, entry, due)
        asked = executor.asked(entry.does.operation, entry.does.subject, entry.does.given, waits=True)
        executor.queue(asked, run=run)
        executor.records.fire(entry.key, due)
        queued.append(run)
    return tuple(queued)


def run_id(estate: str, entry: Entry, due: datetime) -> str:
    """The id of the run of a schedule that is due at a time."""
    return f"{_prefix(estate, entry)}{due.astimezone(UTC):%Y%m%dT%H%MZ}"


def _at_it(executor: Executor, entry: Entry) -> bool:
    prefix = _prefix(executor.place.estate, entry)
    return any(one.id.startswith(prefix) for one in executor.runs.all(unended=True))


def _prefix(estate: str, entry: Entry) -> str:
    # Estates may share a database, and ids are one for all of it.
    mark = blake2b(f"{estate} {entry.key}".encode(), digest_size=4).hexdigest()
    return f"{entry.name}-{mark}-"


def _cron(cron: str, start: datetime, *, back: bool) -> datetime:
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as problem:
        raise UserError(f"Schedules need {problem.name}. Install it with: pip install 'shoreup[operations]'") from None
    try:
        return next(CronSim(cron, start, reverse=back)).astimezone(UTC)
    except CronSimError as problem:
        raise ValueError(str(problem) or "it cannot be read") from None
    except StopIteration:
        raise ValueError("it never comes") from None
