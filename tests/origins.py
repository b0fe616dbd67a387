"""What must hold for every origin: its segments spell the value, and the files' bytes give the segments back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import yaml

from shoreup.formats.files import FileTree
from shoreup.formats.hcl.templates import unescape
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Value

BLOCK_STYLES = {"yaml-literal", "yaml-folded", "yaml-plain"}
"""Styles of YAML that have no escapes, only line ends and indentation."""


def values(body: Value, route: Route = ()) -> Iterator[tuple[Route, Value]]:
    """Every scalar inside a value, with its route."""
    if isinstance(body, dict):
        for key, item in body.items():
            yield from values(item, (*route, key))
    elif isinstance(body, list):
        for index, item in enumerate(body):
            yield from values(item, (*route, index))
    else:
        yield route, body


def written(tree: FileTree, segment: Segment) -> str:
    """The characters that stand where a segment points."""
    assert segment.span is not None
    content = tree.read(segment.span.file)
    assert content is not None
    assert 0 <= segment.span.start <= segment.span.end <= len(content)
    return content[segment.span.start : segment.span.end].decode()


def check_origin(tree: FileTree, value: Value, origin: Origin) -> None:
    """Assert that an origin tells the truth about a value."""
    if isinstance(value, str):
        assert origin.text == value
    elif isinstance(value, PartialText):
        assert origin.text == "".join(part for part in value.parts if isinstance(part, str))
    for span in (origin.site, origin.span):
        content = tree.read(span.file)
        assert content is not None
        assert 0 <= span.start <= span.end <= len(content)
    for segment in origin.segments:
        if segment.unknown:
            assert not segment.text
        elif segment.derived or segment.span is None:
            continue
        elif segment.verbatim:
            assert written(tree, segment) == segment.text
        else:
            check_escape(written(tree, segment), segment)


def check_escape(raw: str, segment: Segment) -> None:
    """Assert that what stands in the file decodes to the segment's text, outermost encoding first."""
    text = raw
    for encoding in segment.encodings:
        if encoding in BLOCK_STYLES and not text.strip(" \t\r\n"):
            assert not segment.text.strip(" \n")
            return
        text = DECODE.get(encoding, str)(text)
    assert text == segment.text


DECODE: dict[str, Callable[[str], str]] = {
    "hcl-quoted": lambda raw: unescape(raw, backslashes=True),
    "hcl-heredoc": lambda raw: unescape(raw, backslashes=False),
    "hcl-template": lambda raw: unescape(raw, backslashes=False),
    "json": lambda raw: json.loads(f'"{raw}"'),
    "yaml-double": lambda raw: yaml.safe_load(f'"{raw}"'),
    "yaml-single": lambda raw: yaml.safe_load(f"'{raw}'"),
}


def with_the_change(origin: Origin | None, place: Span, text: str) -> str | None:
    """The value after the change where its segments say what it will be: whole words, nothing made by a function."""
    if origin is None or any(segment.derived for segment in origin.segments) or cuts(origin, place):
        return None
    pieces: list[str] = []
    hit = False
    for segment in origin.segments:
        span = segment.span
        if span is not None and segment.verbatim and span.file == place.file and _holds(span, place):
            raw = segment.text.encode()
            offset = place.start - span.start
            pieces.append((raw[:offset] + text.encode() + raw[offset + place.end - place.start :]).decode())
            hit = True
        else:
            pieces.append(segment.text)
    return "".join(pieces) if hit else None


def _holds(span: Span, place: Span) -> bool:
    return span.start <= place.start and place.end <= span.end


def cuts(origin: Origin, place: Span) -> bool:
    """Whether a segment has a part of the word only (``split``, ``replace``)."""
    return any(
        segment.span is not None
        and segment.span.file == place.file
        and segment.span.start < place.end
        and place.start < segment.span.end
        and not _holds(segment.span, place)
        for segment in origin.segments
    )
