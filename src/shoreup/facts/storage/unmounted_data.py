"""Containers whose product keeps lasting data in a folder where no volume lies, so that it is in the container itself.

The folder is the one of the product's image. A setting may name another, so a container that names a path on one of its
volumes anywhere is left alone, and where settings come from what the estate does not hold, the question is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.databases.servers import runs_server
from shoreup.facts.estate import ConfigEntry, Container, Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.products import Product
from shoreup.facts.scheduling.staying import staying
from shoreup.facts.storage.state import lasting, outer_database

_KEEPS = frozenset({"app", "database", "secrets", "storage"})
"""Kinds of product whose folder holds what nobody can make again."""
_APPLICATIONS = frozenset({"app", "secrets"})
_NO_PLATFORM = re.compile(r"(?:^|/)(?:examples?|tests?|fixtures?|testdata|samples?)(?:/|$)")


class UnmountedData(Struct, frozen=True, eq=False):
    """A container with its product. ``elsewhere`` are the paths of its lasting volumes; ``undecided`` says why the data
    may lie in another folder than the usual one.
    """

    workload: Workload
    container: Container
    product: Product
    elsewhere: tuple[str, ...]
    undecided: str = ""


def unmounted_data(estate: Estate) -> Iterator[UnmountedData]:
    """Every such container that runs on, and not more than once."""
    for workload, container in staying(estate):
        product = estate.products.get(container.image.product)
        if product is None or not product.lasting or not product.data or product.kind not in _KEEPS:
            continue
        if not runs_server(container, product) or container.open or _NO_PLATFORM.search(workload.resource.root):
            continue
        if isinstance(workload.replicas, int) and workload.replicas > 1:
            continue
        mounts = [mount.path.rstrip("/") or "/" for mount in container.mounts]
        if any(_covers(path, home.rstrip("/")) for path in mounts for home in product.data):
            continue
        if product.kind in _APPLICATIONS and outer_database(estate, workload, container):
            continue
        if _names_a_volume(estate, workload, container, mounts):
            continue
        kept = {volume.name for volume in workload.volumes if lasting(volume)}
        elsewhere = tuple(dict.fromkeys(mount.path for mount in container.mounts if mount.volume in kept))
        yield UnmountedData(workload, container, product, elsewhere, _unseen(estate, workload, container))


def _covers(mounted: str, home: str) -> bool:
    """Whether a mount is the folder, holds it, or is a part of it."""
    return mounted in ("/", home) or home.startswith(f"{mounted}/") or mounted.startswith(f"{home}/")


def _names_a_volume(estate: Estate, workload: Workload, container: Container, mounts: Sequence[str]) -> bool:
    """Whether a setting, an argument or a file of configuration names a path on a volume of the container."""
    written = [text(value) for value in (*container.env.values(), *container.command)]
    written += [text(entry.value) for entry in _entries(estate, workload, container)]
    return any("*" in one or path in one for one in written if "/" in one or "*" in one for path in mounts)


def _entries(estate: Estate, workload: Workload, container: Container) -> Iterator[ConfigEntry]:
    held = estate.once(_by_name)
    for kind, name in _sources(workload, container):
        yield from held.get((kind, workload.namespace, name), ())


def _sources(workload: Workload, container: Container) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets that a container is given whole."""
    kinds = {"config-map": "ConfigMap", "secret": "Secret"}
    mounted = {mount.volume for mount in container.mounts}
    for volume in workload.volumes:
        if volume.name in mounted and volume.kind in kinds:
            yield kinds[volume.kind], volume.source
    for item in map(mapping, items(container.body.get("envFrom"))):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if item.get(field) is not None:
                yield kind, text(mapping(item.get(field)).get("name"))


def _by_name(estate: Estate) -> Mapping[tuple[str, str, str], list[ConfigEntry]]:
    found: dict[tuple[str, str, str], list[ConfigEntry]] = {}
    for entry in estate.config:
        found.setdefault((entry.kind, entry.namespace, entry.name), []).append(entry)
    return found


def _unseen(estate: Estate, workload: Workload, container: Container) -> str:
    """Why a setting that is not in the estate may name another folder."""
    held = estate.once(_by_name)
    for kind, name in _sources(workload, container):
        if (kind, workload.namespace, name) not in held:
            return f"what {kind} {name} sets is not in the estate"
    return ""
