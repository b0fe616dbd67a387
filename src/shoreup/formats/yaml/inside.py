"""YAML inside a string: what it holds where parts of the string are not known, and where that is written.

Unknown parts become placeholders while the YAML is read, so that the rest stays readable: an unknown scalar is an
unknown value, an unknown part of a scalar leaves the other parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from shoreup.formats.edits import CannotWrite, Replacement, collide
from shoreup.formats.files import Reader
from shoreup.formats.sourcemap import cover, cut, join, nest, place
from shoreup.formats.spelling import substituted
from shoreup.formats.yaml.changes import Change, changed, joined
from shoreup.formats.yaml.positions import Trace
from shoreup.model.location import Span
from shoreup.model.origin import Origin, Reference, Segment
from shoreup.model.value import PartialText, Unknown, Value, join_text

_FIRST_MARK = 0xE000
_LAST_MARK = 0xF8FF
"""Placeholders are characters of Unicode's private use area, which YAML takes for letters."""


def marked(text: str | PartialText) -> tuple[str, list[Unknown]]:
    """The text with a placeholder for each unknown part, and these parts."""
    if isinstance(text, str):
        return text, []
    reasons = [part for part in text.parts if isinstance(part, Unknown)]
    marks = iter(range(_FIRST_MARK, _LAST_MARK))
    return "".join(part if isinstance(part, str) else chr(next(marks, _LAST_MARK)) for part in text.parts), reasons


def restored(value: Value, reasons: list[Unknown]) -> Value:
    """Placeholders in a value that was read from marked text, back to what they stand for."""
    if not reasons:
        return value
    if isinstance(value, dict):
        items: dict[str, Value] = {}
        for key, item in value.items():
            if _has_mark(key):
                return Unknown(reasons[0].reason)  # a key that is unknown may be any key
            items[key] = restored(item, reasons)
        return items
    if isinstance(value, list):
        return [restored(item, reasons) for item in value]
    if isinstance(value, str) and _has_mark(value):
        parts: list[str | Unknown] = []
        for char in value:
            index = ord(char) - _FIRST_MARK
            parts.append(reasons[index] if 0 <= index < len(reasons) else char)
        return parts[0] if len(parts) == 1 else join_text(parts)
    return value


def origin_inside(trace: Trace, outer: Origin, text: str) -> Origin:
    """The origin of a place in the marked ``text``, whose own origin is ``outer``."""
    written = filled(outer.segments, text)
    segments = tuple(map(emptied, join(nest(written, trace.runs, trace.encoding))))
    site = _home(written, *trace.site, outer) or outer.site
    span = place(written, trace.start, trace.end) if not trace.runs else cover(segments)
    if span is None:
        span = _home(written, trace.start, trace.end, outer) or site
    steps = ((step.name, _home(written, step.start, step.end, outer)) for step in trace.via)
    via = tuple(Reference(name, where) for name, where in steps if where is not None)
    followed = segments[0].via if len(segments) == 1 else outer.via
    return Origin(site, span, (*followed, *via), segments)


def written_inside(changes: Iterable[Change], outer: Origin, text: str, read: Reader) -> tuple[Replacement, ...]:
    """Changes of the marked ``text``, whose own origin is ``outer``, as bytes of files.

    Each is written as the text around it is written there. Raises :class:`CannotWrite` where that cannot be.
    """
    ordered = joined(changes)
    made = _apart(ordered, outer, text, read)
    if any(collide([one], made) for one in made):
        # A scalar that has to be written anew is written once, for all of them.
        first, last = ordered[0].start, ordered[-1].end
        whole = changed(text, ordered)
        made = _apart([Change(first, last, whole[first : len(whole) - len(text) + last])], outer, text, read)
    return made


def _apart(changes: Iterable[Change], outer: Origin, text: str, read: Reader) -> tuple[Replacement, ...]:
    made: list[Replacement] = []
    for change in changes:
        if _has_mark(text[change.start : change.end] + text[change.end : change.end + 1]) or (
            change.end == len(text) and _has_mark(text[-1:])
        ):
            raise CannotWrite("the place is beside a value that is not known")
        start, end = (position - _marks(text[:position]) for position in (change.start, change.end))
        made += substituted(outer, start, end, change.text, read)
    return tuple(made)


def _marks(text: str) -> int:
    return sum(_FIRST_MARK <= ord(char) <= _LAST_MARK for char in text)


def _has_mark(text: str) -> bool:
    return any(_FIRST_MARK <= ord(char) <= _LAST_MARK for char in text)


def _home(written: Sequence[Segment], start: int, end: int, outer: Origin) -> Span | None:
    """The bytes of what the text itself says between two characters, without what references bring into it."""
    return cover(piece for piece in cut(written, start, end) if piece.via == outer.via and piece.span is not None)


def filled(segments: Iterable[Segment], text: str) -> list[Segment]:
    """The segments of a value with a placeholder in each unknown one, so that they spell the marked ``text``."""
    marks = (char for char in text if _FIRST_MARK <= ord(char) <= _LAST_MARK)
    return [replace(part, text=next(marks, "")) if part.unknown and not part.text else part for part in segments]


def emptied(segment: Segment) -> Segment:
    """A segment without its placeholder."""
    return replace(segment, text="", verbatim=False) if segment.unknown else segment
