"""Values that are written as YAML inside a string: a heredoc, a ConfigMap's key, a values file.

Unknown parts of the string become placeholders while the YAML is read, so that the rest stays readable: an
unknown scalar is an unknown value, an unknown part of a scalar leaves the other parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from shoreup.formats.sourcemap import cover, cut, join, nest, place, whole
from shoreup.formats.yaml import Document, load
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Reference, Segment
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.sources.releases.layers import Layer, nowhere

_FIRST_MARK = 0xE000
_LAST_MARK = 0xF8FF
"""Placeholders are characters of Unicode's private use area, which YAML takes for letters."""


def layer_from_file(path: str, content: bytes | None) -> Layer:
    """The values in a file of the estate."""
    if content is None:
        return Layer(Unknown(f"the values file {path} cannot be read", path), nowhere)
    offset = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = content[offset:].decode()
    except UnicodeDecodeError:
        return Layer(Unknown(f"the values file {path} is not UTF-8", path), nowhere)
    span = Span(path, offset, len(content))
    return layer_from_text(text, lambda: Origin(span, span, (), whole(path, text, offset)), f"the values file {path}")


def layer_from_text(text: Value, origin: Callable[[], Origin | None], what: str) -> Layer:
    """The values in a string. ``origin`` finds where the string is written, ``what`` names it for people."""
    if isinstance(text, Unknown):
        return Layer(text, nowhere)
    if not isinstance(text, (str, PartialText)):
        return Layer(Unknown(f"{what} holds no values"), nowhere)
    marked, reasons = _marked(text)
    stream = load(marked)
    if stream.problems or stream.skipped:
        return Layer(Unknown(f"{what} is not YAML"), nowhere)
    if len(stream.documents) > 1:
        return Layer(Unknown(f"{what} is several documents"), nowhere)
    if not stream.documents or stream.documents[0].value is None:
        return Layer({}, nowhere)
    document = stream.documents[0]
    values = _restored(document.value, reasons)
    if not isinstance(values, dict):
        reason = values.reason if isinstance(values, (Unknown, PartialText)) else f"{what} is not a map"
        return Layer(Unknown(reason), nowhere)
    return Layer(values, lambda route: _trace(document, route, origin(), marked))


def _marked(text: str | PartialText) -> tuple[str, list[Unknown]]:
    if isinstance(text, str):
        return text, []
    reasons = [part for part in text.parts if isinstance(part, Unknown)]
    marks = iter(range(_FIRST_MARK, _LAST_MARK))
    return "".join(part if isinstance(part, str) else chr(next(marks, _LAST_MARK)) for part in text.parts), reasons


def _restored(value: Value, reasons: list[Unknown]) -> Value:
    """Placeholders back to what they stand for."""
    if not reasons:
        return value
    if isinstance(value, dict):
        restored: dict[str, Value] = {}
        for key, item in value.items():
            if _has_mark(key):
                return Unknown(reasons[0].reason)  # a key that is unknown may be any key
            restored[key] = _restored(item, reasons)
        return restored
    if isinstance(value, list):
        return [_restored(item, reasons) for item in value]
    if isinstance(value, str) and _has_mark(value):
        parts: list[str | Unknown] = []
        for char in value:
            index = ord(char) - _FIRST_MARK
            parts.append(reasons[index] if 0 <= index < len(reasons) else char)
        return parts[0] if len(parts) == 1 else join_text(parts)
    return value


def _has_mark(text: str) -> bool:
    return any(_FIRST_MARK <= ord(char) <= _LAST_MARK for char in text)


def _trace(document: Document, route: Route, outer: Origin | None, text: str) -> Origin | None:
    trace = document.trace(route)
    if trace is None or outer is None:
        return None
    written = _filled(outer.segments, text)
    segments = tuple(map(_emptied, join(nest(written, trace.runs, trace.encoding))))
    site = _home(written, *trace.site, outer) or outer.site
    span = place(written, trace.start, trace.end) if not trace.runs else cover(segments)
    if span is None:
        span = _home(written, trace.start, trace.end, outer) or site
    steps = ((step.name, _home(written, step.start, step.end, outer)) for step in trace.via)
    via = tuple(Reference(name, where) for name, where in steps if where is not None)
    followed = segments[0].via if len(segments) == 1 else outer.via
    return Origin(site, span, (*followed, *via), segments)


def _home(written: Sequence[Segment], start: int, end: int, outer: Origin) -> Span | None:
    """The bytes of what the text itself says between two characters, without what references bring into it."""
    return cover(piece for piece in cut(written, start, end) if piece.via == outer.via and piece.span is not None)


def _filled(segments: Iterable[Segment], text: str) -> list[Segment]:
    """The outer segments with a placeholder in each unknown one, so that they spell the marked text."""
    marks = (char for char in text if _FIRST_MARK <= ord(char) <= _LAST_MARK)
    return [replace(part, text=next(marks, "")) if part.unknown and not part.text else part for part in segments]


def _emptied(segment: Segment) -> Segment:
    return replace(segment, text="", verbatim=False) if segment.unknown else segment
