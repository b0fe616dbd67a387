"""Moving whole blocks of code to other files: nothing but their place changes, and what a new module makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.formats.edits import CannotWrite, Replacement, replaced
from shoreup.formats.files import FileTree, Reader
from shoreup.model.edit import Enclose, Move
from shoreup.model.location import Span
from shoreup.sources.terraform.enclosing import Enclosed, enclosed


def relocated(moves: Sequence[Move], modules: Sequence[Enclose], tree: FileTree) -> Iterator[Replacement]:
    """The lines taken out of their files and put at the end of others, in their order, one empty line between.

    Those of ``modules`` go into new folders, and a call of the module takes the place of the first.
    """
    made = enclosed(modules, tree) if modules else Enclosed()
    every = [*moves, *(move for one in modules for move in one.moves)]
    calls = {min(one.moves, key=lambda move: move.span.start).span: made.calls[one.name] for one in modules}
    for file in dict.fromkeys(one.span.file for one in every):
        content = tree.read(file)
        if content is None:
            raise CannotWrite(f"{file} cannot be read, so it is not written either")
        yield from _taken_out(
            sorted((one.span for one in every if one.span.file == file), key=lambda span: span.start), content, calls
        )
    for target in dict.fromkeys(one.file for one in every):
        blocks = [_lines(one.span, tree.read, made.within) for one in every if one.file == target]
        more = made.files.pop(target, "")
        yield _put_in(target, [*blocks, *([more.encode().strip(b"\n")] if more else [])], tree.read(target) or b"")
    newline = _line_break([tree.read(one.span.file) or b"" for one in every])
    for target, text in made.files.items():
        yield _put_in(target, [text.encode().strip(b"\n").replace(b"\n", newline)], tree.read(target) or b"")
    for file, ones in made.within.items():
        spans = [one.span for one in every if one.span.file == file]
        yield from (one for one in ones if not any(span.start <= one.start < span.end for span in spans))


def _lines(span: Span, read: Reader, within: Mapping[str, Sequence[Replacement]]) -> bytes:
    """A block's lines as they shall be."""
    inside = [one for one in within.get(span.file, ()) if span.start <= one.start < span.end]
    shifted = [Replacement(one.file, one.start - span.start, one.end - span.start, one.text) for one in inside]
    return replaced((read(span.file) or b"")[span.start : span.end], shifted).strip(b"\r\n")


def _taken_out(spans: Sequence[Span], content: bytes, calls: Mapping[Span, str]) -> Iterator[Replacement]:
    """The removals: each with the empty lines behind it, the last of a file with those before it."""
    pieces: list[tuple[int, int, bytes]] = []
    newline = _line_break([content])
    for one in spans:
        start, end, call = one.start, _without_blanks(content, one.end), calls.get(one, "").encode()
        text = call.replace(b"\n", newline) + newline if call else b""
        if not text and pieces and pieces[-1][1] >= start:
            pieces[-1] = (pieces[-1][0], end, pieces[-1][2])
        else:
            pieces.append((start, end, text))
    for start, end, text in pieces:
        if end == len(content):
            kept = content[:start].rstrip(b" \t\r\n")
            broken = content.find(b"\n", len(kept))
            start = min(start, broken + 1) if kept and broken >= 0 and not text else start
            text = text.removesuffix(newline) if text else text
        yield Replacement(spans[0].file, start, end, text)


def _without_blanks(content: bytes, position: int) -> int:
    """The first byte of the next line that is not empty."""
    while position < len(content):
        line = content.find(b"\n", position)
        end = len(content) if line < 0 else line + 1
        if content[position:end].strip():
            break
        position = end
    return position


def _line_break(texts: Sequence[bytes]) -> bytes:
    return b"\r\n" if any(b"\r\n" in one for one in texts) else b"\n"


def _put_in(target: str, blocks: Sequence[bytes], content: bytes) -> Replacement:
    newline = _line_break([*blocks, content])
    text = (newline * 2).join(blocks) + newline
    if content:
        text = (b"" if content.endswith(b"\n") else newline) + newline + text
    return Replacement(target, len(content), len(content), text)
