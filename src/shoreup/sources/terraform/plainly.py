"""Edits of a resource that has Terraform's own shape (``helm_release``): routes are arguments and blocks by name.

No table says whether something that is missing is an argument or a block. What stands there already tells; else a map
or a list of maps is only written where Terraform itself knows the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import NewAttribute, NewBlock, NewItem, Plain
from shoreup.formats.hcl.syntax import Attribute, Block, Body
from shoreup.formats.nesting import nested
from shoreup.model.location import Route
from shoreup.sources.terraform.objects import AtArgument, blocks_named, known_scope, way_of
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.sharing import Sharing, why_shared
from shoreup.sources.terraform.values import Values
from shoreup.terraform.module import ResourceInstance
from shoreup.terraform.scope import Scope
from shoreup.terraform.way import way_to

META = frozenset({"lifecycle", "timeouts", "provisioner", "connection"})
"""Blocks that any resource may have."""


class _Place(Struct, frozen=True):
    """The body that a route leads to, and the route from there on."""

    body: Body
    scope: Scope
    rest: Route
    attribute: Attribute | None = None
    blocks: tuple[tuple[Block, Block], ...] = ()
    """The blocks of the name that ``rest`` begins with, and what makes them."""


class PlainWriting(Struct):
    """One edit of one resource."""

    instance: ResourceInstance
    pen: Pen
    alone: bool = False

    def put(self, route: Route, value: Plain) -> None:
        """Give an argument a value, or make it."""
        place = self._place(route)
        if place.attribute is not None:
            self._values(route, place).put(place.attribute.expression, place.scope, place.rest, value)
            return
        if not place.rest:
            raise CannotWrite(f"{self.instance.address} is a block, which is not written as a whole")
        name, rest = str(place.rest[0]), place.rest[1:]
        if place.blocks:
            if rest != (len(place.blocks),):
                raise CannotWrite(f"{name} of {self.instance.address} is a block, which is not written as a whole")
            rest = ()
        self._only_here()
        items = self._items(name, nested(rest, value), bool(place.blocks), place.body)
        self.pen.insert(place.body, items)

    def append(self, route: Route, value: Plain) -> None:
        """Add an item to a list of values or of blocks."""
        place = self._place(route)
        if place.attribute is not None:
            self._values(route, place).append(place.attribute.expression, place.scope, place.rest, value)
        elif place.blocks and len(place.rest) == 1:
            self.put((*route, len(place.blocks)), value)
        else:
            self.put(route, [value])

    def remove(self, route: Route) -> None:
        """Take away an argument, a block or an item."""
        place = self._place(route)
        if place.attribute is not None and place.rest:
            self._values(route, place).remove(place.attribute.expression, place.scope, place.rest)
        elif place.attribute is not None:
            self._only_here()
            self.pen.write(place.body, self.pen.on(place.body).remove(place.attribute, place.body))
        elif place.blocks and len(place.rest) == 2 and isinstance(place.rest[1], int):
            for block, outer in place.blocks[place.rest[1] : place.rest[1] + 1]:
                if outer is not block:
                    raise CannotWrite(f"a dynamic block in line {outer.source.line(outer.start)} makes it")
                self._only_here()
                self.pen.write(place.body, self.pen.on(place.body).remove(block, place.body))

    def _place(self, route: Route) -> _Place:
        body, scope, rest = self.instance.block.body, self.instance.scope, route
        while rest:
            name = str(rest[0])
            attribute = body.attributes.get(name)
            if attribute is not None:
                return _Place(body, scope, rest[1:], attribute)
            blocks = blocks_named(body, scope, name)
            pairs = tuple((block, outer) for block, outer, _ in blocks)
            if len(rest) < 3 or not isinstance(rest[1], int) or rest[1] >= len(blocks):
                return _Place(body, scope, rest, None, pairs)
            body, scope = blocks[rest[1]][0].body, known_scope(blocks[rest[1]])
            rest = rest[2:]
        return _Place(body, scope, rest)

    def _items(self, name: str, value: Plain, is_block: bool, body: Body) -> list[NewItem]:
        if is_block or (name in META and body is self.instance.block.body):
            blocks: Sequence[Plain] = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            return [_block(name, item) for item in blocks]
        if _holds_maps(value) and name in {block.kind for block in _alike(self.instance)}:
            return self._items(name, value, True, body)
        if _holds_maps(value):
            raise CannotWrite(f"nothing tells whether {name} of {self.instance.type} is an argument or a block")
        return [NewAttribute(name, value)]

    def _values(self, route: Route, place: _Place) -> Values:
        return Values(self.pen, self._sharing(route, place) if self.alone else None)

    def _sharing(self, route: Route, place: _Place) -> Callable[[Route], Sharing]:
        def sharing(rest: Route) -> Sharing:
            whole = (*route[: len(route) - len(place.rest)], *rest)
            return Sharing(self.instance, lambda other: way_of(PlainWriting(other, self.pen).argument(whole)))

        return sharing

    def argument(self, route: Route) -> AtArgument | None:
        """The argument that a route leads to."""
        place = self._place(route)
        if place.attribute is None:
            return None
        return AtArgument(place.attribute, place.body, place.scope, None, place.rest)

    def check_alone(self, route: Route) -> None:
        """Refuse an argument whose value feeds other resources too."""
        place = self._place(route)
        if place.attribute is not None:
            way = way_to(place.attribute.expression, place.scope, place.rest)
            sharing = self._sharing(route, place)(place.rest)
            if why := sharing.why(way.last, way.hops):
                raise CannotWrite(f"it cannot be changed for this resource alone: {why}")

    def _only_here(self) -> None:
        if self.alone and (why := why_shared(self.instance)):
            raise CannotWrite(f"it cannot be changed for this resource alone: {why}")


def _block(name: str, value: Plain) -> NewBlock:
    if not isinstance(value, Mapping):
        raise CannotWrite(f"{name} is a block, and the value is none")
    return NewBlock(name, tuple(NewAttribute(key, item) for key, item in value.items()))


def _holds_maps(value: Plain) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(v, Mapping) for v in value)


def _alike(instance: ResourceInstance) -> list[Block]:
    """The blocks of resources of this type in the same module."""
    found = (block for (kind, _), block in instance.module.module.resources.items() if kind == instance.type)
    return [inner for block in found for inner in block.body.blocks]
