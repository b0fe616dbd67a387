"""How the author of a file writes: indentation, blank lines, line ends, heredocs, commas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from shoreup.formats.hcl.alignment import alignment
from shoreup.formats.hcl.lines import Line
from shoreup.formats.hcl.source import Source
from shoreup.formats.hcl.syntax import Attribute, Block, Body


class Style(Struct, frozen=True):
    """``unit`` is one step of indentation, ``columns`` whether equals signs stand in columns.

    ``blank`` says for each pair of neighbours whether an empty line is between them (see :func:`neighbours`).
    ``heredoc`` is what a heredoc begins with (``<<-EOT``). ``last_comma`` is whether one stands behind the last item
    of a list that has a line for each.
    """

    newline: str = "\n"
    unit: str = "  "
    columns: bool = True
    blank: frozenset[str] = frozenset({"block", "same", "other", "top"})
    heredoc: str = "<<-EOT"
    last_comma: bool = True


def style_of(source: Source, body: Body, lines: list[Line]) -> Style:
    """The style of a file; where it does not tell, the style of Terraform's own documents."""
    text = source.text
    heredocs = Counter(_HEREDOC.findall(text))
    endings = Counter(_LAST_COMMA.findall(text))
    return Style(
        newline="\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n",
        unit=_unit(body, source),
        columns=alignment(text, lines),
        blank=_blank(body, source),
        heredoc=heredocs.most_common(1)[0][0] if heredocs else "<<-EOT",
        last_comma=endings[","] >= sum(endings.values()) - endings[","],
    )


_HEREDOC = re.compile(r"<<-?[^\W\d][\w-]*(?=[ \t]*\r?\n)")
_LAST_COMMA = re.compile(r"^[^#\n]*([,\"\w}])[ \t]*\r?\n[ \t]*\]", re.MULTILINE)


def own_items(body: Body, source: Source) -> list[Attribute | Block]:
    """The arguments and blocks of a body that stand in this file, in its order."""
    items: list[Attribute | Block] = [*body.attributes.values(), *body.blocks]
    return sorted((item for item in items if item.source.path == source.path), key=lambda item: item.start)


def neighbours(before: Attribute | Block, after: Attribute | Block) -> str:
    """The kind of a pair of neighbours: two arguments, an argument behind a block, a block behind an argument, behind
    one of its own kind, behind another."""
    if isinstance(after, Attribute):
        return "arguments" if isinstance(before, Attribute) else "argument"
    if isinstance(before, Attribute):
        return "block"
    return "same" if before.kind == after.kind else "other"


def indentation(text: str, offset: int) -> str:
    """The white space that the line of a character begins with."""
    start = text.rfind("\n", 0, offset) + 1
    end = start
    while end < len(text) and text[end] in " \t\ufeff":
        end += 1
    return text[start:end].replace("\ufeff", "")


def has_empty_line(text: str, start: int, end: int) -> bool:
    """Whether an empty line stands between two characters."""
    return _EMPTY.search(text, start, end) is not None


_EMPTY = re.compile(r"\n[ \t\r]*\n")


def _unit(body: Body, source: Source) -> str:
    steps: Counter[str] = Counter()
    for block in _blocks(body):
        if block.source.path != source.path:
            continue
        outer = indentation(source.text, block.start)
        for item in own_items(block.body, source)[:1]:
            inner = indentation(source.text, item.start)
            if inner.startswith(outer) and inner != outer:
                steps[inner[len(outer) :]] += 1
    return steps.most_common(1)[0][0] if steps else "  "


def _blocks(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        yield block
        yield from _blocks(block.body)


def _blank(body: Body, source: Source) -> frozenset[str]:
    told: dict[str, Counter[bool]] = {}

    def count(items: list[Attribute | Block], top: bool) -> None:
        for before, after in pairwise(items):
            kind = "top" if top else neighbours(before, after)
            told.setdefault(kind, Counter())[has_empty_line(source.text, before.end, after.start)] += 1

    count(own_items(body, source), True)
    for block in _blocks(body):
        count(own_items(block.body, source), False)
    told.setdefault("same", told.get("other", Counter({True: 1})))
    usual = Style().blank
    kinds = ("block", "same", "other", "argument", "top")
    return frozenset(
        kind for kind in kinds if (told[kind][True] >= told[kind][False] if kind in told else kind in usual)
    )
