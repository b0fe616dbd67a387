"""Ports that one object names and the other does not have: routes and Services, Services and containers, probes.

A container may listen on a port that it does not declare, so a number that is not declared proves little by itself. A
name that is not declared is an error for certain, for Kubernetes can only look it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Service, Workload
from shoreup.facts.fields import items, known_text, mapping, number, text, why_open
from shoreup.facts.naming import named
from shoreup.facts.products import Product
from shoreup.model.finding import Confidence, Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, unknowns

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_HANDLERS = ("httpGet", "tcpSocket", "grpc")
_PODS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Rollout"})


class Mismatch(Struct, frozen=True, eq=False):
    """A port that is not there. ``who`` asks for ``wanted``; ``there`` says which ports there are.

    ``undecided`` says why it is not certain.
    """

    place: Place
    who: str
    wanted: str
    there: str
    field: str
    effect: str
    other: Place
    confidence: Confidence = Confidence.CERTAIN
    undecided: str = ""


def mismatches(estate: Estate) -> Iterator[Mismatch]:
    """Every port of the estate that leads nowhere."""
    for service in estate.services:
        yield from _of_service(service)
    for workload in estate.workloads:
        if workload.kind in _PODS and not workload.partial:
            for container in workload.containers:
                yield from _of_probes(workload, container, estate)
    by_name: dict[tuple[str, str], list[Service]] = {}
    for service in estate.services:
        by_name.setdefault((service.namespace, service.name), []).append(service)
    for way in _backends(estate):
        yield from _of_backend(way, by_name)


def _declared(containers: Sequence[Container]) -> str:
    shown = [
        f"{port.name} ({port.number})" if port.name else str(port.number)
        for container in containers
        for port in container.ports
    ]
    return ", ".join(shown) if shown else "none"


def _open(containers: Sequence[Container]) -> bool:
    """Whether a port may be missing here because something is not decided."""
    return any(_has_unknown(container.body.get("ports")) or container.open for container in containers)


# ---------------------------------------------------------------------------------------------- Services


def _of_service(service: Service) -> Iterator[Mismatch]:
    running = [workload for workload in service.workloads if workload.kind in _PODS and not workload.partial]
    if not running or len(running) != len(service.workloads) or not running[0].containers:
        return
    containers = [container for workload in running for container in workload.containers]
    if _open(containers):
        named_targets = [
            at for at, one in enumerate(service.target_ports) if isinstance(one, str) and number(one) is None
        ]
        if named_targets and not all(known_text(one) for one in service.target_ports):
            return
        for at in named_targets:
            yield Mismatch(
                place=Place(service.resource.key, ("spec", "ports", at, "targetPort")),
                who=named(service.resource),
                wanted="target port",
                there="",
                field="targetPort",
                effect="",
                other=Place(),
                undecided="the ports of its containers are not decided",
            )
        return
    names = {port.name for container in containers for port in container.ports}
    for index, target in enumerate(service.target_ports):
        name = known_text(target)
        if not name or number(target) is not None or name in names or "$" in name or not isinstance(target, str):
            continue
        route: Route = ("spec", "ports", index, "targetPort")
        yield Mismatch(
            place=Place(service.resource.key, route),
            who=named(service.resource),
            wanted=f"the port {name} of its pods",
            there=f"{named(running[0].resource)} declares {_declared(running[0].containers)}",
            field=f"targetPort {name}",
            effect="the Service has no address for that port, and every connection to it fails",
            other=Place(running[0].resource.key, (*running[0].containers[0].route, "ports")),
        )


# ------------------------------------------------------------------------------------------------ probes


def _of_probes(workload: Workload, container: Container, estate: Estate) -> Iterator[Mismatch]:
    if _open((container,)):
        return
    numbers = {port.number for port in container.ports if port.protocol == "TCP"}
    names = {port.name for port in container.ports}
    asked = {field: _handler(container, field) for field in _PROBES}
    for field, (kind, handler) in asked.items():
        port = handler.get("port")
        if not kind or why_open(port) or (kind == "httpGet" and handler.get("host")):
            continue
        place = Place(workload.resource.key, (*container.route, field, kind, "port"), container=container.name)
        who = f"the {field} of {named(workload.resource, container.name)}"
        there = f"the container declares {_declared((container,))}"
        ports = Place(workload.resource.key, (*container.route, "ports"), container=container.name)
        effect = _EFFECTS[field]
        wanted = number(port)
        name = known_text(port)
        if wanted is None:
            if name and name not in names:
                yield Mismatch(
                    place=place,
                    who=who,
                    wanted=f"the port {name}",
                    there=there,
                    field=f"{field} port",
                    effect=effect,
                    other=ports,
                )
        elif numbers and wanted not in numbers and not _spoken_of(container, wanted, field):
            others = [
                other
                for key, (other_kind, other) in asked.items()
                if key != field and other_kind == kind and other.get("path") == handler.get("path")
            ]
            product = estate.products.get(container.image.product)
            usual = set(product.ports) if product is not None and _asks_there(product, kind, wanted) else set()
            right = any(number(other.get("port")) in numbers or text(other.get("port")) in names for other in others)
            if right or (usual & numbers and wanted not in usual and len(usual) == 1):
                yield Mismatch(
                    place=place,
                    who=who,
                    wanted=f"port {wanted}",
                    there=there,
                    field=f"{field} port",
                    effect=effect,
                    other=ports,
                    confidence=Confidence.LIKELY,
                )


def _asks_there(product: Product, kind: str, wanted: int) -> bool:
    """Whether the probe asks what the product answers on its own port; many answer for their health on another."""
    own = product.probe.get("port")
    return wanted != own and (
        kind == "tcpSocket" or ("http" in product.probe and (own is None or own in product.ports))
    )


_EFFECTS = {
    "readinessProbe": "the pod never becomes ready and gets no traffic",
    "livenessProbe": "the container is restarted over and over",
    "startupProbe": "the container is restarted over and over",
}


def _handler(container: Container, field: str) -> tuple[str, Mapping[str, Value]]:
    probe = mapping(container.body.get(field))
    for kind in _HANDLERS:
        held = mapping(probe.get(kind))
        if held:
            return kind, held
    return "", {}


def _spoken_of(container: Container, wanted: int, field: str) -> bool:
    """Whether the container's own settings speak of the port, which it then listens on without declaring it."""
    rest = [value for key, value in container.body.items() if key not in (*_PROBES, "ports")]
    return str(wanted) in "\n".join(_texts(rest)) or _has_unknown(rest)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield text(value)


# ------------------------------------------------------------------------------------------------ routes


class _Backend(Struct, frozen=True, eq=False):
    resource: Resource
    namespace: str
    service: str
    port: Value
    place: Place


def _backends(estate: Estate) -> Iterator[_Backend]:
    for resource in estate.by_kind.get("Ingress", ()):
        if resource.api_version == "networking.k8s.io/v1":
            yield from _of_ingress(resource)
    for resource in estate.by_kind.get("IngressRoute", ()):
        for index, route in enumerate(map(mapping, items(mapping(resource.body.get("spec")).get("routes")))):
            for position, service in enumerate(map(mapping, items(route.get("services")))):
                if text(service.get("kind")) in ("", "Service"):
                    at: Route = ("spec", "routes", index, "services", position)
                    yield _backend(resource, service.get("name"), service.get("port"), at, service.get("namespace"))
    for kind in ("HTTPRoute", "GRPCRoute"):
        for resource in estate.by_kind.get(kind, ()):
            for index, rule in enumerate(map(mapping, items(mapping(resource.body.get("spec")).get("rules")))):
                for position, one in enumerate(map(mapping, items(rule.get("backendRefs")))):
                    if text(one.get("kind")) in ("", "Service") and text(one.get("group")) == "":
                        at = ("spec", "rules", index, "backendRefs", position)
                        yield _backend(resource, one.get("name"), one.get("port"), at, one.get("namespace"))


def _of_ingress(resource: Resource) -> Iterator[_Backend]:
    spec = mapping(resource.body.get("spec"))
    held: list[tuple[Value, Route]] = [(spec.get("defaultBackend"), ("spec", "defaultBackend"))]
    for index, rule in enumerate(map(mapping, items(spec.get("rules")))):
        for position, path in enumerate(map(mapping, items(mapping(rule.get("http")).get("paths")))):
            held.append((path.get("backend"), ("spec", "rules", index, "http", "paths", position, "backend")))
    for backend, at in held:
        service = mapping(mapping(backend).get("service"))
        port = mapping(service.get("port"))
        if service:
            wanted = port.get("number") if port.get("number") is not None else port.get("name")
            yield _backend(resource, service.get("name"), wanted, (*at, "service", "port"), None)


def _backend(resource: Resource, name: Value, port: Value, at: Route, namespace: Value) -> _Backend:
    where = text(namespace) or resource.namespace or "default"
    return _Backend(resource, where, known_text(name), port, Place(resource.key, at))


def _of_backend(way: _Backend, by_name: Mapping[tuple[str, str], Sequence[Service]]) -> Iterator[Mismatch]:
    services = by_name.get((way.namespace, way.service), ())
    wanted, name = number(way.port), known_text(way.port)
    if not services or not name or why_open(way.port) or "$" in name:
        return
    for service in services:
        spec = mapping(service.resource.body.get("spec"))
        if text(spec.get("type")) == "ExternalName" or _has_unknown(spec.get("ports")) or why_open(spec.get("ports")):
            return
        if any((wanted is not None and port.number == wanted) or port.name == name for port in service.ports):
            return
    there = ", ".join(f"{port.name} ({port.number})" if port.name else str(port.number) for port in services[0].ports)
    yield Mismatch(
        place=way.place,
        who=named(way.resource),
        wanted=f"port {name} of Service {way.namespace}/{way.service}",
        there=f"the Service has {there or 'none'}",
        field=f"port of {way.service}",
        effect="the proxy finds no such port and answers with an error",
        other=Place(services[0].resource.key, ("spec", "ports")),
    )


def _has_unknown(value: Value) -> bool:
    return any(True for _ in unknowns(value))
