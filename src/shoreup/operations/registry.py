"""Operations by their names, because what a dead process began has to be found again by another one.

A name leads to a function that gives the operation. It takes nothing: whatever differs between two runs is in
``Run.given``, which the database keeps, so a run goes on as the operation that it was begun as.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from shoreup.operations.steps import Operation

Find = Callable[[str], Operation]
"""Gives the operation of a name, or raises :class:`UnknownOperation`."""

_KNOWN: Mapping[str, str] = {
    "backup run": "shoreup.operations.backup.running:backup_run",
    "backup prune": "shoreup.operations.backup.pruning:backup_prune",
    "backup restore": "shoreup.operations.backup.restoring:backup_restore",
    "drill": "shoreup.stages.running.drilling:drill",
    "upgrade postgres run": "shoreup.operations.upgrade.run:operation",
    "upgrade postgres open": "shoreup.operations.upgrade.back:opening",
    "upgrade postgres rollback": "shoreup.operations.upgrade.back:rollback",
}
"""Where each is made: ``module:function``. A module is imported when its operation is asked for."""


class UnknownOperation(Exception):
    """A name that no operation of this Shoreup has."""


def names() -> tuple[str, ...]:
    """All of them."""
    return tuple(_KNOWN)


def operation(name: str) -> Operation:
    """The operation of a name. Raises :class:`UnknownOperation`."""
    if name not in _KNOWN:
        raise UnknownOperation(f"this Shoreup has no operation {name!r}")
    module, _, function = _KNOWN[name].partition(":")
    made = getattr(import_module(module), function)()
    assert isinstance(made, Operation)
    return made
