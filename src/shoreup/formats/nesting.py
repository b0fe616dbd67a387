"""Values inside of mappings and lists that are not there yet, whatever the format."""

from __future__ import annotations

from typing import TypeVar

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import Plain
from shoreup.model.location import Route
from shoreup.model.value import Value

Nestable = TypeVar("Nestable", Value, Plain)


def nested(route: Route, value: Nestable) -> Nestable:
    """The value inside of the mappings and lists that lead to it by ``route``.

    Raises :class:`CannotWrite` for an item that would not be the first of its list.
    """
    for step in reversed(route):
        if isinstance(step, str):
            value = {step: value}
        elif step == 0:
            value = [value]
        else:
            raise CannotWrite(f"there is no item before number {step}")
    return value
