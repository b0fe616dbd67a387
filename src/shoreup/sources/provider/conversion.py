"""Terraform's blocks become the object that the provider would send.

In Terraform's shape every block is a list, also where there can be one only, and names are in snake case.
The table says what each becomes; this module walks the blocks with a dispatch that is prepared once for
every shape, for a large estate has tens of thousands of objects.

Not decided is not lost: unknown values pass through wherever they stand, an unknown in place of a block list
too. Secrets keep their text readable under ``stringData``, which is also what the provider sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

from msgspec import Struct

from shoreup.model.value import Unknown, Value
from shoreup.sources.provider.scalars import ABSENT, EXACT, SCALARS, Absent, Scalar, list_of, map_of, unless_empty
from shoreup.sources.provider.table import Field, KindTable, Shape, table

MANIFEST = "kubernetes_manifest"
"""The type whose attribute ``manifest`` is a whole object in Kubernetes' own names."""


class _Never:
    """A type that no value has."""


_Step: TypeAlias = tuple[str, type, Scalar]


class _Dispatch(Struct, frozen=True, eq=False):
    """What to do with each field of a shape: its name in the object, the type that needs no work, and the
    work; and the defaults that enter the object."""

    steps: Mapping[str, _Step]
    defaults: tuple[tuple[str, Value], ...]

    def block(self, value: Value) -> Value:
        """One block as an object. What is no block stays as it is."""
        if not isinstance(value, dict):
            return {} if value is None else value
        made: dict[str, Value] = {}
        find = self.steps.get
        for name, given in value.items():
            if given is None:
                continue
            step = find(name)
            if step is None:
                continue
            kubernetes, exact, convert = step
            if type(given) is exact:
                made[kubernetes] = given
                continue
            converted = convert(given)
            if converted is ABSENT:
                continue
            if kubernetes:
                made[kubernetes] = converted
            elif isinstance(converted, dict):
                made.update(converted)
            else:
                return converted  # the fields of this object stand in something that is not known
        for kubernetes, default in self.defaults:
            if kubernetes not in made:
                made[kubernetes] = default
        return made

    def single(self, value: Value) -> Value | Absent:
        """A block list of which Kubernetes has one."""
        if isinstance(value, list):
            return self.block(value[0]) if value else ABSENT
        return self.block(value)

    def several(self, value: Value) -> Value | Absent:
        """A block list that is a list in Kubernetes too."""
        if isinstance(value, list):
            return [self.block(item) for item in value] if value else ABSENT
        return [self.block(value)] if isinstance(value, dict) else value

    def spread(self, value: Value) -> Value | Absent:
        """A block list where every block inside of an item becomes an item."""
        if not isinstance(value, list):
            return value
        made: list[Value] = []
        for item in value:
            if isinstance(item, dict):
                made += (self.block({name: block}) for name, block in _inside(item, self.steps))
            elif item is not None:
                made.append(item)
        return made or ABSENT


def to_kubernetes(resource_type: str, attributes: Mapping[str, Value]) -> dict[str, Value] | None:
    """The object that a resource stands for, or ``None`` if the type makes no object of its own.

    ``attributes`` has Terraform's shape: blocks are lists of dicts. It is not changed, but the object may
    share parts with it.
    """
    if resource_type == MANIFEST:
        manifest = attributes.get("manifest")
        return manifest if isinstance(manifest, dict) else None
    kind = table().kind(resource_type)
    if kind is None:
        return None
    made = _dispatch(kind.shape).block(dict(attributes))
    assert isinstance(made, dict)
    api_version = kind.api_version
    if kind.variant_blocks and _is_variant(kind, attributes):
        api_version = kind.variant_version
        spec = made.get("spec")
        if isinstance(spec, dict):
            spec.pop(kind.variant_without, None)
    return {"apiVersion": api_version, "kind": kind.kind, **made}


def computed_id(resource_type: str, body: Mapping[str, Value]) -> str | None:
    """The attribute ``id`` after an apply: ``namespace/name`` or ``name``; ``None`` if not certain.

    ``body`` is what :func:`to_kubernetes` made.
    """
    kind = table().kind(resource_type)
    metadata = body.get("metadata")
    if kind is None or not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        return None
    if not kind.namespaced:
        return name
    return f"{namespace}/{name}" if isinstance(namespace, str) else None


def spread_positions(found: Field, blocks: Value) -> Iterator[tuple[int, str, int]]:
    """For each item that ``spread`` blocks become: which block, which block in it, and which of those."""
    if isinstance(blocks, list):
        for index, item in enumerate(blocks):
            if isinstance(item, dict):
                for name in found.inner.fields:
                    inside = item.get(name)
                    count = len(inside) if isinstance(inside, list) else int(inside is not None)
                    yield from ((index, name, position) for position in range(count))


def _inside(item: Mapping[str, Value], names: Mapping[str, _Step]) -> Iterator[tuple[str, Value]]:
    for name in names:
        inside = item.get(name)
        if isinstance(inside, list):
            yield from ((name, [block]) for block in inside)
        elif inside is not None:
            yield name, inside


def _is_variant(kind: KindTable, attributes: Mapping[str, Value]) -> bool:
    spec = attributes.get("spec")
    first = spec[0] if isinstance(spec, list) and spec else spec
    if not isinstance(first, dict):
        return False
    blocks = (first.get(name) for name in kind.variant_blocks)
    return any(isinstance(block, Unknown) or bool(block) for block in blocks)


@cache
def _dispatch(shape: Shape) -> _Dispatch:
    steps = {name: (found.kubernetes, *_conversion(found)) for name, found in shape.fields.items()}
    return _Dispatch(steps, tuple(_sent_defaults(shape)))


def _sent_defaults(shape: Shape) -> Iterator[tuple[str, Value]]:
    for found in shape.fields.values():
        if found.sent:
            default = SCALARS[found.type](found.default)
            if default is not ABSENT:
                yield found.kubernetes, default


def _conversion(found: Field) -> tuple[type, Scalar]:
    match found.form:
        case "value":
            convert = SCALARS[found.type]
            if found.empty_is_unset:
                return _Never, unless_empty(convert)
            return EXACT.get(found.type, _Never), convert
        case "list":
            return _Never, list_of(found.type)
        case "map":
            return _Never, map_of(found.type)
        case "object" | "inline":
            return _Never, _dispatch(found.inner).single
        case "blocks":
            return _Never, _dispatch(found.inner).several
        case "spread":
            return _Never, _dispatch(found.inner).spread
