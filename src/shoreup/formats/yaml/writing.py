"""Edits of YAML as changes of its characters: what is not changed stays as it is, to the character.

A value is put, appended or removed by its route; the text around it says in which manner. Every change is read again
before it is given: the document must then hold exactly what was asked for, and the other documents what they held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from shoreup.formats.edits import CannotWrite
from shoreup.formats.spelling import plain_text
from shoreup.formats.yaml.layout import Node, layout, line_end, line_start
from shoreup.formats.yaml.order import place_for
from shoreup.formats.yaml.removing import Removal, removal
from shoreup.formats.yaml.rendering import Manner, Renderer, manner_of
from shoreup.formats.yaml.stream import Document, Stream, load, load_json
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at


@dataclass(frozen=True, slots=True, order=True)
class Change:
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


class Page:
    """One document of a text, to write into.

    ``words`` is as in :func:`load`. ``spoken`` gives the texts to write instead of values at routes inside of a new
    value. ``alone`` refuses changes of what aliases elsewhere stand for. All methods give changes of the whole text
    and raise :class:`CannotWrite`.
    """

    def __init__(self, text: str, index: int = 0, *, words: bool = True, is_json: bool = False) -> None:
        self.text, self.index, self.words, self.is_json = text, index, words, is_json
        self.stream = self._load(text)
        if index >= len(self.stream.documents):
            raise CannotWrite("the text is not read as YAML")
        self.document: Document = self.stream.documents[index]
        if self.document.encrypted:
            raise CannotWrite("the document is encrypted with sops")
        tops = [layout(text, one.start, one.end, words=words) for one in self.stream.documents]
        self.top = tops[index]
        self.manner = manner_of(text, [top for top in tops if top is not None], is_json=is_json)

    def put(
        self, route: Route, value: Value, *, spoken: Mapping[Route, str] | None = None, alone: bool = False
    ) -> tuple[Change, ...]:
        """Give the value at ``route``; what leads to it is made where it is missing."""
        expected = placed(self.document.value, route, value)
        writer = _Writer(self, spoken, alone)
        changes = writer.put(route, value)
        for other in writer.entered:
            expected = placed(expected, other, value)
        return self._checked(changes, expected, writer.shared, loosely=bool(spoken))

    def append(
        self, route: Route, value: Value, *, spoken: Mapping[Route, str] | None = None, alone: bool = False
    ) -> tuple[Change, ...]:
        """Add an item to the list at ``route``, which is made where it is missing."""
        there = at(self.document.value, *route)
        if there is not None and not isinstance(there, list):
            raise CannotWrite(f"{_named(route)} is no list")
        inner = {(0, *key): text for key, text in (spoken or {}).items()} if not there else spoken
        if not there:
            return self.put(route, [value], spoken=inner, alone=alone)
        return self.put((*route, len(there)), value, spoken=inner, alone=alone)

    def insert(self, route: Route, value: Value) -> tuple[Change, ...]:
        """Put an item into a list, before the one that stands at ``route`` now."""
        index = route[-1]
        there = at(self.document.value, *route[:-1])
        if not isinstance(there, list) or not isinstance(index, int) or not 0 <= index <= len(there):
            raise CannotWrite(f"there is no place for {_named(route)}")
        if index == len(there):
            return self.put(route, value)
        expected = placed(self.document.value, route[:-1], [*there[:index], value, *there[index:]])
        writer = _Writer(self, None, True)
        return self._checked(writer.insert(route, value), expected, writer.shared)

    def alias_of(self, route: Route) -> str | None:
        """The alias by which the scalar at ``route`` can be named further down, where its owner gave it an anchor."""
        node = self.top
        for step in route:
            if node is None or node.kind == "alias":
                return None
            if isinstance(step, str):
                node = next((value for key, value in reversed(node.entries) if key.name == step), None)
            else:
                node = node.items[step] if 0 <= step < len(node.items) else None
        if node is None:
            return None
        name = node.alias or (node.anchor if node.kind == "scalar" else "")
        return f"*{name}" if name and (node.target is None or node.target.kind == "scalar") else None

    def remove(self, route: Route, *, alone: bool = False) -> tuple[Change, ...]:
        """Take away the key or item at ``route``, with the comments that belong to it alone."""
        if not route:
            raise CannotWrite("a whole document is not taken away")
        expected = removed(self.document.value, route)
        writer = _Writer(self, None, alone)
        changes = writer.remove(route)
        for other in writer.entered:
            expected = removed(expected, other)
        return self._checked(changes, expected, writer.shared)

    def _load(self, text: str) -> Stream:
        return load_json(text) if self.is_json else load(text, words=self.words)

    def _checked(
        self, changes: list[Change], expected: Value, shared: str, *, loosely: bool = False
    ) -> tuple[Change, ...]:
        merged = _merged(changes)
        after = self._load(changed(self.text, merged))
        if len(after.problems) > len(self.stream.problems) or len(after.documents) != len(self.stream.documents):
            raise CannotWrite("the text would not be YAML any more; its layout is not understood")
        for number, (old, new) in enumerate(zip(self.stream.documents, after.documents, strict=True)):
            wanted = expected if number == self.index else old.value
            if not (new.value == wanted if loosely else same(new.value, wanted)):
                raise CannotWrite(
                    shared or "more would change than what was asked for; the layout of the text is not understood"
                )
        return tuple(merged)


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same and of the same types, which Python's numbers and booleans do not tell."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def placed(old: Value, route: Route, value: Value) -> Value:
    """The old value with another at ``route``. Raises :class:`CannotWrite` where the route cannot be."""
    if not route:
        return value
    step, rest = route[0], route[1:]
    if isinstance(step, str) and (old is None or isinstance(old, dict)):
        known = old or {}
        return {**known, step: placed(known.get(step), rest, value)}
    if isinstance(step, int) and (old is None or isinstance(old, list)):
        items = list(old or [])
        if step < len(items):
            return [placed(item, rest, value) if number == step else item for number, item in enumerate(items)]
        if step == len(items):
            return [*items, placed(None, rest, value)]
    raise CannotWrite(f"there is no place for {_named(route)}")


def removed(old: Value, route: Route) -> Value:
    """The old value without what is at ``route``. Raises :class:`CannotWrite` where nothing is."""
    step, rest = route[0], route[1:]
    if isinstance(old, dict) and step in old:
        if not rest:
            return {key: item for key, item in old.items() if key != step}
        return {key: removed(item, rest) if key == step else item for key, item in old.items()}
    if isinstance(old, list) and isinstance(step, int) and 0 <= step < len(old):
        if not rest:
            return [item for number, item in enumerate(old) if number != step]
        return [removed(item, rest) if number == step else item for number, item in enumerate(old)]
    raise CannotWrite(f"there is nothing at {_named(route)}")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a node stands: behind the colon or dash at ``sign`` of a collection whose keys or dashes are in ``column``.

    ``sign`` is -1 for the top of a document.
    """

    node: Node
    holder: Node | None
    sign: int


class _Writer:
    """One edit of one page."""

    def __init__(self, page: Page, spoken: Mapping[Route, str] | None, alone: bool) -> None:
        self.page, self.text, self.manner, self.alone = page, page.text, page.manner, alone
        self.spoken = dict(spoken or {})
        self.entered: list[Route] = []
        """Other ways to the place that was written to, where an alias led there."""
        self.shared = ""
        """Why more than what was asked for changes, where what is written to has an anchor that others use."""
        self.renderer = Renderer(page.manner)

    # Ways

    def put(self, route: Route, value: Value) -> list[Change]:
        top = self.page.top
        if top is None or (top.empty and top.kind == "scalar"):
            return self._into_nothing(nested(route, value))
        slot, rest = self._descend(_Slot(top, None, -1), route)
        self._render_with(route[len(route) - len(rest) :] if rest else ())
        if not rest:
            return self._replace(slot, at(self.page.document.value, *route), value)
        node, inner = slot.node, nested(rest[1:], value)
        if node.kind == "mapping" and isinstance(rest[0], str):
            return self._insert(slot, rest[0], inner)
        if node.kind == "sequence" and rest[0] == len(node.items):
            return self._append(slot, inner)
        if node.kind == "scalar" and not node.is_text and self._is_nothing(node):
            return self._write(slot, nested(rest, value), ())
        raise CannotWrite(f"there is no place for {_named(route)}")

    def remove(self, route: Route) -> list[Change]:
        top = self.page.top
        if top is None:
            raise CannotWrite(f"there is nothing at {_named(route)}")
        slot, rest = self._descend(_Slot(top, None, -1), route[:-1])
        if rest:
            raise CannotWrite(f"there is nothing at {_named(route)}")
        slot = self._opened(slot, route, route[-1:])
        found = removal(self.text, slot.node, route[-1])
        if found is Removal.MERGED:
            raise CannotWrite(f"{_named(route)} comes by << from elsewhere")
        if found is Removal.LAST:
            empty = "{}" if slot.node.kind == "mapping" else "[]"
            return [self._over(slot, empty)]
        return [Change(first, last, text) for first, last, text in found]

    def insert(self, route: Route, value: Value) -> list[Change]:
        _refuse_unknown(value)
        top = self.page.top
        if top is None:
            raise CannotWrite(f"there is no place for {_named(route)}")
        slot, rest = self._descend(_Slot(top, None, -1), route[:-1])
        node, index = slot.node, int(route[-1])
        if rest or node.kind != "sequence":
            raise CannotWrite(f"there is no place for {_named(route)}")
        if node.flow:
            first = node.items[index].begin
            return [Change(first, first, self._in_flow(node, value, ()) + ", ")]
        item = self.renderer.item(value, node.column)
        if index:
            end = self._behind(node.items[index - 1], None, node.column)
            return [Change(end, end, self.manner.newline + item)]
        first = node.dashes[0]
        return [Change(first, first, item.lstrip(" ") + self.manner.newline + " " * node.column)]

    def _descend(self, slot: _Slot, route: Route) -> tuple[_Slot, Route]:
        """As far as the route exists here; an alias is entered where that changes nothing else."""
        for number, step in enumerate(route):
            slot = self._opened(slot, route, route[number:])
            below = self._below(slot, step, last=number == len(route) - 1)
            if below is None:
                return slot, route[number:]
            slot = below
            self._note_anchor(slot.node)
        return slot, ()

    def _note_anchor(self, node: Node) -> None:
        if node.anchor and not self.shared and self._shared(node, None):
            self.shared = (
                f"what stands behind the anchor &{node.anchor} in line {self._line(node.begin)} "
                "would change for others too"
            )

    def _opened(self, slot: _Slot, route: Route, rest: Route) -> _Slot:
        """The slot of what an alias stands for."""
        node = slot.node
        if node.kind != "alias":
            return slot
        target = node.target
        if target is None:
            raise CannotWrite(f"the alias *{node.alias} stands for nothing")
        if self._shared(target, node):
            raise CannotWrite(
                f"{_named(route)} is written behind the anchor &{node.alias} in line {self._line(target.begin)}, "
                "and would change for others too"
            )
        top = self.page.top
        found = None if top is None else self._slot_of(target, _Slot(top, None, -1), ())
        if found is None:
            raise CannotWrite(f"the anchor &{node.alias} stands in a place that is not understood")
        self.entered.append((*found[1], *rest))
        return found[0]

    def _shared(self, target: Node, through: Node | None) -> bool:
        """Whether others than this alias get what an anchor holds."""
        top = self.page.top
        uses = [node for node in top.walk() if node.target is target and node is not through] if top else []
        if uses:
            return True
        return through is not None and not self._is_store(target)

    def _is_store(self, target: Node) -> bool:
        """Whether an anchor stands below a key that is there for anchors alone (``x-...``, ``.name``)."""
        top = self.page.top
        for key, value in top.entries if top is not None else ():
            if value.begin <= target.begin < max(value.past, value.begin + 1):
                return (key.name or "").startswith(("x-", "."))
        return False

    def _slot_of(self, target: Node, slot: _Slot, route: Route) -> tuple[_Slot, Route] | None:
        node = slot.node
        if node is target:
            return slot, route
        steps: list[str | int | None] = [key.name for key, _ in node.entries] or list(range(len(node.items)))
        for step in steps:
            below = None if step is None else self._below(slot, step, last=True)
            if step is not None and below is not None:
                found = self._slot_of(target, below, (*route, step))
                if found is not None:
                    return found
        return None

    def _below(self, slot: _Slot, step: str | int, *, last: bool) -> _Slot | None:
        node = slot.node
        if node.kind == "mapping" and isinstance(step, str):
            for key, value in reversed(node.entries):
                if key.name == step:
                    return _Slot(value, node, self._colon(key))
            merged = [value for key, value in node.entries if key.name is None]
            if merged and not last and self._by_merge(merged, step):
                raise CannotWrite(f"{step} comes by << from line {self._line(merged[0].begin)}, as a whole")
            return None
        if node.kind == "sequence" and isinstance(step, int) and 0 <= step < len(node.items):
            return _Slot(node.items[step], node, -1 if node.flow else node.dashes[step])
        return None

    def _by_merge(self, merged: list[Node], step: str) -> bool:
        waiting = list(merged)
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            node = node.target or node
            if id(node) in seen:
                continue
            seen.add(id(node))
            waiting += node.items
            for key, value in node.entries:
                if key.name == step:
                    return True
                if key.name is None:
                    waiting.append(value)
        return False

    def _colon(self, key: Node) -> int:
        found = self.text.find(":", key.end)
        if found < 0 or self.text[key.end : found].strip():
            raise CannotWrite(f"the key in line {self._line(key.begin)} is written in a way that is not understood")
        return found

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1

    def _is_nothing(self, node: Node) -> bool:
        return node.empty or self.text[node.start : node.end] in ("null", "~", "Null", "NULL")

    def _render_with(self, missing: Route) -> None:
        """Texts to speak stand below what is missing on the way to the value."""
        self.renderer = Renderer(self.manner, {(*missing, *route): text for route, text in self.spoken.items()})

    # Over what is there

    def _replace(self, slot: _Slot, old: Value, value: Value) -> list[Change]:
        node = slot.node
        if same(old, value) and not self.spoken:
            return []
        if node.anchor and self.alone and self._shared(node, None):
            raise CannotWrite(f"what stands behind the anchor &{node.anchor} would change for others too")
        if node.kind == "mapping" and isinstance(value, dict) and isinstance(old, dict) and value and node.entries:
            made = self._merge(slot, old, value)
            if made is not None:
                return made
        grows = isinstance(value, list) and isinstance(old, list) and len(old) <= len(value)
        if node.kind == "sequence" and node.items and grows:
            return self._extend(slot, old, value)
        return self._write(slot, value, ())

    def _merge(self, slot: _Slot, old: dict[str, Value], value: dict[str, Value]) -> list[Change] | None:
        """Key by key; ``None`` where nothing of the old mapping would stay."""
        own = {key.name for key, _ in slot.node.entries}
        if not own & value.keys() or any(key not in own for key in old) or self.spoken:
            return None
        changes: list[Change] = []
        for key in old:
            if key not in value:
                found = removal(self.text, slot.node, key)
                if isinstance(found, Removal):
                    return None
                changes += [Change(first, last, text) for first, last, text in found]
        for key, item in value.items():
            below = self._below(slot, key, last=True)
            if below is None:
                changes += self._insert(slot, key, item)
            else:
                changes += self._replace(below, old[key], item)
        return None if _collide(changes) else changes

    def _extend(self, slot: _Slot, old: Value, value: Value) -> list[Change]:
        assert isinstance(old, list) and isinstance(value, list)
        changes: list[Change] = []
        for number, item in enumerate(value):
            if number < len(old):
                below = self._below(slot, number, last=True)
                assert below is not None
                changes += self._replace(below, old[number], item)
            else:
                changes += self._append(slot, item)
        return changes

    def _write(self, slot: _Slot, value: Value, route: Route) -> list[Change]:
        """The value instead of the whole node."""
        _refuse_unknown(value)
        node, holder = slot.node, slot.holder
        if node.tagged and (node.anchor or not self.text.startswith("!!", node.begin)):
            raise CannotWrite(f"the value in line {self._line(node.begin)} has a tag")
        if holder is None:
            return [self._over(slot, self._top(value))]
        if holder.flow or self.manner.json:
            return [self._over(slot, self._in_flow(holder, value, route))]
        if not isinstance(value, (dict, list)) or not value:
            return [self._over(slot, self._scalar(node, holder, value, route))]
        if holder.kind == "sequence":
            rendered = self.renderer.item(value, holder.column, route)[holder.column + 1 :]
        else:
            rendered = self.renderer.after(value, holder.column, route)
        return [Change(slot.sign + 1, max(node.past if self._keeps(node) else node.end, slot.sign + 1), rendered)]

    def _scalar(self, node: Node, holder: Node, value: Value, route: Route) -> str:
        """One value in the style of the one that it replaces, where that can be kept."""
        style = node.style if node.kind == "scalar" and node.is_text else ""
        was_plain = node.kind == "scalar" and node.is_text and not node.style
        if was_plain and isinstance(value, str) and plain_text(value) and route not in self.renderer.spoken:
            return value
        inner = holder.column + (2 if holder.kind == "sequence" else self.manner.step)
        written = self.renderer.inline(value, inner, route, style=style)
        behind = self.text[node.end : line_end(self.text, node.end)]
        if "\n" in written and behind.strip() and isinstance(value, str):
            return self.renderer.text(value, style='"')
        return written

    def _over(self, slot: _Slot, written: str) -> Change:
        """Text instead of the node's own, with the blank that an absent value has not."""
        node = slot.node
        first, last = (node.begin if node.tagged else node.start, node.past if self._keeps(node) else node.end)
        if node.kind in ("mapping", "sequence") and not node.flow and slot.holder is not None:
            return Change(slot.sign + 1, last, " " + written)
        if slot.holder is not None and node.empty and not node.style:
            return Change(slot.sign + 1, slot.sign + 1, " " + written)
        return Change(first, last, written)

    @staticmethod
    def _keeps(node: Node) -> bool:
        """Whether empty lines behind a block of text belong to it."""
        return node.past > node.end + 2

    def _top(self, value: Value) -> str:
        if self.manner.json:
            return self.renderer.json_lines(value, "", " " * self.manner.step)
        return self.renderer.after(value, -self.manner.step).lstrip(" \r\n")

    def _into_nothing(self, value: Value) -> list[Change]:
        """Into a document without any value."""
        document = self.page.document
        end = line_end(self.text, document.start) if self.text.startswith("---", document.start) else document.start
        written = self.renderer.after(value, -self.manner.step).lstrip("\r\n")
        newline = self.manner.newline
        return [Change(end, end, newline + written if end > document.start else written + newline)]

    # Beside what is there

    def _insert(self, slot: _Slot, key: str, value: Value) -> list[Change]:
        """A new key of a mapping."""
        _refuse_unknown(value)
        node = slot.node
        if node.flow or self.manner.json:
            if not node.entries and slot.holder is not None and not slot.holder.flow and not self.manner.json:
                return self._write(slot, {key: value}, ())
            return self._into_flow(node, self._flow_entry(node, key, value), [item for _, item in node.entries])
        before = place_for(key, [name.name for name, _ in node.entries])
        if before < 0:
            first = node.entries[0][0].begin
            entry = self.renderer.entry(key, value, node.column, (key,)).lstrip(" ")
            return [Change(first, first, entry + self.manner.newline + " " * node.column)]
        entry = self.renderer.entry(key, value, node.column, (key,))
        end = self._behind(node.entries[before][1], node.entries[before][0], node.column)
        return [Change(end, end, self.manner.newline + entry)]

    def _append(self, slot: _Slot, value: Value) -> list[Change]:
        _refuse_unknown(value)
        node = slot.node
        if node.flow or self.manner.json:
            if not node.items and slot.holder is not None and not slot.holder.flow and not self.manner.json:
                simple = isinstance(value, (dict, list))
                if simple or not self.manner.brackets:
                    return self._write(slot, [value], ())
            return self._into_flow(node, self._in_flow(node, value, (len(node.items),)), node.items)
        end = self._behind(node.items[-1], None, node.column)
        item = self.renderer.item(value, node.column, (len(node.items),))
        return [Change(end, end, self.manner.newline + item)]

    def _behind(self, node: Node, key: Node | None, indent: int) -> int:
        """Behind the lines of an entry, with the comments that stand deeper than ``indent`` below it."""
        end = node.past if self._keeps(node) else node.end
        if key is not None:
            end = max(end, self._colon(key) + 1)
        end = line_end(self.text, min(max(end - 1, 0), len(self.text)) if self._keeps(node) else end)
        while end < len(self.text):
            following = self.text.find("\n", end) + 1
            line = self.text[following : line_end(self.text, following)]
            if not following or not line.lstrip(" ").startswith("#") or len(line) - len(line.lstrip(" ")) <= indent:
                return end
            end = line_end(self.text, following)
        return end

    def _into_flow(self, node: Node, written: str, children: list[Node]) -> list[Change]:
        """A new member of a collection in brackets."""
        opening, closing = node.start + 1, node.end - 1
        if not children:
            padded = self.manner.padded and node.kind == "mapping" and not self.manner.json
            inside = f" {written} " if padded else written
            if self.manner.json and self._is_long(written):
                outer = self._indent_of(node.start)
                inside = f"{self.manner.newline}{outer}{self._step_text()}{written}{self.manner.newline}{outer}"
            return [Change(opening, closing, inside)]
        last = children[-1].end
        comma = self.text.find(",", last, closing)
        trailing = comma >= 0 and not self.text[last:comma].strip()
        begins = self._first(node, children[0])
        if "\n" not in self.text[opening:begins]:
            at_ = comma + 1 if trailing else last
            return [Change(at_, at_, f" {written}" if trailing else f", {written}")]
        indent = self._indent_of(self._first(node, children[-1]))
        line = self.manner.newline + indent + written + ("," if trailing else "")
        end = line_end(self.text, last)
        if end > closing:
            end = comma + 1 if trailing else last
        return [*([] if trailing else [Change(last, last, ",")]), Change(end, end, line)]

    def _first(self, node: Node, child: Node) -> int:
        for key, value in node.entries:
            if value is child:
                return key.begin
        return child.begin

    def _flow_entry(self, node: Node, key: str, value: Value) -> str:
        if not self.manner.json:
            return self.renderer.flow_entry(key, value, (key,))
        return f"{self.renderer.key(key)}: {self._in_flow(node, value, (key,))}"

    def _in_flow(self, holder: Node, value: Value, route: Route) -> str:
        if not self.manner.json:
            return (
                self.renderer.flow_item(value, route) if holder.kind == "sequence" else self.renderer.flow(value, route)
            )
        children = [key for key, _ in holder.entries] or holder.items
        compact = bool(children) and "\n" not in self.text[holder.start : children[0].begin]
        if compact:
            return self.renderer.flow(value)
        indent = self._indent_of(children[-1].begin) if children else self._indent_of(holder.start) + self._step_text()
        return self.renderer.json_lines(value, indent, self._step_text())

    def _is_long(self, written: str) -> bool:
        return "\n" in self.text or "\n" in written

    def _indent_of(self, position: int) -> str:
        start = line_start(self.text, position)
        line = self.text[start:position]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _step_text(self) -> str:
        return "\t" if "\n\t" in self.text else " " * self.manner.step


def nested(route: Route, value: Value) -> Value:
    """The value inside of the mappings and lists that lead to it."""
    for step in reversed(route):
        if isinstance(step, str):
            value = {step: value}
        elif step == 0:
            value = [value]
        else:
            raise CannotWrite(f"there is no item before number {step}")
    return value


def appended_document(text: str, body: Value) -> Change:
    """A new document behind the others of a text."""
    page = Page(text)
    renderer = Renderer(page.manner)
    newline = page.manner.newline
    written = renderer.after(body, -page.manner.step).lstrip("\r\n")
    last = page.stream.documents[-1]
    tail = text[last.end :].strip()
    end = len(text)
    lead = "" if not text or text.endswith("\n") else newline
    if tail not in ("", "...", "---") and not all(line.startswith("#") for line in tail.splitlines() if line.strip()):
        raise CannotWrite("what stands behind the last document is not understood")
    mark = "" if tail == "---" else f"---{newline}"
    change = Change(end, end, f"{lead}{mark}{written}{newline if text.endswith(chr(10)) or not text else ''}")
    after = load(changed(text, [change]))
    if after.problems or [one.value for one in after.documents[:-1]] != [one.value for one in page.stream.documents]:
        raise CannotWrite("a document cannot be put behind the others; the layout of the text is not understood")
    if after.documents[-1].value != body:
        raise CannotWrite("the new document would not be read as it was meant")
    return change


def new_document(body: Value, like: Manner | None = None, *, marked: bool = False) -> str:
    """A whole text with one document; ``marked`` begins it with ``---``."""
    manner = like or Manner()
    _refuse_unknown(body)
    if manner.json:
        return Renderer(manner).json_lines(body, "", " " * manner.step) + manner.newline
    written = Renderer(manner).after(body, -manner.step).lstrip("\r\n")
    return (f"---{manner.newline}" if marked else "") + written + manner.newline


def _merged(changes: Iterable[Change]) -> list[Change]:
    """Changes in order, those that put something in at one place as one."""
    merged: list[Change] = []
    for one in sorted(changes, key=lambda one: (one.start, one.end)):
        last = merged[-1] if merged else None
        if last is not None and last.start == last.end == one.start == one.end:
            merged[-1] = Change(one.start, one.end, last.text + one.text)
        elif one.start != one.end or one.text:
            merged.append(one)
    return merged


def _collide(changes: list[Change]) -> bool:
    ordered = sorted(changes, key=lambda one: (one.start, one.end))
    return any(one.end > following.start for one, following in pairwise(ordered))


def _refuse_unknown(value: Value) -> None:
    if isinstance(value, (Unknown, PartialText)):
        raise CannotWrite("a value that is not known cannot be written")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_unknown(item)


def _named(route: Route) -> str:
    return ".".join(map(str, route)) or "the document"
