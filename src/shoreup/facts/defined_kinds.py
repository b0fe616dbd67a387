"""Kinds that the estate defines itself: the schemas of its CustomResourceDefinitions as the fields of their objects.

The API server drops a field that such a schema does not hold, just as with its own kinds. A part that keeps unknown
fields, holds objects of any kind or says nothing of what it holds is free. Where two definitions of one kind are in the
estate, nothing tells which of them a cluster has.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, known_text, mapping
from shoreup.facts.kubernetes_fields import FREE, Form, Shape, form_of, metadata
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
_KEEPS = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource")
_DEEP = 40

Defined = Mapping[tuple[str, str], Resource | None]


def defined(estate: Estate) -> Defined:
    """The definitions by group and kind; ``None`` where there are several."""
    found: dict[tuple[str, str], Resource | None] = {}
    for one in estate.by_kind.get("CustomResourceDefinition", ()):
        spec = mapping(one.body.get("spec"))
        key = known_text(spec.get("group")), known_text(mapping(spec.get("names")).get("kind"))
        if one.api_version == "apiextensions.k8s.io/v1":
            found[key] = None if key in found else one
    return found


def shape_in(definition: Resource, version: str) -> Shape | None:
    """The fields that a version of a defined kind has; ``None`` where the definition does not say."""
    spec = mapping(definition.body.get("spec"))
    if spec.get("preserveUnknownFields") is True:
        return None
    kind = known_text(mapping(spec.get("names")).get("kind"))
    for one in map(mapping, items(spec.get("versions"))):
        if one.get("name") == version:
            schema = mapping(one.get("schema")).get("openAPIV3Schema")
            shape = _form(schema, kind, 0).shape if _holds(schema) else None
            if shape is not None:
                return Shape(kind, {**shape.fields, **_always()})
    return None


def _always() -> Mapping[str, Form]:
    """What every object has, whatever its definition says of it."""
    return {"apiVersion": form_of("s"), "kind": form_of("s"), "metadata": metadata(), "status": form_of(FREE)}


def _holds(schema: Value) -> bool:
    """Whether a schema names every field of an object."""
    if not isinstance(schema, dict) or any(schema.get(key) is True for key in _KEEPS):
        return False
    return isinstance(schema.get("properties"), dict) and not schema.get("additionalProperties")


def _form(schema: Value, name: str, depth: int) -> Form:
    """What a schema lets stand in a field. ``name`` is the way to it, for people."""
    if not isinstance(schema, dict) or depth > _DEEP:
        return form_of(FREE)
    if schema.get("x-kubernetes-int-or-string") is True:
        return form_of("x")
    kind = schema.get("type")
    if kind == "object" and _holds(schema):
        return Form("o", None, None, cache(lambda: _shape(schema, name, depth)))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
        return Form("{", None, _form(schema["additionalProperties"], name, depth + 1))
    if kind == "array" and isinstance(schema.get("items"), dict):
        return Form("[", None, _form(schema["items"], name, depth + 1))
    return form_of(_SCALARS.get(known_text(kind), FREE))


def _shape(schema: Mapping[str, Value], name: str, depth: int) -> Shape:
    fields = mapping(schema["properties"]).items()
    return Shape(name, {field: _form(inner, f"{name}.{field}", depth + 1) for field, inner in fields})
