"""How a resource's files would say a change: every source that can be written to answers this way.

The origin of a value tells where to write a scalar over another, and that needs no source (the stage that fixes does
it). What is missing yet, and what is more than a scalar, has names and a shape that only the source knows: blocks of
the provider, keys of a manifest, values of a chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from shoreup.formats.edits import Replacement
from shoreup.formats.files import Reader
from shoreup.model.location import Route
from shoreup.model.value import Value

Like = tuple[tuple[Route, Route], ...]
"""Fields inside a new value that shall be written as another field of the resource is: see ``model.edit.Put``."""


class Writable(Protocol):
    """Values that can be written to, by routes of their own. The methods are those of :class:`Editor`."""

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give the value at ``route``."""
        ...

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to a list."""
        ...

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away what stands at ``route``."""
        ...


@runtime_checkable
class Editor(Protocol):
    """A tracer that can also write.

    Each method raises :class:`shoreup.formats.edits.CannotWrite` with the reason. Routes and values are Kubernetes'.
    ``read`` gives a file's bytes. ``alone`` asks that nothing but this one resource changes: an argument of this call
    instead of the default that every call shares; where that cannot be said, the change is refused.
    """

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give the field at ``route`` the value; blocks, keys and lists on the way are made where they are missing."""
        ...

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to the list at ``route``, which is made where it is missing."""
        ...

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away what stands at ``route``, with the comments that belong to it alone."""
        ...

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """Write a new object beside this one: behind it in its file, or as a file of its own where that is the manner.

        A new file is also listed where files are listed (``kustomization.yaml``).
        """
        ...


@runtime_checkable
class Switcher(Protocol):
    """An editor whose code may hold what is wanted already, for others: see ``sources.terraform.switching``."""

    def switch(
        self, wanted: Mapping[str, Value], more: Sequence[Mapping[str, Value]], read: Reader
    ) -> tuple[Replacement, ...]:
        """Make the object ``wanted``, and bring up the objects ``more``, as the code does elsewhere."""
        ...


Names = tuple[tuple[str, str], ...]


@runtime_checkable
class Renamer(Protocol):
    """An editor whose files can call what stands there otherwise, with everything in it left as it is written."""

    def rename(
        self, route: Route, name: str, inside: Names, read: Reader, *, alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Call the key at ``route`` by another name, and keys ``inside`` of what it holds."""
        ...

    def become(self, kind: str, names: Names, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Make the object one of another kind. Code that refers to it refers to it as that."""
        ...
