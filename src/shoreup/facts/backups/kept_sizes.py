"""How much programs are told to keep, beside the size of the volume that they keep it on.

Prometheus and its relatives say it in the same words in three places: a flag, the operator's object, a chart's values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Volume, Workload
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.quantities import flag_size, size
from shoreup.facts.scheduling.staying import staying
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Value

_FLAG = re.compile(r"--?storage\.tsdb\.retention\.size(?:=|\s+)[\"']?(?P<size>[\d.]+\s*[KMGTPE]?i?B)")
_PATH = re.compile(r"--?storage\.tsdb\.path(?:=|\s+)[\"']?(?P<path>/[^\s\"']*)")
_USUAL_PATHS = ("/prometheus", "/data")


class KeptSize(Struct, frozen=True, eq=False):
    """``kept`` bytes are told at ``place``; the volume that they go to has ``room`` bytes, said at ``volume``.

    ``undecided`` says why one of the two is not known; it is then 0.
    """

    subject: str
    place: Place
    kept: int
    volume: Place
    room: int
    container: str = ""
    undecided: str = ""


def kept_sizes(estate: Estate) -> Iterator[KeptSize]:
    """Every place where both numbers are said."""
    for workload, container in staying(estate):
        yield from _by_flag(workload, container)
    for resource in estate.by_kind.get("Prometheus", ()):
        if resource.api_version.startswith("monitoring.coreos.com/"):
            yield from _by_spec(named(resource), resource.key, mapping(resource.body.get("spec")), ("spec",), "storage")
    for release in estate.releases:
        for key in ("prometheus", "vmsingle"):
            spec = mapping(mapping(release.values.get(key)).get("prometheusSpec"))
            route: Route = (*release.values_route, key, "prometheusSpec")
            yield from _by_spec(named(release.resource), release.resource.key, spec, route, "storageSpec")
        server = mapping(release.values.get("server"))
        volume = mapping(server.get("persistentVolume"))
        kept, room = flag_size(server.get("retentionSize")), size(volume.get("size"))
        if kept and room:
            base: Route = (*release.values_route, "server")
            owner = release.resource.key
            places = Place(owner, (*base, "retentionSize")), Place(owner, (*base, "persistentVolume", "size"))
            yield KeptSize(named(release.resource), places[0], kept, places[1], room)


def _by_spec(subject: str, key: int, spec: Mapping[str, Value], route: Route, storage: str) -> Iterator[KeptSize]:
    kept = flag_size(spec.get("retentionSize"))
    steps: Route = (storage, "volumeClaimTemplate", "spec", "resources", "requests", "storage")
    value: Value = dict(spec)
    for step in steps:
        value = mapping(value).get(str(step))
    room = size(value)
    if kept and room:
        yield KeptSize(subject, Place(key, (*route, "retentionSize")), kept, Place(key, (*route, *steps)), room)


def _by_flag(workload: Workload, container: Container) -> Iterator[KeptSize]:
    for field in ("args", "command"):
        words: Sequence[Value] = items(container.body.get(field))
        whole = " ".join(text(word) for word in words)
        told = _FLAG.search(whole)
        if told is None:
            continue
        path = _PATH.search(whole)
        volume = _volume(workload, container, (path["path"],) if path else _USUAL_PATHS)
        kept = flag_size(told["size"])
        room = size(volume.size) if volume is not None else None
        if volume is None or not kept:
            continue
        # A claim of the estate that says how much it asks for, and leaves to others what.
        unsure = "the size of its claim is not decided" if not room and "*" in volume.size else ""
        if not room and not unsure:
            continue
        index = next((at for at, word in enumerate(words) if "retention.size" in known_text(word)), None)
        route: Route = (*container.route, field) if index is None else (*container.route, field, index)
        key = workload.resource.key
        subject = named(workload.resource, container.name)
        yield KeptSize(
            subject,
            Place(key, route, container=container.name),
            kept,
            Place(key, volume.route),
            room or 0,
            undecided=unsure,
        )


def _volume(workload: Workload, container: Container, paths: Sequence[str]) -> Volume | None:
    """The volume that a folder lies on."""
    volumes = {volume.name: volume for volume in workload.volumes}
    for path in paths:
        holding = [mount for mount in container.mounts if f"{path}/".startswith(f"{mount.path.rstrip('/')}/")]
        if holding:
            return volumes.get(max(holding, key=lambda mount: len(mount.path)).volume)
    return None
