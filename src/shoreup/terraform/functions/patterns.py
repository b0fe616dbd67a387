"""``regex``, ``regexall`` and the pattern form of ``replace``, with Go's answers.

Harmless patterns run on Python's engine, the others on :mod:`matcher`. Both find the same spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions.kinds import Refused
from shoreup.terraform.functions.matcher import Program, Spans
from shoreup.terraform.functions.pattern_syntax import (
    LAST,
    Assertion,
    Capture,
    Chars,
    Choice,
    Node,
    Pattern,
    Ranges,
    Repeat,
    Sequence,
    Unsupported,
    nullable,
    parse,
)

MAX_STEPS = 1_000_000
"""About how many steps Python's engine may need at worst before the linear matcher takes over."""

_PLACES = {"A": r"\A", "z": r"\Z", "^": "(?m:^)", "$": "(?m:$)", "b": r"(?a:\b)", "B": r"(?a:\B)"}
_VARIABLE = re.compile(r"\$(?:\$|(?P<name>[0-9A-Za-z_]+)|\{(?P<braced>[0-9A-Za-z_]+)\})")


@dataclass(frozen=True, slots=True)
class Expression:
    """A pattern ready to run. ``loops`` is how steeply Python's engine may slow down with a text's length."""

    pattern: Pattern
    python: re.Pattern[str]
    loops: int
    nested: bool

    def matches(self, text: str) -> Iterator[Spans]:
        """All matches from left to right; an empty one directly after another match is left out, as in Go."""
        search = self._search(text)
        at, previous = 0, -1
        while at <= len(text) and (spans := search(text, at)) is not None:
            start, end = spans[0], spans[1]
            if not (start == end == previous):
                yield spans
            previous = end
            at = end if end > start else end + 1

    def _search(self, text: str) -> Callable[[str, int], Spans | None]:
        if not self.nested and (len(text) + 1) ** (self.loops + 1) <= MAX_STEPS:
            return self._by_python
        return Program(self.pattern).search

    def _by_python(self, text: str, at: int) -> Spans | None:
        found = self.python.search(text, at)
        if found is None:
            return None
        return tuple(edge for group in range(len(self.pattern.names) + 1) for edge in found.span(group))


@lru_cache(maxsize=256)
def compiled(text: str) -> Expression:
    """Parse a pattern and translate it for Python. Raises ``Refused`` and ``Unsupported``."""
    pattern = parse(text)
    try:
        python = re.compile(translate(pattern.tree))
    except (re.error, OverflowError, RecursionError):
        raise Unsupported("the pattern is too large to be matched here") from None
    loops, nested = _loops(pattern.tree)
    return Expression(pattern, python, loops, nested)


def translate(node: Node) -> str:
    """The pattern in Python's syntax. Groups keep their numbers and lose their names."""
    if isinstance(node, Chars):
        return _class(node.ranges)
    if isinstance(node, Assertion):
        return _PLACES[node.place]
    if isinstance(node, Sequence):
        return "".join(f"(?:{translate(item)})" if isinstance(item, Choice) else translate(item) for item in node.items)
    if isinstance(node, Choice):
        return "|".join(map(translate, node.branches))
    if isinstance(node, Capture):
        return f"({translate(node.item)})"
    most = "" if node.most < 0 else node.most
    item = translate(node.item)
    if not isinstance(node.item, (Chars, Capture)):
        item = f"(?:{item})"
    return f"{item}{{{node.least},{most}}}{'' if node.greedy else '?'}"


def _class(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x00-\U0010ffff]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _code(ranges[0][0])
    if ranges == ((0, LAST),):
        return r"[\x00-\U0010ffff]"
    return "[" + "".join(_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges) + "]"


def _code(code: int) -> str:
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\U{code:08x}"


def _loops(node: Node) -> tuple[int, bool]:
    """How many repeats may share a text between them, and whether one repeat stands inside another."""
    if isinstance(node, (Chars, Assertion)):
        return 0, False
    if isinstance(node, Capture):
        return _loops(node.item)
    if isinstance(node, (Sequence, Choice)):
        inner = [_loops(item) for item in (node.items if isinstance(node, Sequence) else node.branches)]
        return sum(loops for loops, _ in inner), any(nested for _, nested in inner)
    loops, nested = _loops(node.item)
    if 0 <= node.most <= 1:
        return loops + 1, nested
    simple = isinstance(node.item, Chars)
    harmless = loops == 0 and (simple or not _branches(node.item))
    if node.most > 0 and harmless and not nullable(node.item):
        return loops + 1, nested
    return loops + 1, nested or not harmless or nullable(node.item)


def _branches(node: Node) -> bool:
    """Whether a repeated part can match one text in several ways."""
    if isinstance(node, (Choice, Repeat)):
        return True
    if isinstance(node, Capture):
        return _branches(node.item)
    return isinstance(node, Sequence) and any(map(_branches, node.items))


def first(pattern: str, text: str) -> Value:
    """What ``regex`` gives."""
    try:
        expression = _without_mixed_groups(pattern)
        spans = next(expression.matches(text), None)
    except Unsupported as problem:
        return Unknown(str(problem))
    if spans is None:
        raise Refused("pattern did not match any part of the given string")
    return _result(expression, text, spans)


def every(pattern: str, text: str) -> Value:
    """What ``regexall`` gives."""
    try:
        expression = _without_mixed_groups(pattern)
        return [_result(expression, text, spans) for spans in expression.matches(text)]
    except Unsupported as problem:
        return Unknown(str(problem))


def _without_mixed_groups(pattern: str) -> Expression:
    expression = compiled(pattern)
    if len({bool(name) for name in expression.pattern.names}) > 1:
        raise Refused("invalid regexp pattern: cannot mix both named and unnamed capture groups", 0)
    return expression


def _result(expression: Expression, text: str, spans: Spans) -> Value:
    names = expression.pattern.names
    if not names:
        return text[spans[0] : spans[1]]
    groups: list[Value] = [_group(text, spans, number) for number in range(1, len(names) + 1)]
    return dict(zip(names, groups, strict=True)) if names[0] else groups


def _group(text: str, spans: Spans, number: int) -> str | None:
    start, end = spans[2 * number], spans[2 * number + 1]
    return None if start < 0 or end < 0 else text[start:end]


def replace(pattern: str, text: str, template: str) -> Value:
    """Replace every match; ``$1``, ``${name}`` and ``$$`` in the template are expanded."""
    try:
        expression = compiled(pattern)
        pieces: list[str] = []
        position = 0
        for spans in expression.matches(text):
            pieces.append(text[position : spans[0]])
            pieces.append(_expanded(expression, template, text, spans))
            position = spans[1]
    except Unsupported as problem:
        return Unknown(str(problem))
    except Refused as problem:
        raise Refused(str(problem)) from None
    return "".join(pieces) + text[position:]


def _expanded(expression: Expression, template: str, text: str, spans: Spans) -> str:
    def expand(found: re.Match[str]) -> str:
        name = found["name"] or found["braced"]
        if name is None:
            return "$"
        names = expression.pattern.names
        number = int(name) if name.isdigit() else names.index(name) + 1 if name in names else -1
        return (_group(text, spans, number) or "") if 0 <= number <= len(names) else ""

    return _VARIABLE.sub(expand, template)
