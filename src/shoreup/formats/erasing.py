"""Taking away bytes that stand in a file by themselves: a comment, an entry of a list."""

from __future__ import annotations

from shoreup.formats.edits import Replacement
from shoreup.model.location import Span

_SPACES = b" \t"


def erased(span: Span, content: bytes) -> Replacement:
    """The span without what it leaves behind: its line where nothing else stands on it, its separator in a list.

    A comment behind code goes with the spaces before it.
    """
    start, end = span.start, span.end
    while end > start and content[end - 1 : end] in (b"\n", b"\r"):
        end -= 1
    left, right = _back(content, start), _on(content, end)
    alone_before = left == 0 or content[left - 1 : left] == b"\n"
    if content[right : right + 1] == b",":
        right = _on(content, right + 1)
        if alone_before and _line_ends(content, right):
            return Replacement(span.file, left, _past_line(content, right), b"")
        return Replacement(span.file, start, right, b"")
    before = _back_over_lines(content, start)
    if content[before - 1 : before] == b"," and not alone_before:
        return Replacement(span.file, before - 1, end, b"")
    if _line_ends(content, right):
        if alone_before:
            return Replacement(span.file, left, _past_line(content, right), b"")
        return Replacement(span.file, left, right, b"")
    return Replacement(span.file, start, right if alone_before else end, b"")


def _back(content: bytes, position: int) -> int:
    while position > 0 and content[position - 1] in _SPACES:
        position -= 1
    return position


def _on(content: bytes, position: int) -> int:
    while position < len(content) and content[position] in _SPACES:
        position += 1
    return position


def _back_over_lines(content: bytes, position: int) -> int:
    while position > 0 and content[position - 1] in b" \t\r\n":
        position -= 1
    return position


def _line_ends(content: bytes, position: int) -> bool:
    return position >= len(content) or content[position : position + 1] in (b"\n", b"\r")


def _past_line(content: bytes, position: int) -> int:
    after = content.find(b"\n", position)
    return len(content) if after < 0 else after + 1
