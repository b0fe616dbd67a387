"""What a field can hold: plain data, or the honest admission that only an apply can know.

An unknown spreads as little as it must. A string with one unknown part stays readable as
:class:`PartialText`; a list with one unknown item is still a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct


class Unknown(Struct, frozen=True):
    """A value that the source does not decide, and why.

    ``path`` is the file that holds the value, where it is known but cannot be read (an encrypted file).
    """

    reason: str
    path: str = ""

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false; ask is_known first")


class PartialText(Struct, frozen=True):
    """A string of which some parts are unknown. Adjacent known parts are joined."""

    parts: tuple[str | Unknown, ...]

    @property
    def reason(self) -> str:
        """Why the first unknown part is unknown."""
        return next(part.reason for part in self.parts if isinstance(part, Unknown))

    @property
    def pattern(self) -> str:
        """The string with ``*`` for each unknown part, for people and for identities."""
        return "".join(part if isinstance(part, str) else "*" for part in self.parts)


Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | Unknown | PartialText | None
# A union that exists at run time, for other aliases are made of it: no quotes around it all.


def is_known(value: Value) -> bool:
    """Whether the value itself is decided (its items may still be unknown)."""
    return not isinstance(value, (Unknown, PartialText))


def unknowns(value: Value) -> Iterator[Unknown]:
    """Every unknown inside a value, depth first."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, PartialText):
        yield from (part for part in value.parts if isinstance(part, Unknown))
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
    elif isinstance(value, list):
        for item in value:
            yield from unknowns(item)


def join_text(parts: list[str | Unknown]) -> str | PartialText:
    """Join parts of a string; the result is a plain string when every part is known."""
    joined: list[str | Unknown] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    if not joined:
        return ""
    if len(joined) == 1 and isinstance(joined[0], str):
        return joined[0]
    return PartialText(tuple(joined))


def pattern(value: Value) -> str:
    """A value as text for an identity: ``*`` stands for what is unknown."""
    if isinstance(value, PartialText):
        return value.pattern
    if isinstance(value, Unknown):
        return "*"
    return "" if value is None else str(value)


def stands(value: Value, *route: str | int) -> bool:
    """Whether something stands at a route, if it were nothing (``null``)."""
    for step in route:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return False
    return True


def at(value: Value, *route: str | int) -> Value:
    """Follow a route into a value.

    Gives ``None`` where a step is missing, and the unknown itself where a step is unknown.
    """
    for step in route:
        if isinstance(value, Unknown):
            return value
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value
