"""Changes of a text's characters, several at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from shoreup.formats.edits import CannotWrite, turn


class Change(Struct, frozen=True, order=True):
    """``text`` instead of the characters ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int
    text: str


def changed(text: str, changes: Iterable[Change]) -> str:
    """The text with every change made."""
    pieces: list[str] = []
    position = 0
    for one in sorted(changes, key=lambda one: (one.start, one.end)):
        if one.start < position:
            raise CannotWrite("two changes of one place collide")
        pieces += (text[position : one.start], one.text)
        position = one.end
    return "".join((*pieces, text[position:]))


def merged(changes: Iterable[Change]) -> list[Change]:
    """Changes in order, those that put something in at one place as one."""
    merged: list[Change] = []
    for one in sorted(changes, key=lambda one: (one.start, one.end, turn(one.text.encode()))):
        last = merged[-1] if merged else None
        if last is not None and last.start == last.end == one.start == one.end:
            merged[-1] = Change(one.start, one.end, last.text + one.text)
        elif one.start != one.end or one.text:
            merged.append(one)
    return merged


def joined(changes: Iterable[Change]) -> list[Change]:
    """Changes in order, those that touch as one: apart, each would take the indentation between them for its own."""
    made: list[Change] = []
    for one in merged(changes):
        last = made[-1] if made else None
        if last is not None and last.end == one.start:
            made[-1] = Change(last.start, one.end, last.text + one.text)
        else:
            made.append(one)
    return made


def collide(changes: list[Change]) -> bool:
    """Whether two of the changes are of the same characters."""
    ordered = sorted(changes, key=lambda one: (one.start, one.end))
    return any(one.end > following.start for one, following in pairwise(ordered))
