"""Engines in images that the product data do not name: builds of the owner's own, mirrors under other names.

What an image is cannot be read from a name that nobody knows. What is done with it can: a lasting volume at the
folder in which one engine alone keeps its files, and beside it that engine's port or a variable that its server alone
reads. Two such signs make it likely, never certain.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import Container, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.products import Product, Products, version_of

_LASTING = frozenset({"claim", "nfs", "host-path", "csi"})


def looks_like(workload: Workload, container: Container, products: Products) -> tuple[Product, str] | None:
    """The engine that a container of an unknown image seems to run, with the version where the tag names one."""
    if container.image.product or (container.init and not container.sidecar):
        return None
    found = [product for product in products.by_id.values() if product.signs and _alike(workload, container, product)]
    name = container.image.repository.rpartition("/")[2].lower()
    called = [product for product in found if any(word in name for word in (product.id, *product.server))]
    if len(called or found) != 1:
        return None
    product = (called or found)[0]
    tag = container.image.tag
    return product, version_of(tag) if called and isinstance(tag, str) else ""


def _alike(workload: Workload, container: Container, product: Product) -> bool:
    keeping = {volume.name for volume in workload.volumes if volume.kind in _LASTING}
    at_home = any(mount.volume in keeping and _inside(mount.path, product) for mount in container.mounts)
    serves = any(port.number in product.ports for port in container.ports)
    return at_home and (serves or any(name in product.signs for name in _declared(container)))


def _inside(path: str, product: Product) -> bool:
    folder = path.rstrip("/")
    return any(folder == home or folder.startswith(f"{home}/") for home in product.data)


def _declared(container: Container) -> Iterator[str]:
    yield from container.env
    for item in items(container.body.get("env")):
        yield text(mapping(item).get("name"))
