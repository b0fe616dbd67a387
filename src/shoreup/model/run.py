"""A run of an operation, as people and programs hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """What a run is in."""

    WAITING = "waiting"
    """For a worker."""
    RUNNING = "running"
    CANCELLING = "being cancelled"
    """It is undone before its next step."""
    INTERRUPTED = "interrupted"
    """Whoever executed it is gone. It goes on when it is resumed, or with the next run or worker."""
    DONE = "done"
    UNDONE = "undone"
    """A step failed, and everything before it was taken back."""
    STUCK = "stuck"
    """A step failed, and not everything could be taken back: a person has to look."""
    CANCELLED = "cancelled"
    """Somebody wished so, and everything was taken back."""
    REFUSED = "refused"
    """Nothing was begun."""
    FAULTY = "faulty"
    """It ended in a way that no run should."""


class StepSeen(Struct, frozen=True):
    """A step that was executed to its end. ``why`` says what failed, empty where nothing did."""

    name: str
    began: datetime | None
    ended: datetime | None
    why: str


class RunSeen(Struct, frozen=True):
    """One run. Times are in UTC. ``host`` is the machine that has it, empty for none.

    Where it was not done, ``step`` is where, ``why`` the reason, and ``left`` what could not be taken back. ``steps``
    are those that were executed so far, of ``of`` in all.
    """

    id: str
    operation: str
    subject: str
    state: State
    asked: datetime
    ended: datetime | None
    host: str = ""
    step: str = ""
    why: str = ""
    left: tuple[str, ...] = ()
    steps: tuple[StepSeen, ...] = ()
    of: tuple[str, ...] = ()
    given: Mapping[str, str] = {}
    results: Mapping[str, str] = {}
