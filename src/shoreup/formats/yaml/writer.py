"""One edit of one document, as changes of its characters."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.formats.encodings import plain_text
from shoreup.formats.nesting import nested
from shoreup.formats.yaml.brackets import Brackets
from shoreup.formats.yaml.changes import Change, collide
from shoreup.formats.yaml.layout import Node, line_end
from shoreup.formats.yaml.order import place_for
from shoreup.formats.yaml.removing import Removal, removal
from shoreup.formats.yaml.rendering import Manner, Renderer
from shoreup.formats.yaml.stream import Document
from shoreup.formats.yaml.wanted import named, refuse_unknown, same
from shoreup.formats.yaml.ways import Slot, Ways
from shoreup.model.location import Route
from shoreup.model.value import Value, at


class Writer:
    """One edit of one page."""

    def __init__(
        self, text: str, top: Node | None, document: Document, manner: Manner, spoken: Mapping[Route, str], alone: bool
    ) -> None:
        self.text, self.top, self.document, self.manner, self.alone = text, top, document, manner, alone
        self.spoken = spoken
        self.renderer = Renderer(manner)
        self.ways = Ways(text, top)

    def put(self, route: Route, value: Value) -> list[Change]:
        top = self.top
        if top is None or (top.empty and top.kind == "scalar"):
            return self._into_nothing(nested(route, value))
        slot, rest = self.ways.descend(Slot(top, None, -1), route)
        self._render_with(route[len(route) - len(rest) :] if rest else ())
        if not rest:
            return self._replace(slot, at(self.document.value, *route), value)
        node, inner = slot.node, nested(rest[1:], value)
        if node.kind == "mapping" and isinstance(rest[0], str):
            return self._insert(slot, rest[0], inner)
        if node.kind == "sequence" and rest[0] == len(node.items):
            return self._append(slot, inner)
        if node.kind == "scalar" and not node.is_text and self._is_nothing(node):
            return self._write(slot, nested(rest, value), ())
        raise CannotWrite(f"there is no place for {named(route)}")

    def remove(self, route: Route) -> list[Change]:
        top = self.top
        if top is None:
            raise CannotWrite(f"there is nothing at {named(route)}")
        slot, rest = self.ways.descend(Slot(top, None, -1), route[:-1])
        if rest:
            raise CannotWrite(f"there is nothing at {named(route)}")
        slot = self.ways.opened(slot, route, route[-1:])
        found = removal(self.text, slot.node, route[-1])
        if found is Removal.MERGED:
            raise CannotWrite(f"{named(route)} comes by << from elsewhere")
        if found is Removal.LAST:
            empty = "{}" if slot.node.kind == "mapping" else "[]"
            return [self._over(slot, empty)]
        return [Change(first, last, text) for first, last, text in found]

    def rename(self, route: Route, name: str) -> Change:
        top = self.top
        if top is None:
            raise CannotWrite(f"there is nothing at {named(route)}")
        slot, rest = self.ways.descend(Slot(top, None, -1), route[:-1])
        slot = self.ways.opened(slot, route, route[-1:])
        for key, _ in reversed(slot.node.entries if not rest else ()):
            if key.name == route[-1]:
                quote = self.text[key.start : key.start + 1]
                inner = 1 if quote in ("'", '"') else 0
                return Change(key.start + inner, key.end - inner, name)
        raise CannotWrite(f"{named(route)} is not written in this place")

    def insert(self, route: Route, value: Value) -> list[Change]:
        refuse_unknown(value)
        top = self.top
        if top is None:
            raise CannotWrite(f"there is no place for {named(route)}")
        slot, rest = self.ways.descend(Slot(top, None, -1), route[:-1])
        node, index = slot.node, int(route[-1])
        if rest or node.kind != "sequence":
            raise CannotWrite(f"there is no place for {named(route)}")
        if node.flow:
            first = node.items[index].begin
            return [Change(first, first, self._brackets().value(node, value, ()) + ", ")]
        item = self.renderer.item(value, node.column)
        if index:
            end = self._behind(node.items[index - 1], None, node.column)
            return [Change(end, end, self.manner.newline + item)]
        first = node.dashes[0]
        return [Change(first, first, item.lstrip(" ") + self.manner.newline + " " * node.column)]

    def _is_nothing(self, node: Node) -> bool:
        return node.empty or self.text[node.start : node.end] in ("null", "~", "Null", "NULL")

    def _render_with(self, missing: Route) -> None:
        """Texts to speak stand below what is missing on the way to the value."""
        self.renderer = Renderer(self.manner, {(*missing, *route): text for route, text in self.spoken.items()})

    # Over what is there

    def _replace(self, slot: Slot, old: Value, value: Value) -> list[Change]:
        node = slot.node
        if same(old, value) and not self.spoken:
            return []
        if node.anchor and self.alone and self.ways.is_shared(node, None):
            raise CannotWrite(f"what stands behind the anchor &{node.anchor} would change for others too")
        if node.kind == "mapping" and isinstance(value, dict) and isinstance(old, dict) and value and node.entries:
            made = self._merge(slot, old, value)
            if made is not None:
                return made
        grows = isinstance(value, list) and isinstance(old, list) and len(old) <= len(value)
        if node.kind == "sequence" and node.items and grows:
            return self._extend(slot, old, value)
        return self._write(slot, value, ())

    def _merge(self, slot: Slot, old: dict[str, Value], value: dict[str, Value]) -> list[Change] | None:
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
            below = self.ways.below(slot, key, last=True)
            if below is None:
                changes += self._insert(slot, key, item)
            else:
                changes += self._replace(below, old[key], item)
        return None if collide(changes) else changes

    def _extend(self, slot: Slot, old: Value, value: Value) -> list[Change]:
        assert isinstance(old, list) and isinstance(value, list)
        changes: list[Change] = []
        for number, item in enumerate(value):
            if number < len(old):
                below = self.ways.below(slot, number, last=True)
                assert below is not None
                changes += self._replace(below, old[number], item)
            else:
                changes += self._append(slot, item)
        return changes

    def _write(self, slot: Slot, value: Value, route: Route) -> list[Change]:
        """The value instead of the whole node."""
        refuse_unknown(value)
        node, holder = slot.node, slot.holder
        if node.tagged and (node.anchor or not self.text.startswith("!!", node.begin)):
            raise CannotWrite(f"the value in line {self.ways.line(node.begin)} has a tag")
        if holder is None:
            return [self._over(slot, self._top(value))]
        if holder.flow or self.manner.json:
            return [self._over(slot, self._brackets().value(holder, value, route))]
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

    def _over(self, slot: Slot, written: str) -> Change:
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
        document = self.document
        end = line_end(self.text, document.start) if self.text.startswith("---", document.start) else document.start
        written = self.renderer.after(value, -self.manner.step).lstrip("\r\n")
        newline = self.manner.newline
        return [Change(end, end, newline + written if end > document.start else written + newline)]

    # Beside what is there

    def _insert(self, slot: Slot, key: str, value: Value) -> list[Change]:
        """A new key of a mapping."""
        refuse_unknown(value)
        node = slot.node
        if node.flow or self.manner.json:
            if not node.entries and slot.holder is not None and not slot.holder.flow and not self.manner.json:
                return self._write(slot, {key: value}, ())
            return self._brackets().add(
                node, self._brackets().entry(node, key, value), [item for _, item in node.entries]
            )
        before = place_for(key, [name.name for name, _ in node.entries])
        if before < 0:
            first = node.entries[0][0].begin
            entry = self.renderer.entry(key, value, node.column, (key,)).lstrip(" ")
            return [Change(first, first, entry + self.manner.newline + " " * node.column)]
        entry = self.renderer.entry(key, value, node.column, (key,))
        end = self._behind(node.entries[before][1], node.entries[before][0], node.column)
        return [Change(end, end, self.manner.newline + entry)]

    def _append(self, slot: Slot, value: Value) -> list[Change]:
        refuse_unknown(value)
        node = slot.node
        if node.flow or self.manner.json:
            if not node.items and slot.holder is not None and not slot.holder.flow and not self.manner.json:
                simple = isinstance(value, (dict, list))
                if simple or not self.manner.brackets:
                    return self._write(slot, [value], ())
            return self._brackets().add(node, self._brackets().value(node, value, (len(node.items),)), node.items)
        end = self._behind(node.items[-1], None, node.column)
        item = self.renderer.item(value, node.column, (len(node.items),))
        return [Change(end, end, self.manner.newline + item)]

    def _behind(self, node: Node, key: Node | None, indent: int) -> int:
        """Behind the lines of an entry, with the comments that stand deeper than ``indent`` below it."""
        end = node.past if self._keeps(node) else node.end
        if key is not None:
            end = max(end, self.ways.colon(key) + 1)
        end = line_end(self.text, min(max(end - 1, 0), len(self.text)) if self._keeps(node) else end)
        while end < len(self.text):
            following = self.text.find("\n", end) + 1
            line = self.text[following : line_end(self.text, following)]
            if not following or not line.lstrip(" ").startswith("#") or len(line) - len(line.lstrip(" ")) <= indent:
                return end
            end = line_end(self.text, following)
        return end

    def _brackets(self) -> Brackets:
        return Brackets(self.text, self.manner, self.renderer)
