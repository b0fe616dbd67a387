"""Files that Terragrunt writes beside a module before Terraform reads it.

Their text is a value of some ``terragrunt.hcl``, so what stands in them stands there: every character leads to the
bytes that give it.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from shoreup.formats.files import FileTree
from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.hcl.syntax import File
from shoreup.formats.offsets import offsets
from shoreup.model.location import Span
from shoreup.model.origin import Segment
from shoreup.model.value import PartialText, Value
from shoreup.terraform.configuration import EXTENSIONS, Configurations, Module
from shoreup.terraform.trace import trace_expression
from shoreup.terraform.variables import Given

_DECLARES = re.compile(r"^\s*(?:resource|module|data)\s", re.MULTILINE)


class Written(Source):
    """A text put together from segments. ``around`` is where it is asked for: what no file holds stands there."""

    __slots__ = ("_around", "_content", "_ends", "_segments")

    def __init__(self, segments: Sequence[Segment], around: Span, tree: FileTree) -> None:
        self.path, self.undecodable = around.file, ()
        self.text = "".join(segment.text for segment in segments)
        self.offsets = offsets(len(self.text))
        self._segments = [segment for segment in segments if segment.text]
        self._ends = list(accumulate(len(segment.text) for segment in self._segments))
        self._around = around
        self._content = tree.read(around.file) or b""

    def span(self, start: int, end: int) -> Span:
        first, last = self._place(start, False), self._place(max(end - 1, start), True)
        if first.file != self.path or last.file != self.path:
            return self._around
        return Span(self.path, min(first.start, last.end), max(first.start, last.end))

    def line(self, offset: int) -> int:
        return self._content.count(b"\n", 0, self.span(offset, offset + 1).start) + 1

    def runs(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        found: list[tuple[int, int, bool]] = []
        while start < end:
            index = bisect_right(self._ends, start)
            segment, stop = self._segments[index], min(end, self._ends[index])
            exact = segment.verbatim and not segment.derived and segment.span is not None
            found.append((start, stop, exact and self.span(start, stop) is not self._around))
            start = stop
        return found

    def _place(self, offset: int, behind: bool) -> Span:
        """The bytes of a character; of the whole segment where its characters have no bytes of their own."""
        index = min(bisect_right(self._ends, offset), len(self._segments) - 1)
        segment = self._segments[index] if index >= 0 else None
        if segment is None or segment.span is None:
            return self._around
        if not segment.verbatim or segment.derived:
            return segment.span
        begin = self._ends[index] - len(segment.text)
        at = segment.span.start + len(segment.text[: offset - begin].encode())
        return Span(segment.span.file, at, at + len(segment.text[offset - begin : offset - begin + 1].encode()))


def with_generated(configurations: Configurations, directory: str, texts: Mapping[str, Given]) -> Module | None:
    """The module of a directory with the files that are written into it, by their names."""
    files: dict[str, File] = {}
    for name, given in texts.items():
        if posixpath.basename(name) != name or not name.endswith(EXTENSIONS) or name.endswith(".json"):
            continue
        file = _file(given.value(), given, configurations.tree)
        if file is not None:
            files[name] = file
    return configurations.module_with(directory, files) if files else configurations.module(directory)


def _file(text: Value, given: Given, tree: FileTree) -> File | None:
    expression, scope = given.expression, given.scope
    if expression is None or scope is None:
        return None
    source = expression.source
    if isinstance(text, PartialText):
        if any(isinstance(part, str) and _DECLARES.search(part) for part in text.parts):
            cause = f"the text of a generated file is not all known: {text.reason}"
            tree.error(source.path, source.line(expression.start), cause, "the generated file")
        return None
    if not isinstance(text, str):
        return None
    here = source.span(expression.start, expression.end)
    origin = trace_expression(expression, scope, (), here)
    segments = origin.segments if origin is not None and origin.text == text else (Segment(text, None, verbatim=False),)
    file = parse_file(Written(segments, here, tree))
    for problem in file.problems:
        tree.error(source.path, problem.line, problem.cause, problem.skipped)
    return file
