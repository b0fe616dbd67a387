"""Moving whole blocks of code to other files: nothing but their place changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.model.edit import Move


def relocated(moves: Sequence[Move], read: Reader) -> Iterator[Replacement]:
    """The lines taken out of their files and put at the end of others, in their order, one empty line between."""
    for file in dict.fromkeys(one.span.file for one in moves):
        content = read(file)
        if content is None:
            raise CannotWrite(f"{file} cannot be read, so it is not written either")
        yield from _taken_out(
            sorted((one for one in moves if one.span.file == file), key=lambda one: one.span.start), content
        )
    for target in dict.fromkeys(one.file for one in moves):
        blocks = [_lines(one, read(one.span.file) or b"") for one in moves if one.file == target]
        yield _put_in(target, blocks, read(target) or b"")


def _lines(move: Move, content: bytes) -> bytes:
    return content[move.span.start : move.span.end].strip(b"\r\n")


def _taken_out(moves: Sequence[Move], content: bytes) -> Iterator[Replacement]:
    """The removals: each with the empty lines behind it, the last of a file with those before it."""
    pieces: list[tuple[int, int]] = []
    for one in moves:
        start, end = one.span.start, _without_blanks(content, one.span.end)
        if pieces and pieces[-1][1] >= start:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    for start, end in pieces:
        if end == len(content):
            kept = content[:start].rstrip(b" \t\r\n")
            broken = content.find(b"\n", len(kept))
            start = min(start, broken + 1) if kept and broken >= 0 else start
        yield Replacement(moves[0].span.file, start, end, b"")


def _without_blanks(content: bytes, position: int) -> int:
    """The first byte of the next line that is not empty."""
    while position < len(content):
        line = content.find(b"\n", position)
        end = len(content) if line < 0 else line + 1
        if content[position:end].strip():
            break
        position = end
    return position


def _put_in(target: str, blocks: Sequence[bytes], content: bytes) -> Replacement:
    line_break = b"\r\n" if any(b"\r\n" in one for one in (*blocks, content)) else b"\n"
    text = (line_break * 2).join(blocks) + line_break
    if content:
        text = (b"" if content.endswith(b"\n") else line_break) + line_break + text
    return Replacement(target, len(content), len(content), text)
