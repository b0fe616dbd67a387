"""A small operation on files that a test can watch, kill and look at, in this process and in others."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from time import sleep

from shoreup.cli.signals import stopped_by_signals, tell
from shoreup.operations.outcomes import Outcome
from shoreup.operations.places import Place, locate
from shoreup.operations.registry import Find, UnknownOperation
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.workflows import Executor
from shoreup.stages.working import work

PATIENCE = 3.0
"""Seconds after which a process that is killed is believed dead."""
CALM = 30.0
"""The same for the process of the tests: it must not end because the machine is busy."""
NAMES = ("one", "two", "three")


def writing() -> Operation:
    """Three steps, each of which writes a line into the estate's ``world``, and fails or dies where it is told to."""

    def step(name: str) -> Step:
        def does(run: Run) -> Plain:
            told(run, name)
            sleep(float(str(run.given.get("takes", 0))))
            if os.environ.get("DIES_AT") == name:
                os.kill(os.getpid(), signal.SIGKILL)
            if run.given.get("fails") == name:
                raise OSError("no space left")
            return {"by": os.getpid()}

        def undoes(run: Run) -> None:
            told(run, f"undo {name}")
            if run.given.get("stuck") == name:
                raise OSError("busy")

        return Step(name, does, f"{name} is taken back", undoes)

    return Operation("write", tuple(step(name) for name in NAMES))


def told(run: Run, what: str) -> None:
    """Write down that something happened; a line is written whole or not at all."""
    with (Path(str(run.given["estate"])) / "world").open("a", encoding="utf-8") as world:
        world.write(f"{run.id} {what}\n")


def world(root: Path, run: str = "") -> list[str]:
    """What happened, in order; of one run only its own."""
    try:
        lines = (root / "world").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [line.partition(" ")[2] if run else line for line in lines if line.startswith(run)]


def carried(place: Place, given: Mapping[str, Plain] | None = None, *, subject: str = "files") -> Outcome:
    """One run in this process, from begin to end."""
    with executing(place) as executor:
        return executor.wait(executor.begin(executor.asked("write", subject, given or {})))


def executing(place: Place, find: Find | None = None, *, patience: float = CALM) -> Executor:
    """This process as one that knows the operation."""
    return Executor(place, find=find or found, patience=patience)


def found(name: str) -> Operation:
    """The operation, under its name alone."""
    if name != "write":
        raise UnknownOperation(f"no operation {name!r}")
    return writing()


def elsewhere(root: Path, *arguments: str, url: str = "", **environment: str) -> Popen[str]:
    """This module as a process of its own."""
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return Popen(
        [sys.executable, __file__, str(root), url, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
        stdin=DEVNULL,
        stdout=PIPE,
        text=True,
    )


def main(arguments: Sequence[str]) -> None:
    """Begin a run, or work, until it is done or killed."""
    root, url, does = Path(arguments[0]), arguments[1], arguments[2]
    place = locate(root, url, asked=True)
    if does == "work":
        with stopped_by_signals() as stop:
            work(place, stop, tell, slots=int(arguments[3]), find=found, patience=PATIENCE)
        return
    with executing(place, patience=PATIENCE) as executor:
        run = executor.begin(executor.asked("write", "files", {}))
        sys.stdout.write(f"{run}\n")
        sys.stdout.flush()
        executor.wait(run)


if __name__ == "__main__":
    main(sys.argv[1:])
