"""Which containers are told to keep their data on disk, though their product may do without.

Caches and brokers keep data only where their settings say so. The settings are data (``data/persistence.json``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Container, Estate, Workload
from shoreup.facts.fields import text
from shoreup.facts.knowledge import table
from shoreup.model.finding import Place

_LONGEST = 100_000


class _Setting(Struct, frozen=True, forbid_unknown_fields=True):
    product: str
    setting: str
    source: str
    checked: str


@cache
def _bundled() -> Mapping[str, re.Pattern[str]]:
    return {entry.product: re.compile(entry.setting) for entry in table("persistence", tuple[_Setting, ...])}


def persists(estate: Estate, workload: Workload, container: Container) -> Place | None:
    """Where a container's settings say that it keeps its data; ``None`` where nothing says so."""
    wanted = _bundled().get(container.image.product)
    if wanted is None:
        return None
    words = " ".join(text(word) for word in container.command)
    if wanted.search(words[:_LONGEST]):
        field = "command" if container.body.get("command") is not None else "args"
        return Place(workload.resource.key, (*container.route, field), container=container.name)
    for entry in _files(estate, workload, container):
        written = "" if entry.binary else text(entry.value)
        if wanted.search(written[:_LONGEST]):
            return Place(entry.resource.key, entry.route)
    return None


def _files(estate: Estate, workload: Workload, container: Container) -> Iterator[ConfigEntry]:
    mounted = {mount.volume for mount in container.mounts}
    kinds = {"config-map": "ConfigMap", "secret": "Secret"}
    held = estate.once(_by_object)
    for volume in workload.volumes:
        if volume.name in mounted and volume.kind in kinds:
            yield from held.get((kinds[volume.kind], workload.namespace, volume.source), ())


def _by_object(estate: Estate) -> Mapping[tuple[str, str, str], list[ConfigEntry]]:
    found: dict[tuple[str, str, str], list[ConfigEntry]] = {}
    for entry in estate.config:
        found.setdefault((entry.kind, entry.namespace, entry.name), []).append(entry)
    return found
