"""YAML exactly as ``yamlencode`` writes it: quoted strings and keys, literal blocks, long lines folded at 80.

The text matters byte for byte where a resource holds it as a value, because its hash and its diff are seen.
"""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct, field

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions.kinds import number_text

INDENT = 2
WIDTH = 80
MAX_SIMPLE_KEY = 128
"""Bytes: a longer key is written on a line of its own after a question mark."""

_BREAKS = "\n\r\x85\u2028\u2029"
_ESCAPES = {
    0x00: "0", 0x07: "a", 0x08: "b", 0x09: "t", 0x0A: "n", 0x0B: "v", 0x0C: "f", 0x0D: "r", 0x1B: "e",
    0x22: '"', 0x5C: "\\", 0x85: "N", 0xA0: "_", 0x2028: "L", 0x2029: "P",
}  # fmt: skip


def encode(value: Value) -> str | PartialText:
    """A value as a YAML document. An unknown stays an unknown part of the text, unquoted."""
    writer = _Writer()
    writer.node(value, indent=-1, in_mapping=False, key=False)
    writer.new_line(0)
    if writer.open_ended:
        writer.mark("...", spaced=True)
        writer.new_line(0)
    return join_text(writer.parts)


class _Writer(Struct):
    """``column`` counts characters; ``fresh`` is true while a line holds nothing but indentation and dashes.

    ``open_ended`` is true when what was written last could go on, so that the document needs an end mark.
    """

    parts: list[str | Unknown] = field(default_factory=list)
    column: int = 0
    space: bool = True
    fresh: bool = True
    open_ended: bool = False

    def put(self, text: str) -> None:
        self.parts.append(text)
        last_break = max(text.rfind(char) for char in _BREAKS)
        self.column = len(text) - last_break - 1 if last_break >= 0 else self.column + len(text)

    def new_line(self, indent: int) -> None:
        indent = max(indent, 0)
        if not self.fresh or self.column > indent or (self.column == indent and not self.space):
            self.put("\n")
        self.put(" " * (indent - self.column))
        self.space = self.fresh = True

    def mark(self, text: str, spaced: bool, keeps_fresh: bool = False) -> None:
        if spaced and not self.space:
            self.put(" ")
        self.put(text)
        self.space = self.open_ended = False
        self.fresh = self.fresh and keeps_fresh

    def node(self, value: Value, indent: int, in_mapping: bool, key: bool) -> None:
        """``key`` says that the scalar must stay on one line."""
        if isinstance(value, dict) and value:
            self.mapping(value, _deeper(indent))
        elif isinstance(value, list) and value:
            self.sequence(value, indent if in_mapping and not self.fresh and indent >= 0 else _deeper(indent))
        else:
            self.scalar(value, indent, key)

    def sequence(self, items: list[Value], indent: int) -> None:
        for item in items:
            self.new_line(indent)
            self.mark("-", spaced=True, keeps_fresh=True)
            self.node(item, indent, in_mapping=False, key=False)

    def mapping(self, items: dict[str, Value], indent: int) -> None:
        for name in sorted(items):
            self.new_line(indent)
            if len(name.encode("utf-8", "replace")) <= MAX_SIMPLE_KEY and not any(char in _BREAKS for char in name):
                self.node(name, indent, in_mapping=True, key=True)
                self.mark(":", spaced=False)
            else:
                self.mark("?", spaced=True, keeps_fresh=True)
                self.node(name, indent, in_mapping=True, key=False)
                self.new_line(indent)
                self.mark(":", spaced=True, keeps_fresh=True)
            self.node(items[name], indent, in_mapping=True, key=False)

    def scalar(self, value: Value, indent: int, key: bool) -> None:
        deeper = INDENT if indent < 0 else indent + INDENT
        if isinstance(value, (str, PartialText)):
            pieces: list[str | Unknown] = list(value.parts) if isinstance(value, PartialText) else [value]
            text = "".join(piece for piece in pieces if isinstance(piece, str))
            if "\n" in text and not key and _allows_block(text):
                self.literal(pieces, deeper)
            else:
                self.quoted(pieces, deeper, folds=not key)
            return
        if not self.space:
            self.put(" ")
        if isinstance(value, Unknown):
            self.parts.append(value)
            self.column += 1
        else:
            self.mark(_plain(value), spaced=False)
            self.open_ended = indent < 0 and not isinstance(value, (list, dict))
        self.space = self.fresh = False

    def literal(self, pieces: list[str | Unknown], indent: int) -> None:
        self.mark("|" + _hints(pieces), spaced=True)
        self.put("\n")
        self.space = self.fresh = True
        breaks = True
        for piece in pieces:
            for char in piece if isinstance(piece, str) else (piece,):
                if isinstance(char, str) and char in _BREAKS:
                    self.put(char)
                    self.fresh = breaks = True
                    continue
                if breaks:
                    self.new_line(indent)
                    breaks = False
                if isinstance(char, str):
                    self.put(char)
                else:
                    self.parts.append(char)
                    self.column += 1
                self.fresh = False

    def quoted(self, pieces: list[str | Unknown], indent: int, folds: bool) -> None:
        self.mark('"', spaced=True)
        for number, piece in enumerate(pieces):
            if isinstance(piece, str):
                inner = (number > 0, number < len(pieces) - 1)
                self.quoted_text(piece, indent, folds, inner)
            else:
                self.parts.append(piece)
                self.column += 1
        self.put('"')
        self.space = self.fresh = False

    def quoted_text(self, text: str, indent: int, folds: bool, inner: tuple[bool, bool]) -> None:
        last = len(text) - 1
        spaces = False
        for index, char in enumerate(text):
            if char != " ":
                self.put(_escaped(char))
                spaces = False
                continue
            within = (index > 0 or inner[0]) and (index < last or inner[1])
            if folds and not spaces and self.column > WIDTH and within:
                self.new_line(indent)
                if text[index + 1 : index + 2] == " ":
                    self.put("\\")
            else:
                self.put(char)
                self.space = False
            spaces = True


def _deeper(indent: int) -> int:
    return 0 if indent < 0 else indent + INDENT


def _plain(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    return "{}" if isinstance(value, dict) else "[]"


def _printable(char: str) -> bool:
    code = ord(char)
    if code in (0x0A, 0x85):
        return True
    return 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)


def _escaped(char: str) -> str:
    if _printable(char) and char not in '"\\\ufeff' and char not in _BREAKS:
        return char
    code = ord(char)
    if code in _ESCAPES:
        return "\\" + _ESCAPES[code]
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _allows_block(text: str) -> bool:
    """Whether a literal block can hold the text: no blanks before a line end or the end, nothing unprintable."""
    if text.endswith(" ") or not all(map(_printable, text)):
        return False
    return not any(before == " " and after in _BREAKS for before, after in pairwise(text))


def _hints(pieces: list[str | Unknown]) -> str:
    first, last = pieces[0], pieces[-1]
    hints = str(INDENT) if isinstance(first, str) and (first[0] == " " or first[0] in _BREAKS) else ""
    if not isinstance(last, str) or last[-1] not in _BREAKS:
        return hints + "-"
    return hints + ("+" if len(last) == 1 or last[-2] in _BREAKS else "")
