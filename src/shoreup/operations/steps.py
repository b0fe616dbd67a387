"""What an operation is: steps in an order, each of which may run twice and says how it is undone.

A process can be killed between any two instructions, so a step that was begun runs again when its operation resumes.
That is harmless only where doing it twice is the same as doing it once, and every step here has to be of that kind:
write beside and rename, look before making, name what is made after the run. What a step gives to those behind it is
plain data that a database can keep; what must never lie in one (a password, a key) is looked up anew by each step that
needs it.

When a step fails, those before it and itself are undone from the last to the first. A step that cannot be undone says
so in ``way_back``, and what a person has to do then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""What can be kept as JSON and read back the same."""


class Run(Struct, frozen=True):
    """One run of an operation, as its steps see it.

    ``id`` names the run wherever it leaves a trace; one run has one for as long as it lives, however often it is
    killed. ``given`` is what was asked for, ``results`` what the steps so far gave, by their names. ``folder`` is the
    run's own, on a disk that outlives the process; it is removed when the run has ended.
    """

    id: str
    given: Mapping[str, Plain]
    folder: Path
    results: Mapping[str, Plain] = {}

    def knows(self, step: str, result: Plain) -> Run:
        """The run, one step on."""
        return replace(self, results={**self.results, step: result})


class Step(Struct, frozen=True):
    """One step. ``does`` may run again after it was killed in its middle, and then leads to the same end.

    ``undoes`` takes back what ``does`` did, also half of it, also nothing of it; ``None`` where there is nothing to
    take back or no way to. ``way_back`` says in one sentence which, for people.
    """

    name: str
    does: Callable[[Run], Plain]
    way_back: str
    undoes: Callable[[Run], None] | None = None


class Operation(Struct, frozen=True):
    """Steps in their order. ``name`` is what a person calls it (``backup run``).

    ``anywhere`` says that a step finds what it needs on any machine that has a worker: nothing that an earlier step
    left lies in the run's folder or on that step's machine. A run that was killed then goes on elsewhere, too.
    """

    name: str
    steps: tuple[Step, ...]
    anywhere: bool = False


class Undone(Exception):
    """A step failed, and what had been done is undone. ``left`` names the steps that could not be undone, with why."""

    def __init__(self, step: str, cause: BaseException, left: Sequence[str]) -> None:
        words = str(cause).strip() or type(cause).__name__
        super().__init__(f"{step}: {words}" + (f"; not undone: {'; '.join(left)}" if left else ""))
        self.step = step
        self.cause = cause
        self.left = tuple(left)


Execute: TypeAlias = "Callable[[str, Callable[[], Plain]], Plain]"
"""How a piece of work named so is executed: plainly, or remembered by a workflow engine and not executed again."""


def plainly(_name: str, work: Callable[[], Plain]) -> Plain:
    """Execute a piece of work and remember nothing."""
    return work()


def carry_out(operation: Operation, run: Run, execute: Execute = plainly) -> Mapping[str, Plain]:
    """Every step in its order, and the result of each by name.

    Raises :class:`Undone` where a step fails; whatever could be undone is undone then.
    """
    begun: list[Step] = []
    for step in operation.steps:
        begun.append(step)
        try:
            result = execute(step.name, _done(step, run))
        except Exception as cause:
            raise Undone(step.name, cause, _take_back(begun, run, execute)) from cause
        run = run.knows(step.name, result)
    return run.results


def _take_back(begun: Sequence[Step], run: Run, execute: Execute) -> list[str]:
    left: list[str] = []
    for step in reversed(begun):
        if step.undoes is None:
            continue
        try:
            execute(f"undo {step.name}", _undone(step, run))
        except Exception as trouble:
            # The others are undone all the same: half a way back is better than none.
            left.append(f"{step.name} ({str(trouble).strip() or type(trouble).__name__}; {step.way_back})")
    return left


def _done(step: Step, run: Run) -> Callable[[], Plain]:
    return lambda: step.does(run)


def _undone(step: Step, run: Run) -> Callable[[], Plain]:
    def work() -> Plain:
        if step.undoes is not None:
            step.undoes(run)
        return None

    return work
