"""Matching in linear time, for patterns on which Python's engine could run for ever.

A stranger's configuration may hold a pattern like ``(a+)+$``. Go promises linear time by walking all
possibilities at once; this does the same (a Pike machine), with the same answer: the leftmost match, earlier
branches first. It is slower than Python's engine on harmless patterns, so :mod:`patterns` uses it for others.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeAlias

from shoreup.terraform.functions.kinds import Refused
from shoreup.terraform.functions.pattern_syntax import (
    Assertion,
    Capture,
    Chars,
    Choice,
    Node,
    Pattern,
    Ranges,
    Repeat,
    nullable,
)

Spans: TypeAlias = tuple[int, ...]
"""Start and end of the match, then of every group; -1 for a group that took no part."""

MAX_PROGRAM = 20_000


@dataclass(slots=True)
class _Step:
    """``kind`` is one of char, split, save, assert, match; ``to`` are the following steps in order of preference."""

    kind: str
    to: tuple[int, ...] = ()
    ranges: Ranges = ()
    lows: tuple[int, ...] = ()
    detail: str = ""
    slot: int = 0


class Program:
    """A pattern compiled to steps."""

    def __init__(self, pattern: Pattern) -> None:
        self.steps: list[_Step] = []
        self.slots = 2 * (len(pattern.names) + 1)
        end = self._add(_Step("match"))
        end = self._add(_Step("save", (end,), slot=1))
        start = self._compile(pattern.tree, end)
        self.start = self._add(_Step("save", (start,), slot=0))

    def _add(self, step: _Step) -> int:
        if len(self.steps) >= MAX_PROGRAM:
            raise Refused("invalid regexp pattern: expression too large", 0)
        self.steps.append(step)
        return len(self.steps) - 1

    def _compile(self, node: Node, after: int) -> int:
        """Add the steps of a node, continuing at ``after``; gives its first step."""
        if isinstance(node, Chars):
            lows = tuple(low for low, _ in node.ranges)
            return self._add(_Step("char", (after,), node.ranges, lows))
        if isinstance(node, Assertion):
            return self._add(_Step("assert", (after,), detail=node.place))
        if isinstance(node, Choice):
            return self._add(_Step("split", tuple(self._compile(branch, after) for branch in node.branches)))
        if isinstance(node, Capture):
            closing = self._add(_Step("save", (after,), slot=2 * node.number + 1))
            return self._add(_Step("save", (self._compile(node.item, closing),), slot=2 * node.number))
        if isinstance(node, Repeat):
            return self._repeat(node, after)
        for item in reversed(node.items):
            after = self._compile(item, after)
        return after

    def _repeat(self, node: Repeat, after: int) -> int:
        first, copies = after, node.least
        if node.most < 0:
            loop = self._add(_Step("split"))
            body = self._compile(node.item, loop)
            self.steps[loop].to = _preferred(node, body, after)
            first, copies = body, copies - 1
            if node.least == 0:
                # An item that can be empty is tried once before the loop is left: Go reads x* as (x+)? then.
                first = self._add(_Step("split", _preferred(node, body, after))) if nullable(node.item) else loop
        for _ in range(node.most - node.least):
            body = self._compile(node.item, first)
            first = self._add(_Step("split", _preferred(node, body, after)))
        for _ in range(copies):
            first = self._compile(node.item, first)
        return first

    def search(self, text: str, start: int) -> Spans | None:
        """The leftmost match at or after ``start``."""
        found: Spans | None = None
        threads: list[tuple[int, Spans]] = []
        empty = (-1,) * self.slots
        for at in range(start, len(text) + 1):
            if found is None:
                threads = self._follow([*threads, (self.start, empty)], text, at)
            else:
                threads = self._follow(threads, text, at)
            if not threads:
                if found is not None:
                    return found
                continue
            code = ord(text[at]) if at < len(text) else -1
            following: list[tuple[int, Spans]] = []
            for step_number, spans in threads:
                step = self.steps[step_number]
                if step.kind == "match":
                    found = spans
                    break
                place = bisect_right(step.lows, code) - 1
                if place >= 0 and code <= step.ranges[place][1]:
                    following.append((step.to[0], spans))
            threads = following
            if not threads and found is not None:
                return found
        return found

    def _follow(self, threads: list[tuple[int, Spans]], text: str, at: int) -> list[tuple[int, Spans]]:
        """Walk to the steps that read a character, each once, the preferred way first."""
        reached: list[tuple[int, Spans]] = []
        seen: set[int] = set()
        stack = threads[::-1]
        while stack:
            number, spans = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self.steps[number]
            if step.kind in ("char", "match"):
                reached.append((number, spans))
            elif step.kind == "save":
                stack.append((step.to[0], (*spans[: step.slot], at, *spans[step.slot + 1 :])))
            elif step.kind == "split":
                stack.extend((target, spans) for target in reversed(step.to))
            elif _holds(step.detail, text, at):
                stack.append((step.to[0], spans))
        return reached


def _preferred(node: Repeat, body: int, after: int) -> tuple[int, int]:
    return (body, after) if node.greedy else (after, body)


def _holds(place: str, text: str, at: int) -> bool:
    if place == "A":
        return at == 0
    if place == "z":
        return at == len(text)
    if place == "^":
        return at == 0 or text[at - 1] == "\n"
    if place == "$":
        return at == len(text) or text[at] == "\n"
    border = _word(text, at - 1) != _word(text, at)
    return border == (place == "b")


def _word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and (text[at].isalnum() or text[at] == "_")
