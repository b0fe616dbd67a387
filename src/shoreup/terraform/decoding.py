"""The way back through text that is decoded from YAML or JSON, or encoded as it.

``yamldecode(file("x.yaml")).image`` stands in the file at the image. ``jsonencode({ image = var.image })`` is made by
the function, but the characters of each string in it are those that stand where the string is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shoreup.formats.sourcemap import ENCODED, cover, cut
from shoreup.formats.yaml import Document, load
from shoreup.formats.yaml import Trace as Place
from shoreup.formats.yaml.inside import emptied, filled, marked, origin_inside
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.expressions import evaluate
from shoreup.terraform.functions.kinds import FunctionError
from shoreup.terraform.reached import KeyOf, Lost, Reached, spells
from shoreup.terraform.scope import EvaluationError, Scope

if TYPE_CHECKING:
    from shoreup.formats.hcl.syntax import Call
    from shoreup.terraform.trace import Trace

MAX_LEAVES = 200
"""Strings in an encoded value; each is followed by itself."""


def decoded(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """``yamldecode`` and ``jsondecode``."""
    if not route or type(route[-1]) is KeyOf or len(node.arguments) != 1:
        return None
    text = evaluate(node.arguments[0], scope)
    if not isinstance(text, str | PartialText):
        return None
    outer = trace.follow(node.arguments[0], scope, ())
    document = _document(scope, text)
    found = document.trace(route) if document is not None else None
    if found is None or not spells(outer.segments, text):
        return None
    origin = origin_inside(found, Origin(outer.span, outer.span, outer.via, outer.segments), marked(text)[0])
    return Reached(origin.span, origin.segments, origin.via)


def encoded(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """``yamlencode`` and ``jsonencode``."""
    if route or len(node.arguments) != 1:
        return None
    value, result = evaluate(node.arguments[0], scope), evaluate(node, scope)
    if not isinstance(result, str | PartialText):
        return None
    document = _document(scope, result)
    leaves = list(_leaves(value, ()))
    if document is None or len(leaves) > MAX_LEAVES:
        return None
    text, by = marked(result)[0], f"{node.name}()"
    here = node.source.span(node.start, node.end)
    places = [(leaf, found) for leaf in leaves if (found := document.trace(leaf[0])) is not None]
    segments: list[Segment] = []
    position = 0
    for (way, leaf), found in sorted(places, key=lambda place: place[1].start):
        for start, end, pieces in _written(trace, node, scope, way, leaf, found, text):
            if start >= position:
                segments += _made(text[position:start], here, by)
                segments += pieces
                position = end
    segments += _made(text[position:], here, by)
    made = tuple(map(emptied, segments))
    return Reached(here, made) if spells(made, result) else None


def _made(text: str, span: Span, by: str) -> list[Segment]:
    return [Segment(text, span, derived=by)] if text else []


def _leaves(value: Value, route: Route) -> Iterator[tuple[Route, Value]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*route, index))
    elif value is not None:
        yield route, value


def _written(
    trace: Trace, node: Call, scope: Scope, route: Route, leaf: Value, found: Place, text: str
) -> Iterator[tuple[int, int, list[Segment]]]:
    """The ranges of the encoded ``text`` that one string gives, each with what gives it."""
    if isinstance(leaf, Unknown):
        unknown = Segment(text[found.start : found.end], None, derived=f"{node.name}()", unknown=leaf.reason)
        yield found.start, found.end, [unknown]
        return
    try:
        inner = type(trace)().follow(node.arguments[0], scope, route)
    except (Lost, EvaluationError, FunctionError):
        return
    if not isinstance(leaf, str | PartialText):
        if spells(inner.segments, text[found.start : found.end]):
            yield found.start, found.end, [_through(segment, inner) for segment in inner.segments]
        return
    plain = "".join(run.text for run in found.runs)
    whole = filled(inner.segments, plain)
    if not spells(tuple(whole), plain):
        return
    position = 0
    for run in found.runs:
        pieces = cut(whole, position, position + len(run.text))
        position += len(run.text)
        if run.verbatim:
            yield run.start, run.end, [_through(piece, inner) for piece in pieces]
        else:
            span = cover(pieces) or inner.span
            made = Segment(text[run.start : run.end], span, verbatim=False, derived=f"{node.name}()")
            yield run.start, run.end, [made]


def _through(segment: Segment, inner: Reached) -> Segment:
    encodings = (*segment.encodings, ENCODED)
    return Segment(
        segment.text,
        segment.span,
        segment.verbatim,
        encodings,
        segment.derived,
        segment.unknown,
        (*inner.via, *segment.via),
    )


def _document(scope: Scope, text: str | PartialText) -> Document | None:
    """The text as the one document that it holds."""
    known = scope.module.root.documents
    filled_text = marked(text)[0]
    if filled_text not in known:
        stream = load(filled_text)
        known[filled_text] = stream.documents[0] if len(stream.documents) == 1 else None
    return known[filled_text]
