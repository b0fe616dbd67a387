"""What a Terraform file is like as code: how long, what it declares, and what its comments say."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.hcl.syntax import File
from shoreup.model.location import Span
from shoreup.terraform.configuration import Configurations

LONG = 200
"""Lines from which a file's blocks are kept one by one."""


class FileShape(Struct, frozen=True):
    """One file: its lines and its blocks by kind (``resource kubernetes_deployment``).

    ``blocks`` are those at the top of a file of :data:`LONG` lines and more, each with its kind, its labels and the
    bytes and the number of its lines, the comments before it among them.
    """

    path: str
    lines: int
    subjects: dict[str, int]
    blocks: tuple[tuple[str, tuple[str, ...], Span, int], ...] = ()


class CodeComment(Struct, frozen=True):
    """One comment, markers taken off; neighbouring line comments are one.

    ``top`` is the first byte of the top-level block that encloses it or begins right after it, -1 without one.
    """

    span: Span
    text: str
    top: int
    lines: tuple[str, ...] = ()


def shapes(configurations: Configurations) -> Iterator[FileShape]:
    """Every Terraform file that has been read."""
    for file in _files(configurations):
        text = file.source.text
        lines = text.count("\n") + (1 if text and not text.endswith("\n") else 0)
        subjects = Counter(" ".join([block.kind, *block.labels[:1]]) for block in file.body.blocks)
        blocks = tuple(_blocks(file)) if lines >= LONG else ()
        yield FileShape(file.source.path, lines, dict(subjects), blocks)


def _blocks(file: File) -> Iterator[tuple[str, tuple[str, ...], Span, int]]:
    """The blocks that stand on lines of their own. A comment at the very top belongs to the file."""
    text, last = file.source.text, 0
    for number, block in enumerate(file.body.blocks):
        start = text.rfind("\n", 0, block.start) + 1
        for comment in reversed(file.comments):
            if last <= comment.start < start and not text[comment.end : start].strip():
                begin = text.rfind("\n", 0, comment.start) + 1
                near = text.count("\n", comment.end, start) == 1
                if not text[begin : comment.start].strip() and (near or number):
                    start = begin
        after = text.find("\n", block.end)
        last = len(text) if after < 0 else after + 1
        yield block.kind, tuple(block.labels), file.source.span(start, last), text.count("\n", start, last)


def comments(configurations: Configurations) -> Iterator[CodeComment]:
    """Every comment in the Terraform files that have been read."""
    for file in _files(configurations):
        starts = [block.start for block in file.body.blocks]
        for start, end, lines in _joined(file):
            span = file.source.span(start, end)
            yield CodeComment(span, " ".join(line for line in lines if line), _about(file, starts, start, end), lines)


def _files(configurations: Configurations) -> Iterator[File]:
    for directory in configurations.read_directories:
        module = configurations.module(directory)
        yield from module.files if module else ()


def _joined(file: File) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    text = file.source.text
    current: tuple[int, int, tuple[str, ...]] | None = None
    for comment in file.comments:
        words = _words(text[comment.start : comment.end])
        gap = text[current[1] : comment.start] if current else ""
        alone = not text[text.rfind("\n", 0, comment.start) + 1 : comment.start].strip()
        if current and alone and gap.count("\n") == 1 and not gap.strip():
            current = (current[0], comment.end, (*current[2], *words))
            continue
        if current:
            yield current
        current = (comment.start, comment.end, words)
    if current:
        yield current


def _words(comment: str) -> tuple[str, ...]:
    if comment.startswith("/*"):
        return tuple(line.strip(" \t*") for line in comment[2:-2].splitlines())
    return (comment.lstrip("#/").strip(),)


def _about(file: File, starts: list[int], start: int, end: int) -> int:
    index = bisect_right(starts, start) - 1
    blocks = file.body.blocks
    if index >= 0 and blocks[index].end >= end:
        return file.source.span(blocks[index].start, end).start
    if index + 1 < len(blocks) and not file.source.text[end : blocks[index + 1].start].strip():
        return file.source.span(blocks[index + 1].start, blocks[index + 1].end).start
    return -1
