"""How a document is laid out: every node with its characters, its column and its style, for whoever writes into it.

Values and places to report need less (:mod:`.stream`, :mod:`.positions`); a writer needs to know where a dash stands
and in which column the keys of a mapping begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from shoreup.formats.yaml.composing import block_end, compose, is_text, key_name, start_of
from shoreup.formats.yaml.events import Event, MappingStartEvent, YAMLError, kind_of, parser_of
from shoreup.formats.yaml.scalars import runs_of

_FILLING = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")


class Node(Struct, eq=False):
    """A node, in characters of the whole text, ends exclusive.

    ``begin`` includes anchor and tag; ``end`` is without blank lines and comments behind; ``past`` is where a block
    of text ends with the blank lines that belong to it. ``style`` is a scalar's quote or block sign, ``flow`` for
    collections in brackets, else empty. ``column`` is that of a block collection's keys or dashes, 0-based.
    ``name`` is a key's text, ``None`` for ``<<``. ``dashes`` are where the dashes of a block sequence stand.
    """

    kind: str
    begin: int
    start: int
    end: int
    past: int
    style: str = ""
    column: int = 0
    is_text: bool = False
    empty: bool = False
    name: str | None = None
    anchor: str = ""
    tagged: bool = False
    alias: str = ""
    target: Node | None = None
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)

    @property
    def flow(self) -> bool:
        """Whether this is a collection in brackets."""
        return self.style == "flow"

    def walk(self) -> Iterator[Node]:
        """This node and all below it, without following aliases."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.items
            for key, value in node.entries:
                waiting += (key, value)


def layout(text: str, start: int, end: int, *, words: bool) -> Node | None:
    """The top node of the document at the characters ``start`` to ``end``; ``None`` where it is empty or no YAML."""
    try:
        return compose(parser_of(text[start:end]), _Layout(text[start:end], text, start, words))
    except (YAMLError, UnicodeError):
        return None


class _Layout:
    """Makes nodes of ``part``, which begins at the character ``offset`` of ``text``."""

    def __init__(self, part: str, text: str, offset: int, words: bool) -> None:
        self.part, self.text, self.offset, self.words = part, text, offset, words

    def alias(self, event: Event, target: Node | None) -> Node:
        begin, end = event.start_mark.index + self.offset, event.end_mark.index + self.offset
        name = None if target is None else target.name
        return Node("alias", begin, begin, end, end, alias=event.anchor or "", target=target, name=name)

    def scalar(self, event: Event, around: Node | None) -> Node:
        begin, end = event.start_mark.index, event.end_mark.index
        past, start = end, start_of(self.part, event)
        style = event.style or ""
        if style in ("|", ">"):
            runs = runs_of(self.part, start, end, style, around.column if around is not None else 0)
            end = block_end(self.part, start, end, runs)
            past = max((run.end for run in runs), default=end)
        return Node(
            "scalar",
            begin + self.offset,
            start + self.offset,
            end + self.offset,
            past + self.offset,
            style,
            is_text=is_text(event, words=self.words),
            empty=start == end,
            name=key_name(event, words=self.words),
            anchor=event.anchor or "",
            tagged=event.tag is not None,
        )

    def opened(self, event: Event) -> Node:
        begin, start = event.start_mark.index, start_of(self.part, event)
        return Node(
            "mapping" if kind_of(event) is MappingStartEvent else "sequence",
            begin + self.offset,
            start + self.offset,
            -1,
            -1,
            "flow" if event.flow_style else "",
            column(self.text, start + self.offset),
            anchor=event.anchor or "",
            tagged=event.tag is not None,
        )

    def add_item(self, sequence: Node, item: Node) -> None:
        sequence.items.append(item)

    def add_entry(self, mapping: Node, key: Node, value: Node) -> None:
        mapping.entries.append((key, value))

    def closed(self, node: Node, event: Event) -> None:
        if node.flow:
            node.end = node.past = event.end_mark.index + self.offset
            return
        children = [value for _, value in node.entries] or node.items
        node.end = max(children[-1].end, node.start) if children else node.start
        node.past = max(children[-1].past, node.end) if children else node.end
        if node.entries:
            node.start = node.entries[0][0].begin
        position = node.start
        for item in node.items:
            found = _FILLING.match(self.text, position)
            dash = position if found is None else found.end()
            node.dashes.append(dash)
            if item.empty and item.end < dash:
                item.begin = item.start = item.end = item.past = dash + 1
            position = max(item.past if item.style in ("|", ">") else item.end, dash + 1)
        if node.items:
            node.start = node.dashes[0]
            node.end = max(node.end, node.dashes[-1] + 1)
            node.past = max(node.past, node.end)
        node.column = column(self.text, node.start)


def column(text: str, position: int) -> int:
    """The column of a character, 0-based."""
    return position - line_start(text, position)


def line_start(text: str, position: int) -> int:
    """The first character of the line."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Where the line ends, before its line break."""
    found = text.find("\n", position)
    if found < 0:
        return len(text)
    return found - 1 if found > position and text[found - 1] == "\r" else found
