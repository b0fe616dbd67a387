"""Going on with what the dead have left.

A process that was killed leaves runs that the database still calls its own. Whoever comes next looks whose lease is
gone, takes that one's place alone, and puts each of its runs where it goes on: here, where the run's files are; or back
into the queue, where nothing of it has begun or nothing of it lies on one machine.
"""

from __future__ import annotations

import time
from collections import defaultdict

from shoreup.model.errors import UserError
from shoreup.operations.registry import UnknownOperation
from shoreup.operations.runs import HERE, Kept, host_of
from shoreup.operations.workflows import POLL, Executor


def adopt(executor: Executor, only: str = "") -> tuple[str, ...]:
    """Take over what the dead have left, as far as it may go on here, or only one run. Gives what goes on here."""
    theirs: dict[str, list[Kept]] = defaultdict(list)
    for kept in executor.runs.all(unended=True, limit=100_000):
        if kept.executor and kept.executor != executor.name:
            theirs[kept.executor].append(kept)
    taken: list[str] = []
    for other, runs in theirs.items():
        wanted = [kept for kept in runs if only in ("", kept.id) and _way(executor, kept)]
        if not wanted or executor.leases.living(other):
            continue
        with executor.leases.inherit(other) as dead:
            if not dead:
                continue
            for kept in wanted:
                # Somebody may have been here between the look and the lock.
                if executor.runs.one(kept.id).executor != other:
                    continue
                queue = _way(executor, kept)
                executor.put(kept.id, queue)
                if queue == executor.here:
                    taken.append(kept.id)
    if not only:
        _bury(executor, set(theirs))
    return tuple(taken)


def _bury(executor: Executor, heirless: set[str]) -> None:
    """Take away what is left of the dead but for those whose runs were still theirs a moment ago."""
    for queue in executor.queues():
        other = queue.removeprefix(HERE)
        if not queue.startswith(HERE) or other == executor.name or other in heirless or executor.leases.living(other):
            continue
        with executor.leases.inherit(other) as dead:
            if dead:
                executor.forget(queue)
                executor.leases.bury(other)


def resume(executor: Executor, run: str) -> None:
    """Go on with one run here, where it is one that was interrupted. Raises :class:`UserError` where that cannot be."""
    while True:
        kept = executor.runs.one(run)
        if kept.outcome is not None or kept.executor == executor.name:
            return
        if not kept.executor:
            raise UserError(f"Run {kept.id} waits for a worker. Start one with: shoreup worker")
        if not _way(executor, kept):
            raise UserError(_why_not(executor, kept))
        if not executor.leases.missing(kept.executor):
            number = kept.executor.split(".")[2]
            raise UserError(f"Run {kept.id} is at work on {kept.host}, in process {number}.")
        # On a server a lease that is gone may still come back for a while.
        if not adopt(executor, kept.id):
            time.sleep(POLL)


def _way(executor: Executor, kept: Kept) -> str:
    """The queue from which a run goes on; empty where it may not from here."""
    try:
        operation = executor.find(kept.asked.operation)
    except UnknownOperation:
        return ""
    begun = bool(executor.runs.steps(kept.id))
    same = tuple(step.name for step in operation.steps) == kept.asked.steps
    if begun and not same:
        return ""
    home = kept.executor.startswith(f"{executor.home}.")
    if kept.asked.waits and (operation.anywhere or not begun):
        return executor.shared
    return executor.here if home or operation.anywhere or not begun else ""


def _why_not(executor: Executor, kept: Kept) -> str:
    if not kept.executor.startswith(f"{executor.home}."):
        return (
            f"Run {kept.id} was begun on {host_of(kept.executor)}, where its files are. Resume it there, or let both "
            "machines share a folder: [operations] folder in shoreup.toml."
        )
    try:
        executor.find(kept.asked.operation)
        differs = f"whose {kept.asked.operation!r} has other steps"
    except UnknownOperation as unknown:
        differs = f"and {unknown}"
    return f"Run {kept.id} was begun by another version of Shoreup, {differs}. Install that version to go on with it."
