"""Where the fields of an object that many files made were written.

A built object is a plain body beside a tree of the same shape that is only as deep as somebody changed it. A leaf of
that tree says "from here on, as it stands in that file"; bytes are looked up when a field is reported, never before.
All functions give new trees and new bodies: documents are shared between the objects made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.formats.sourcemap import cut, join
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.resource import Tracer
from shoreup.model.value import Value


class Written(Struct, frozen=True, eq=False):
    """A value, and all below it, as it stands at ``route`` of a source."""

    source: Tracer
    route: Route = ()


class Changed(Struct, frozen=True, eq=False):
    """A mapping of which some keys come from elsewhere; it stands where ``base`` does."""

    base: Node
    children: Mapping[str, Node] = field(default_factory=dict)


class Listed(Struct, frozen=True, eq=False):
    """A list whose items have origins of their own; it stands where ``base`` does."""

    base: Node
    items: tuple[Node, ...] = ()


class Piece(Struct, frozen=True):
    """The characters ``start`` to ``end`` (exclusive, ``None`` for all) of a text, or ``text`` that no file holds.

    ``unknown`` says why a piece is not known; ``node`` is then where it is asked for.
    """

    node: Node | None = None
    start: int = 0
    end: int | None = None
    text: str = ""
    unknown: str = ""


class Composed(Struct, frozen=True, eq=False):
    """A text put together from pieces. ``site`` is the field that it fills; ``main`` the value that decides it."""

    site: Node
    pieces: tuple[Piece, ...]
    main: Node | None = None


Node: TypeAlias = Written | Changed | Listed | Composed


def child(node: Node, step: str | int) -> Node:
    """The origin of a key's value or of an item."""
    if isinstance(node, Written):
        return Written(node.source, (*node.route, step))
    if isinstance(node, Changed):
        found = node.children.get(step) if isinstance(step, str) else None
        return child(node.base, step) if found is None else found
    if isinstance(node, Listed):
        return node.items[step] if isinstance(step, int) and step < len(node.items) else node.base
    return node.site


def at(node: Node, route: Route) -> Node:
    """The origin of what is at ``route``."""
    for step in route:
        node = child(node, step)
    return node


def items_of(node: Node, count: int) -> list[Node]:
    """The origins of a list's items."""
    return [child(node, index) for index in range(count)]


def trace(node: Node, route: Route = ()) -> Origin | None:
    """The origin of the field at ``route``."""
    for number, step in enumerate(route):
        if isinstance(node, Written):
            return node.source.trace(node.route + tuple(route[number:]))
        node = child(node, step)
    if isinstance(node, Written):
        return node.source.trace(node.route)
    if isinstance(node, Composed):
        return _composed(node)
    return trace(node.base)


def _composed(node: Composed) -> Origin | None:
    site = trace(node.site)
    main = None if node.main is None else trace(node.main)
    segments: list[Segment] = []
    for piece in node.pieces:
        origin = None if piece.node is None else trace(piece.node)
        if piece.unknown:
            segments.append(Segment("", None if origin is None else origin.span, unknown=piece.unknown))
        elif piece.node is None or origin is None:
            segments.append(Segment(piece.text, None, verbatim=False))
        elif not origin.segments:
            segments.append(Segment(piece.text, origin.span, verbatim=False, encodings=("yaml-plain",)))
        else:
            total = sum(len(segment.text) for segment in origin.segments)
            segments.extend(cut(origin.segments, piece.start, total if piece.end is None else piece.end))
    anchor = main or site
    if anchor is None:
        return None
    return Origin((site or anchor).site, anchor.span, anchor.via, join(segments))


class Nowhere:
    """A source of values that no file holds."""

    def trace(self, route: Route) -> Origin | None:
        """Nothing."""
        return None


NOWHERE = Written(Nowhere())


def put(value: Value, node: Node, route: Route, new: Value, new_node: Node) -> tuple[Value, Node]:
    """The value with ``new`` at ``route``; mappings that are missing on the way are made, and stand where ``new`` does.

    Steps into a list must be indices of it; a route that does not fit leaves all as it was.
    """
    if not route:
        return new, new_node
    step, rest = route[0], route[1:]
    if isinstance(step, str):
        if value is None:
            value, node = {}, Changed(new_node)
        if not isinstance(value, dict):
            return value, node
        below, below_node = put(value.get(step), child(node, step), rest, new, new_node)
        return {**value, step: below}, with_child(node, step, below_node)
    if not isinstance(value, list) or not 0 <= step < len(value):
        return value, node
    below, below_node = put(value[step], child(node, step), rest, new, new_node)
    nodes = items_of(node, len(value))
    nodes[step] = below_node
    return [*value[:step], below, *value[step + 1 :]], Listed(_base(node), tuple(nodes))


def without(value: Value, node: Node, route: Route) -> tuple[Value, Node]:
    """The value without what is at ``route``."""
    step, rest = route[0], route[1:]
    if isinstance(step, str):
        if not isinstance(value, dict) or step not in value:
            return value, node
        if not rest:
            return {key: item for key, item in value.items() if key != step}, node
    elif not isinstance(value, list) or not 0 <= step < len(value):
        return value, node
    elif not rest:
        nodes = items_of(node, len(value))
        return [*value[:step], *value[step + 1 :]], listed(node, [*nodes[:step], *nodes[step + 1 :]])
    inner = value[step] if isinstance(value, list) and isinstance(step, int) else None
    if isinstance(value, dict) and isinstance(step, str):
        inner = value[step]
    below, below_node = without(inner, child(node, step), rest)
    return put(value, node, (step,), below, below_node)


def inserted(value: Value, node: Node, route: Route, new: Value, new_node: Node) -> tuple[Value, Node]:
    """The value with ``new`` put before the list item at ``route``, or behind the last."""
    parent, parent_node = reach(value, node, route[:-1])
    index = route[-1]
    if not isinstance(parent, list) or not isinstance(index, int) or not 0 <= index <= len(parent):
        return value, node
    nodes = items_of(parent_node, len(parent))
    longer = [*parent[:index], new, *parent[index:]]
    return put(value, node, route[:-1], longer, listed(parent_node, [*nodes[:index], new_node, *nodes[index:]]))


def reach(value: Value, node: Node, route: Route) -> tuple[Value, Node]:
    """The value at ``route`` (``None`` where there is none) and its origin."""
    for step in route:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None, node
        node = child(node, step)
    return value, node


def with_child(node: Node, key: str, below: Node) -> Node:
    """A mapping's origin with another origin for one key."""
    if isinstance(node, Changed):
        return replace(node, children={**node.children, key: below})
    return Changed(node, {key: below})


def listed(node: Node, items: Sequence[Node]) -> Node:
    """A list's origin with other items."""
    return Listed(_base(node), tuple(items))


def _base(node: Node) -> Node:
    return node.base if isinstance(node, Listed) else node


class Object(Struct, eq=False):
    """An object while it is built. ``names`` are the names and namespaces it had before, which references may use.

    ``hashed`` says that its name will end in a hash of what it holds. ``missing`` says which file is not in the
    estate that would give it more fields; empty where it has them all.
    """

    body: dict[str, Value]
    node: Node
    names: list[tuple[str, str]] = field(default_factory=list)
    hashed: bool = False
    missing: str = ""

    @property
    def kind(self) -> str:
        """The object's kind."""
        return _text(self.body.get("kind"))

    @property
    def api_version(self) -> str:
        """The object's apiVersion."""
        return _text(self.body.get("apiVersion"))

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The object's name, empty when it is not decided."""
        return _text(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        """The object's namespace, empty when none is given."""
        return _text(self.metadata.get("namespace"))

    @property
    def metadata(self) -> dict[str, Value]:
        """The object's metadata."""
        found = self.body.get("metadata")
        return found if isinstance(found, dict) else {}

    def get(self, *route: str | int) -> Value:
        """The value at ``route``; ``None`` where there is none."""
        return reach(self.body, self.node, route)[0]

    def where(self, *route: str | int) -> Node:
        """The origin of the value at ``route``."""
        return at(self.node, route)

    def put(self, route: Route, new: Value, new_node: Node) -> None:
        """Set a field."""
        self.take(put(self.body, self.node, route, new, new_node))

    def remove(self, route: Route) -> None:
        """Remove a field."""
        self.take(without(self.body, self.node, route))

    def take(self, changed: tuple[Value, Node]) -> None:
        """Become what a function made of this object."""
        body, node = changed
        if isinstance(body, dict):
            self.body, self.node = body, node

    def remember(self) -> None:
        """Keep the present name as one that references may use."""
        known = (self.name, self.namespace)
        if known not in self.names:
            self.names.append(known)

    def copy(self) -> Object:
        """Another object that starts as this one."""
        return Object(self.body, self.node, list(self.names), self.hashed, self.missing)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
