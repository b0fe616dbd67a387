"""The text that a tree was read from, and how its characters map to the file's bytes."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from msgspec import Struct

from shoreup.formats.offsets import offsets
from shoreup.model.location import Span


class Problem(Struct, frozen=True):
    """Something in the text that is not HCL. ``line`` is 1-based, ``offset`` the first character of it, 0-based."""

    line: int
    cause: str
    skipped: str
    offset: int = 0


class SyntaxProblem(Exception):
    """What stands at ``offset`` is not HCL."""

    def __init__(self, offset: int, cause: str) -> None:
        super().__init__(cause)
        self.offset = offset
        self.cause = cause


_STRIDE = 4096
"""Characters between two known byte offsets of a text that is not ASCII."""


class Source:
    """One file's text. Offsets in trees are characters of ``text``, 0-based, ends exclusive."""

    __slots__ = ("_bytes", "_lines", "_prefix", "offsets", "path", "text", "undecodable")

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self._prefix = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        self.undecodable: tuple[int, ...] = ()
        """The characters that stand for bytes which are not UTF-8."""
        try:
            self.text = content[self._prefix :].decode("utf-8")
        except UnicodeDecodeError:
            self.text = content[self._prefix :].decode("utf-8", errors="surrogateescape")
            self.undecodable = tuple(match.start() for match in _UNDECODABLE.finditer(self.text))
        self.offsets = offsets(len(self.text))
        """The places of the text, for nodes to hold."""
        self._lines: list[int] | None = None
        self._bytes: list[int] | None = None

    def span(self, start: int, end: int) -> Span:
        """The bytes of the characters ``start`` to ``end``."""
        return Span(self.path, self._byte(start), self._byte(end))

    def line(self, offset: int) -> int:
        """The 1-based line of a character."""
        if self._lines is None:
            self._lines = [match.start() for match in _NEWLINE.finditer(self.text)]
        return bisect_right(self._lines, offset - 1) + 1

    def runs(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        """The parts of a range, each with whether its characters stand in the file as they are."""
        return [(start, end, True)] if start < end else []

    def _byte(self, offset: int) -> int:
        if self._bytes is None:
            self._bytes = [] if self.text.isascii() else self._known_bytes()
        if not self._bytes:
            return offset + self._prefix
        stride = min(offset // _STRIDE, len(self._bytes) - 1)
        return self._bytes[stride] + _size(self.text[stride * _STRIDE : offset]) + self._prefix

    def _known_bytes(self) -> list[int]:
        sizes = (_size(self.text[start : start + _STRIDE]) for start in range(0, len(self.text), _STRIDE))
        return list(accumulate(sizes, initial=0))


_NEWLINE = re.compile("\n")
_UNDECODABLE = re.compile("[\udc80-\udcff]")


def _size(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogateescape"))
