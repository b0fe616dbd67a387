"""Maps from text back to bytes, where one format lies inside another.

A YAML document may stand in an HCL heredoc that stands in a file, with an escape at each level. Each reader
knows its own level alone: which characters of the text that it was given became which characters of a value
(:class:`Run`). Here these levels are put together, so that a value knows its bytes in the file however deep
it lies. All functions are pure; positions are characters, ends are exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.model.location import Span
from shoreup.model.origin import Segment

RAW = ("raw",)
ENCODED = "encoded"
"""The innermost encoding of text that a function encodes on its way. Decoding it takes this mark off again."""


class Run(Struct, frozen=True):
    """A part of a decoded value: the characters ``start`` to ``end`` (exclusive) of the outer text give ``text``.

    ``verbatim`` says that they are the same characters; otherwise they are an escape or a fold. Outer
    characters that no run covers (quotes, indentation) are not part of the value.
    """

    start: int
    end: int
    text: str
    verbatim: bool = True


def whole(file: str, text: str, offset: int = 0) -> tuple[Segment, ...]:
    """The segments of a file's own text. ``offset`` is the first byte of the text (3 after a byte order mark)."""
    return (Segment(text, Span(file, offset, offset + len(text.encode()))),)


def text_of(segments: Iterable[Segment]) -> str:
    """The value that segments spell; unknown parts are empty."""
    return "".join(segment.text for segment in segments)


def cut(segments: Sequence[Segment], start: int, end: int) -> tuple[Segment, ...]:
    """The part of a value between two characters.

    Segments without text (unknown parts) belong to the part that begins where they stand; those at the very
    end of the value belong to the part that reaches it. So the cuts of adjacent ranges, put together, are the value.
    A cut through an escape gives a segment that cannot be edited.
    """
    pieces: list[Segment] = []
    total = sum(len(segment.text) for segment in segments)
    position = 0
    for segment in segments:
        stop = position + len(segment.text)
        if not segment.text:
            if start <= position < end or (position == end == total and (start < end or not total)):
                pieces.append(segment)
        elif position < end and stop > start:
            pieces.append(_slice(segment, max(start - position, 0), min(end, stop) - position))
        elif position > end:
            break
        position = stop
    return tuple(pieces)


def join(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The same value with neighbours made one where their bytes touch and nothing else tells them apart."""
    joined: list[Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is not None and _touch(last, segment):
            assert last.span is not None and segment.span is not None
            span = Span(last.span.file, last.span.start, segment.span.end)
            joined[-1] = replace(last, text=last.text + segment.text, span=span)
        else:
            joined.append(segment)
    return tuple(joined)


def nest(outer: Sequence[Segment], runs: Iterable[Run], encoding: str) -> tuple[Segment, ...]:
    """The segments of a value that is written in ``encoding`` inside the text that ``outer`` spells.

    ``runs`` are in order. The result spells the runs' text over the bytes of ``outer``, with ``encoding``
    stacked innermost. Bytes that are an escape at an outer level stay one. What is derived, unknown or comes
    through references at an outer level stays so; unknown parts at the edge of a run belong to it, once.
    An escape whose outer text has several origins, or none, has no span and cannot be edited.
    """
    starts: list[int] = []
    position = 0
    for segment in outer:
        starts.append(position)
        position += len(segment.text)
    result: list[Segment] = []
    index = 0
    for run in runs:
        while index < len(outer) and starts[index] + len(outer[index].text) < run.start:
            index += 1
        pieces: list[Segment] = []
        cursor = index
        while cursor < len(outer) and starts[cursor] <= run.end:
            segment = outer[cursor]
            if not segment.text:
                pieces.append(segment)
                index = cursor + 1
            else:
                first = max(run.start - starts[cursor], 0)
                last = min(run.end - starts[cursor], len(segment.text))
                if last > first:
                    pieces.append(_slice(segment, first, last))
            cursor += 1
        if run.verbatim:
            result.extend(_stacked(piece, encoding) for piece in pieces)
        else:
            result.append(_escape(pieces, run.text, encoding))
            result.extend(_stacked(piece, encoding) for piece in pieces if not piece.text)
    return tuple(result)


def cover(segments: Iterable[Segment]) -> Span | None:
    """The smallest span over all segments; ``None`` when they lie in several files or in none."""
    spans = [segment.span for segment in segments if segment.span is not None]
    if not spans or any(span.file != spans[0].file for span in spans):
        return None
    return Span(spans[0].file, min(span.start for span in spans), max(span.end for span in spans))


def place(segments: Sequence[Segment], start: int, end: int) -> Span | None:
    """The bytes that hold the characters ``start`` to ``end``; where both are the same, the empty span between two.

    ``None`` when they lie in several files or in none.
    """
    if start < end:
        return cover(cut(segments, start, end))
    position = 0
    found: tuple[Segment, int] | None = None
    for segment in segments:
        if position > start:
            break
        if segment.text and segment.span is not None and start <= position + len(segment.text):
            found = (segment, start - position)
        position += len(segment.text)
    if found is None:
        return None
    segment, within = found
    span = segment.span
    if span is None or not segment.verbatim or segment.derived:
        return span
    at = span.start + len(segment.text[:within].encode())
    return Span(span.file, at, at)


def _slice(segment: Segment, first: int, last: int) -> Segment:
    if first == 0 and last == len(segment.text):
        return segment
    text = segment.text[first:last]
    span = segment.span
    if span is None:
        return replace(segment, text=text)
    if not segment.verbatim or segment.derived:
        return replace(segment, text=text, derived=segment.derived or "substr")
    start = span.start + len(segment.text[:first].encode())
    return replace(segment, text=text, span=Span(span.file, start, start + len(text.encode())))


def _touch(left: Segment, right: Segment) -> bool:
    return (
        left.verbatim
        and right.verbatim
        and not (left.derived or right.derived or left.unknown or right.unknown)
        and left.span is not None
        and right.span is not None
        and left.span.file == right.span.file
        and left.span.end == right.span.start
        and left.encodings == right.encodings
        and left.via == right.via
    )


def _stack(encodings: tuple[str, ...], encoding: str) -> tuple[str, ...]:
    if encodings[-1:] == (ENCODED,):
        return encodings[:-1]
    return (encoding,) if encodings == RAW else (*encodings, encoding)


def _stacked(piece: Segment, encoding: str) -> Segment:
    return replace(piece, encodings=_stack(piece.encodings, encoding))


def _escape(pieces: Sequence[Segment], text: str, encoding: str) -> Segment:
    written = [piece for piece in pieces if piece.text]
    if not written:
        return Segment(text, None, verbatim=False, encodings=(encoding,))
    first = written[0]
    encodings = _stack(first.encodings, encoding)
    derived = next((piece.derived for piece in written if piece.derived), "")
    alike = all(
        piece.span is not None and piece.via == first.via and piece.encodings == first.encodings for piece in written
    )
    span = cover(written) if alike else None
    if span is None:
        derived = derived or encoding
    return Segment(text, span, verbatim=False, encodings=encodings, derived=derived, via=first.via if alike else ())
