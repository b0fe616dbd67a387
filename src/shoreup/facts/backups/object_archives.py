"""Where CloudNativePG keeps a cluster's base backups and WAL: a server's folder in an object store.

By its Barman plugin the cluster names an ObjectStore and the server's folder in it; without, the cluster itself says
both (``backup.barmanObjectStore``). Where no server is named the cluster's own name is meant. The fields are those of
its API (cloudnative-pg.io/docs, appendix B, and the plugin's parameters; read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shoreup.facts.estate import ObjectArchive
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, at

_GROUP = "postgresql.cnpg.io/"
PLUGIN = "barman-cloud.cloudnative-pg.io"


def plugin_parameter(name: str, *holders: Resource | None) -> str:
    """What the first of some resources says to the Barman plugin under a name; empty where none does."""
    return next((said for holder in holders for plugin in _plugins(holder) if (said := text(plugin.get(name)))), "")


def archive_in(
    store: Resource, route: tuple[str, ...], cluster: Resource, server: str, kept: str, declared: Iterable[Resource]
) -> ObjectArchive:
    """The archive of a cluster that the fields at ``route`` of a resource describe.

    ``server`` is its folder there, where somebody names one; ``kept`` how long it is kept; ``declared`` are objects
    that may declare databases of it.
    """
    fields = mapping(at(dict(store.body), *route))
    where, folder = fields.get("destinationPath"), server or text(fields.get("serverName")) or cluster.name
    path = text(where)
    unsure = where.reason if isinstance(where, Unknown) else ""
    if not unsure and ("*" in f"{path}{folder}" or "$" in f"{path}{folder}" or not path):
        unsure = "the path in the store that it writes to is not all in the repository"
    return ObjectArchive(
        destination=path.rstrip("/"),
        server=folder,
        endpoint=text(fields.get("endpointURL")),
        image=_image(cluster),
        retention=kept,
        databases=tuple(sorted(set(_databases(cluster, declared)))),
        undecided=unsure,
    )


def _plugins(holder: Resource | None) -> Iterator[dict[str, Value]]:
    spec = mapping(holder.body.get("spec")) if holder is not None else {}
    for plugin in (*items(spec.get("plugins")), spec.get("pluginConfiguration")):
        if text(mapping(plugin).get("name")) in ("", PLUGIN):
            yield dict(mapping(mapping(plugin).get("parameters")))


def _databases(cluster: Resource, declared: Iterable[Resource]) -> Iterator[str]:
    """The databases that have to be in a cluster: the one that it began with, and those of Database objects."""
    first = known_text(at(dict(cluster.body), "spec", "bootstrap", "initdb", "database"))
    if first:
        yield first
    for one in declared:
        spec = mapping(one.body.get("spec"))
        ours = (one.namespace or "default") == (cluster.namespace or "default")
        if (
            one.api_version.startswith(_GROUP)
            and ours
            and text(mapping(spec.get("cluster")).get("name")) == cluster.name
        ):
            name = known_text(spec.get("name"))
            if name and known_text(spec.get("ensure")) != "absent":
                yield name


def _image(cluster: Resource) -> str:
    """What decides which server runs: the image, or the catalogue with the major version that is chosen from it."""
    body: Value = dict(cluster.body)
    catalogue = mapping(at(body, "spec", "imageCatalogRef"))
    if catalogue:
        return " ".join(text(catalogue.get(name)) for name in ("kind", "name", "major"))
    return text(at(body, "spec", "imageName"))
