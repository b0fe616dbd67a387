"""Where the way back to a value's origin ends."""

from __future__ import annotations

from shoreup.model.location import Span
from shoreup.model.origin import Reference, Segment
from shoreup.model.value import PartialText, Value


class Lost(Exception):
    """The way back ends here: the value is made by something that does not invert."""


class KeyOf(str):
    """The last step of a route when the key itself is asked for, not the item under it."""

    __slots__ = ()


class Reached:
    """Where the way back arrived. ``segments`` is empty for what is not a string."""

    __slots__ = ("segments", "span", "via")

    def __init__(self, span: Span, segments: tuple[Segment, ...], via: tuple[Reference, ...] = ()) -> None:
        self.span = span
        self.segments = segments
        self.via = via


def derived(value: Value, span: Span, by: str) -> tuple[Segment, ...]:
    """The segments of a value that something at ``span`` makes."""
    if isinstance(value, PartialText):
        return tuple(
            Segment(part, span, derived=by)
            if isinstance(part, str)
            else Segment("", span, derived=by, unknown=part.reason)
            for part in value.parts
        )
    return (Segment(str(value), span, derived=by),)


def spells(segments: tuple[Segment, ...], value: str | PartialText) -> bool:
    """Whether segments give exactly this string."""
    known = value if isinstance(value, str) else "".join(part for part in value.parts if isinstance(part, str))
    return "".join(segment.text for segment in segments) == known
