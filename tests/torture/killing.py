"""Kill an operation, let it go on, look at the world, and write down every kill with its outcome."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from msgspec import Struct, to_builtins

from torture.victims import AFTER, BEFORE, VICTIMS, Victim

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "build" / "torture"
_AGREED = {"done": AFTER, "undone": BEFORE, "cancelled": BEFORE, "none": BEFORE}
"""What a run's state says of the world."""


class Kill(Struct, frozen=True):
    """Where a run is killed: at a point, or after so many seconds; how often its continuations are killed too."""

    victim: str
    point: str = ""
    wait: float | None = None
    everything: bool = False
    fails: str = ""
    again: tuple[float, ...] = ()


class Try(Struct, frozen=True):
    """What came of it. ``killed`` is how many of the kills came in time; ``wrong`` is empty where all is well."""

    kill: Kill
    killed: int
    state: str
    found: str
    seconds: float
    wrong: str


class Zygote:
    """The process that makes a fresh one for every try."""

    def __init__(self, state: Path) -> None:
        paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        self._process = Popen(
            [sys.executable, "-m", "torture.zygote"],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(state), "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def order(self, **what: object) -> Mapping[str, object]:
        """Have one try made, and hear of it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that makes others has ended"
        answer: Mapping[str, object] = json.loads(line)
        return answer

    def close(self) -> None:
        """Make no more."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextmanager
def zygote(state: Path) -> Iterator[Zygote]:
    """Such a process, for as long as the block lasts."""
    one = Zygote(state)
    try:
        yield one
    finally:
        one.close()


def boundaries(victim: str, root: Path) -> Iterator[Kill]:
    """Every step boundary on the way there, and the first and last on the way back from every step that may fail.

    Turn by turn the process alone is killed, or everything that it has started with it; where that is cheap, both.
    """
    one = VICTIMS[victim](root)
    for number, (point, fails) in enumerate(_points(one)):
        for everything in (False, True) if one.cheap else (bool(number % 2),):
            yield Kill(victim, point, everything=everything, fails=fails)


def _points(one: Victim) -> Iterator[tuple[str, str]]:
    yield from ((point, "") for point in one.outside)
    steps = one.operation.steps
    for number, step in enumerate(steps):
        yield f"before {step.name}", ""
        yield f"after {step.name}", ""
        if step.name in one.final:
            continue
        back = [earlier.name for earlier in steps[: number + 1] if earlier.undoes is not None]
        for name in dict.fromkeys((*back[-1:], *back[:1])):
            yield f"before undo {name}", step.name
            yield f"after undo {name}", step.name


def moments(one: Zygote, victim: str, root: Path, many: int, seed: int) -> Iterator[Kill]:
    """Random moments within the time of a run that nobody kills; a third of the runs fail, and what goes on is often
    killed, too."""
    chance = random.Random(seed)
    one.order(does="prepare", victim=victim, root=str(root))
    longest = 1.2 * float(str(one.order(does="begin", victim=victim, root=str(root))["seconds"]))
    killed = VICTIMS[victim](root)
    steps = [step.name for step in killed.operation.steps if step.name not in killed.final]
    for number in range(many):
        yield Kill(
            victim,
            wait=round(chance.uniform(0, longest), 3),
            everything=chance.random() < 0.5,
            fails=chance.choice(steps) if steps and number % 3 == 0 else "",
            again=tuple(round(chance.uniform(0, longest), 3) for _ in range(chance.choice((0, 0, 1, 1, 2, 4)))),
        )


def tried(one: Zygote, kill: Kill, root: Path) -> Try:
    """One run, killed as told, resumed until nothing is left to resume."""
    common = {"victim": kill.victim, "root": str(root)}
    before = one.order(does="prepare", **common)
    how = {"everything": kill.everything, "fails": kill.fails}
    first = one.order(does="begin", at=kill.point, wait=kill.wait, **how, **common)
    killed = int(bool(first["killed"]))
    for wait in kill.again:
        killed += int(bool(one.order(does="resume", wait=wait, **how, **common)["killed"]))
    last = one.order(does="resume", **{**how, "fails": kill.fails}, **common)
    found = str(one.order(does="look", begun=before["begun"], **common).get("found"))
    # Killed before the first word was written down, it never was.
    state = "none" if last.get("run") == before["run"] else str(last.get("state"))
    return Try(kill, killed, state, found, float(str(first["seconds"])), _wrong(kill, last, state, found))


def _wrong(kill: Kill, last: Mapping[str, object], state: str, found: str) -> str:
    if "trouble" in last:
        return f"it could not be resumed: {last['trouble']}"
    if last["unended"]:
        return f"still unended: {last['unended']}"
    if found not in (BEFORE, AFTER):
        return f"between: {found}"
    if _AGREED.get(state) != found:
        return f"the run is {state}, and the world is as {found}"
    if last["folders"]:
        return f"its folder is left: {last['folders']}"
    if kill.fails and found == AFTER:
        return "it was to fail, and did not"
    return ""


def write(tries: Sequence[Try], folder: Path = REPORT) -> None:
    """The report: every kill as JSON, and a table of how many of which kind ended how."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps([to_builtins(one) for one in tries], indent=1) + "\n")
    rows = Counter(
        (one.kill.victim, "at a boundary" if one.kill.point else "at a random moment", one.found, one.state)
        for one in tries
    )
    kills = sum(one.killed for one in tries)
    lines = [
        f"{len(tries)} runs, {kills} kills with -9, {sum(bool(one.wrong) for one in tries)} wrong.",
        "",
        "| operation | killed | world | run | runs |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} | {count} |" for row, count in sorted(rows.items())),
        "",
        *(f"- WRONG: {json.dumps(to_builtins(one))}" for one in tries if one.wrong),
    ]
    (folder / "report.md").write_text("\n".join(lines).rstrip() + "\n")
