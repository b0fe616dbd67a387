"""The fields of built objects: where each is written, and how it is changed there.

A field stands in the base, in a patch, or in the kustomization that decides it (an image's tag, a number of replicas);
it is changed where it stands. What is missing goes into the file that holds what is around it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.nesting import nested
from shoreup.formats.spelling import rewritten
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at, stands
from shoreup.sources.additions import Home
from shoreup.sources.documents import DocumentTracer
from shoreup.sources.editing import Like, Names
from shoreup.sources.kustomize.kustomization import Kustomization
from shoreup.sources.kustomize.patching import patched
from shoreup.sources.kustomize.provenance import Changed, Composed, Listed, Node, Written, trace
from shoreup.sources.kustomize.provenance import at as node_at


class _Shared(CannotWrite):
    """The place serves others too."""


@runtime_checkable
class Traced(Protocol):
    """A text that knows where it stands."""

    def trace(self, route: Route) -> Origin | None: ...


_TOGETHER = "the field is put together from several files"


@runtime_checkable
class Source(Protocol):
    """A text that holds (a part of) an object, and can be written to."""

    def value(self, route: Route) -> Value: ...

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]: ...

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]: ...

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]: ...


class BuiltTracer:
    """Finds the fields of a built object, and writes them.

    ``users`` is how many objects are built of the same document: what is written there changes all of them.
    ``overlay`` is the kustomization that makes this one of them and no other, where there is one.
    """

    __slots__ = ("_body", "_node", "_overlay", "_users")

    def __init__(
        self,
        node: Node,
        body: Mapping[str, Value] | None = None,
        users: int = 1,
        overlay: Kustomization | None = None,
    ) -> None:
        self._node = node
        self._body = body
        self._users = users
        self._overlay = overlay

    def trace(self, route: Route) -> Origin | None:
        """The origin of the field at ``route``; a mapping that only the build made stands where its parent does."""
        return trace(self._node, route)

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`."""
        body: Value = dict(self._body or {})
        try:
            if stands(body, *route):
                return self._over(node_at(self._node, route), at(body, *route), value, read, like, alone)
            return self._beside(body, route, value, read, like, alone)
        except _Shared:
            return self._patched(route, value, read)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`."""
        body: Value = dict(self._body or {})
        if not stands(body, *route):
            inner = tuple(((0, *inside), field) for inside, field in like)
            return self.put(route, [value], read, like=inner, alone=alone)
        source, way = self._home(node_at(self._node, route), list)
        try:
            return source.append(way, value, read, like=self._like(like, source), alone=self._guarded(source, alone))
        except _Shared:
            present = at(body, *route)
            return self._patched((*route, len(present) if isinstance(present, list) else 0), value, read)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`."""
        node = node_at(self._node, route)
        if not isinstance(node, Written) or not isinstance(node.source, Source):
            raise CannotWrite(_TOGETHER)
        try:
            return node.source.remove(node.route, read, alone=self._guarded(node.source, alone))
        except _Shared:
            return self._patched(route, None, read)

    def rename(
        self, route: Route, name: str, inside: Names, read: Reader, *, alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.rename`: in the file that holds the key."""
        document, way = self._document(route, alone)
        return document.rename(way, name, inside, read)

    def become(self, kind: str, names: Names, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.become`, for an object that is one document."""
        document, way = self._document((), alone)
        if way:
            raise CannotWrite("the object stands inside of another")
        return document.become(kind, names, read)

    def _document(self, route: Route, alone: bool) -> tuple[DocumentTracer, Route]:
        base = _base(node_at(self._node, route))
        if not isinstance(base, Written) or not isinstance(base.source, DocumentTracer):
            raise CannotWrite("the place is generated; no file holds it")
        if alone and self._users > 1:
            raise CannotWrite(f"the file is used {self._users} times, and the change is meant for one of them")
        return base.source, base.route

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.add`: what the build adds by itself is left to it."""
        base = _base(self._node)
        if not isinstance(base, Written) or not isinstance(base.source, DocumentTracer) or base.route:
            raise CannotWrite("the object is generated; no file holds it")
        return base.source.add(self._unbuilt(body, base.source), read, like=like)

    def _patched(self, route: Route, value: Value, read: Reader) -> tuple[Replacement, ...]:
        """What others that use the same files shall not get, as a patch of the overlay."""
        base = _base(self._node)
        name = (
            base.source.value(("metadata", "name"))
            if isinstance(base, Written) and isinstance(base.source, Source)
            else None
        )
        if self._overlay is None or not isinstance(name, str):
            raise CannotWrite(f"the file is used {self._users} times, and the change is meant for one of them")
        return patched(self._overlay, self._body or {}, name, route, value, read)

    def _unbuilt(self, body: Mapping[str, Value], source: DocumentTracer) -> dict[str, Value]:
        """The object as a file holds it: without the namespace and the affixes of names that the build gives."""
        made = dict(body)
        metadata = made.get("metadata")
        if not isinstance(metadata, dict):
            return made
        name, written = at(dict(self._body or {}), "metadata", "name"), source.value(("metadata", "name"))
        kept = dict(metadata)
        if source.value(("metadata", "namespace")) is None:
            kept.pop("namespace", None)
        new = kept.get("name")
        if name != written:
            if not (isinstance(name, str) and isinstance(written, str) and isinstance(new, str) and written in name):
                raise CannotWrite("the build changes names in a way that a new object cannot follow")
            prefix, _, suffix = name.partition(written)
            kept["name"] = new.removeprefix(prefix).removesuffix(suffix)
        return {**made, "metadata": kept}

    def _over(
        self, node: Node, old: Value, value: Value, read: Reader, like: Like, alone: bool
    ) -> tuple[Replacement, ...]:
        """Over a value that is there."""
        if isinstance(node, Written):
            if not isinstance(node.source, Source):
                raise CannotWrite("the field is generated; no file holds it as it is")
            alone = self._guarded(node.source, alone)
            return node.source.put(node.route, value, read, like=self._like(like, node.source), alone=alone)
        if isinstance(node, Composed):
            origin = trace(node)
            if origin is None:
                raise CannotWrite("no file holds the field")
            return rewritten(origin, old, value, read)
        if isinstance(old, dict) and isinstance(value, dict) and old.keys() <= value.keys():
            made: list[Replacement] = []
            for key, item in value.items():
                if key not in old:
                    source, way = self._home(node, dict)
                    made += source.put((*way, key), item, read, alone=self._guarded(source, alone))
                elif old[key] != item or type(old[key]) is not type(item):
                    made += self._over(node_at(node, (key,)), old[key], item, read, (), alone)
            return tuple(made)
        raise CannotWrite(_TOGETHER)

    def _beside(
        self, body: Value, route: Route, value: Value, read: Reader, like: Like, alone: bool
    ) -> tuple[Replacement, ...]:
        """What is not there yet, into the file that holds the nearest that is."""
        known = next(length for length in range(len(route), -1, -1) if stands(body, *route[:length]))
        for length in range(known, -1, -1):
            parent, rest = at(body, *route[:length]), route[length:]
            try:
                source, way = self._home(node_at(self._node, route[:length]), type(parent))
            except CannotWrite:
                if length == 0:
                    raise
                continue
            alone = self._guarded(source, alone)
            spoken = self._like(like, source)
            if isinstance(parent, list) and rest and rest[0] == len(parent):
                return source.append(way, nested(rest[1:], value), read, alone=alone)
            return source.put((*way, *rest), value, read, like=spoken, alone=alone)
        raise CannotWrite("no file holds what is around the field")

    def _home(self, node: Node, kind: type) -> tuple[Source, Route]:
        """The text, and the way in it, that a mapping or list stands in."""
        base = _base(node)
        if not isinstance(base, Written) or not isinstance(base.source, Source):
            raise CannotWrite("the place is generated; no file holds it")
        there = base.source.value(base.route)
        if not isinstance(there, kind) and not (there is None and kind is type(None)):
            raise CannotWrite("the place is made by the build; no file holds it")
        return base.source, base.route

    def _guarded(self, source: object, alone: bool) -> bool:
        if alone and self._users > 1:
            origin = source.trace(()) if isinstance(source, Traced) else None
            own = None if self._overlay is None else self._overlay.folder
            if origin is None or (posixpath.dirname(origin.site.file) or ".") != own:
                raise _Shared(f"the file is used {self._users} times, and the change is meant for one of them")
        return alone

    def _like(self, like: Like, source: Source) -> Like:
        """The fields that stand in the same text, by their ways in it."""
        found: list[tuple[Route, Route]] = []
        for inside, field in like:
            node = node_at(self._node, field)
            if isinstance(node, Written) and _is(node.source, source):
                found.append((inside, node.route))
        return tuple(found)


def _is(one: object, other: object) -> bool:
    return one is other


def _base(node: Node) -> Node:
    while isinstance(node, (Changed, Listed)):
        node = node.base
    return node


def document_of(node: Node) -> Home | None:
    """Which document an object is built of."""
    base = _base(node)
    if isinstance(base, Written) and isinstance(base.source, DocumentTracer) and not base.route:
        return base.source.home
    return None
