"""What the concerns about probes share: how a missing probe is said, and which probe would fit."""

from __future__ import annotations

from shoreup.facts.naming import named
from shoreup.facts.serving import Serving
from shoreup.model.finding import Fix, Place, Safety
from shoreup.model.location import Route

_REASON = "the pod template changes, so the pods restart once"


def container_place(serving: Serving) -> Place:
    """The container, where a probe that is missing should stand."""
    return Place(serving.workload.resource.key, serving.container.route, container=serving.container.name)


def probe_place(serving: Serving, field: str) -> Place:
    """The probe's own place."""
    route: Route = (*serving.container.route, field)
    return Place(serving.workload.resource.key, route, container=serving.container.name)


def subject(serving: Serving) -> str:
    """How the container is called."""
    return named(serving.workload.resource, serving.container.name)


def reached(serving: Serving) -> str:
    """By which way others reach it, as part of a sentence."""
    if serving.services:
        names = sorted({service.name for service in serving.services})
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        plural = "Services" if len(names) > 1 else "Service"
        return f"answers for the {plural} {', '.join(names[:2])}{more}"
    ports = ", ".join(str(port.number or port.name) for port in serving.container.ports[:3])
    return f"serves on port {ports}"


def fitting_probe(serving: Serving, kind: str) -> Fix:
    """The probe that fits the product, or the port that traffic comes to. ``kind`` is ``readiness`` or ``liveness``."""
    product = serving.product
    port = serving.port
    if product is not None and "exec" in product.probe:
        return Fix(f"Add a {kind} probe that runs {' '.join(product.probe['exec'])}", Safety.UNSAFE, _REASON)
    if product is not None and "http" in product.probe:
        declared = {entry.number for entry in serving.container.ports}
        usual = product.probe.get("port")
        asked = usual if usual in declared or port is None else port
        scheme = " over HTTPS" if "443" in str(asked) or "https" in str(asked) else ""
        title = f"Add a {kind} probe that asks {product.probe['http']} on port {asked}{scheme}"
        return Fix(title, Safety.UNSAFE, _REASON)
    if port is not None:
        return Fix(f"Add a {kind} probe on port {port}", Safety.UNSAFE, _REASON)
    return Fix(f"Add a {kind} probe", Safety.SHOWN, "which port or command tells that it works is not in the estate")
