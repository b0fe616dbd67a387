"""Taking a key or an item out of a YAML text, with the lines and comments that are its own."""

from __future__ import annotations

import re
from enum import Enum

from shoreup.formats.edits import CannotWrite
from shoreup.formats.yaml.layout import Node, column, line_end, line_start


class Removal(Enum):
    """Why an entry cannot simply be cut out."""

    MERGED = "comes by merge"
    LAST = "nothing stays beside it"


Cut = tuple[int, int, str]
"""``text`` instead of the characters from the first to the second."""


def removal(text: str, holder: Node, step: str | int) -> list[Cut] | Removal:
    """The characters that go with an entry of a collection."""
    if holder.kind == "mapping":
        numbers = [number for number, (key, _) in enumerate(holder.entries) if key.name == step]
        count = len(holder.entries)
        if not numbers:
            return Removal.MERGED
        if len(numbers) == count:
            return Removal.LAST
        parts = [_Part(key.begin, _end(value, key)) for key, value in holder.entries]
    else:
        numbers = [int(step)]
        count = len(holder.items)
        if count == 1:
            return Removal.LAST
        starts = [item.begin for item in holder.items] if holder.flow else holder.dashes
        parts = [
            _Part(start, max(_end(item, None), start if holder.flow else start + 1))
            for start, item in zip(starts, holder.items, strict=True)
        ]
    cut = _flow if holder.flow else _block
    return [cut(text, parts, number, holder) for number in numbers]


class _Part:
    __slots__ = ("begin", "end")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end


def _end(value: Node, key: Node | None) -> int:
    end = value.past if value.style in ("|", ">") and value.past > value.end + 2 else value.end
    return end if key is None or not value.empty or value.style else max(end, key.end + 1)


def _flow(text: str, parts: list[_Part], number: int, holder: Node) -> Cut:
    one = parts[number]
    if number + 1 < len(parts):
        return one.begin, parts[number + 1].begin, ""
    return parts[number - 1].end, one.end, ""


def _block(text: str, parts: list[_Part], number: int, holder: Node) -> Cut:
    one = parts[number]
    first = line_start(text, one.begin)
    if "?" in text[first : one.begin]:
        raise CannotWrite("the key is written in a way that is not understood")
    if text[first : one.begin].strip(" \t"):
        # The first key of an item stands behind the dash: the next one takes its place.
        return one.begin, parts[number + 1].begin, ""
    last = line_end(text, one.end if one.end > one.begin else one.begin)
    if one.end and text[one.end - 1 : one.end] == "\n":
        last = one.end - 1
    first = _with_comments(text, first, last, column(text, one.begin), is_first=number == 0)
    following = text.find("\n", last) + 1
    above = text[line_start(text, first - 1) : first].strip() if first else ""
    if following and (not above or above.endswith(":")):
        blank = re.compile(r"(?:[ \t]*\r?\n)*").match(text, following)
        following = following if blank is None else blank.end()
    if following:
        return first, following, ""
    return (first - 1 - (text[first - 2 : first - 1] == "\r") if first else 0), len(text), ""


def _with_comments(text: str, first: int, last: int, indent: int, *, is_first: bool) -> int:
    """Where the comments begin that stand directly above and speak of this entry alone."""
    begin = first
    while begin:
        above = line_start(text, begin - 1)
        line = text[above : begin - 1].rstrip("\r")
        if not re.fullmatch(rf" {{{indent}}}#.*", line):
            break
        begin = above
    if begin == first or not is_first:
        return begin
    # Above the first entry a comment may speak of them all, unless the next one is set apart.
    following = text.find("\n", last) + 1
    line = text[following : line_end(text, following)] if following else ""
    return begin if not line.strip() or line.lstrip().startswith("#") else first
