"""The way along a route to the node that is written to, through aliases where that changes nothing else."""

from __future__ import annotations

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.yaml.layout import Node
from shoreup.formats.yaml.wanted import named
from shoreup.model.location import Route


class Slot(Struct, frozen=True):
    """Where a node stands: behind the colon or dash at ``sign`` of a collection whose keys or dashes are in ``column``.

    ``sign`` is -1 for the top of a document.
    """

    node: Node
    holder: Node | None
    sign: int


class Ways:
    """The ways in one document."""

    def __init__(self, text: str, top: Node | None) -> None:
        self.text = text
        self.top = top
        self.entered: list[Route] = []
        """Other ways to the place that was written to, where an alias led there."""
        self.shared = ""
        """Why more than what was asked for changes, where what is written to has an anchor that others use."""

    def descend(self, slot: Slot, route: Route) -> tuple[Slot, Route]:
        """As far as the route exists here; an alias is entered where that changes nothing else."""
        for number, step in enumerate(route):
            slot = self.opened(slot, route, route[number:])
            below = self.below(slot, step, last=number == len(route) - 1)
            if below is None:
                return slot, route[number:]
            slot = below
            self._note_anchor(slot.node)
        return slot, ()

    def _note_anchor(self, node: Node) -> None:
        if node.anchor and not self.shared and self.is_shared(node, None):
            self.shared = (
                f"what stands behind the anchor &{node.anchor} in line {self.line(node.begin)} "
                "would change for others too"
            )

    def opened(self, slot: Slot, route: Route, rest: Route) -> Slot:
        """The slot of what an alias stands for."""
        node = slot.node
        if node.kind != "alias":
            return slot
        target = node.target
        if target is None:
            raise CannotWrite(f"the alias *{node.alias} stands for nothing")
        if self.is_shared(target, node):
            raise CannotWrite(
                f"{named(route)} is written behind the anchor &{node.alias} in line {self.line(target.begin)}, "
                "and would change for others too"
            )
        top = self.top
        found = None if top is None else self._slot_of(target, Slot(top, None, -1), ())
        if found is None:
            raise CannotWrite(f"the anchor &{node.alias} stands in a place that is not understood")
        self.entered.append((*found[1], *rest))
        return found[0]

    def is_shared(self, target: Node, through: Node | None) -> bool:
        """Whether others than this alias get what an anchor holds."""
        top = self.top
        uses = [node for node in top.walk() if node.target is target and node is not through] if top else []
        if uses:
            return True
        return through is not None and not self._is_store(target)

    def _is_store(self, target: Node) -> bool:
        """Whether an anchor stands below a key that is there for anchors alone (``x-...``, ``.name``)."""
        top = self.top
        for key, value in top.entries if top is not None else ():
            if value.begin <= target.begin < max(value.past, value.begin + 1):
                return (key.name or "").startswith(("x-", "."))
        return False

    def _slot_of(self, target: Node, slot: Slot, route: Route) -> tuple[Slot, Route] | None:
        node = slot.node
        if node is target:
            return slot, route
        steps: list[str | int | None] = [key.name for key, _ in node.entries] or list(range(len(node.items)))
        for step in steps:
            below = None if step is None else self.below(slot, step, last=True)
            if step is not None and below is not None:
                found = self._slot_of(target, below, (*route, step))
                if found is not None:
                    return found
        return None

    def below(self, slot: Slot, step: str | int, *, last: bool) -> Slot | None:
        """The slot of a key or item; ``None`` where it is not there. ``last`` says that nothing below it is meant."""
        node = slot.node
        if node.kind == "mapping" and isinstance(step, str):
            for key, value in reversed(node.entries):
                if key.name == step:
                    return Slot(value, node, self.colon(key))
            merged = [value for key, value in node.entries if key.name is None]
            if merged and not last and self._by_merge(merged, step):
                raise CannotWrite(f"{step} comes by << from line {self.line(merged[0].begin)}, as a whole")
            return None
        if node.kind == "sequence" and isinstance(step, int) and 0 <= step < len(node.items):
            return Slot(node.items[step], node, -1 if node.flow else node.dashes[step])
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

    def colon(self, key: Node) -> int:
        """The colon behind a key."""
        found = self.text.find(":", key.end)
        if found < 0 or self.text[key.end : found].strip():
            raise CannotWrite(f"the key in line {self.line(key.begin)} is written in a way that is not understood")
        return found

    def line(self, position: int) -> int:
        """The 1-based line of a character."""
        return self.text.count("\n", 0, position) + 1
