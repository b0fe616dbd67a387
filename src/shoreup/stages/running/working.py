"""A process that stays: it executes what is queued, goes on with what the dead have left, and queues what is due.

It ends when it is told to. What is in the middle of a step then ends that step; what had more to do goes on at the next
worker, or at this one when it is started again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import inf
from threading import Event
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from shoreup.operations.inheritance import adopt
from shoreup.operations.leases import PATIENCE
from shoreup.operations.places import Place
from shoreup.operations.registry import Find, operation
from shoreup.operations.workflows import Executor

GRACE = 25.0
"""Seconds that a step has to end when the process is to stop; Kubernetes kills after 30."""
_LOOK = 1.0
"""Seconds between two looks at what is due; a minute is the shortest time that cron knows."""
_PAUSE = 0.05
_TIDY = 24 * 3600.0
_REMEMBERED = timedelta(days=400)
"""How long runs that have ended are remembered."""

Tell = Callable[[str], None]
Tick = Callable[[Executor], None]


def work(
    place: Place,
    stop: Event,
    tell: Tell,
    *,
    slots: int,
    tick: Tick | None = None,
    find: Find = operation,
    patience: float = PATIENCE,
) -> None:
    """Execute runs until ``stop``, as many as ``slots`` at a time. ``tick`` is called about once a second.

    Raises :class:`UserError` where the database cannot be used at the start. When it is lost later, it is waited for,
    and the process ends only when others may have taken its runs.
    """

    def watch(run: str, step: str) -> None:
        tell(f"{run}: {step}")

    with Executor(place, slots=slots, find=find, watch=watch, patience=patience) as executor:
        tell(f"working on the runs in {place.shown}, {slots} at a time")
        looked = tidied = -inf
        while not stop.is_set():
            with suppress(SQLAlchemyError):
                if monotonic() - looked > patience / 4:
                    looked = monotonic()
                    for run in adopt(executor):
                        tell(f"{run}: going on with what was interrupted")
                if monotonic() - tidied > _TIDY:
                    tidied = monotonic()
                    executor.tidy(datetime.now(UTC) - _REMEMBERED)
                if tick is not None:
                    tick(executor)
            stop.wait(min(_LOOK, patience / 4))
        executor.stop()
        tell("stopping; what is not done goes on later")
        ends = monotonic() + GRACE
        pause = Event()
        while executor.busy() and monotonic() < ends:
            pause.wait(_PAUSE)
