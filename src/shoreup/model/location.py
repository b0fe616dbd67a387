"""Where something stands: bytes in a file for edits, lines and columns for people, routes for programs.

Concerns speak in routes (``("spec", "replicas")``), which stay true while files move; the bytes are looked
up late, for the few places that are reported.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

Route: TypeAlias = tuple[str | int, ...]
"""The keys and list indices (0-based) that lead from a resource's top to a field."""


class Span(Struct, frozen=True):
    """Bytes of one file.

    ``file`` is relative to the estate, with forward slashes. ``start`` is the first byte, 0-based, and
    ``end`` is exclusive.
    """

    file: str
    start: int
    end: int


class Location(Struct, frozen=True):
    """The same for people: lines and columns are 1-based, columns count characters, ends are inclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


def locate(span: Span, content: bytes) -> Location:
    """Turn a span into lines and columns of the file's ``content``."""
    start = min(span.start, len(content))
    last = min(max(span.end - 1, start), max(len(content) - 1, 0))
    if span.end > span.start:
        while last > start and content[last : last + 1] in b"\r\n":
            last -= 1
    line, column = _position(content, start)
    end_line, end_column = _position(content, last)
    return Location(span.file, line, column, end_line, end_column)


def _position(content: bytes, offset: int) -> tuple[int, int]:
    line_start = content.rfind(b"\n", 0, offset) + 1
    line = content.count(b"\n", 0, offset) + 1
    return line, len(content[line_start:offset].decode("utf-8", errors="replace")) + 1
