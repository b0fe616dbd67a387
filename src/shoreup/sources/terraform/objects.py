"""Edits of a Kubernetes object that is written as blocks of Terraform's provider.

A route of the object is walked down the blocks with the provider's field table. Where it ends in an argument, the
value is written in there or wherever the argument takes it from; where something on the way is missing, it is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import Code, NewBlock, NewItem, Plain
from shoreup.formats.hcl.style import indentation
from shoreup.formats.hcl.syntax import Attribute, Block, Body, Expression, ListOf, ObjectOf, Template
from shoreup.formats.nesting import nested
from shoreup.model.location import Route
from shoreup.model.value import Unknown, Value, at
from shoreup.sources.provider.conversion import MANIFEST
from shoreup.sources.provider.table import Field, Shape, table
from shoreup.sources.provider.writing import (
    argument,
    field_items,
    field_named,
    groups_behind,
    one_block,
    scalar,
)
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.sharing import Sharing, why_shared
from shoreup.sources.terraform.values import Values
from shoreup.terraform.expressions import object_key
from shoreup.terraform.module import ResourceInstance, expand_block
from shoreup.terraform.scope import EvaluationError, Scope
from shoreup.terraform.way import Way, way_to


class AtArgument(Struct, frozen=True):
    """A route that ends in an argument, ``rest`` inside of its value."""

    attribute: Attribute
    body: Body
    scope: Scope
    field: Field | None
    rest: Route


class AtBlock(Struct, frozen=True):
    """A route that ends in a block. ``outer`` is the block that makes it: itself, or a ``dynamic`` one."""

    block: Block
    outer: Block
    parent: Body
    scope: Scope
    field: Field


class AtBlocks(Struct, frozen=True):
    """A route that ends in a list of blocks."""

    body: Body
    scope: Scope
    field: Field
    blocks: tuple[tuple[Block, Block], ...]


class Missing(Struct, frozen=True):
    """A route that ends before its last step: ``rest`` begins with the field that is not there.

    ``path`` is where the field is in the body: its name, after those of inline blocks that are missing too.
    ``loop`` is the dynamic block that the body is in, if one is.
    """

    body: Body
    scope: Scope
    field: Field
    path: tuple[str | int, ...]
    rest: Route
    index: int | None = None
    """Which block of a list is missing, where one is."""


Stand = AtArgument | AtBlock | AtBlocks | Missing


class ObjectWriting(Struct):
    """One edit of one object. ``body`` is the object as it was read."""

    instance: ResourceInstance
    body: Mapping[str, Value]
    pen: Pen
    alone: bool = False
    _why_shared: str | None = field(default=None)

    def put(self, route: Route, value: Plain) -> None:
        """Give a field a value."""
        stand = self.stand(route)
        if isinstance(stand, AtArgument):
            found = stand.field
            new = value if found is None else scalar(found.type, value) if stand.rest else argument(found, value)
            self._values(route, stand).put(stand.attribute.expression, stand.scope, stand.rest, new)
        elif isinstance(stand, AtBlock):
            self._put_block(stand, route, value)
        elif isinstance(stand, AtBlocks):
            self._put_blocks(stand, route, value)
        else:
            self._only_here(stand.scope)
            self.pen.insert(stand.body, self._missing_items(stand, value), groups_behind)

    def append(self, route: Route, value: Plain) -> None:
        """Add an item to a list."""
        stand = self.stand(route)
        if isinstance(stand, AtArgument):
            found = stand.field
            new = value if found is None or (not stand.rest and found.form != "list") else scalar(found.type, value)
            self._values(route, stand).append(stand.attribute.expression, stand.scope, stand.rest, new)
        elif isinstance(stand, AtBlocks):
            self._only_here(stand.scope)
            self.pen.insert(stand.body, [one_block(self.instance.type, stand.field, value)], groups_behind)
        elif isinstance(stand, Missing):
            self.put(route, [value])
        else:
            raise CannotWrite(f"{stand.field.terraform} is no list")

    def remove(self, route: Route) -> None:
        """Take away a field, block or item."""
        stand = self.stand(route)
        if isinstance(stand, AtArgument) and stand.rest:
            self._values(route, stand).remove(stand.attribute.expression, stand.scope, stand.rest)
        elif isinstance(stand, AtArgument):
            self._only_here(stand.scope)
            self.pen.write(stand.body, self.pen.on(stand.body).remove(stand.attribute, stand.body))
        elif isinstance(stand, AtBlock):
            self._remove_block(stand.block, stand.outer, stand.parent, stand.scope)
        elif isinstance(stand, AtBlocks):
            for block, outer in dict.fromkeys(stand.blocks):
                self._remove_block(block, outer, stand.body, stand.scope)

    def argument(self, route: Route) -> AtArgument | None:
        """The argument that a route leads to."""
        try:
            stand = self.stand(route)
        except CannotWrite:
            return None
        return stand if isinstance(stand, AtArgument) else None

    def expression(self, route: Route, scope: Scope) -> Code | None:
        """The expression that a field is written as, where it means the same in ``scope``."""
        stand = self.argument(route)
        if stand is None:
            return None
        node: Expression | None = stand.attribute.expression
        for index, step in enumerate(stand.rest):
            if isinstance(node, ObjectOf):
                found = [item for key, item in node.items if object_key(key, stand.scope) == step]
                node = found[-1] if found else None
            elif isinstance(node, ListOf) and isinstance(step, int):
                node = node.items[step] if step < len(node.items) else None
            else:
                return _indexed(node, stand.rest[index:])
        if node is None:
            return None
        code = code_of(node)
        local = set(stand.scope.bindings) - set(scope.bindings)
        return None if code is None or any(re.search(rf"\b{name}\b", code.text) for name in local) else code

    # The walk

    def stand(self, route: Route) -> Stand:
        """Where a route of the object leads in Terraform's blocks."""
        instance = self.instance
        body, scope = instance.block.body, instance.scope
        if instance.type == MANIFEST:
            attribute = body.attributes.get("manifest")
            if attribute is None:
                raise CannotWrite(f"{instance.address} has no manifest")
            return AtArgument(attribute, body, scope, None, route)
        kind = table().kind(instance.type)
        if kind is None or not route:
            raise CannotWrite(f"{instance.address} is not written field by field")
        return self._walk(kind.shape, body, scope, route)

    def _walk(self, shape: Shape, body: Body, scope: Scope, route: Route) -> Stand:
        name = str(route[0])
        field_named(self.instance.type, shape, name)
        candidates = shape.by_kubernetes[name]
        path, found = next((each for each in candidates if _is_there(body, scope, each[0])), candidates[0])
        for step in (str(step) for step in path[:-1] if isinstance(step, str)):
            inline = blocks_named(body, scope, step)
            if not inline:
                return Missing(body, scope, found, path, route)
            body, scope = inline[0][0].body, known_scope(inline[0])
            path = path[2:]
        rest = route[1:]
        if found.block is None:
            return self._argument(found, body, scope, route)
        if found.form == "spread":
            raise CannotWrite(f"{found.terraform} blocks stand for several items each")
        blocks = blocks_named(body, scope, found.terraform)
        if found.form != "object" and not rest:
            return AtBlocks(body, scope, found, tuple((block, outer) for block, outer, _ in blocks))
        item = None if found.form == "object" else _index(rest[0])
        index, rest = (0, rest) if item is None else (item, rest[1:])
        if index >= len(blocks):
            return Missing(body, scope, found, path, (name, *rest), item)
        block, outer, _ = blocks[index]
        inner = known_scope(blocks[index])
        if not rest:
            return AtBlock(block, outer, body, inner, found)
        return self._walk(found.inner, block.body, inner, rest)

    def _argument(self, found: Field, body: Body, scope: Scope, route: Route) -> Stand:
        attribute = body.attributes.get(found.terraform)
        if attribute is not None:
            return AtArgument(attribute, body, scope, found, route[1:])
        old = blocks_named(body, scope, found.terraform)
        if old and found.form == "map" and len(route) == 2:
            # old releases wrote some maps as a block
            block, inner = old[0][0], known_scope(old[0])
            entry = block.body.attributes.get(str(route[1]))
            value = Field(str(route[1]), str(route[1]), "value", found.type)
            if entry is None:
                return Missing(block.body, inner, value, (str(route[1]),), route[1:])
            return AtArgument(entry, block.body, inner, value, ())
        if old:
            line = old[0][0].source.line(old[0][0].start)
            raise CannotWrite(f"line {line} of {old[0][0].source.path} writes {found.terraform} as a block")
        return Missing(body, scope, found, (found.terraform,), route)

    # Writing

    def _values(self, route: Route, stand: AtArgument) -> Values:
        def sharing(rest: Route) -> Sharing:
            whole = (*route[: len(route) - len(stand.rest)], *rest)
            return Sharing(self.instance, lambda other: _way(other, whole, self.pen))

        return Values(self.pen, sharing if self.alone else None, loose=self.instance.type != MANIFEST)

    def _only_here(self, scope: Scope) -> None:
        """Refuse code that is run several times, if nothing but this resource shall change."""
        if not self.alone:
            return
        loops = sorted(set(scope.bindings) - set(self.instance.scope.bindings))
        if loops:
            raise CannotWrite(f"it cannot be changed alone: the dynamic block {loops[0]} makes several of it")
        if self._why_shared is None:
            self._why_shared = why_shared(self.instance)
        if self._why_shared:
            raise CannotWrite(f"it cannot be changed for this resource alone: {self._why_shared}")

    def _put_block(self, stand: AtBlock, route: Route, value: Plain) -> None:
        if not isinstance(value, Mapping):
            raise CannotWrite(f"{stand.field.terraform} is a block in Terraform, and the value is none")
        new: list[NewItem] = []
        for name, item in value.items():
            inside = self.stand((*route, name))
            if isinstance(inside, Missing) and inside.body is stand.block.body:
                if item is not None:
                    new += self._missing_items(inside, item)
            else:
                self.put((*route, name), item)
        if new:
            self._only_here(stand.scope)
            self.pen.insert(stand.block.body, new, groups_behind)
        current = at(dict(self.body), *route)
        for name in current if isinstance(current, dict) else ():
            if name not in value:
                self.remove((*route, name))

    def _put_blocks(self, stand: AtBlocks, route: Route, value: Plain) -> None:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise CannotWrite(f"{stand.field.terraform} are blocks in Terraform, and the value is no list")
        count = len(stand.blocks)
        for index, item in enumerate(value[:count]):
            self.put((*route, index), item)
        for index in range(len(value), count):
            self.remove((*route, index))
        new = [one_block(self.instance.type, stand.field, item) for item in value[count:]]
        if new:
            self._only_here(stand.scope)
            self.pen.insert(stand.body, new, groups_behind)

    def _missing_items(self, stand: Missing, value: Plain) -> list[NewItem]:
        found, rest, kind = stand.field, stand.rest[1:], self.instance.type
        if stand.index is not None:
            if stand.index != len(blocks_named(stand.body, stand.scope, found.terraform)):
                raise CannotWrite(f"there is no {found.terraform} before it")
            items: list[NewItem] = [one_block(kind, found, nested(rest, value))]
        else:
            items = field_items(kind, found, nested(rest, value))
        for step in reversed([str(step) for step in stand.path[:-1] if isinstance(step, str)]):
            items = [NewBlock(step, tuple(items))]
        return items

    def _remove_block(self, block: Block, outer: Block, parent: Body, scope: Scope) -> None:
        if outer is not block:
            line = outer.source.line(outer.start)
            raise CannotWrite(f"a dynamic block in line {line} of {outer.source.path} makes it")
        self._only_here(scope)
        self.pen.write(parent, self.pen.on(parent).remove(block, parent))


def _way(instance: ResourceInstance, route: Route, pen: Pen) -> Way | None:
    """The way to the same field of another instance."""
    try:
        stand = ObjectWriting(instance, {}, pen).stand(route)
    except (CannotWrite, EvaluationError):
        return None
    return way_of(stand) if isinstance(stand, AtArgument) else None


def way_of(stand: AtArgument | None) -> Way | None:
    """The way from an argument to where its value is written."""
    return way_to(stand.attribute.expression, stand.scope, stand.rest) if stand else None


def _is_there(body: Body, scope: Scope, path: tuple[str | int, ...]) -> bool:
    for step in (str(step) for step in path[:-1] if isinstance(step, str)):
        blocks = blocks_named(body, scope, step)
        if not blocks or isinstance(blocks[0][2], Unknown):
            return False
        body, scope = blocks[0][0].body, known_scope(blocks[0])
    name = str(path[-1])
    return name in body.attributes or bool(blocks_named(body, scope, name))


def blocks_named(body: Body, scope: Scope, name: str) -> list[tuple[Block, Block, Scope | Unknown]]:
    """The blocks of one name, each with the block that makes it and the scope of its inside."""
    found: list[tuple[Block, Block, Scope | Unknown]] = []
    for outer in body.blocks:
        kind = outer.labels[0] if outer.kind == "dynamic" and outer.labels else outer.kind
        if kind == name:
            found.extend((block, outer, inner) for block, inner in expand_block(outer, scope))
    return found


def known_scope(found: tuple[Block, Block, Scope | Unknown]) -> Scope:
    """The scope inside of a block. Raises :class:`CannotWrite` for a dynamic one that is not known."""
    _, outer, scope = found
    if isinstance(scope, Unknown):
        line = outer.source.line(outer.start)
        raise CannotWrite(f"the dynamic block in line {line} of {outer.source.path} is not known: {scope.reason}")
    return scope


def _index(step: str | int) -> int:
    if not isinstance(step, int):
        raise CannotWrite(f"{step} is no place in a list")
    return step


def code_of(node: Expression) -> Code | None:
    """An expression's text, its later lines without the indentation of its first; ``None`` for one with a heredoc."""
    text = node.source.text[node.start : node.end].replace("\r\n", "\n")
    if "<<" in text and "\n" in text:
        return None
    margin = indentation(node.source.text, node.start)
    lines = text.split("\n")
    return Code("\n".join([lines[0], *(line.removeprefix(margin) for line in lines[1:])]))


def _indexed(node: Expression | None, rest: Route) -> Code | None:
    """An item of what a reference stands for."""
    if node is None or isinstance(node, Template) or code_of(node) is None:
        return None
    text = node.source.text[node.start : node.end]
    if not re.fullmatch(r"[\w.\[\]\"-]+", text):
        return None
    for step in rest:
        word = isinstance(step, str) and re.fullmatch(r"[A-Za-z_]\w*", step)
        text += f".{step}" if word else f'["{step}"]' if isinstance(step, str) else f"[{step}]"
    return Code(text)
