"""Moving whole blocks of code to another file: nothing but their place changes."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.formats.edits import Replacement
from shoreup.model.edit import Move


def relocated(move: Move, content: bytes, target: bytes | None) -> Iterator[Replacement]:
    """The lines taken out of one file and put at the end of the other, with one empty line between blocks."""
    start = content.rfind(b"\n", 0, move.span.start) + 1
    after = content.find(b"\n", max(move.span.end - 1, start))
    end = len(content) if after < 0 else after + 1
    line_break = b"\r\n" if b"\r\n" in content else b"\n"
    block = content[start:end].rstrip(b"\r\n") + line_break
    while content[end : end + len(line_break)] == line_break:
        end += len(line_break)
    yield Replacement(move.span.file, start, end, b"")
    size = len(target or b"")
    yield Replacement(move.file, size, size, (line_break if size else b"") + block)
