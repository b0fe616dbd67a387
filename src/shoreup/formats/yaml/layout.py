"""How a document is laid out: every node with its characters, its column and its style, for whoever writes into it.

Values and places to report need less (:mod:`.stream`, :mod:`.positions`); a writer needs to know where a dash stands
and in which column the keys of a mapping begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from shoreup.formats.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
    kind_of,
    parser_of,
)
from shoreup.formats.yaml.properties import past_properties
from shoreup.formats.yaml.resolve import key_text, resolve, resolve_tagged
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
        return _Composer(text[start:end], text, start, words).compose()
    except (YAMLError, UnicodeError):
        return None


class _Composer:
    def __init__(self, part: str, text: str, offset: int, words: bool) -> None:
        self.part, self.text, self.offset, self.words = part, text, offset, words

    def compose(self) -> Node | None:
        parser = parser_of(self.part)
        anchors: dict[str, Node] = {}
        stack: list[tuple[Node, Node | None]] = []
        root: Node | None = None
        pending: Node | None = None
        while True:
            event = parser.get_event()
            kind = kind_of(event)
            if kind is ScalarEvent:
                node = self._scalar(event, stack[-1][0].column if stack else 0)
            elif kind is AliasEvent:
                node = self._alias(event, anchors)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                node = self._opened(event)
                if event.anchor is not None:
                    anchors[event.anchor] = node
                stack.append((node, pending))
                pending = None
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node, pending = stack.pop()
                self._close(node, event)
            elif kind is DocumentEndEvent or kind is StreamEndEvent:
                return root
            else:
                continue
            if kind is ScalarEvent and event.anchor is not None:
                anchors[event.anchor] = node
            if not stack:
                root = node
            elif stack[-1][0].kind == "sequence":
                stack[-1][0].items.append(node)
            elif pending is None:
                pending = node
            else:
                stack[-1][0].entries.append((pending, node))
                pending = None

    def _alias(self, event: Event, anchors: dict[str, Node]) -> Node:
        begin, end = event.start_mark.index + self.offset, event.end_mark.index + self.offset
        target = anchors.get(event.anchor or "")
        name = None if target is None else target.name
        return Node("alias", begin, begin, end, end, alias=event.anchor or "", target=target, name=name)

    def _scalar(self, event: Event, around: int) -> Node:
        begin, end = event.start_mark.index, event.end_mark.index
        past = end
        start = past_properties(self.part, begin, end) if event.anchor or event.tag else begin
        style = event.style or ""
        if style in "|>" and style:
            runs = runs_of(self.part, start, end, style, around)
            last = next((run for run in reversed(runs) if run.text.strip("\n")), None)
            header = self.part.find("\n", start, end)
            end = last.end if last is not None else header if header >= 0 else end
            if self.part[end - 1 : end] == "\r":
                end -= 1
            past = max((run.end for run in runs), default=end)
        if event.tag is not None:
            value = resolve_tagged(event.value, event.tag)
        else:
            value = event.value if style else resolve(event.value, words=self.words)
        merge = event.value == "<<" and not style and event.tag is None
        return Node(
            "scalar",
            begin + self.offset,
            start + self.offset,
            end + self.offset,
            past + self.offset,
            style,
            is_text=isinstance(value, str),
            empty=start == end,
            name=None if merge else key_text(value),
            anchor=event.anchor or "",
            tagged=event.tag is not None,
        )

    def _opened(self, event: Event) -> Node:
        begin, end = event.start_mark.index, event.end_mark.index
        start = past_properties(self.part, begin, end) if event.anchor or event.tag else begin
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

    def _close(self, node: Node, event: Event) -> None:
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
