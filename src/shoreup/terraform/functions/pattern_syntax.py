"""Regular expressions in Go's syntax (RE2), parsed into a small tree.

Go refuses what Python allows (look-around, back references, possessive repeats) and allows what Python refuses
(flags anywhere, ``\\z``, ``\\pL``, ``[[:alpha:]]``). One parser decides both, and the tree is matched either by
Python's engine or by :mod:`matcher`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from shoreup.terraform.functions.kinds import Refused

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted code point ranges, ends inclusive."""

MAX_REPEAT = 1000
MAX_NESTING = 100
LAST = 0x10FFFF


class Unsupported(Exception):
    """The pattern is valid in Go but uses a Unicode script that is not known here."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of ``ranges``."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place: ``A`` start of text, ``z`` end of text, ``^`` and ``$`` of a line, ``b`` and ``B`` word borders."""

    place: str


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``most`` is -1 for no limit."""

    item: Node
    least: int
    most: int
    greedy: bool


@dataclass(frozen=True, slots=True)
class Capture:
    item: Node
    number: int


Node: TypeAlias = Chars | Assertion | Sequence | Choice | Repeat | Capture


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern with the names of its groups in order, ``""`` for a group without a name."""

    tree: Node
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Flags:
    fold: bool = False
    lines: bool = False
    dot_all: bool = False
    ungreedy: bool = False


def parse(text: str) -> Pattern:
    """Parse a pattern. Raises ``Refused`` where Go does, ``Unsupported`` where this reader gives up."""
    parser = _Parser(text)
    tree = parser.choice(0)
    if parser.at < len(text):
        raise _invalid("unexpected )", text)
    return Pattern(tree, tuple(parser.names))


def _invalid(what: str, where: str) -> Refused:
    return Refused(f"invalid regexp pattern: {what} in {where}", 0)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.names: list[str] = []
        self.flags = _Flags()

    def choice(self, depth: int) -> Node:
        if depth > MAX_NESTING:
            raise _invalid("expression nests too deeply", self.text)
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self, depth: int) -> Node:
        items: list[Node] = []
        while (char := self.peek()) and char not in "|)":
            start = self.at
            if self.text.startswith("\\Q", self.at):
                quoted = self.quoted()
                items.extend(quoted)
                if quoted:
                    items[-1] = self.repeated(items[-1], start)
                continue
            item = self.item(depth)
            if item is not None:
                items.append(self.repeated(item, start))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def quoted(self) -> list[Node]:
        end = self.text.find("\\E", self.at)
        literal = self.text[self.at + 2 : end if end >= 0 else len(self.text)]
        self.at = len(self.text) if end < 0 else end + 2
        return [self.literal(ord(char)) for char in literal]

    def item(self, depth: int) -> Node | None:
        char = self.peek()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return Chars(self.char_class())
        if char in "*+?" or self.repeat_at(self.at):
            raise _invalid("missing argument to repetition operator", char)
        self.at += 1
        if char == ".":
            return Chars(((0, LAST),) if self.flags.dot_all else invert(((10, 10),)))
        if char == "^":
            return Assertion("^" if self.flags.lines else "A")
        if char == "$":
            return Assertion("$" if self.flags.lines else "z")
        if char == "\\":
            return self.escape()
        return self.literal(ord(char))

    def literal(self, code: int) -> Node:
        return Chars(folded(((code, code),)) if self.flags.fold else ((code, code),))

    def escape(self) -> Node:
        if self.at >= len(self.text):
            raise _invalid("trailing backslash at end of expression", "")
        char = self.text[self.at]
        if char in "AzbB":
            self.at += 1
            return Assertion(char)
        if (ranges := self.class_escape()) is not None:
            return Chars(ranges)
        return self.literal(self.character())

    def class_escape(self) -> Ranges | None:
        """A class such as ``\\d`` or ``\\pL`` after the backslash."""
        char = self.peek()
        if char in _PERL:
            self.at += 1
            return _PERL[char]
        if char not in ("p", "P"):
            return None
        self.at += 1
        name = self.peek()
        self.at += 1
        if name == "{":
            end = self.text.find("}", self.at)
            if end < 0:
                raise _invalid("invalid character class range", self.text)
            name, self.at = self.text[self.at : end], end + 1
        negative = char == "P"
        if name.startswith("^"):
            negative, name = not negative, name[1:]
        ranges = unicode_class(name)
        return invert(ranges) if negative else ranges

    def character(self) -> int:
        """The code point of an escaped character; the backslash is read already."""
        char = self.text[self.at]
        self.at += 1
        if char in _CONTROL:
            return _CONTROL[char]
        if (char in "1234567" and self.peek() not in tuple("01234567")) or char in "89":
            raise _invalid("invalid escape sequence", f"\\{char}")
        if char in "01234567":
            start = self.at - 1
            while self.at - start < 3 and self.peek() in tuple("01234567"):
                self.at += 1
            return int(self.text[start : self.at], 8)
        if char == "x":
            return self.hexadecimal()
        if (char.isascii() and char.isalnum()) or char == "":
            raise _invalid("invalid escape sequence", f"\\{char}")
        return ord(char)

    def hexadecimal(self) -> int:
        if self.peek() == "{":
            end = self.text.find("}", self.at)
            digits, after = self.text[self.at + 1 : end], end + 1
        else:
            digits, after = self.text[self.at : self.at + 2], self.at + 2
            if len(digits) < 2:
                digits = ""
        if not digits or after == 0 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise _invalid("invalid escape sequence", "\\x")
        self.at = after
        if (code := int(digits, 16)) > LAST:
            raise _invalid("invalid escape sequence", "\\x")
        return code

    def repeat_at(self, at: int) -> tuple[int, int, int] | None:
        """The numbers of ``{2,3}`` at a position and where it ends; anything else is literal text."""
        end = self.text.find("}", at)
        if not self.text.startswith("{", at) or end < 0:
            return None
        least, comma, most = self.text[at + 1 : end].partition(",")
        if not _is_count(least) or (most and not _is_count(most)):
            return None
        return int(least), int(most) if most else -1 if comma else int(least), end + 1

    def repeated(self, item: Node, start: int) -> Node:
        repeats = 0
        while True:
            char, counted = self.peek(), self.repeat_at(self.at)
            if char not in ("*", "+", "?") and counted is None:
                return item
            operator = self.at
            if repeats:
                raise _invalid("invalid nested repetition operator", self.text[start:][:20])
            if counted is not None:
                least, most, self.at = counted
                if max(least, most) > MAX_REPEAT or -1 < most < least:
                    raise _invalid("invalid repeat count", self.text[operator : self.at])
            else:
                least, most = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[char]
                self.at += 1
            lazy = self.peek() == "?"
            self.at += lazy
            item = Repeat(item, least, most, lazy == self.flags.ungreedy)
            repeats += 1

    def group(self, depth: int) -> Node | None:
        outer, number = self.flags, 0
        start = self.at
        self.at += 1
        if self.peek() == "?":
            number, closed = self.special_group(start)
            if closed:
                return None
        else:
            self.names.append("")
            number = len(self.names)
        inner = self.choice(depth + 1)
        if self.peek() != ")":
            raise _invalid("missing closing )", self.text)
        self.at += 1
        self.flags = outer
        return Capture(inner, number) if number else _grouped(inner)

    def special_group(self, start: int) -> tuple[int, bool]:
        """``(?P<name>``, ``(?flags:`` or ``(?flags)``: the group's number, and whether the group is over."""
        for opening in ("?P<", "?<"):
            if self.text.startswith(opening, self.at) and self.text[self.at + 2 : self.at + 3] not in ("=", "!"):
                return self.named_group(opening, start), False
        flags, value = self.flags, True
        for index in range(self.at + 1, len(self.text)):
            char = self.text[index]
            if char in _FLAG_NAMES:
                flags = replace(flags, **{_FLAG_NAMES[char]: value})
            elif char == "-" and value:
                value = False
            elif char in ":)" and self.text[index - 1] != "-" and (index > self.at + 1 or char == ":"):
                self.at, self.flags = index + 1, flags
                return 0, char == ")"
            else:
                break
        raise _invalid("invalid or unsupported Perl syntax", self.text[start : start + 3])

    def named_group(self, opening: str, start: int) -> int:
        end = self.text.find(">", self.at)
        name = self.text[self.at + len(opening) : end]
        if end < 0 or not name or not all(char.isascii() and (char.isalnum() or char == "_") for char in name):
            raise _invalid("invalid named capture", self.text[start : end + 1 if end >= 0 else len(self.text)])
        if name in self.names:
            raise _invalid("duplicate capture group name", name)
        self.names.append(name)
        self.at = end + 1
        return len(self.names)

    def char_class(self) -> Ranges:
        start = self.at
        self.at += 1
        negative = self.peek() == "^"
        self.at += negative
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise _invalid("missing closing ]", self.text[start:])
            ranges.extend(self.class_item(start))
            first = False
        self.at += 1
        joined = merged(ranges)
        if self.flags.fold:
            joined = folded(joined)
        return invert(joined) if negative else joined

    def class_item(self, start: int) -> Ranges:
        if self.text.startswith("[:", self.at) and (end := self.text.find(":]", self.at)) >= 0:
            name = self.text[self.at + 2 : end]
            self.at = end + 2
            if name.removeprefix("^") not in _POSIX:
                raise _invalid("invalid character class range", f"[:{name}:]")
            return invert(_POSIX[name[1:]]) if name.startswith("^") else _POSIX[name]
        if self.peek() == "\\":
            self.at += 1
            if (ranges := self.class_escape()) is not None:
                return ranges
            self.at -= 1
        low = self.class_character()
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self.class_character()
            if high < low:
                raise _invalid("invalid character class range", self.text[start : self.at])
            return ((low, high),)
        return ((low, low),)

    def class_character(self) -> int:
        char = self.peek()
        self.at += 1
        if char != "\\":
            return ord(char)
        if self.at >= len(self.text):
            raise _invalid("trailing backslash at end of expression", "")
        return self.character()


def _grouped(item: Node) -> Node:
    return item if isinstance(item, (Chars, Assertion, Capture)) else Sequence((item,))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and (text == "0" or not text.startswith("0"))


def nullable(node: Node) -> bool:
    """Whether the node can match the empty text."""
    if isinstance(node, Chars):
        return False
    if isinstance(node, Assertion):
        return True
    if isinstance(node, Sequence):
        return all(map(nullable, node.items))
    if isinstance(node, Choice):
        return any(map(nullable, node.branches))
    return (isinstance(node, Repeat) and node.least == 0) or nullable(node.item)


def merged(ranges: list[tuple[int, int]]) -> Ranges:
    """The ranges sorted, touching ones joined."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def invert(ranges: Ranges) -> Ranges:
    """Every code point outside the ranges."""
    outside: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            outside.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        outside.append((start, LAST))
    return tuple(outside)


def folded(ranges: Ranges) -> Ranges:
    """The ranges with both cases of every letter."""
    extended = list(ranges)
    for low, high in ranges:
        for code in range(low, min(high, low + 0x3000) + 1):
            char = chr(code)
            extended.extend((ord(other), ord(other)) for other in (char.lower(), char.upper()) if len(other) == 1)
    for plain, odd in (("k", 0x212A), ("s", 0x017F)):
        if any(low <= ord(plain) <= high for low, high in extended):
            extended.append((odd, odd))
    return merged(extended)


@lru_cache(maxsize=16)
def unicode_class(name: str) -> Ranges:
    """The code points of a general category such as ``L`` or ``Lu``."""
    if name == "Any":
        return ((0, LAST),)
    if name not in _CATEGORIES:
        raise Unsupported(f"the Unicode class {name} is not known here")
    ranges: list[tuple[int, int]] = []
    for code in range(LAST + 1):
        if unicodedata.category(chr(code)).startswith(name):
            ranges.append((code, code))
    return merged(ranges)


_CATEGORIES = frozenset(
    [
        "C",
        "Cc",
        "Cf",
        "Co",
        "Cs",
        "L",
        "Ll",
        "Lm",
        "Lo",
        "Lt",
        "Lu",
        "M",
        "Mc",
        "Me",
        "Mn",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Pe",
        "Pf",
        "Pi",
        "Po",
        "Ps",
        "S",
        "Sc",
        "Sk",
        "Sm",
        "So",
        "Z",
        "Zl",
        "Zp",
        "Zs",
    ]
)
_FLAG_NAMES = {"i": "fold", "m": "lines", "s": "dot_all", "U": "ungreedy"}
_CONTROL = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_PERL = {"d": _DIGIT, "D": invert(_DIGIT), "w": _WORD, "W": invert(_WORD), "s": _SPACE, "S": invert(_SPACE)}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
