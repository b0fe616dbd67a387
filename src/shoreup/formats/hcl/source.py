"""The text that a tree was read from, and how its characters map to the file's bytes."""

from __future__ import annotations

from dataclasses import dataclass

from shoreup.model.location import Span


@dataclass(frozen=True, slots=True)
class Problem:
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


class Source:
    """One file's text. Offsets in trees are characters of ``text``, 0-based, ends exclusive."""

    __slots__ = ("_ascii", "_prefix", "path", "text")

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self._prefix = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        self.text = content[self._prefix :].decode("utf-8", errors="surrogateescape")
        self._ascii = self.text.isascii()

    def span(self, start: int, end: int) -> Span:
        """The bytes of the characters ``start`` to ``end``."""
        if self._ascii:
            return Span(self.path, start + self._prefix, end + self._prefix)
        first = len(self.text[:start].encode("utf-8", errors="surrogateescape")) + self._prefix
        return Span(self.path, first, first + len(self.text[start:end].encode("utf-8", errors="surrogateescape")))

    def line(self, offset: int) -> int:
        """The 1-based line of a character."""
        return self.text.count("\n", 0, offset) + 1
