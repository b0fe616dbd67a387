"""Objects made from values, with the way back.

What a chart makes of its values is a tree in which some parts are taken from the values (:class:`From`) and
some strings are put together from several of them (:class:`Text`). Laying the tree out gives a plain object
and marks; the tracer follows a mark to the value, and from there to the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.sourcemap import cover, cut, join
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Unknown, Value, at, join_text, stands
from shoreup.sources.releases.layers import TraceValue


class From(Struct, frozen=True, eq=False):
    """A part that is made from the values at ``route``.

    ``exact`` says that it is those values as they stand, so that the routes below are the same.
    """

    value: Tree
    route: Route
    exact: bool = False


class Piece(Struct, frozen=True, eq=False):
    """A part of a composed string.

    ``route`` is the value that it is taken from, ``None`` for text of the chart's own; ``chars`` are the characters of
    that value (end exclusive), ``None`` for the whole. ``derived`` names what made the text of them.
    """

    text: str | Unknown
    route: Route | None = None
    chars: tuple[int, int] | None = None
    derived: str = ""


class Text(Struct, frozen=True, eq=False):
    """A string put together from pieces. ``block`` is the value that holds them all."""

    pieces: tuple[Piece, ...]
    block: Route


Tree: TypeAlias = Value | From | Text | Sequence["Tree"] | Mapping[str, "Tree"]

Mark: TypeAlias = From | Text


def lay_out(tree: Tree) -> tuple[Value, dict[Route, Mark]]:
    """The plain value of a tree, and the mark of each place that comes from the values."""
    marks: dict[Route, Mark] = {}
    return _plain(tree, (), marks), marks


def _plain(tree: Tree, route: Route, marks: dict[Route, Mark]) -> Value:
    if isinstance(tree, From):
        marks[route] = tree
        return _plain(tree.value, route, marks)
    if isinstance(tree, Text):
        marks[route] = tree
        return join_text([piece.text for piece in tree.pieces])
    if isinstance(tree, Mapping):
        return {key: _plain(item, (*route, key), marks) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_plain(item, (*route, index), marks) for index, item in enumerate(tree)]
    assert tree is None or isinstance(tree, (bool, int, float, str, Unknown)) or not isinstance(tree, Sequence)
    return tree


def compose(text: Text, trace: TraceValue) -> Origin | None:
    """The origin of a composed string: its segments in order, each from its own value."""
    block = trace(text.block)
    segments: list[Segment] = []
    spans: list[Origin] = []
    for piece in text.pieces:
        origin = None if piece.route is None else trace(piece.route)
        if origin is not None:
            spans.append(origin)
        segments.extend(_segments(piece, origin))
    whole = block or (spans[0] if spans else None)
    if whole is None:
        return None
    single = spans[0] if len({id(piece.route) for piece in text.pieces if piece.route}) == 1 and spans else None
    held = single or whole
    return Origin(held.site, held.span, held.via, join(segments))


def _segments(piece: Piece, origin: Origin | None) -> tuple[Segment, ...]:
    unknown = piece.text.reason if isinstance(piece.text, Unknown) else ""
    text = "" if isinstance(piece.text, Unknown) else piece.text
    if origin is None:
        return (Segment(text, None, verbatim=False, derived=piece.derived or "chart", unknown=unknown),)
    under = origin.segments if piece.chars is None else cut(origin.segments, *piece.chars)
    if not piece.derived and not unknown and "".join(segment.text for segment in under) == text:
        return under
    span = (cover(under) if under else None) or origin.span
    encodings = under[0].encodings if under else ("raw",)
    return (
        Segment(
            text=text,
            span=span,
            verbatim=False,
            encodings=encodings,
            derived="" if unknown else piece.derived or "toString",
            unknown=unknown,
            via=origin.via,
        ),
    )


class DerivedTracer:
    """Traces the fields of one object that was made from values.

    A field that the chart itself adds is traced to the nearest block of values around it, and where there is
    none, to the release.
    """

    def __init__(self, body: Value, marks: Mapping[Route, Mark], trace: TraceValue, release: TraceValue) -> None:
        self._body = body
        self._marks = marks
        self._trace = trace
        self._release = release

    def trace(self, route: Route) -> Origin | None:
        """The origin of the field at ``route``; ``None`` where the object has no such field."""
        if not stands(self._body, *route):
            return None
        origin = self._nearest(route)
        value = at(self._body, *route)
        if origin is None or not isinstance(value, str) or origin.text == value:
            return origin
        return replace(origin, segments=(Segment(value, None, verbatim=False, derived="chart"),))

    def _nearest(self, route: Route) -> Origin | None:
        for length in range(len(route), -1, -1):
            mark = self._marks.get(route[:length])
            origin = None if mark is None else self._follow(mark, route[length:])
            if origin is not None:
                return _headed(origin) if isinstance(at(self._body, *route), dict) else origin
        whole = self._trace(()) or self._release(())
        return None if whole is None else replace(whole, segments=())

    def _follow(self, mark: Mark, rest: Route) -> Origin | None:
        if isinstance(mark, Text):
            return compose(mark, self._trace)
        for length in range(len(rest) if mark.exact else 0, -1, -1):
            origin = self._trace((*mark.route, *rest[:length]))
            if origin is not None:
                return origin if length == len(rest) else replace(origin, segments=())
        return None


def _headed(origin: Origin) -> Origin:
    """A block begins where its name stands, as it does in Terraform."""
    site, span = origin.site, origin.span
    inside = site.file == span.file and site.start <= span.start and span.end <= site.end
    return replace(origin, span=site) if inside else origin
