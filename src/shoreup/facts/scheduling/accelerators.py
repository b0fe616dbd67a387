"""Which containers work on a graphics card, by the ways in which a pod can ask for one.

A device plugin counts cards as extended resources, dynamic resource allocation hands them out by claims, NVIDIA's
runtime reads an environment variable, and whoever needs none of that mounts the device from the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import items, known_text, mapping, text, why_open
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Value, is_known

_RESOURCE = re.compile(r"(nvidia)\.com/(?:gpu|mig-|shared-gpu)|(amd)\.com/gpu|gpu\.(intel)\.com/(?:i915|xe)")
_CLASS = re.compile(r"gpu\.(nvidia|amd|intel)\.com|(?:^|[.-])(gpu)(?:[.-]|$)")
_DEVICE = re.compile(r"/dev/(?:dri(?:/.*)?|kfd|nvidia.*)/?")
_DEVICE_VENDORS = {"/dev/kfd": "amd", "/dev/nvi": "nvidia"}
_RUNTIME = "nvidia"
_VISIBLE = "NVIDIA_VISIBLE_DEVICES"
_NONE_VISIBLE = frozenset({"", "none", "void"})
_NO_CARDS = frozenset({"0", ""})


class GpuClaim(Struct, frozen=True, eq=False):
    """A container's claim of a graphics card.

    ``asks`` is what it asks for, as a person would say it (``nvidia.com/gpu``, ``/dev/dri of the node``). ``vendor`` is
    ``nvidia``, ``amd``, ``intel`` or empty. ``resource`` is the extended resource by which a scheduler counts
    cards, empty for the other ways.
    """

    container: Container
    place: Place
    asks: str
    vendor: str
    resource: str = ""


def gpu_claim(estate: Estate, workload: Workload) -> GpuClaim | None:
    """The first claim of a graphics card in a workload, if it certainly claims one."""
    for container in workload.containers:
        for claim in _claims(estate, workload, container):
            return claim
    return None


def undecided_claim(workload: Workload) -> tuple[Place, str] | None:
    """Where it is not decided whether a workload claims a card, and why."""
    for container in workload.containers:
        resources = mapping(container.body.get("resources"))
        for kind in ("limits", "requests"):
            for name, amount in mapping(resources.get(kind)).items():
                if _RESOURCE.match(name) and why_open(amount):
                    place = _place(workload, container, (*container.route, "resources", kind, name))
                    return place, why_open(amount)
    return None


def _claims(estate: Estate, workload: Workload, container: Container) -> Iterator[GpuClaim]:
    yield from _counted(workload, container)
    yield from _allocated(estate, workload, container)
    yield from _by_runtime(workload, container)
    yield from _mounted(workload, container)


def _counted(workload: Workload, container: Container) -> Iterator[GpuClaim]:
    resources = mapping(container.body.get("resources"))
    for kind in ("limits", "requests"):
        for name, amount in mapping(resources.get(kind)).items():
            found = _RESOURCE.match(name)
            if found and is_known(amount) and known_text(amount) not in _NO_CARDS:
                place = _place(workload, container, (*container.route, "resources", kind, name))
                yield GpuClaim(container, place, name, _vendor(found), name)


def _allocated(estate: Estate, workload: Workload, container: Container) -> Iterator[GpuClaim]:
    wanted = {
        known_text(mapping(claim).get("name"))
        for claim in items(mapping(container.body.get("resources")).get("claims"))
    }
    for index, claim in enumerate(map(mapping, items(workload.pod.get("resourceClaims")))):
        if known_text(claim.get("name")) not in wanted - {""}:
            continue
        for kind, key in (
            ("ResourceClaimTemplate", "resourceClaimTemplateName"),
            ("ResourceClaim", "resourceClaimName"),
        ):
            for resource in estate.by_kind.get(kind, ()):
                if resource.name != text(claim.get(key)) or (resource.namespace or "default") != workload.namespace:
                    continue
                spec = mapping(resource.body.get("spec"))
                for name in _classes(mapping(spec.get("spec")) or spec):
                    found = _CLASS.search(name)
                    if found:
                        route: Route = (*workload.pod_route, "resourceClaims", index)
                        vendor = _vendor(found)
                        place = _place(workload, container, route)
                        yield GpuClaim(container, place, f"a device of {name}", "" if vendor == "gpu" else vendor)


def _classes(spec: Mapping[str, Value]) -> Iterator[str]:
    for request in map(mapping, items(mapping(spec.get("devices")).get("requests"))):
        yield text(request.get("deviceClassName")) or text(mapping(request.get("exactly")).get("deviceClassName"))


def _by_runtime(workload: Workload, container: Container) -> Iterator[GpuClaim]:
    visible = container.env.get(_VISIBLE)
    if workload.pod.get("runtimeClassName") != _RUNTIME or visible is None or not is_known(visible):
        return
    if known_text(visible).strip() not in _NONE_VISIBLE:
        place = _place(workload, container, (*workload.pod_route, "runtimeClassName"))
        yield GpuClaim(container, place, "NVIDIA's runtime", "nvidia")


def _mounted(workload: Workload, container: Container) -> Iterator[GpuClaim]:
    mounted = {mount.volume for mount in container.mounts}
    for volume in workload.volumes:
        if volume.kind != "host-path" or volume.name not in mounted:
            continue
        if _DEVICE.fullmatch(volume.path):
            vendor = _DEVICE_VENDORS.get(volume.path[:8], "")
            place = _place(workload, container, volume.route)
            yield GpuClaim(container, place, f"{volume.path} of the node", vendor)


def _vendor(found: re.Match[str]) -> str:
    return next((group for group in found.groups() if group), "")


def _place(workload: Workload, container: Container, route: Route) -> Place:
    return Place(workload.resource.key, route, container=container.name)
