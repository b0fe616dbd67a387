"""Where an operator's PostgreSQL clusters archive their write-ahead log, and which archive they are restored from.

CloudNativePG names an archive in two ways: by its Barman plugin (an ObjectStore and a server's name in it), or in the
cluster itself (a path in a bucket and a server's name). Where no server is named, the object's own name is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, known_text, mapping, text, truth
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_GROUP = "postgresql.cnpg.io/"
_PLUGIN = "barman-cloud.cloudnative-pg.io"
_UNCHECKED = "cnpg.io/skipEmptyWalArchiveCheck"


class ReusedArchive(Struct, frozen=True, eq=False):
    """A cluster that archives into the archive it is restored from, with the check against that switched off.

    ``archive`` names it, ``check`` is the annotation, ``source`` where the restore names the archive.
    """

    resource: Resource
    archive: str
    place: Place
    check: Place
    source: Place


def reused_archives(estate: Estate) -> Iterator[ReusedArchive]:
    """Every such cluster of which both archives are known."""
    for resource in estate.by_kind.get("Cluster", ()):
        if not resource.api_version.startswith(_GROUP):
            continue
        body: Value = dict(resource.body)
        annotations = mapping(at(body, "metadata", "annotations"))
        if known_text(annotations.get(_UNCHECKED)) not in ("enabled", "true"):
            continue
        check = Place(resource.key, ("metadata", "annotations", _UNCHECKED))
        wanted = known_text(at(body, "spec", "bootstrap", "recovery", "source"))
        written = _target(resource)
        for index, entry in enumerate(items(at(body, "spec", "externalClusters"))):
            cluster = mapping(entry)
            if not wanted or known_text(cluster.get("name")) != wanted or written is None:
                continue
            route: Route = ("spec", "externalClusters", index)
            source = _plugin(mapping(cluster.get("plugin")), wanted) or _inline(
                cluster.get("barmanObjectStore"), wanted
            )
            if source is not None and source == written[0]:
                name = " ".join(part for part in source if part)
                yield ReusedArchive(resource, name, Place(resource.key, written[1]), check, Place(resource.key, route))


def _target(resource: Resource) -> tuple[tuple[str, ...], Route] | None:
    """The archive that a cluster writes to, with where it says so."""
    body: Value = dict(resource.body)
    for index, entry in enumerate(items(at(body, "spec", "plugins"))):
        plugin = mapping(entry)
        if truth(plugin.get("isWALArchiver")) is True:
            found = _plugin(plugin, resource.name)
            return (found, ("spec", "plugins", index)) if found else None
    route: Route = ("spec", "backup", "barmanObjectStore")
    found = _inline(at(body, *route), resource.name)
    return (found, route) if found else None


def _plugin(plugin: Mapping[str, Value], own: str) -> tuple[str, ...] | None:
    parameters = mapping(plugin.get("parameters"))
    store = known_text(parameters.get("barmanObjectName"))
    if known_text(plugin.get("name")) != _PLUGIN or not store:
        return None
    return _decided(("ObjectStore", store, text(parameters.get("serverName")) or own))


def _inline(written: Value, own: str) -> tuple[str, ...] | None:
    store = mapping(written)
    path = text(store.get("destinationPath"))
    if not path:
        return None
    return _decided((text(store.get("endpointURL")), path.rstrip("/"), text(store.get("serverName")) or own))


def _decided(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if any("*" in part for part in parts) else parts
