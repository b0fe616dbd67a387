"""Where each value of a document is written, read again for the few places that are reported.

A document's parse tree with its marks costs ten times its values. So the reader keeps values alone, and this
second reading is made for documents with something to show.
"""

from __future__ import annotations

import re

from msgspec import Struct

from shoreup.formats.sourcemap import Run
from shoreup.formats.yaml.composing import block_end, compose, is_text, key_name, start_of
from shoreup.formats.yaml.events import Event, MappingStartEvent, YAMLError, kind_of, parser_of
from shoreup.formats.yaml.scalars import ENCODINGS, runs_of
from shoreup.model.location import Route

_SURROGATES = re.compile(r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class Step(Struct, frozen=True):
    """An alias that was followed: its name with ``*``, and its characters."""

    name: str
    start: int
    end: int


class Trace(Struct, frozen=True):
    """Where a value is written, in characters of the whole text, ends exclusive.

    ``start`` and ``end`` are the value's extent, without anchors and tags before it, without blank lines and
    comments after it; an absent value (``key:``) is empty. ``site`` is the field itself: key and value, or the
    item; where an alias or a merge leads to the value, the alias's own entry. ``key`` is the key's extent.
    ``runs`` are given for text, over the whole text as well; ``encoding`` is as in :attr:`Segment.encodings`.
    """

    start: int
    end: int
    site: tuple[int, int]
    key: tuple[int, int] | None = None
    runs: tuple[Run, ...] = ()
    encoding: str = ""
    via: tuple[Step, ...] = ()


class _Node(Struct, eq=False):
    """A value's place. ``begin`` includes anchor and tag; ``target`` is what an alias stands for.

    ``past`` is where a block scalar ends with the blank lines after it. ``column`` is a collection's indentation, for a
    scalar that of the collection around it.
    """

    begin: int
    start: int
    end: int
    text: str | None = None
    style: str = ""
    is_text: bool = False
    entries: list[tuple[_Node, _Node]] | None = None
    items: list[_Node] | None = None
    alias: str = ""
    target: _Node | None = None
    name: str | None = None
    past: int = 0
    column: int = 0


class Positions:
    """The places of one document. ``offset`` is where ``text`` stands in the whole text, in characters."""

    def __init__(self, text: str, offset: int = 0, *, words: bool = True) -> None:
        self._pairs: dict[int, int] = {}
        self._text = _SURROGATES.sub(self._as_one, text) if "\\u" in text else text
        self._offset = offset
        self._words = words
        self._root = self._read()

    def _as_one(self, pair: re.Match[str]) -> str:
        """JSON's two escapes for one character as YAML's one, in as many characters; remembers where they stand."""
        units = bytes.fromhex(pair[0].replace("\\u", ""))
        self._pairs[pair.end()] = pair.start()
        return f"\\\n\\U{ord(units.decode('utf-16-be')):08x}"

    def trace(self, route: Route) -> Trace | None:
        """Where the value at ``route`` is written; ``None`` where the route leads nowhere."""
        node = self._root
        if node is None:
            return None
        site: tuple[int, int] = (node.begin, node.end)
        through = False
        key: _Node | None = None
        via: list[Step] = []
        for step in route:
            node, followed = self._follow(node, via)
            through = through or followed
            if node.entries is not None and isinstance(step, str):
                found = self._entry(node, step, 0)
                if found is None:
                    return None
                key, value, merge, steps = found
                via.extend(steps)
                if not through:
                    site = (merge[0].begin, merge[1].end) if merge else (key.begin, value.end)
                through = through or merge is not None
                node = value
            elif node.items is not None and isinstance(step, int) and 0 <= step < len(node.items):
                node, key = node.items[step], None
                if not through:
                    site = (node.begin, node.end)
            else:
                return None
        node, _ = self._follow(node, via)
        return self._shifted(node, site, key, via)

    def _shifted(self, node: _Node, site: tuple[int, int], key: _Node | None, via: list[Step]) -> Trace:
        by = self._offset
        runs: tuple[Run, ...] = ()
        if node.text and node.is_text:
            runs = runs_of(self._text, node.start, node.past or node.end, node.style, node.column)
            if "".join(run.text for run in runs) != node.text:
                runs = (Run(node.start, node.end, node.text, verbatim=False),)
        return Trace(
            node.start + by,
            node.end + by,
            (site[0] + by, site[1] + by),
            None if key is None else (key.start + by, key.end + by),
            tuple(
                Run(self._pairs.get(run.end, run.start) + by, run.end + by, run.text, run.verbatim)
                for run in runs
                if run.text or not self._pairs
            ),
            ENCODINGS[node.style] if node.is_text else "",
            tuple(Step(step.name, step.start + by, step.end + by) for step in via),
        )

    @staticmethod
    def _follow(node: _Node, via: list[Step]) -> tuple[_Node, bool]:
        if node.target is None:
            return node, False
        via.append(Step(f"*{node.alias}", node.start, node.end))
        return node.target, True

    def _entry(
        self, node: _Node, name: str, depth: int
    ) -> tuple[_Node, _Node, tuple[_Node, _Node] | None, list[Step]] | None:
        """The last entry with a key; else one that comes by merge, with the ``<<`` entry and the aliases followed."""
        entries = node.entries or []
        for key, value in reversed(entries):
            if key.name == name:
                return key, value, None, []
        for key, value in entries:
            if key.name is not None or depth > 50:
                continue
            steps: list[Step] = []
            source, _ = self._follow(value, steps)
            for item in source.items if source.items is not None else [source]:
                path = list(steps)
                merged, _ = self._follow(item, path)
                found = self._entry(merged, name, depth + 1)
                if found is not None:
                    return found[0], found[1], (key, value), path + found[3]
        return None

    def _read(self) -> _Node | None:
        try:
            return compose(parser_of(self._text), _Places(self._text, self._words))
        except (YAMLError, UnicodeError):
            return None


class _Places:
    """Makes nodes that know where they stand in ``text``."""

    def __init__(self, text: str, words: bool) -> None:
        self._text, self._words = text, words

    def scalar(self, event: Event, around: _Node | None) -> _Node:
        begin, end = event.start_mark.index, event.end_mark.index
        past, start = end, start_of(self._text, event)
        style = event.style or ""
        column = around.column if around is not None else 0
        if style in ("|", ">"):
            end = block_end(self._text, start, end, runs_of(self._text, start, end, style, column))
        return _Node(
            begin,
            start,
            end,
            text=event.value,
            style=style,
            is_text=is_text(event, words=self._words),
            name=key_name(event, words=self._words),
            past=past,
            column=column,
        )

    def alias(self, event: Event, target: _Node | None) -> _Node:
        start, end = event.start_mark.index, event.end_mark.index
        name = None if target is None else target.name
        return _Node(start, start, end, alias=event.anchor or "", target=target, name=name)

    def opened(self, event: Event) -> _Node:
        begin, start = event.start_mark.index, start_of(self._text, event)
        column = event.start_mark.column if start == begin else self._column(start)
        node = _Node(begin, start, -1, style="flow" if event.flow_style else "", column=column)
        if kind_of(event) is MappingStartEvent:
            node.entries = []
        else:
            node.items = []
        return node

    def add_item(self, sequence: _Node, item: _Node) -> None:
        assert sequence.items is not None
        sequence.items.append(item)

    def add_entry(self, mapping: _Node, key: _Node, value: _Node) -> None:
        assert mapping.entries is not None
        mapping.entries.append((key, value))

    def closed(self, node: _Node, event: Event) -> None:
        if node.style == "flow":
            node.end = event.end_mark.index
            return
        children = [entry[1] for entry in node.entries or ()] + list(node.items or ())
        node.end = max(children[-1].end, node.start) if children else node.start
        if node.entries and node.entries[0][0].begin > node.start:
            node.start = node.entries[0][0].begin

    def _column(self, index: int) -> int:
        return index - max(self._text.rfind(mark, 0, index) for mark in "\n\r\x85\u2028\u2029") - 1
