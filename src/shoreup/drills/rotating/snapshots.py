"""What lies in a repository after a run: which of its snapshots are left, and which hold a whole copy.

A snapshot is known by its file. What it holds is taken out of it and read: always after a day of trouble, and on the
first days; once these have held just what their run made, a snapshot of a good day is taken for as much, and those that
are left at the end are read again.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, timedelta

from msgspec import Struct

from shoreup.drills.rotating.calendar import DAYS, Calendar, Weather
from shoreup.drills.rotating.grandfathers import Words, said_by, unlike
from shoreup.drills.rotating.shelf import Kept, Lying
from shoreup.drills.sandboxed_jobs.repositories import ASKED, CHECK, FORGOT, LIST, LOOK, NAMELESS, READ, RepositoryTool
from shoreup.drills.sandboxed_jobs.standins import WHOLE
from shoreup.engines.base import EngineTrouble
from shoreup.engines.sandbox import Ended, Sandbox
from shoreup.engines.sandbox_ground import STATE

_SAYS = re.compile(WHOLE.encode() + rb" (\d{6})")
_MOST = 1 << 20
_READ_FIRST = 3
_SECONDS = 60.0


class Snapshots:
    """The repository of a sandbox."""

    def __init__(self, sandbox: Sandbox, tool: RepositoryTool) -> None:
        self._sandbox = sandbox
        self.tool = tool
        self._files = sandbox.inside(tool.snapshots)
        self._state = sandbox.inside(STATE)
        self._made: dict[str, int] = {}
        self._holds: dict[str, frozenset[int]] = {}
        self._own_alone = True
        self._each = 0
        self.left: list[tuple[int, frozenset[int]]] = []
        """After each run its number, and the runs of which a snapshot is left, whole or not."""

    def names(self) -> frozenset[str]:
        """None: a repository begins empty."""
        return frozenset()

    def look(self, _: frozenset[str], passing: float = 0.0) -> Kept:
        """What is there now. Afterwards so many seconds pass for the files of the snapshots."""
        number, weather = self._state.text("day", 200).split()[:2]
        run = int(number)
        there = self._there(passing)
        for name in there:
            if name not in self._made:
                self._made[name] = run
                self._holds[name] = self._held(name, run, Weather(weather))
        if not self._each:
            self._each = len([name for name in there if self._holds[name]])
        self.left.append((run, frozenset(self._made[name] for name in there)))
        counted = Counter(one for name in there for one in self._holds[name])
        return Kept(frozenset(one for one, count in counted.items() if count >= self._each), len(there))

    def state(self) -> tuple[Lying, ...]:
        """Nothing: no year of a repository is cut in two."""
        return ()

    def renew_sources(self) -> None:
        """Nothing: no snapshot takes over the age of a folder."""

    def forgotten(self) -> tuple[tuple[int, str], ...]:
        """Each removal that the job asked for: the number of the run, and the words."""
        lines = self._state.text(FORGOT, 1 << 20).splitlines()
        said = [line.partition(" ") for line in lines]
        return tuple((int(number), words) for number, _, words in said if number.isdecimal())

    def why_nameless(self) -> list[str]:
        """Why nothing was removed although the job asked for it, where it is for the pods' names."""
        try:
            self._state.read(NAMELESS, 1)
        except OSError:
            return []
        return ["each pod is named anew, snapshots without --host carry that name, and of each host some are kept"]

    def why_apart(self) -> list[str]:
        """Why nothing was removed although the job asked for it, where each run reads other paths."""
        paths: dict[str, set[str]] = {}
        for line in self._state.text(READ, _MOST).splitlines():
            number, *words = line.split()
            paths.setdefault(number, set()).update(word for word in words if word.startswith("/"))
        if len(paths) < _READ_FIRST or len({frozenset(one) for one in paths.values()}) < len(paths):
            return []
        return ["each run reads other paths, and of each set of them some are kept; --group-by host counts them as one"]

    def read_all(self) -> str:
        """Clear away what no snapshot needs, read all that is left, and say what is not as it was taken for."""
        ended = self._sandbox.run(CHECK, _SECONDS)
        if ended.code:
            return f"the repository is damaged at the end: {_last(ended)}"
        for name in self._there():
            if self._read(name) != self._holds.get(name, frozenset[int]()):
                return "a snapshot that was left at the end does not hold what its run made"
        return ""

    def _there(self, passing: float = 0.0) -> list[str]:
        if self.tool.snapshots:
            return [entry.path for entry in self._files.walk(passing) if not entry.folder]
        ended = self._sandbox.run(LIST, _SECONDS)
        if ended.code:
            raise EngineTrouble(f"the snapshots cannot be listed: {_last(ended)}")
        return self._state.read("said", _MOST).decode("utf-8", "replace").splitlines()

    def _held(self, name: str, run: int, weather: Weather) -> frozenset[int]:
        own = frozenset((run,))
        if weather is Weather.GOOD and self._own_alone and len(self.left) >= _READ_FIRST:
            return own
        held = self._read(name)
        self._own_alone = self._own_alone and (held == own or weather is not Weather.GOOD)
        return held

    def _read(self, name: str) -> frozenset[int]:
        self._state.write(ASKED, f"{name}\n".encode())
        ended = self._sandbox.run(LOOK, _SECONDS)
        if ended.code:
            raise EngineTrouble(f"a snapshot cannot be read: {_last(ended)}")
        return frozenset(int(number) for number in _SAYS.findall(self._state.read("said", _MOST)))


def _last(ended: Ended) -> str:
    return (ended.said.splitlines() or ["no word"])[-1][:160]


class Held(Struct, frozen=True):
    """What is wrong when a job's snapshots are held against its own words, and what could not be held.

    ``grows`` is whether not one was removed of those that the words do not keep.
    """

    wrong: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    grows: bool = False


def bounds(snapshots: Snapshots, times: Calendar) -> bool:
    """Whether the job's words keep so little that the days show it; so it is where there are none."""
    words = _words(snapshots)
    if words is None:
        return True
    spans = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}
    oldest = max((count * spans.get(name, 0) for name, count in words.numbers.items()), default=0)
    days = max(oldest, words.within.longest / timedelta(days=1) if words.within else 0)
    kept = sum(words.numbers.values())
    return not words.unclear and kept < 0.45 * len(times.turns) and (days < 0.45 * DAYS or kept < 60)


def held_against(snapshots: Snapshots, times: Calendar) -> Held:
    """Hold what was left after each run against an own count of what the job's words keep."""
    words = _words(snapshots)
    if words is None or words.unclear or not (words.numbers or words.within):
        why = f" ({words.unclear})" if words is not None and words.unclear else ""
        return Held(limits=(f"whether what is kept is what the words say: they were not counted anew{why}",))
    forgotten = frozenset(number for number, _ in snapshots.forgotten())
    # Both tools are told the time in UTC, and count their days by it.
    at = {turn.number: turn.at.astimezone(UTC) for turn in times.turns}
    number, what = unlike(words, snapshots.tool.counting, snapshots.left, at, forgotten)
    if not number:
        return Held()
    day = next(times.day(turn) for turn in times.turns if turn.number == number)
    ever = frozenset[int]().union(*(there for _, there in snapshots.left))
    wrong = f"{words.told} is asked for, and after the run of day {day} {what}"
    return Held((wrong,), grows=ever == snapshots.left[-1][1])


def _words(snapshots: Snapshots) -> Words | None:
    """What the removals say, where all say the same."""
    said = {" ".join(words.split()) for _, words in snapshots.forgotten()}
    counting = snapshots.tool.counting
    found = [said_by(one, counting.units, counting.months) for one in said]
    return found[0] if found and all(one == found[0] for one in found) else None
