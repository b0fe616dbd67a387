"""Removing backups that the policy does not keep, and what runs left that never ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shoreup.operations.backup.plan import Plan, planned
from shoreup.operations.backup.records import RECORD, id_of, number_of
from shoreup.operations.backup.retention import Aged, Decision, decide
from shoreup.operations.backup.shelf import Kept, Shelf
from shoreup.operations.steps import Operation, Plain, Run, Step

_UNFINISHED = timedelta(days=3)
"""After so long nobody is still writing."""
DECIDE, REMOVE = "decide", "remove"


def decisions(plan: Plan, now: datetime) -> tuple[Decision, ...]:
    """What would stay and what would go, with the reasons, the newest first. Raises :class:`StoreTrouble`."""
    shelf = plan.shelf()
    kept = shelf.kept()
    return (*decide([aged(one) for one in kept], plan.spec.policy), *_leftovers(shelf, kept, now))


def backup_prune() -> Operation:
    """The operation that removes what :func:`decisions` says. Each step gives the ids of what goes."""
    return Operation(
        "backup prune",
        (
            Step(DECIDE, _decide, "nothing was changed"),
            Step(REMOVE, _remove, "a backup that was removed is gone"),
        ),
        anywhere=True,
    )


def _decide(run: Run) -> Plain:
    return [one.id for one in decisions(planned(run), datetime.now(UTC)) if not one.stays]


def _remove(run: Run) -> Plain:
    plan, told = planned(run), run.results[DECIDE]
    assert isinstance(told, list)
    shelf = plan.shelf()
    with shelf.alone():
        # What has come or was found damaged since is looked at again, and what stays by now stays. What a killed run
        # has begun to remove has no record any more: nothing decides for it, so it goes as it was told.
        kept = shelf.kept()
        staying = {one.id for one in decide([aged(one) for one in kept], plan.spec.policy) if one.stays}
        for one in told:
            if one not in staying:
                shelf.remove(str(one))
        if told:
            shelf.store.tidy()
    return told


def aged(kept: Kept) -> Aged:
    """A backup as retention sees it."""
    record = kept.record
    moment = record.moment if record is not None else datetime.min.replace(tzinfo=UTC)
    return Aged(kept.id, number_of(kept.id), moment, kept.good, kept.restored)


def _leftovers(shelf: Shelf, kept: Sequence[Kept], now: datetime) -> list[Decision]:
    """What lies there without a record: of runs that were killed and never went on."""
    whole = {one.id for one in kept}
    newest = max((number_of(one) for one in whole), default=0)
    loose = {id_of(one.name) for one in shelf.store.entries(shelf.name) if not one.name.endswith(RECORD)} - whole - {""}
    found: list[Decision] = []
    for one in sorted(loose):
        began = datetime.strptime(one.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        old = number_of(one) < newest and now - began > _UNFINISHED
        found.append(Decision(one, not old, "a run that never ended" if old else "a run that may still go on"))
    return found
