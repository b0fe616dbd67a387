"""Which servers the estate's data lies on, and what stops with each.

A volume may name its server itself, through a PersistentVolume, or through a storage class; the class may be an
object, or the values of the chart that serves it. Claims without a class use the default one. What the estate does
not decide is counted as not known, never as lying elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from shoreup.facts.estate import Estate, Release, Volume, Workload
from shoreup.facts.fields import document, filled, items, known_text, mapping, text, truth, why_open
from shoreup.facts.naming import named
from shoreup.facts.storage.state import lasting
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_IN_CLUSTER: Mapping[str, tuple[str, ...]] = {
    # chart: the classes that it makes on the nodes' own disks unless its values say otherwise; its values, 2026-11-23
    "rook-ceph-cluster": ("ceph-block", "ceph-filesystem"),
    "openebs": ("openebs-hostpath",),
    "localpv-provisioner": ("openebs-hostpath",),
    "local-path-provisioner": ("local-path",),
    "longhorn": ("longhorn",),
}
_ON_NODES = frozenset(
    {
        "rook-ceph.rbd.csi.ceph.com",
        "rook-ceph.cephfs.csi.ceph.com",
        "rancher.io/local-path",
        "openebs.io/local",
        "local.csi.openebs.io",
        "io.openebs.csi-mayastor",
        "driver.longhorn.io",
        "topolvm.io",
        "kubernetes.io/no-provisioner",
    }
)
"""Provisioners that put volumes on the nodes' own disks."""
_DEFAULT_SIGN = "storageclass.kubernetes.io/is-default-class"
_CHARTS: Mapping[str, str] = {
    # chart: the name of its class unless the values give one
    "nfs-subdir-external-provisioner": "nfs-client",
    "nfs-client-provisioner": "nfs-client",
}
"""Charts that serve one class from the NFS server in their values (``nfs.server``)."""
_OF_A_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\..*\*.*")
"""A name whose first label, the machine's own, is known, while a part of its domain is not."""
_CSI_CHARTS = frozenset({"csi-driver-nfs", "csi-driver-smb"})
"""Charts whose values may hold whole storage classes with a server among the parameters."""


class Dependant(Struct, frozen=True, eq=False):
    """Something that keeps data on a server: its resource, and the volume that leads there."""

    resource: Resource
    name: str
    volume: Volume

    @property
    def place(self) -> Place:
        """The volume in the resource."""
        return Place(self.resource.key, self.volume.route)


class StorageServer(Struct, eq=False):
    """A server with everything that keeps data on it.

    ``host`` is its name or address with ``*`` for a part of its domain that is not decided, empty where a value outside
    the repository holds it. ``place`` is where the estate names it, the storage class first. ``likely`` says that all
    who lead to it write the same name, of which a part is not decided. ``volumes`` are the different volumes.
    """

    host: str
    place: Place
    likely: bool = False
    dependants: list[Dependant] = field(default_factory=list)
    volumes: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, dependant: Dependant, volume: tuple[str, ...]) -> None:
        """Add a volume, and whoever it belongs to once."""
        self.volumes.add(volume)
        if not any(known.resource is dependant.resource for known in self.dependants):
            self.dependants.append(dependant)


class Storage(Struct, eq=False):
    """Where an estate keeps its data. ``stateful`` is the number of workloads that keep some, ``volumes`` that of their
    volumes; ``unknown`` is the number of volumes of which the estate does not say where they lie.
    """

    servers: list[StorageServer] = field(default_factory=list)
    unnamed: StorageServer | None = None
    """All servers without a name in the estate as if they were one, which they may be."""
    stateful: int = 0
    volumes: int = 0
    unknown: int = 0


class _Named(Struct, frozen=True):
    """A server as something in the estate names it. ``key`` is the same for what is the same server: certainly, or
    with ``likely`` in all likelihood.
    """

    host: str
    place: Place
    key: str
    by_class: bool = False
    likely: bool = False


def read_storage_servers(estate: Estate) -> Storage:
    """Every server that data lies on, the one with the most dependants first; worked out once."""
    return estate.once(_worked_out)


def _worked_out(estate: Estate) -> Storage:
    classes, default = _classes(estate)
    on_nodes = _on_nodes(estate)
    persistent = _persistent_volumes(estate)
    found: dict[str, StorageServer] = {}
    storage = Storage()
    seen: set[tuple[str, ...]] = set()
    for dependants in _stateful(estate):
        storage.stateful += 1
        for dependant in dependants:
            volume = dependant.volume
            storage_class = volume.storage_class or (default if _declared(volume) else "")
            server = _server(dependant, classes.get(storage_class), persistent)
            identity = _identity(dependant)
            if identity not in seen:
                seen.add(identity)
                storage.volumes += 1
                storage.unknown += server is None and not _elsewhere(volume) and storage_class not in on_nodes
            if server is None:
                continue
            entry = found.setdefault(server.key, StorageServer(server.host, server.place, server.likely))
            if server.by_class:
                entry.place = server.place
            entry.add(dependant, identity)
            if not server.host and not server.by_class:
                storage.unnamed = storage.unnamed or StorageServer("", server.place)
                storage.unnamed.add(dependant, identity)
    storage.servers = sorted(found.values(), key=lambda server: -len(server.dependants))
    return storage


def _stateful(estate: Estate) -> Iterator[list[Dependant]]:
    """What keeps data, each with its lasting volumes; the same object in two overlays counts once."""
    seen: set[tuple[str, str, str]] = set()
    for workload in estate.workloads:
        identity = (workload.kind, workload.namespace, workload.name)
        if workload.kind not in LONG_RUNNING or not workload.enabled or identity in seen:
            continue
        volumes = [volume for volume in workload.volumes if lasting(volume) and _written(workload, volume)]
        if volumes:
            seen.add(identity)
            yield [Dependant(workload.resource, named(workload.resource), volume) for volume in volumes]
    for database in estate.databases:
        if database.workload is None and database.volumes:
            yield [Dependant(database.resource, named(database.resource), volume) for volume in database.volumes]


def _written(workload: Workload, volume: Volume) -> bool:
    mounts = [mount for container in workload.containers for mount in container.mounts if mount.volume == volume.name]
    return not volume.read_only and any(not mount.read_only for mount in mounts)


def _declared(volume: Volume) -> bool:
    """Whether the estate holds the claim, so that an absent class means the default one."""
    return volume.kind == "claim" and bool(volume.access_modes or volume.size)


def _elsewhere(volume: Volume) -> bool:
    """Whether the volume certainly lies on no server: on the node itself."""
    return volume.kind == "host-path" or bool(volume.path and not volume.server)


def _on_nodes(estate: Estate) -> frozenset[str]:
    """The storage classes whose volumes certainly lie on the nodes' own disks."""
    found = {
        resource.name
        for resource in estate.by_kind.get("StorageClass", ())
        if known_text(resource.body.get("provisioner")) in _ON_NODES
    }
    for release in estate.releases:
        if truth(at(dict(release.values), "cephClusterSpec", "external", "enable")) is not None:
            continue
        found.update(_IN_CLUSTER.get(release.chart.rpartition("/")[2], ()))
        if release.chart.rpartition("/")[2] == "rook-ceph-cluster":
            for field in ("cephBlockPools", "cephFileSystems"):
                for entry in items(release.values.get(field)):
                    found.add(text(mapping(mapping(entry).get("storageClass")).get("name")))
    return frozenset(found - {""})


def _identity(dependant: Dependant) -> tuple[str, ...]:
    volume = dependant.volume
    if volume.claim:
        return ("claim", dependant.resource.namespace or "default", volume.claim)
    if volume.server or volume.path:
        return ("path", volume.server, volume.path)
    return ("own", dependant.name, volume.name)


def _server(dependant: Dependant, by_class: _Named | None, persistent: Mapping[str, Place]) -> _Named | None:
    volume = dependant.volume
    host = _host(volume.server)
    if by_class is not None and (not host or by_class.host == host):
        return by_class
    if host:
        return _Named(host, persistent.get(host) or _inline(dependant), host)
    if volume.server:
        written = at(dict(dependant.resource.body), *volume.route, "nfs", "server")
        reason = why_open(written)
        shown = filled(written).lower()
        if _OF_A_DOMAIN.fullmatch(shown):
            # The domain is not decided, and one estate hardly has two machines of one name in two domains.
            key = f"~ {shown} {reason or known_text(written)}"
            return _Named(shown, _inline(dependant), key, likely=True)
        # One variable of one root has one value, whatever it is.
        key = f"? {dependant.resource.root} {f'{shown} {reason}' if reason else dependant.name}"
        return _Named("", _inline(dependant), key)
    return None


def _inline(dependant: Dependant) -> Place:
    route = dependant.volume.route
    return Place(dependant.resource.key, (*route, "nfs", "server") if dependant.volume.kind == "nfs" else route)


def _host(server: str) -> str:
    """The host of a server's address, which SMB writes as ``//host/share``; empty where it is not decided."""
    host = server.removeprefix("//").partition("/")[0].lower()
    return "" if "*" in host or "$" in host or "{" in host else host


_SERVER_ROUTES: tuple[Route, ...] = (
    ("spec", "nfs", "server"),
    ("spec", "persistentVolumeSource", "nfs", "server"),
    ("spec", "csi", "volumeAttributes", "server"),
    ("spec", "csi", "volumeAttributes", "source"),
)


def _persistent_volumes(estate: Estate) -> Mapping[str, Place]:
    found: dict[str, Place] = {}
    for resource in estate.by_kind.get("PersistentVolume", ()):
        for route in _SERVER_ROUTES:
            host = _host(text(at(dict(resource.body), *route)))
            if host:
                found.setdefault(host, Place(resource.key, route))
    return found


# ------------------------------------------------------------------------------------------- storage classes


def _classes(estate: Estate) -> tuple[Mapping[str, _Named], str]:
    """The classes that lead to a server, and the name of the default class."""
    found: dict[str, _Named] = {}
    default = ""
    for resource in estate.by_kind.get("StorageClass", ()):
        if known_text(at(dict(resource.body), "metadata", "annotations", _DEFAULT_SIGN)) == "true":
            default = resource.name
        parameters = mapping(resource.body.get("parameters"))
        for key in ("server", "nfsServer", "source"):
            if parameters.get(key) is not None:
                place = Place(resource.key, ("parameters", key))
                found[resource.name] = _of_class(resource.name, parameters.get(key), place)
    for release in estate.releases:
        chart = release.chart.rpartition("/")[2]
        if chart in _CHARTS:
            values = _Values(release)
            server = values.find("nfs", "server")
            if server is not None and truth(values.value("storageClass", "create")) is not False:
                name = text(values.value("storageClass", "name")) or _CHARTS[chart]
                found[name] = _of_class(name, server[0], Place(release.resource.key, server[1]))
                if truth(values.value("storageClass", "defaultClass")) is True:
                    default = name
        elif chart in _CSI_CHARTS:
            for name, named_server, is_default in _Values(release).classes():
                found[name] = named_server
                default = name if is_default else default
    return found, default


def _of_class(name: str, server: Value, place: Place) -> _Named:
    host = _host(text(server))
    return _Named(host, place, host or f"class {name}", by_class=True)


class _Values:
    """A release's values, whatever field of the release holds them."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._layers: list[tuple[Mapping[str, Value], Route, bool]] = [(release.values, release.values_route, True)]
        written = release.resource.body.get("values")
        for index, entry in enumerate(items(written)):
            self._layers.append((document(entry), ("values", index), False))
        self._set = [mapping(entry) for entry in items(release.resource.body.get("set"))]

    def find(self, *route: str) -> tuple[Value, Route] | None:
        """The value at a route with the place where it stands; what is set singly goes before the rest."""
        for index, entry in enumerate(self._set):
            if entry.get("name") == ".".join(route):
                return entry.get("value"), ("set", index, "value")
        for values, base, exact in reversed(self._layers):
            value = at(dict(values), *route)
            if value is not None:
                return value, (*base, *route) if exact else base
        return None

    def value(self, *route: str) -> Value:
        """The value at a route."""
        found = self.find(*route)
        return found[0] if found else None

    def classes(self) -> Iterator[tuple[str, _Named, bool]]:
        """Storage classes among the values, each with its server and whether it is the default."""
        for values, base, exact in self._layers:
            entries: list[tuple[Mapping[str, Value], Route]] = [
                (mapping(entry), ("storageClasses", index))
                for index, entry in enumerate(items(values.get("storageClasses")))
            ]
            entries.append((mapping(values.get("storageClass")), ("storageClass",)))
            for entry, route in entries:
                parameters = mapping(entry.get("parameters"))
                for key in ("server", "source"):
                    if parameters.get(key) is not None and text(entry.get("name")):
                        place = (*base, *route, "parameters", key) if exact else base
                        sign = known_text(mapping(entry.get("annotations")).get(_DEFAULT_SIGN))
                        name = text(entry.get("name"))
                        server = _of_class(name, parameters.get(key), Place(self._release.resource.key, place))
                        yield name, server, sign == "true"
