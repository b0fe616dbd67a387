"""Objects by which an operator runs a product: where they name the image, the version, the storage.

Data again (``data/operators.json``, a source for each), because operators come and go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.knowledge import table
from shoreup.model.location import Route
from shoreup.model.resource import Resource


class Operated(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of object that stands for a running product. Fields are dotted routes, empty where there are none."""

    group: str
    kind: str
    product: str
    source: str
    image: str = ""
    version: str = ""
    replicas: str = ""
    storage: str = ""


@cache
def _bundled() -> tuple[Operated, ...]:
    return table("operators", tuple[Operated, ...])


def operated(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[tuple[Operated, Resource]]:
    """Every object of the estate that stands for a running product."""
    for entry in _bundled():
        for resource in by_kind.get(entry.kind, ()):
            if resource.api_version.partition("/")[0] == entry.group:
                yield entry, resource


def route_of(dotted: str) -> Route:
    """A dotted route as a route."""
    return tuple(dotted.split("."))
