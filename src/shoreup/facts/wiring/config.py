"""The entries of ConfigMaps and Secrets, one fact a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.facts.estate import ConfigEntry
from shoreup.facts.fields import mapping
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value

_ENCODED = frozenset({"binaryData"})


def read_config(
    by_kind: Mapping[str, Sequence[Resource]], source_paths: Mapping[tuple[int, Route], str]
) -> tuple[ConfigEntry, ...]:
    """Every key of every ConfigMap and Secret."""
    found: list[ConfigEntry] = []
    for kind, fields in (("ConfigMap", ("data", "binaryData")), ("Secret", ("stringData", "data", "binaryData"))):
        for resource in by_kind.get(kind, ()):
            if resource.api_version != "v1":
                continue
            for field in fields:
                found.extend(_entries(resource, field, source_paths))
    return tuple(found)


def _entries(resource: Resource, field: str, source_paths: Mapping[tuple[int, Route], str]) -> Iterator[ConfigEntry]:
    # Terraform's provider takes a Secret's ``data`` in clear and encodes it itself.
    encoded = field in _ENCODED or (resource.kind == "Secret" and field == "data" and resource.source != "terraform")
    for key, value in mapping(resource.body.get(field)).items():
        route = (field, key)
        yield ConfigEntry(
            resource=resource,
            kind=resource.kind,
            namespace=resource.namespace or "default",
            name=resource.name,
            key=key,
            value=value,
            route=route,
            source_path=source_paths.get((resource.key, route), "") or _path(value),
            binary=encoded,
        )


def _path(value: Value) -> str:
    """The file that an undecided value would have been read from."""
    if isinstance(value, Unknown):
        return value.path
    if isinstance(value, PartialText):
        return next((part.path for part in value.parts if isinstance(part, Unknown) and part.path), "")
    return ""
