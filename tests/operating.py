"""A small operation on files that a test can watch, kill and look at, in this process and in others."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import TextIO
from uuid import uuid4

from shoreup.cli.signals import stopped_by_signals, tell
from shoreup.operations.outcomes import Outcome
from shoreup.operations.places import Place, locate
from shoreup.operations.registry import Find, UnknownOperation
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.workflows import Executor
from shoreup.stages.running.working import work

PATIENCE = 5.0
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


class Elsewhere:
    """This module at work in a process of its own, which may be killed."""

    def __init__(self, root: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._said = root.parent / f"said-{uuid4().hex}"
        self._said.touch()
        given = (self._said, [str(root), *arguments], {**os.environ, **environment})
        # A Python with a workflow library takes a second to begin; one that has begun is forked at once.
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["dbos", "operating"])
        self._process = server.Process(target=_begun, args=given, daemon=True)
        self._process.start()

    def said(self) -> str:
        """What it has written, when it has ended."""
        self._process.join()
        return self._said.read_text().strip()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def tell_to_stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def code(self, seconds: float | None = None) -> int | None:
        """How it ended; ``None`` where it has not in so many seconds."""
        self._process.join(seconds)
        return self._process.exitcode


def elsewhere(root: Path, *arguments: str, url: str = "", **environment: str) -> Elsewhere:
    """This module as a process of its own."""
    return Elsewhere(root, (url, *arguments), environment)


def _begun(said: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with said.open("w", encoding="utf-8") as told:
        main(arguments, told)


def main(arguments: Sequence[str], said: TextIO) -> None:
    """Begin a run, or work, until it is done or killed."""
    root, url, does = Path(arguments[0]), arguments[1], arguments[2]
    place = locate(root, url, asked=True)
    if does == "work":
        with stopped_by_signals() as stop:
            work(place, stop, tell, slots=int(arguments[3]), find=found, patience=PATIENCE)
        return
    with executing(place, patience=PATIENCE) as executor:
        run = executor.begin(executor.asked("write", "files", {}))
        said.write(f"{run}\n")
        said.flush()
        executor.wait(run)
