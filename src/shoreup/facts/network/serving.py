"""Which containers serve: something reaches them over a port, so being up is not being ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.databases.servers import ENGINES
from shoreup.facts.estate import Container, Estate, Service, Workload
from shoreup.facts.fields import why_open
from shoreup.facts.network.services import targets
from shoreup.facts.products import Product
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place

_DEPENDED_ON = ENGINES | {"ingress", "auth", "gate"}
_METRICS = "metrics"
_EXPORTERS = frozenset({"exporter"})


class Serving(Struct, frozen=True, eq=False):
    """A container that serves. ``services`` lead to it; ``product`` is what it runs, if that is known."""

    workload: Workload
    container: Container
    services: tuple[Service, ...]
    product: Product | None

    @property
    def depended_on(self) -> bool:
        """Whether it is a kind of product that others stand behind."""
        return self.product is not None and self.product.kind in _DEPENDED_ON

    @property
    def port(self) -> int | str | None:
        """The port that traffic comes to, by number or name, when the estate says it."""
        for service in self.services:
            for target in service.target_ports:
                if isinstance(target, (int, str)) and not isinstance(target, bool):
                    return target
        return next((port.name or port.number for port in self.container.ports if port.protocol == "TCP"), None)


def serving(estate: Estate) -> Iterator[Serving]:
    """Every container of a running workload that certainly serves.

    Not those of agents on every node to which no Service leads, of jobs, of workloads that are switched off or only
    partly known, init containers, and those whose only
    ports
    are for metrics. A sidecar that Kubernetes starts as an init container counts when a Service leads to it.
    """
    leading = _leading(estate)
    for workload in estate.workloads:
        if workload.kind not in LONG_RUNNING or workload.partial or not workload.enabled or _ends(workload):
            continue
        for container in workload.containers:
            if container.init and not container.sidecar:
                continue
            services = leading.get((id(workload), container.route), ())
            product = estate.products.get(container.image.product)
            if product is not None and product.kind in _EXPORTERS:
                continue
            if services or (workload.kind != "DaemonSet" and _has_ports(container) and not container.sidecar):
                yield Serving(workload, container, services, product)


def serving_at(estate: Estate, place: Place) -> Serving | None:
    """The container that a finding about one that serves is about."""
    return estate.once(_by_place).get((place.resource, place.container))


def _by_place(estate: Estate) -> Mapping[tuple[int, str], Serving]:
    return {(one.workload.resource.key, one.container.name): one for one in serving(estate)}


def _ends(workload: Workload) -> bool:
    return workload.kind == "Pod" and workload.pod.get("restartPolicy") in ("Never", "OnFailure")


def _has_ports(container: Container) -> bool:
    if why_open(container.body.get("ports")):
        return False
    return any(_METRICS not in port.name for port in container.ports)


def _leading(estate: Estate) -> Mapping[tuple[int, tuple[str | int, ...]], tuple[Service, ...]]:
    found: dict[tuple[int, tuple[str | int, ...]], list[Service]] = defaultdict(list)
    for service in estate.services:
        if service.ports and all(_METRICS in port.name for port in service.ports):
            continue
        for workload in service.workloads:
            for container in targets(service, workload, estate.products):
                found[(id(workload), container.route)].append(service)
    return {key: tuple(services) for key, services in found.items()}
