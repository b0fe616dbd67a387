"""Edits of a resource in Terraform's JSON syntax (``.tf.json``).

A block is an object there, or a list of objects where there may be several. The route of an object is turned into the
provider's names, and from there into the keys of the file; the file itself is written as any JSON is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.hcl.rendering import Code, NewAttribute, NewItem, plain, template_text
from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at
from shoreup.sources.editing import Like
from shoreup.sources.pages import PageEditor
from shoreup.sources.provider.conversion import MANIFEST
from shoreup.sources.provider.table import Field, Shape, table
from shoreup.sources.provider.writing import (
    argument,
    field_items,
    field_named,
    object_items,
    one_block,
    resource_type,
    scalar,
)
from shoreup.sources.terraform.adding import NAME, NAMESPACE, label_for, with_code
from shoreup.sources.terraform.sharing import why_shared
from shoreup.terraform.module import ResourceInstance

_BOM = b"\xef\xbb\xbf"


def is_json(instance: ResourceInstance) -> bool:
    """Whether a resource is written in the JSON syntax."""
    return instance.block.source.path.endswith(".json")


class JsonWriting:
    """One edit of one resource. Raises :class:`CannotWrite` for a file that holds it in an unusual shape."""

    def __init__(self, instance: ResourceInstance, read: Reader, alone: bool) -> None:
        path = instance.block.source.path
        content = read(path)
        if content is None:
            raise CannotWrite(f"{path} cannot be read")
        if alone and (why := why_shared(instance)):
            raise CannotWrite(f"it cannot be changed for this resource alone: {why}")
        self._instance, self._read, self._path = instance, read, path
        offset = len(_BOM) if content.startswith(_BOM) else 0
        self._text = content[offset:].decode()
        span = Span(path, offset, len(content))
        self._origin = Origin(span, span, (), whole(path, self._text, offset))
        try:
            self._top: Value = json.loads(self._text)
        except ValueError:
            raise CannotWrite(f"{path} is no JSON") from None

    def put(self, route: Route, value: Value) -> tuple[Replacement, ...]:
        """Give a field a value."""
        place, found = self._place(route)
        self._check(place)
        return self._page().put(place, self._value(found, value, at_item=self._is_item(route, found)), self._read)

    def append(self, route: Route, value: Value) -> tuple[Replacement, ...]:
        """Add an item to a list."""
        place, found = self._place(route)
        held = at(self._top, *place)
        new = self._value(found, value, at_item=True)
        if isinstance(held, dict) and found is not None and found.block is not None:
            return self._page().put(place, [held, new], self._read)
        self._check(place)
        return self._page().append(place, new, self._read)

    def remove(self, route: Route) -> tuple[Replacement, ...]:
        """Take away what stands at a route."""
        place, _ = self._place(route)
        return () if at(self._top, *place) is None else self._page().remove(place, self._read)

    def add(self, known: Mapping[str, Value], body: Mapping[str, Value], like: Like) -> tuple[Replacement, ...]:
        """A new object beside this resource, whose own body is ``known``: with its namespace, and as many of it."""
        instance = self._instance
        kind = resource_type(str(body.get("apiVersion")), str(body.get("kind")), instance.type)
        kind = MANIFEST if instance.type == MANIFEST or kind is None else kind
        made = plain(dict(body))
        for route, other in (*_usual(instance, known, body), *like):
            raw = at(self._top, *self._place(other)[0])
            if isinstance(raw, str) and at(dict(body), *route) is not None:
                made = with_code(made, route, Code(raw))
        name = self._name(known, body)
        made = made if name is None else with_code(made, NAME, name)
        assert isinstance(made, Mapping)
        found = table().kind(kind)
        items: list[NewItem] = [NewAttribute("manifest", made)] if found is None else [*object_items(found, made)]
        own = ("resource", instance.type, instance.name)
        said = {one: at(self._top, *own, one) for one in ("count", "for_each", "provider")}
        data = {**{one: value for one, value in said.items() if value is not None}, **_block_data(items)}
        label = label_for(instance, kind, str(at(dict(body), *NAME)))
        return self._page().put(("resource", kind, label), data, self._read)

    def _name(self, known: Mapping[str, Value], body: Mapping[str, Value]) -> Code | None:
        """A name that holds the neighbour's is put together from the neighbour's, where that is an expression."""
        route: Route = NAME if "metadata" in known else ("name",)
        old, new, raw = at(dict(known), *route), at(dict(body), *NAME), at(self._top, *self._place(route)[0])
        if not isinstance(old, str) or not isinstance(new, str) or not isinstance(raw, str) or "${" not in raw:
            return None
        return Code(new.replace(old, raw, 1)) if old and old in new else None

    def _page(self) -> PageEditor:
        return PageEditor(lambda: Page(self._text, is_json=True), lambda: self._origin)

    def _check(self, place: Route) -> None:
        held = at(self._top, *place)
        if isinstance(held, str) and ("${" in held or "%{" in held):
            raise CannotWrite(f"the value in {self._path} is put together by an expression")

    # From the object's names to the file's

    def _place(self, route: Route) -> tuple[Route, Field | None]:
        """The keys of the file that lead to a field, and the field where the provider's table knows it."""
        instance = self._instance
        made: Route = ("resource", instance.type, instance.name)
        if not isinstance(at(self._top, *made), dict):
            raise CannotWrite(f"{self._path} holds {instance.address} in lists")
        kind = table().kind(instance.type)
        if instance.type == MANIFEST or kind is None:
            return (*made, *(("manifest", *route) if instance.type == MANIFEST else route)), None
        if not route:
            raise CannotWrite(f"{instance.address} is not written as a whole")
        shape: Shape | None = kind.shape
        found: Field | None = None
        position = 0
        while position < len(route):
            if shape is None:
                return (*made, *route[position:]), found
            path, found = field_named(instance.type, shape, str(route[position]))
            if len(path) > 1 or found.form == "spread":
                raise CannotWrite(f"{found.terraform} is not written in {self._path}")
            made, position, shape = (*made, found.terraform), position + 1, found.block
            held = at(self._top, *made)
            if shape is None:
                continue
            if found.form == "object":
                made = (*made, 0) if isinstance(held, list) else made
            elif position < len(route):
                step, position = route[position], position + 1
                made = made if isinstance(held, dict) and step == 0 else (*made, step)
        return made, found

    def _is_item(self, route: Route, found: Field | None) -> bool:
        return (found is not None and bool(route) and isinstance(route[-1], int)) or _is_inside(route, found)

    def _value(self, found: Field | None, value: Value, *, at_item: bool) -> Value:
        new = plain(value)
        if found is None:
            return _escaped(value)
        kind = self._instance.type
        if found.block is None:
            return _escaped(_data(scalar(found.type, new) if at_item else argument(found, new)))
        items: Sequence[NewItem] = [one_block(kind, found, new)] if at_item else field_items(kind, found, new)
        blocks = [_block_data(item.items) for item in items if not isinstance(item, NewAttribute)]
        return blocks[0] if at_item or found.form == "object" else list(blocks)


def _usual(
    instance: ResourceInstance, known: Mapping[str, Value], body: Mapping[str, Value]
) -> list[tuple[Route, Route]]:
    """The namespace, where it is the neighbour's."""
    other: Route = NAMESPACE if "metadata" in known else ("namespace",)
    namespace = at(dict(body), *NAMESPACE)
    return [(NAMESPACE, other)] if namespace is not None and namespace == at(dict(known), *other) else []


class _Raw(str):
    """A string as it stands in the file, a template already."""

    __slots__ = ()


def _is_inside(route: Route, found: Field | None) -> bool:
    """Whether a route ends at an entry of a map or an item of a list of values."""
    return found is not None and found.block is None and len(route) > 1 and route[-1] != found.kubernetes


def _block_data(items: Sequence[NewItem]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for item in items:
        if isinstance(item, NewAttribute):
            made[item.name] = _escaped(_data(item.value))
            continue
        inner = _block_data(item.items)
        before = made.get(item.kind)
        if before is None:
            made[item.kind] = inner
        else:
            made[item.kind] = [*before, inner] if isinstance(before, list) else [before, inner]
    return made


def _data(value: object) -> Value:
    if isinstance(value, Code):
        return _Raw(value.text)
    if isinstance(value, Mapping):
        return {str(key): _data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_data(item) for item in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def _escaped(value: Value) -> Value:
    """Strings of the JSON syntax are templates, keys are not."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, _Raw):
        return str(value)
    return template_text(value) if isinstance(value, str) else value
