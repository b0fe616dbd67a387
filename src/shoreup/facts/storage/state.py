"""Which of a pod's mounts hold what must outlive it, and of which product.

A product keeps its data at paths that the product data name. A mount holds them when it is mounted at such a path or
above it; for engines also below it, where the data directory is set one level deeper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.databases.servers import ENGINES, runs_server
from shoreup.facts.estate import Container, Estate, Mount, Volume, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.products import Product, Products

LASTING = frozenset({"claim", "nfs", "host-path", "csi"})
"""Kinds of volume that outlive a pod."""
_NODE_PATHS = (
    "/dev",
    "/proc",
    "/sys",
    "/run",
    "/var/run",
    "/etc",
    "/lib",
    "/usr",
    "/boot",
    "/var/log",
    "/tmp",  # noqa: S108 (a place on the node, which nothing is written to from here)
    "/var/lib/kubelet",
)
_OUTER_DATABASE = re.compile(
    r"(?:^|_)(?:POSTGRES|POSTGRESQL|PG|PGSQL|MYSQL|MARIADB|DB|DATABASE)_?"
    r"(?:URL|URI|HOST|HOSTNAME|SERVER|TYPE|DSN|ENGINE|DRIVER|CLIENT|CONNECTION|ADDRESS|ADDR)?(?:_|$)"
)
_OWN_DATABASE = re.compile(r"sqlite|\.db\b|file:|bolt|leveldb", re.IGNORECASE)


class Kept(Struct, frozen=True, eq=False):
    """A mount that holds a container's data. ``product`` is ``None`` where the image is not known."""

    container: Container
    mount: Mount
    volume: Volume
    product: Product | None


def kept(workload: Workload, products: Products) -> Iterator[Kept]:
    """The writable mounts of lasting volumes, those that hold a known product's data and those of unknown images."""
    volumes = {volume.name: volume for volume in workload.volumes}
    for container in workload.containers:
        if container.init and not container.sidecar:
            continue
        product = products.get(container.image.product)
        if product is not None and not runs_server(container, product):
            continue
        for mount in container.mounts:
            volume = volumes.get(mount.volume)
            if volume is None or mount.read_only or volume.read_only or not lasting(volume):
                continue
            if product is None or _holds(mount.path, product):
                yield Kept(container, mount, volume, product)


def lasting(volume: Volume) -> bool:
    """Whether what is written to a volume outlives the pod and is data, not a device or the node's own system."""
    if volume.kind == "host-path":
        return not any(volume.path == path or volume.path.startswith(f"{path}/") for path in _NODE_PATHS)
    return volume.kind in LASTING


def _holds(path: str, product: Product) -> bool:
    mounted = path.rstrip("/")
    for data in product.data:
        home = data.rstrip("/")
        if mounted == home or (mounted and home.startswith(f"{mounted}/")):
            return True
        if product.kind in ENGINES and mounted.startswith(f"{home}/"):
            return True
    return False


def outer_database(estate: Estate, workload: Workload, container: Container) -> str:
    """The variable that points a container at a database elsewhere, so that its own volume may hold files alone.

    Where variables come from an object that the estate does not declare, that object may hold one, and is named.
    """
    for name, value in container.env.items():
        if _OUTER_DATABASE.search(name) and not (isinstance(value, str) and _OWN_DATABASE.search(value)):
            return name
    for item in map(mapping, items(container.body.get("env"))):
        if "valueFrom" in item and _OUTER_DATABASE.search(text(item.get("name"))):
            return text(item.get("name"))
    for source in map(mapping, items(container.body.get("envFrom"))):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if source.get(field) is not None:
                found = _among(estate, kind, workload.namespace, text(mapping(source.get(field)).get("name")))
                if found:
                    return found
    return ""


def _among(estate: Estate, kind: str, namespace: str, name: str) -> str:
    keys = [
        entry for entry in estate.config if entry.kind == kind and entry.namespace == namespace and entry.name == name
    ]
    if not keys:
        return f"{kind} {namespace}/{name}"
    return next(
        (
            entry.key
            for entry in keys
            if _OUTER_DATABASE.search(entry.key)
            and not (isinstance(entry.value, str) and not entry.binary and _OWN_DATABASE.search(entry.value))
        ),
        "",
    )
