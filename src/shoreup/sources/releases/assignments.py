"""Helm's ``--set`` language: ``a.b[0].c=value``, with escapes, lists in braces and guessed types.

Rules as in Helm's ``strvals`` package (Helm 3 and 4): a number is one only when it is whole and has no leading
zero, ``null`` is nothing, and a comma starts another assignment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.sourcemap import cover, cut
from shoreup.formats.spelling import rewritten
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.sources.editing import Like
from shoreup.sources.releases.layers import Layer, Stack, TraceValue
from shoreup.sources.releases.values import StackValues

MAX_INDEX = 65536
"""Helm's own bound on list indices."""


class Assignment(Struct, frozen=True, eq=False):
    """One value put at one route. ``chars`` are its characters in the string that held it, ``None`` for all of it.

    ``origin`` finds where that string (the empty route) or an item of a value that is a list is written.
    ``items`` are the characters of each item of a list in braces.
    """

    route: Route
    value: Value
    origin: TraceValue
    chars: tuple[int, int] | None = None
    items: tuple[tuple[int, int], ...] = ()


def assignments(name: str, value: Value, kind: str, origin: TraceValue) -> list[Assignment]:
    """What ``name`` set to ``value`` means. ``kind`` is ``auto`` (or empty), ``string`` or ``literal``; lists are put
    as they are.
    """
    route = key_route(name)
    if route is None:
        return []
    if isinstance(value, (Unknown, PartialText)) or not isinstance(value, str):
        return [Assignment(route, value, origin)]
    if kind == "literal":
        return [Assignment(route, value, origin)]
    made: list[Assignment] = []
    first, *others = split_unescaped(value, ",") if not value.startswith("{") else [(0, len(value))]
    made.append(_assignment(route, value, first, kind, origin))
    for start, end in others:  # a comma starts another assignment: that is how --set works
        key, equals, _ = value[start:end].partition("=")
        more = key_route(key) if equals else None
        if more is not None:
            made.append(_assignment(more, value, (start + len(key) + 1, end), kind, origin))
    return made


def _assignment(route: Route, text: str, span: tuple[int, int], kind: str, origin: TraceValue) -> Assignment:
    part = text[span[0] : span[1]]
    chars = None if span == (0, len(text)) else span
    if not (part.startswith("{") and part.endswith("}")):
        return Assignment(route, _typed(part, kind), origin, chars)
    inner = part[1:-1]
    ranges = split_unescaped(inner, ",") if inner else []
    listed: list[Value] = [_typed(inner[start:end], kind) for start, end in ranges]
    offset = span[0] + 1
    items = tuple((offset + start, offset + end) for start, end in ranges)
    return Assignment(route, listed, origin, chars, items)


def _typed(text: str, kind: str) -> Value:
    plain = re.sub(r"\\(.)", r"\1", text, flags=re.S)
    if kind == "string" or plain != text:
        return plain
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if re.fullmatch(r"0|[+-]?[1-9]\d{0,18}", text):
        return int(text)
    return plain


def split_unescaped(text: str, separator: str) -> list[tuple[int, int]]:
    """The parts between separators that no backslash precedes, as ranges of characters."""
    found: list[tuple[int, int]] = []
    start = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == separator:
            found.append((start, position))
            start = position + 1
        position += 1
    found.append((start, len(text)))
    return found


def key_route(name: str) -> Route | None:
    """The route that a key means; ``None`` when it is no key."""
    route: list[str | int] = []
    for start, end in split_unescaped(name, "."):
        match = re.fullmatch(r"((?:[^\\\[]|\\.)*)((?:\[\d+\])*)", name[start:end], re.S)
        if match is None or (not match[1] and not match[2]):
            return None
        if match[1]:
            route.append(re.sub(r"\\(.)", r"\1", match[1], flags=re.S))
        for index in re.findall(r"\d+", match[2]):
            if int(index) > MAX_INDEX:
                return None
            route.append(int(index))
    return tuple(route)


def assign(below: Stack, made: Sequence[Assignment]) -> Stack:
    """Values with assignments over them; the items of a list that no assignment touches stay."""
    if not made:
        return below
    values: Value = below.values
    for item in made:
        values = _put(values, item.route, item.value)
    assert isinstance(values, dict)

    def trace(route: Route) -> Origin | None:
        for item in reversed(made):
            if route[: len(item.route)] == item.route:
                return _origin(item, route[len(item.route) :])
        inner = next((item for item in made if item.route[: len(route)] == route), None)
        return below.trace(route) or (None if inner is None else _block(inner))

    return Stack((Layer(values, trace, _Assigned(below, tuple(made))),), values, below.open_reason)


class _Assigned:
    """Writes values that assignments lie over: what one of them says is changed in it, the rest below."""

    def __init__(self, below: Stack, made: tuple[Assignment, ...]) -> None:
        self._below = StackValues(below)
        self._made = made

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give the value at ``route``."""
        for item in reversed(self._made):
            if route[: len(item.route)] == item.route:
                rest = route[len(item.route) :]
                origin = _origin(item, rest)
                if origin is None:
                    break
                return rewritten(origin, at(item.value, *rest), value, read)
        self._refuse(route)
        return self._below.put(route, value, read, like=like, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to a list."""
        self._refuse(route)
        return self._below.append(route, value, read, like=like, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away what stands at ``route``."""
        self._refuse(route)
        return self._below.remove(route, read, alone=alone)

    def _refuse(self, route: Route) -> None:
        for item in self._made:
            short = min(len(route), len(item.route))
            if route[:short] == item.route[:short] and short:
                raise CannotWrite(f"{'.'.join(map(str, item.route))} is set apart, over the values")


def _put(value: Value, route: Route, item: Value) -> Value:
    if not route:
        return item
    step, rest = route[0], route[1:]
    if isinstance(value, Unknown):
        return value
    if isinstance(step, int):
        listed = list(value) if isinstance(value, list) else []
        listed.extend([None] * (step + 1 - len(listed)))
        listed[step] = _put(listed[step], rest, item)
        return listed
    mapped = dict(value) if isinstance(value, dict) else {}
    mapped[step] = _put(mapped.get(step), rest, item)
    return mapped


def _origin(item: Assignment, rest: Route) -> Origin | None:
    origin = item.origin(())
    if origin is None:
        return None
    chars, value = item.chars, item.value
    if item.items and len(rest) == 1 and isinstance(rest[0], int) and rest[0] < len(item.items):
        chars = item.items[rest[0]]
        value = at(item.value, rest[0])
    elif rest:
        return item.origin(rest) or replace(origin, segments=())
    segments = origin.segments if chars is None else cut(origin.segments, *chars)
    if isinstance(value, str) and "".join(segment.text for segment in segments) != value:
        segments = (Segment(value, cover(segments), verbatim=False, derived="helm set", via=origin.via),)
    return replace(
        origin, span=cover(segments) or origin.span, segments=segments if isinstance(value, (str, PartialText)) else ()
    )


def _block(item: Assignment) -> Origin | None:
    origin = item.origin(())
    return None if origin is None else Origin(origin.site, origin.span, origin.via)
