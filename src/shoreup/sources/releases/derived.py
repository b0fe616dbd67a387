"""Objects that a chart makes of values, to be changed in the values.

What stands in the values as it is in the object is changed there. For the rest somebody must know how the chart wants
it said: its dialect. Without one, nothing is written that the values do not say already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.spelling import rewritten
from shoreup.model.location import Route
from shoreup.model.resource import Tracer
from shoreup.model.value import Value, at
from shoreup.sources.editing import Editor, Like, Writable
from shoreup.sources.releases.derive import DerivedTracer, From, Mark, Text
from shoreup.sources.releases.layers import TraceValue


class Said(Struct, frozen=True):
    """A change in the values' own words. ``shift`` leads from the value to where the original one is inside of it."""

    route: Route
    value: Value
    shift: Route = ()


class Dialect(Protocol):
    """How a chart wants changes of one object said. Raises :class:`CannotWrite` for what it has no words for."""

    def put(self, route: Route, value: Value) -> tuple[Said, ...]:
        """A field of the object, which values do not hold as it is."""
        ...

    def append(self, route: Route, value: Value) -> tuple[Said, ...]:
        """An item of a list that the chart makes."""
        ...

    def add(self, body: Mapping[str, Value]) -> tuple[Said, ...] | None:
        """A new object that the chart can make beside this one; ``None`` where it cannot."""
        ...


class Silence:
    """The dialect of a chart that nobody knows."""

    def put(self, route: Route, value: Value) -> tuple[Said, ...]:
        """Nothing can be said."""
        raise CannotWrite("what the chart would make of such a value is not known")

    def append(self, route: Route, value: Value) -> tuple[Said, ...]:
        """Nothing can be said."""
        return self.put(route, value)

    def add(self, body: Mapping[str, Value]) -> tuple[Said, ...] | None:
        """Nothing can be said."""
        return None


class DerivedObject(DerivedTracer):
    """The fields of an object that was made from values. ``release`` is the tracer of what declares the release."""

    def __init__(
        self,
        body: Value,
        marks: Mapping[Route, Mark],
        trace: TraceValue,
        place: TraceValue,
        values: Writable,
        dialect: Dialect,
        release: Tracer,
    ) -> None:
        super().__init__(body, marks, trace, place)
        self._values = values
        self._dialect = dialect
        self._declared = release

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`."""
        way = self._way(route)
        if way is not None:
            return self._values.put(way, value, read, like=self._like(like, ()), alone=alone)
        old = at(self._body, *route)
        if isinstance(old, str) and isinstance(value, str):
            origin = self.trace(route)
            if origin is not None and origin.segments:
                try:
                    return rewritten(origin, old, value, read)
                except CannotWrite:
                    pass  # the chart may know another way to say it
        return self._said(self._dialect.put(route, value), read, like, alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`."""
        way = self._way(route)
        if way is not None:
            return self._values.append(way, value, read, like=self._like(like, ()), alone=alone)
        if at(self._body, *route) is None:
            inner = tuple(((0, *inside), field) for inside, field in like)
            return self.put(route, [value], read, like=inner, alone=alone)
        return self._said(self._dialect.append(route, value), read, like, alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`."""
        way = self._way(route)
        if way is None:
            said = self._dialect.put(route, None)
            if len(said) != 1:
                raise CannotWrite("the values say it in several places")
            way = said[0].route[: len(said[0].route) - len(said[0].shift)]
        return self._values.remove(way, read, alone=alone)

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.add`; where the chart has no such thing, beside the release."""
        said = self._dialect.add(body)
        if said is not None:
            return self._said(said, read, (), False)
        if not isinstance(self._declared, Editor):
            raise CannotWrite("the release is declared in a place that is not written to")
        return self._declared.add(body, read)

    def _said(self, said: tuple[Said, ...], read: Reader, like: Like, alone: bool) -> tuple[Replacement, ...]:
        made: list[Replacement] = []
        for one in said:
            spoken = self._like(like, one.shift) if len(said) == 1 else ()
            made += self._values.put(one.route, one.value, read, like=spoken, alone=alone)
        return tuple(made)

    def _way(self, route: Route) -> Route | None:
        """The way to a field in the values, where they hold it (or would) as the object does."""
        for length in range(len(route), -1, -1):
            mark = self._marks.get(route[:length])
            if isinstance(mark, From) and mark.exact:
                return (*mark.route, *route[length:])
            if mark is not None:
                return None
        return None

    def _like(self, like: Like, shift: Route) -> Like:
        found: list[tuple[Route, Route]] = []
        for inside, field in like:
            mark = self._marks.get(field)
            way = self._way(field)
            if way is None and isinstance(mark, Text) and len(mark.pieces) == 1 and mark.pieces[0].chars is None:
                way = mark.pieces[0].route
            if way is not None:
                found.append(((*shift, *inside), way))
        return tuple(found)
