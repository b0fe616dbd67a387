"""Where CloudNativePG keeps a cluster's base backups and WAL: a server's folder in an object store.

By its Barman plugin the cluster names an ObjectStore and the server's folder in it; without, the cluster itself says
both (``backup.barmanObjectStore``). Where no server is named the cluster's own name is meant. The fields are those of
its API (cloudnative-pg.io/docs, appendix B, and the plugin's parameters; read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import ObjectArchive
from shoreup.facts.fields import items, mapping, text
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, at

PLUGIN = "barman-cloud.cloudnative-pg.io"


def plugin_parameter(name: str, *holders: Resource | None) -> str:
    """What the first of some resources says to the Barman plugin under a name; empty where none does."""
    return next((said for holder in holders for plugin in _plugins(holder) if (said := text(plugin.get(name)))), "")


def archive_in(store: Resource, route: tuple[str, ...], cluster: Resource, server: str, kept: str) -> ObjectArchive:
    """The archive of a cluster that the fields at ``route`` of a resource describe.

    ``server`` is its folder there, where somebody names one; ``kept`` how long it is kept.
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
        undecided=unsure,
    )


def _plugins(holder: Resource | None) -> Iterator[dict[str, Value]]:
    spec = mapping(holder.body.get("spec")) if holder is not None else {}
    for plugin in (*items(spec.get("plugins")), spec.get("pluginConfiguration")):
        if text(mapping(plugin).get("name")) in ("", PLUGIN):
            yield dict(mapping(mapping(plugin).get("parameters")))


def _image(cluster: Resource) -> str:
    """What decides which server runs: the image, or the catalogue with the major version that is chosen from it."""
    body: Value = dict(cluster.body)
    catalogue = mapping(at(body, "spec", "imageCatalogRef"))
    if catalogue:
        return " ".join(text(catalogue.get(name)) for name in ("kind", "name", "major"))
    return text(at(body, "spec", "imageName"))
