"""From the parser's events to a tree, for the two trees that keep places: :mod:`.positions` and :mod:`.layout`.

They differ in what they keep of a node. Which node is a key, which an item, and what an alias stands for, is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from shoreup.formats.sourcemap import Run
from shoreup.formats.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Parser,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    kind_of,
)
from shoreup.formats.yaml.properties import past_properties
from shoreup.formats.yaml.resolve import key_text, resolve, resolve_tagged

N = TypeVar("N")


class Maker(Protocol[N]):
    """What makes the nodes of a tree."""

    def scalar(self, event: Event, around: N | None) -> N:
        """A scalar inside of the collection ``around``."""
        ...

    def alias(self, event: Event, target: N | None) -> N:
        """An alias; ``target`` is what it stands for, ``None`` where nothing before it has that anchor."""
        ...

    def opened(self, event: Event) -> N:
        """A mapping or a sequence that begins."""
        ...

    def closed(self, node: N, event: Event) -> None:
        """It ends; all that is in it was added."""
        ...

    def add_item(self, sequence: N, item: N) -> None:
        """The next item of a sequence."""
        ...

    def add_entry(self, mapping: N, key: N, value: N) -> None:
        """The next entry of a mapping."""
        ...


def compose(parser: Parser, make: Maker[N]) -> N | None:
    """The top node of the parser's next document; ``None`` where there is none. Raises what the parser raises."""
    anchors: dict[str, N] = {}
    stack: list[tuple[N, bool, N | None]] = []  # each collection, whether it is a sequence, and the key around it
    root: N | None = None
    key: N | None = None
    while True:
        event = parser.get_event()
        kind = kind_of(event)
        if kind is ScalarEvent:
            node = make.scalar(event, stack[-1][0] if stack else None)
            if event.anchor is not None:
                anchors[event.anchor] = node
        elif kind is AliasEvent:
            node = make.alias(event, anchors.get(event.anchor or ""))
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            node = make.opened(event)
            if event.anchor is not None:
                anchors[event.anchor] = node
            stack.append((node, kind is SequenceStartEvent, key))
            key = None
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            node, _, key = stack.pop()
            make.closed(node, event)
        elif kind is DocumentEndEvent or kind is StreamEndEvent:
            return root
        else:
            continue
        if not stack:
            root = node
        elif stack[-1][1]:
            make.add_item(stack[-1][0], node)
        elif key is None:
            key = node
        else:
            make.add_entry(stack[-1][0], key, node)
            key = None


def start_of(text: str, event: Event) -> int:
    """The first character of a node behind its anchor and tag."""
    begin, end = event.start_mark.index, event.end_mark.index
    return past_properties(text, begin, end) if event.anchor or event.tag else begin


def block_end(text: str, start: int, end: int, runs: Sequence[Run]) -> int:
    """Where the text of a block scalar ends, without the blank lines behind it; one without text ends with its header.

    ``start`` and ``end`` are the parser's, which counts those lines in.
    """
    last = next((run for run in reversed(runs) if run.text.strip("\n")), None)
    header = text.find("\n", start, end)
    stop = last.end if last is not None else header if header >= 0 else end
    return stop - 1 if text[stop - 1 : stop] == "\r" else stop


def is_text(event: Event, *, words: bool) -> bool:
    """Whether a scalar is text and no number, truth value or null."""
    if event.tag is not None:
        return isinstance(resolve_tagged(event.value, event.tag), str)
    return bool(event.style) or isinstance(resolve(event.value, words=words), str)


def key_name(event: Event, *, words: bool) -> str | None:
    """What a scalar is called as a key; ``None`` for the ``<<`` that merges."""
    if event.tag is not None:
        return key_text(resolve_tagged(event.value, event.tag))
    if event.style:
        return key_text(event.value)
    return None if event.value == "<<" else key_text(resolve(event.value, words=words))
