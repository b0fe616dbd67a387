"""Values in layers, as Helm merges them, each value still knowing which layer wrote it.

Maps merge key by key, everything else replaces, and ``null`` removes. A layer that cannot be read (a Secret, a
file that is not in the estate) hides what lies below it and leaves open what nobody else says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Unknown, Value, at
from shoreup.sources.editing import Writable

TraceValue = Callable[[Route], Origin | None]
"""Finds where the value at a route is written; the empty route is the whole."""


def nowhere(_: Route) -> Origin | None:
    """The tracer of values that no file holds, such as a chart's own defaults."""
    return None


class Layer(Struct, frozen=True, eq=False):
    """One source of values. ``values`` is an :class:`Unknown` when the source cannot be read."""

    values: Mapping[str, Value] | Unknown
    trace: TraceValue
    editor: Writable | None = None
    """Writes the values, where a file of the estate holds them."""


class Stack(Struct, frozen=True, eq=False):
    """Layers from the weakest to the strongest, and what they come to.

    ``values`` is the merged result. ``open_reason`` is not empty when a layer could not be read, so that the
    absence of a key says nothing.
    """

    layers: tuple[Layer, ...]
    values: dict[str, Value] = field(default_factory=dict)
    open_reason: str = ""

    def trace(self, route: Route) -> Origin | None:
        """Where the merged value at ``route`` is written; ``None`` where it is absent or is no file's."""
        for layer in reversed(self.layers):
            if isinstance(layer.values, Unknown):
                continue
            found = _reach(layer.values, route)
            if found is _BLOCKED:
                return None
            if found is _HERE:
                origin = layer.trace(route)
                if origin is not None:
                    return origin
        return None


def stack(layers: Sequence[Layer]) -> Stack:
    """Merge layers, the weakest first."""
    merged: dict[str, Value] = {}
    reason = ""
    for layer in layers:
        if isinstance(layer.values, Unknown):
            reason = reason or layer.values.reason
            merged = {key: _veil(item, layer.values.reason) for key, item in merged.items()}
        else:
            merged = merge(merged, layer.values)
    return Stack(tuple(layers), merged, reason)


def merge(below: Mapping[str, Value], above: Mapping[str, Value]) -> dict[str, Value]:
    """``above`` over ``below``."""
    merged = dict(below)
    for key, item in above.items():
        under = merged.get(key)
        if isinstance(item, dict) and isinstance(under, dict):
            merged[key] = merge(under, item)
        else:
            merged[key] = item
    return merged


def _veil(value: Value, reason: str) -> Value:
    if isinstance(value, dict):
        return {key: _veil(item, reason) for key, item in value.items()}
    return Unknown(reason)


_HERE, _ABSENT, _BLOCKED = object(), object(), object()


def _reach(values: Mapping[str, Value], route: Route) -> object:
    value: Value = dict(values)
    for step in route:
        if isinstance(value, dict):
            if step not in value:
                return _ABSENT
            value = value[str(step)]
        elif isinstance(value, list):
            if not isinstance(step, int) or not 0 <= step < len(value):
                return _BLOCKED
            value = value[step]
        else:
            return _BLOCKED
    return _HERE


class Node(Struct, frozen=True, eq=False):
    """A place in merged values. ``value`` is ``None`` where nothing is said."""

    value: Value
    route: Route
    open_reason: str = ""

    def __getitem__(self, key: str) -> Node:
        """The child at ``key``; unknown below an unknown, ``None`` where it is absent."""
        return Node(at(self.value, key), (*self.route, key), self.open_reason)

    def said(self, key: str) -> Node:
        """The child at ``key``, where an absence is unknown when values are open."""
        child = self[key]
        if child.value is None and self.open_reason and not self.has(key):
            return Node(Unknown(self.open_reason), child.route, self.open_reason)
        return child

    def dig(self, *keys: str) -> Node:
        """The descendant at ``keys``."""
        node = self
        for key in keys:
            node = node[key]
        return node

    def has(self, key: str) -> bool:
        """Whether the key is written, be it with ``null``."""
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> Iterator[tuple[str, Node]]:
        """The children of a map in Go's order (sorted by key); nothing for anything else."""
        if isinstance(self.value, dict):
            for key in sorted(self.value):
                yield key, self[key]

    def entries(self) -> Iterator[Node]:
        """The items of a list; nothing for anything else."""
        if isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield Node(item, (*self.route, index), self.open_reason)

    @property
    def unknown(self) -> bool:
        """Whether the whole value is unknown."""
        return isinstance(self.value, Unknown)

    @property
    def empty(self) -> bool:
        """Whether Helm would take the value for false. An unknown is not empty."""
        if isinstance(self.value, Unknown):
            return False
        return self.value in (None, False, 0, "") or self.value == [] or self.value == {}

    @property
    def text(self) -> str:
        """The value when it is a known string, else the empty string."""
        return self.value if isinstance(self.value, str) else ""

    def word(self, default: str) -> str:
        """The value when it is a known string that is not empty, else the default."""
        return self.text or default


def root(values: Stack) -> Node:
    """The top of merged values."""
    return Node(values.values, (), values.open_reason)
