"""What keeps data in an engine: workloads that run a database's image, and the objects of database operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from shoreup.facts.databases.likeness import looks_like
from shoreup.facts.estate import Container, Database, Image, Volume, Workload
from shoreup.facts.fields import first, mapping, text
from shoreup.facts.operators import Operated, operated, route_of
from shoreup.facts.products import Product, Products
from shoreup.facts.versions.images import read_image
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Value, at

ENGINES = frozenset({"database", "cache", "search"})
"""Kinds of product that keep data in an engine."""
_RUNS_PODS = LONG_RUNNING | {"ComposeService", "ChartValues"}


def read_databases(
    workloads: Sequence[Workload], by_kind: Mapping[str, Sequence[Resource]], products: Products
) -> tuple[Database, ...]:
    """Every database of the estate. A job that uses a database's image for its client is none."""
    found: list[Database] = []
    for workload in workloads:
        if workload.kind not in _RUNS_PODS:
            continue
        for container in workload.containers:
            product = products.get(container.image.product)
            if product and product.kind in ENGINES and runs_server(container, product):
                found.append(_database(workload, container))
            elif (alike := looks_like(workload, container, products)) is not None and runs_server(container, alike[0]):
                known = _database(workload, container)
                found.append(replace(known, product=alike[0].id, version=alike[1], likely=True))
    for entry, resource in operated(by_kind):
        product = products.get(entry.product)
        if product and product.kind in ENGINES:
            found.append(_operated_database(entry, resource, products))
    return tuple(found)


def runs_server(container: Container, product: Product) -> bool:
    """Whether the container starts the product's server and not something else from its image."""
    if container.init and not container.sidecar:
        return False
    command = container.body.get("command")
    if not isinstance(command, list) or not command or not product.server:
        return True
    words = " ".join(
        "".join(part for part in item.parts if isinstance(part, str)) if isinstance(item, PartialText) else text(item)
        for item in container.command
    )
    return any(name in words for name in (*product.server, "entrypoint"))


def _database(workload: Workload, container: Container) -> Database:
    volumes = {volume.name: volume for volume in workload.volumes}
    mounted = tuple(dict.fromkeys(volumes[mount.volume] for mount in container.mounts if mount.volume in volumes))
    return Database(
        workload=workload,
        resource=workload.resource,
        product=container.image.product,
        version=container.image.version,
        namespace=workload.namespace,
        name=workload.name,
        place=container.image.place,
        volumes=tuple(volume for volume in mounted if volume.kind not in {"config-map", "secret", "projected"}),
    )


def _operated_database(entry: Operated, resource: Resource, products: Products) -> Database:
    image = _operated_image(entry, resource, products)
    route = route_of(entry.version) if entry.version else ()
    version = text(at(_body(resource), *route)) if route else ""
    place = image.place if image else Place(resource.key, route if version else ("spec",))
    if version and not image:
        place = Place(resource.key, route)
    volumes: tuple[Volume, ...] = ()
    if entry.storage:
        storage = route_of(entry.storage)
        body = mapping(at(_body(resource), *storage))
        size = text(body.get("size")) or text(mapping(mapping(body.get("resources")).get("requests")).get("storage"))
        storage_class = text(first(body.get("storageClass"), body.get("storageClassName")))
        volumes = (Volume("data", storage, "claim", storage_class=storage_class, size=size),)
    return Database(
        workload=None,
        resource=resource,
        product=entry.product,
        version=version or (image.version if image else ""),
        namespace=resource.namespace or "default",
        name=resource.name,
        place=place,
        volumes=volumes,
    )


def operator_images(by_kind: Mapping[str, Sequence[Resource]], products: Products) -> tuple[Image, ...]:
    """The images that operators' objects name."""
    found: list[Image] = []
    for entry, resource in operated(by_kind):
        image = _operated_image(entry, resource, products)
        if image is not None:
            found.append(image)
    return tuple(found)


def _operated_image(entry: Operated, resource: Resource, products: Products) -> Image | None:
    if not entry.image:
        return None
    route = route_of(entry.image)
    value = at(_body(resource), *route)
    if value is None:
        return None
    image = read_image(value, Place(resource.key, route), products)
    # An operator's own image holds several versions; the object's version is the one that runs.
    written = text(at(_body(resource), *route_of(entry.version))) if entry.version else ""
    if "*" in image.repository:
        return replace(image, product="", version="")
    return replace(image, product=image.product or entry.product, version=written or image.version)


def _body(resource: Resource) -> Value:
    return dict(resource.body)
