"""The drill of retention: the job from the repository, run for 400 days in a sandbox that keeps made-up copies.

No reading of a script can promise what a rotation leaves; running it can. The job's own program runs with its own
commands, in the kind of userland that its image has, once for each time that its schedule names. In between every file
becomes older by as much as passes, so that ``find -mtime``, ``ls -t`` and their like see what they would see. Dump
tools are stand-ins; on some days they fail, half way or from the start, and on some they succeed with nothing.

First the same job runs for a while with a hand that takes the newest copy away after each run. A harness that is
content with that one would be content with anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

from msgspec.structs import replace

from shoreup.drills.proving import Claim, Seen, harness, proof_of
from shoreup.drills.rotating.calendar import DAYS, Calendar, Turn, Weather, calendar, quieter
from shoreup.drills.rotating.halves import Halves, halves
from shoreup.drills.rotating.kept import Day, Judgement, judge
from shoreup.drills.rotating.shelf import Lying, Shelf, alike
from shoreup.drills.rotating.snapshots import Snapshots, bounds, held_against
from shoreup.drills.rotating.specs import RetentionSpec
from shoreup.drills.sandboxed_jobs.layout import HAND, job_layout, mounted_below
from shoreup.drills.sandboxed_jobs.repositories import HOSTNAME
from shoreup.drills.sandboxed_jobs.standins import BEYOND, DATES, WHOLE, dates, forms, standins
from shoreup.engines.base import EngineTrouble
from shoreup.engines.sandbox import Ended, Sandbox
from shoreup.engines.sandbox_ground import STATE, VOLUMES
from shoreup.engines.scratch import Limits, Scratch
from shoreup.engines.userlands import BUSYBOX, GNU, Userland, userland
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.backups.tried_retention import GROWS, NEWEST_REMOVED, NOTHING_LEFT
from shoreup.facts.programs.image_commands import ImageCommands
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof

_LIMITS = Limits(memory=2 << 30, room=1 << 30, seconds=900)
_SECONDS = 30.0
"""For one run: its stand-ins answer at once, so what takes longer does not end."""
_TRIED_FIRST = 3
_CONTROLLED = 12
_TAKEN_AWAY = "the job's own runs, and after each the newest copy taken away"
_NONE: frozenset[str] = frozenset()
_CLEARED = ("tmp", "var/tmp", "run", "root", "home", "mnt", "srv")
_CONTENT = f"-- copy of run {{0:06d}}\n{'0' * 3000}\n{WHOLE} {{0:06d}}\n"


def rotate(spec: RetentionSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Run a job for 400 days and judge what it keeps. ``run`` names this run in the ledger, ``now`` is with a zone.

    What breaks on the way ends as a proof that could not verify; nothing of it is raised.
    """
    claim = Claim(
        drill=Drill.RETENTION.value,
        text="In 400 days with failing dumps the job always leaves a whole copy, and never more than it means to keep.",
        subject=spec.subject,
        inputs=spec.inputs,
        lasts=timedelta(days=180),
    )
    seen = Seen(Engine("sandbox", ""), Control(_TAKEN_AWAY, None))
    with harness(seen):
        _experiment(spec, seen, now, base)
    return proof_of(claim, seen, run=run, taken=now)


def commands_for(image: ImageCommands, more: Sequence[str] = ()) -> Userland | str:
    """The commands of an image with ``more`` of this machine, or what to install."""
    found = userland(BUSYBOX if image.busybox else GNU, more)
    if isinstance(found, str):
        return found
    lacking = [name for name in more if name not in found.commands]
    if lacking:
        return f"it needs {', '.join(lacking)}, which this machine does not have"
    if image.bash and "bash" in found.commands:
        return replace(found, commands={**found.commands, "sh": found.commands["bash"]})
    return found


def _experiment(spec: RetentionSpec, seen: Seen, now: datetime, base: Path | None) -> None:
    plain = commands_for(spec.commands)
    if isinstance(plain, str):
        seen.unknown(plain)
        return
    tool = spec.repository
    before = {tool.name: tool.standin(not spec.dumps), "hostname": HOSTNAME} if tool is not None else {}
    helpers = standins(spec.run, plain, spec.copiers, before=before)
    if isinstance(helpers, str):
        seen.unknown(helpers)
        return
    commands = commands_for(spec.commands, helpers.more)
    if isinstance(commands, str):
        seen.unknown(commands)
        return
    name = "BusyBox" if commands.kind == BUSYBOX else "GNU coreutils"
    seen.engine = Engine(name, commands.version.removeprefix("v"), spec.image)
    seen.limits += [spec.commands.note] if spec.commands.note else []
    times = calendar(spec.schedule, now, spec.age, spec.copies)
    if times is None:
        seen.unknown(f"when it runs is not known, or too seldom to see it ({spec.schedule or 'no schedule'})")
        return
    if tool is not None:
        times = quieter(times)
    seen.limits += times.limits
    seen.limits.append("whether a real dump restores: the dumps are stand-ins")
    carried = sorted({one.name for job in spec.run.jobs for one in job.program.commands} & REPOSITORIES)
    if tool is None and carried:
        seen.limits.append(f"what {', '.join(carried)} keeps: the copies on the volume were looked at")
    if tool is not None:
        seen.engine = Engine(tool.name, tool.version(), spec.image)
        seen.limits += tool.limits()
        seen.limits += [f"what {spec.foreign} of other jobs removes, should they share the repository"] * bool(
            spec.foreign
        )
    layout = job_layout(spec, commands, helpers)
    with Scratch(_LIMITS, base) as scratch, Sandbox(scratch, layout) as sandbox:
        year = _Year(spec, sandbox, times, partial(Sandbox, scratch, layout))
        refused = year.control()
        if isinstance(refused, str):
            seen.unknown(refused)
            return
        seen.control = Control(_TAKEN_AWAY, bool(refused.wrong))
        seen.before = f"{_TAKEN_AWAY}: {'refused, ' + refused.wrong[0] if refused.wrong else 'nothing was noticed'}"
        with seen.timed("simulated"):
            days = year.live()
        if isinstance(days, str):
            seen.unknown(days)
            return
        endless = year.shows_bounds()
        if not endless:
            seen.limits.append("whether anything is ever removed: it keeps longer than the days that were tried")
        found = judge(days, times, spec.claims, endless=endless)
        snapshots = year.snapshots
        if snapshots is not None:
            with seen.timed("read at the end"):
                damaged = snapshots.read_all()
            if damaged:
                seen.unknown(damaged)
                return
            held = held_against(snapshots, times)
            seen.limits += held.limits
            found = replace(found, wrong=(*found.wrong, *held.wrong), grows=found.grows or held.grows)
        seen.measure("days", DAYS, "days")
        seen.measure("runs", len(days), "runs")
        seen.measure("most kept", found.most, "copies")
        seen.measure("least kept", found.least, "copies")
        seen.measure(NOTHING_LEFT, found.nothing_left, "runs")
        seen.measure(NEWEST_REMOVED, found.newest_removed, "runs")
        seen.measure(GROWS, float(found.grows), "")
        if not found.wrong:
            seen.passes(_well(found, len(days)))
            return
        seen.fails("; ".join([*found.wrong, *_because(found, year)]))


def _well(found: Judgement, runs: int) -> str:
    return f"after each of {runs} runs a whole copy was there, at least {found.least} and at most {found.most}"


def _because(found: Judgement, year: _Year) -> list[str]:
    """Whether it only is so because of the age that a copy takes over from its folder, or because of pods' names."""
    if year.snapshots is not None:
        nameless = year.snapshots.why_nameless() if year.spec.pods and not found.nothing_left else []
        return nameless or (year.snapshots.why_apart() if found.grows else [])
    if not found.on_a_good_day or not year.spec.data:
        return []
    again = year.live(renewed=True)
    if isinstance(again, str) or judge(again, year.times).on_a_good_day:
        return []
    return ["its copies take over the age of the folder that they are of, in which nothing had been added or removed"]


class _Year:
    """The job's days in one sandbox."""

    def __init__(self, spec: RetentionSpec, sandbox: Sandbox, times: Calendar, another: Callable[[], Sandbox]) -> None:
        self.spec = spec
        self.times = times
        self._sandbox = sandbox
        self._another = another
        self._shelf: Shelf | Snapshots = self._empty_shelf()
        self._others = _NONE
        self._state = sandbox.inside(STATE)
        self._passing = [(sandbox.inside(f"{VOLUMES}/{name}"), self._shown(name), _NONE) for name in spec.passing]
        self._passing += [(sandbox.inside(name), _NONE, mounted_below(spec, name)) for name in _CLEARED]
        self._forms = forms(spec.run)
        self._sources = [(sandbox.inside(f"{VOLUMES}/{one.volume}"), one.path) for one in spec.sources]

    @property
    def snapshots(self) -> Snapshots | None:
        """The repository, where the copies are its snapshots."""
        return self._shelf if isinstance(self._shelf, Snapshots) else None

    def _empty_shelf(self) -> Shelf | Snapshots:
        if self.spec.repository is not None:
            return Snapshots(self._sandbox, self.spec.repository)
        return Shelf(self._sandbox, self.spec.shelves, self.spec.data)

    def shows_bounds(self) -> bool:
        """Whether what it means to keep is so little that the days show it."""
        runs = len(self.times.turns)
        if self.snapshots is not None:
            return bounds(self.snapshots, self.times)
        return (self.spec.age or 0) < 0.45 * DAYS and (self.spec.copies or 0) < 0.45 * runs

    def control(self) -> Judgement | str:
        """The first runs with the hand that takes the newest copy away."""
        turns = self.times.turns[:_CONTROLLED]
        days = self._days([replace(turn, weather=Weather.GOOD) for turn in turns], after=HAND)
        if isinstance(days, str):
            return days
        return judge(days, self.times)

    def live(self, *, renewed: bool = False) -> list[Day] | str:
        """All days from the first on, or why they say nothing of the job."""
        cut = None if renewed else self._cut()
        return self._days(self.times.turns, renewed=renewed) if cut is None else self._in_halves(cut)

    def _cut(self) -> Halves | None:
        # Data that nobody touches is as old as the year, and links are not looked at.
        links = any(command.name == "ln" for job in self.spec.run.jobs for command in job.program.commands)
        if self.spec.data or links or len(os.sched_getaffinity(0)) < 2:
            return None
        return halves(self.times.turns, self.spec.age, self.spec.copies)

    def _in_halves(self, cut: Halves) -> list[Day] | str:
        turns, stop = self.times.turns, Event()
        # The thread that makes a sandbox is the one whose end ends it.
        with self._another() as sandbox, ThreadPoolExecutor(1) as pool:
            coming = pool.submit(_Year(self.spec, sandbox, self.times, self._another)._later_half, cut, stop)
            try:
                self._begin()
                filled = cut.counts - cut.begins
                days = self._go(turns[:filled], turns[filled], tried_first=_TRIED_FIRST)
                if isinstance(days, str):
                    return days
                if turns[0].number in days[-1].kept.runs:
                    stop.set()  # the first is there still, so no later half begins like this one ends
                between = self._go(turns[filled : cut.counts], turns[cut.counts])
                if isinstance(between, str):
                    return between
                days += between
                met = self._shelf.state()
                with suppress(EngineTrouble, OSError):
                    state, rest = coming.result()
                    if not isinstance(rest, str) and alike(met, state):
                        return [*days, *rest]
            finally:
                stop.set()
        more = self._go(turns[cut.counts :], turns[-1])
        return more if isinstance(more, str) else [*days, *more]

    def _later_half(self, cut: Halves, stop: Event) -> tuple[Sequence[Lying], list[Day] | str]:
        """What lay there when the earlier half is over, and the days after it."""
        turns = self.times.turns
        self._begin()
        filled = self._go(turns[cut.begins : cut.counts], turns[cut.counts], stop=stop)
        if isinstance(filled, str):
            return (), filled
        return self._shelf.state(), self._go(turns[cut.counts :], turns[-1], stop=stop)

    def _days(self, turns: Sequence[Turn], *, after: str = "", renewed: bool = False) -> list[Day] | str:
        self._begin()
        return self._go(turns, turns[-1], after=after, renewed=renewed, tried_first=_TRIED_FIRST)

    def _go(
        self,
        turns: Sequence[Turn],
        then: Turn,
        *,
        after: str = "",
        renewed: bool = False,
        tried_first: int = 0,
        stop: Event | None = None,
    ) -> list[Day] | str:
        """Some days in a row, up to the time of ``then``."""
        days: list[Day] = []
        for turn, following in zip(turns, [*turns[1:], then], strict=True):
            if stop is not None and stop.is_set():
                return "nobody waits for it any more"
            if renewed:
                self._shelf.renew_sources()
            ended = self._turn(turn)
            asked = self._state.text(BEYOND, 200)
            if asked:
                return f"it asks the clock in a way that cannot be made up: {asked}"
            if after and days:
                self._sandbox.run(after, _SECONDS)
            passing = (following.at - turn.at).total_seconds()
            day = Day(turn, ended.code, self._shelf.look(self._others, passing))
            untouched = not (after and days)
            if len(days) < tried_first and (ended.code or (untouched and turn.number not in day.kept.runs)):
                return _nothing_made(ended, len(days) + 1, whole=turn.number in day.kept.runs)
            days.append(day)
        return days

    def _begin(self) -> None:
        for name in (*self.spec.shelves, *self.spec.data, *self.spec.passing):
            self._sandbox.inside(f"{VOLUMES}/{name}").clear(self._shown(name))
        self._furnish()
        self._shelf = self._empty_shelf()
        self._others = self._shelf.names()

    def _shown(self, volume: str) -> frozenset[str]:
        """The folders of a volume that mounts show."""
        parts = [one.part for one in self.spec.mounts if one.volume == volume and one.part]
        return frozenset("/".join(part.split("/")[:end]) for part in parts for end in range(1, part.count("/") + 2))

    def _furnish(self) -> None:
        ended = self._sandbox.run("furnish", _SECONDS)
        if ended.code:
            raise EngineTrouble(f"the made-up files could not be laid out: {ended.said}")

    def _pod(self, turn: Turn) -> str:
        return f"{self.spec.pods}-{29_000_000 + turn.number}" if self.spec.pods else "job"

    def _turn(self, turn: Turn) -> Ended:
        # Every pod begins with an empty file system; only volumes are there again.
        for folder, shown, mounted in self._passing:
            folder.clear(shown, mounted)
        utc = f"{turn.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        day = f"{turn.number:06d} {turn.weather.value} {int(turn.at.timestamp())} {utc} {self._pod(turn)}\n"
        self._state.write("day", day.encode())
        self._state.write(DATES, dates(self._forms, turn.at).encode())
        content = b"" if turn.weather is Weather.EMPTY else _CONTENT.format(turn.number).encode()
        if turn.weather is Weather.BREAKS and self.spec.repository is not None:
            content = content[: len(content) // 2]
        for volume, path in self._sources:
            try:
                volume.write(path, content)
            except FileNotFoundError:
                self._furnish()  # the job moves away what it copies
                volume.write(path, content)
        ended = Ended(0, "")
        for number in range(len(self.spec.run.starts)):
            ended = self._sandbox.run(f"start{number}", _SECONDS)
            if ended.code:
                break
        return ended


def _nothing_made(ended: Ended, number: int, *, whole: bool) -> str:
    said = ended.said.splitlines()[-1][:160] if ended.said else "no word"
    how = f"ended with code {ended.code} ({said})" if ended.code else "ended well"
    made = "" if whole else " and left no whole copy"
    return f"on a good day, run {number} {how}{made} in the sandbox, so that nothing is learnt of the job"
