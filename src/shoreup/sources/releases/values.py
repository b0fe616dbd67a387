"""Writing values: into the layer that says them, else into the one that says most of what is around them."""

from __future__ import annotations

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.model.location import Route
from shoreup.model.resource import Tracer
from shoreup.model.value import Unknown, Value
from shoreup.sources.editing import Editor, Like, Writable
from shoreup.sources.releases.layers import Layer, Stack

Replacements = tuple[Replacement, ...]


class Below:
    """Values that stand in a field of a resource; ``route`` leads to it."""

    __slots__ = ("_route", "_tracer")

    def __init__(self, tracer: Tracer, route: Route) -> None:
        self._tracer = tracer
        self._route = route

    def put(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Give the value at ``route``."""
        return self._editor().put((*self._route, *route), value, read, like=self._like(like), alone=alone)

    def append(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Add an item to a list."""
        return self._editor().append((*self._route, *route), value, read, like=self._like(like), alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> Replacements:
        """Take away what stands at ``route``."""
        return self._editor().remove((*self._route, *route), read, alone=alone)

    def _editor(self) -> Editor:
        if isinstance(self._tracer, Editor):
            return self._tracer
        raise CannotWrite("the values stand in a place that is not written to")

    def _like(self, like: Like) -> Like:
        return tuple((inside, (*self._route, *field)) for inside, field in like)


class Either:
    """Values that are written in one way or in another: as text, or as code that makes the text."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Writable, second: Writable) -> None:
        self._first = first
        self._second = second

    def put(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Give the value at ``route``."""
        try:
            return self._first.put(route, value, read, like=like, alone=alone)
        except CannotWrite as problem:
            try:
                return self._second.put(route, value, read, alone=alone)
            except CannotWrite:
                raise problem from None

    def append(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Add an item to a list."""
        try:
            return self._first.append(route, value, read, like=like, alone=alone)
        except CannotWrite as problem:
            try:
                return self._second.append(route, value, read, alone=alone)
            except CannotWrite:
                raise problem from None

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> Replacements:
        """Take away what stands at ``route``."""
        try:
            return self._first.remove(route, read, alone=alone)
        except CannotWrite as problem:
            try:
                return self._second.remove(route, read, alone=alone)
            except CannotWrite:
                raise problem from None


class StackValues:
    """Merged values. ``own`` is the layer to write to where several would do; else it is the strongest."""

    __slots__ = ("_own", "_stack")

    def __init__(self, stack: Stack, own: Layer | None = None) -> None:
        self._stack = stack
        self._own = own

    def put(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Give the value at ``route``."""
        return self._layer(route).put(route, value, read, like=like, alone=alone)

    def append(self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False) -> Replacements:
        """Add an item to a list."""
        return self._layer(route).append(route, value, read, like=like, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> Replacements:
        """Take away what stands at ``route``."""
        saying = [layer for layer in self._stack.layers if _depth(layer, route) == len(route)]
        if len(saying) > 1:
            raise CannotWrite("several sources of values say it")
        return self._layer(route).remove(route, read, alone=alone)

    def _layer(self, route: Route) -> Writable:
        """The strongest of the layers that have most of the way to the value."""
        best = self._own
        for layer in reversed(self._stack.layers):
            if layer.editor is not None and (best is None or _depth(layer, route) > _depth(best, route)):
                best = layer
        if best is None or best.editor is None:
            raise CannotWrite("the release states no values that are written to")
        for layer in self._stack.layers[self._stack.layers.index(best) + 1 :]:
            if isinstance(layer.values, Unknown):
                raise CannotWrite(f"other values come over these: {layer.values.reason}")
        return best.editor


def _depth(layer: Layer, route: Route) -> int:
    if isinstance(layer.values, Unknown):
        return -1
    value: Value = dict(layer.values)
    for number, step in enumerate(route):
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return number
    return len(route)
