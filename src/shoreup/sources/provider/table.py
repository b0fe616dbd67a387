"""What the provider's resource types are in Kubernetes: a dated table, and its dispatch for speed.

The table is made by ``tools/provider_table.py`` from the provider's own schema sources. A *shape* is the set
of fields of one block; equal blocks share one. Every field says how it is called in the object and which
form it has there. The forms are:

``value``, ``list``, ``map``  an attribute; its type is the type that Kubernetes has for it
``object``                    a block list of which Kubernetes has one
``blocks``                    a block list that is a list in Kubernetes too
``inline``                    a block whose fields are fields of its parent (``persistent_volume_source``)
``spread``                    a block list where each block *inside* of an item is an item (``projected.sources``)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, cast

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.model.value import Value

Form: TypeAlias = Literal["value", "list", "map", "object", "blocks", "inline", "spread"]
Raw: TypeAlias = "list[str | int | bool | list[str]]"


class Field(Struct, frozen=True, eq=False):
    """One attribute or block of a resource type.

    ``kubernetes`` is its name in the object, empty where the block is ``inline``. ``type`` is the Kubernetes
    type of an attribute or of its items: ``string``, ``integer``, ``number``, ``boolean``, ``quantity``,
    ``intOrString`` or ``octal`` (a string of octal digits that is an integer in Kubernetes).
    ``empty_is_unset`` says that the provider leaves out an empty string or a zero. ``default`` is the
    provider's own, ``None`` where it has none; it enters the object only if it is ``sent``: where
    Kubernetes would take the absence for something else.
    """

    terraform: str
    kubernetes: str
    form: Form
    type: str = ""
    block: Shape | None = None
    default: Value = None
    sent: bool = False
    empty_is_unset: bool = False

    @property
    def inner(self) -> Shape:
        """The shape of a block. Only blocks have one."""
        assert self.block is not None
        return self.block


class Shape(Struct, frozen=True, eq=False):
    """The fields of a block, by Terraform's names and by those of Kubernetes.

    Several fields can stand for one of Kubernetes (``data`` and ``data_wo`` of a secret); the first is the
    usual one. Through an inline block the route to a field has several steps.
    """

    fields: Mapping[str, Field]
    by_kubernetes: Mapping[str, tuple[tuple[tuple[str | int, ...], Field], ...]]


class KindTable(Struct, frozen=True, eq=False):
    """One resource type.

    With one of the blocks ``variant_blocks`` in ``spec`` the object has ``variant_version`` instead of
    ``api_version``, and no field ``variant_without`` (Kubernetes' name) in ``spec``.
    """

    resource_type: str
    api_version: str
    kind: str
    namespaced: bool
    shape: Shape
    variant_version: str = ""
    variant_blocks: tuple[str, ...] = ()
    variant_without: str = ""


class ProviderTable(Struct, frozen=True, eq=False):
    """The whole table. ``source`` names the provider, its commit and day, and the Kubernetes version.

    ``patches`` are the types that change a part of an object which something else creates
    (``kubernetes_labels``); they make no object of their own, so they have no :class:`KindTable`.
    """

    source: Mapping[str, str]
    kinds: Mapping[str, KindTable]
    patches: frozenset[str] = field(default_factory=frozenset)

    def kind(self, resource_type: str) -> KindTable | None:
        """The table of a type such as ``kubernetes_deployment``; ``None`` if it makes no object."""
        return self.kinds.get(resource_type)


@cache
def table() -> ProviderTable:
    """The table of Terraform's ``kubernetes`` provider, read at the first call."""
    with Path(__file__).with_name("kubernetes.json").open("rb") as file:
        raw = json.load(file)
    shapes: list[Shape] = []
    for fields in raw["shapes"]:
        shapes.append(_shape(fields, shapes))
    kinds = {name: _kind(name, entry, shapes) for name, entry in raw["kinds"].items()}
    return ProviderTable(raw["source"], kinds, frozenset(raw["patches"]))


def _kind(name: str, entry: Raw, shapes: list[Shape]) -> KindTable:
    api_version, kind, namespaced, shape = (cast(str, entry[0]), cast(str, entry[1]), bool(entry[2]), entry[3])
    made = KindTable(name, api_version, kind, namespaced, shapes[cast(int, shape)])
    if len(entry) == 4:
        return made
    version, blocks, without = entry[4:]
    return replace(
        made,
        variant_version=cast(str, version),
        variant_blocks=tuple(cast("list[str]", blocks)),
        variant_without=cast(str, without),
    )


def _shape(raw: Mapping[str, Raw], shapes: list[Shape]) -> Shape:
    fields: dict[str, Field] = {}
    for name, (kubernetes, form, what, *default) in raw.items():
        block = shapes[what] if isinstance(what, int) else None
        fields[name] = Field(
            terraform=name,
            kubernetes=cast(str, kubernetes),
            form=cast(Form, form),
            type="" if isinstance(what, int) else cast(str, what).rstrip("?"),
            block=block,
            default=cast(Value, default[0]) if default else None,
            sent=bool(default and default[1]),
            empty_is_unset=isinstance(what, str) and what.endswith("?"),
        )
    return Shape(fields, _inverse(fields))


def _inverse(fields: Mapping[str, Field]) -> dict[str, tuple[tuple[tuple[str | int, ...], Field], ...]]:
    inverse: dict[str, tuple[tuple[tuple[str | int, ...], Field], ...]] = {}
    for path, found in _reachable(fields):
        inverse[found.kubernetes] = (*inverse.get(found.kubernetes, ()), (path, found))
    return inverse


def _reachable(fields: Mapping[str, Field]) -> Iterator[tuple[tuple[str | int, ...], Field]]:
    for name, found in fields.items():
        if found.form == "inline":
            for path, inner in _reachable(found.inner.fields):
                yield (name, 0, *path), inner
        else:
            yield (name,), found
