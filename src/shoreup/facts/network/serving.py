"""Which containers serve: something reaches them over a port, so being up is not being ready.

Being asked for metrics is not serving: nobody waits for the answer, and what is lost is a sample.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.databases.servers import ENGINES
from shoreup.facts.estate import Container, Estate, Service, Workload
from shoreup.facts.fields import known_text, mapping, number, why_open
from shoreup.facts.network.services import targets
from shoreup.facts.products import Product
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place

_Key: TypeAlias = tuple[int, tuple[str | int, ...]]
_DEPENDED_ON = ENGINES | {"ingress", "auth", "gate"}
_METRICS = re.compile(r"metric|prom(?:etheus)?(?![a-z])|exporter|monitoring", re.IGNORECASE)
_SCRAPED = "prometheus.io/port"
_EXPORTERS = frozenset({"exporter"})
_EXPORTER_NAME = re.compile(r"(?:^|[-_/])exporters?(?:$|[-_/])")
_MAIN = ("app", "main")


class Serving(Struct, frozen=True, eq=False):
    """A container that serves. ``services`` lead to it; ``product`` is what it runs, if that is known.

    ``beside`` says that the pod is there for another container of it, to which Services lead; one that only listens may
    be what that one hands its work to.
    """

    workload: Workload
    container: Container
    services: tuple[Service, ...]
    product: Product | None
    beside: bool = False

    @property
    def depended_on(self) -> bool:
        """Whether it is a kind of product that others stand behind."""
        return self.product is not None and self.product.kind in _DEPENDED_ON

    @property
    def port(self) -> int | str | None:
        """The port that traffic comes to, by number or name, when the estate says it."""
        own = {one for port in self.container.ports for one in (port.name, port.number) if one}
        others = {
            one
            for container in self.workload.containers
            if container is not self.container
            for port in container.ports
            for one in (port.name, port.number)
        }
        led = [target for service in self.services for target in service.target_ports]
        found = [target for target in led if isinstance(target, (int, str)) and not isinstance(target, bool)]
        said = [*(one for one in found if one in own), *(one for one in found if one not in others)]
        declared = (port.name or port.number for port in self.container.ports if port.protocol == "TCP")
        return next(iter((*said, *declared)), None)


def serving(estate: Estate) -> Iterator[Serving]:
    """Every container of a running workload that certainly serves.

    Not those of agents on every node to which no Service leads, of jobs, of workloads that are switched off or only
    partly known, init containers, exporters and whatever else is asked for metrics alone, and those that answer to
    their own pod only. A sidecar that Kubernetes starts as an init container counts when a Service leads to it.
    """
    leading = _leading(estate)
    for workload in estate.workloads:
        if workload.kind not in LONG_RUNNING or workload.partial or not workload.enabled or _ends(workload):
            continue
        found = [one for container in workload.containers if (one := _served(estate, leading, workload, container))]
        main = _main(workload, [one for one in found if one.services])
        for one in found:
            yield one if main is None or one is main else replace(one, beside=True)


def _served(
    estate: Estate, leading: Mapping[_Key, tuple[Service, ...]], workload: Workload, container: Container
) -> Serving | None:
    if container.init and not container.sidecar:
        return None
    product = estate.products.get(container.image.product)
    if product is not None and product.kind in _EXPORTERS:
        return None
    services = leading.get((id(workload), container.route), ())
    if not services and (workload.kind == "DaemonSet" or not _has_ports(container) or container.sidecar):
        return None
    if _EXPORTER_NAME.search(container.name) or _EXPORTER_NAME.search(container.image.repository):
        return None
    return Serving(workload, container, services, product)


def _main(workload: Workload, reached: Sequence[Serving]) -> Serving | None:
    """The container that a pod is there for, of several to which Services lead: called like it, or else the first."""
    called = [one for one in reached if one.container.name in (workload.name, *_MAIN)]
    return next(iter([*called, *reached]), None)


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
    return any(not _METRICS.search(port.name) for port in container.ports)


def _leading(estate: Estate) -> Mapping[_Key, tuple[Service, ...]]:
    found: dict[_Key, list[Service]] = defaultdict(list)
    for service in estate.services:
        for workload in service.workloads:
            used = _used(service, workload)
            for container in targets(used, workload, estate.products) if used.target_ports else ():
                found[(id(workload), container.route)].append(used)
    return {key: tuple(services) for key, services in found.items()}


def _used(service: Service, workload: Workload) -> Service:
    """The Service without the ports on which only metrics are asked for."""
    if len(service.ports) != len(service.target_ports):
        return service
    annotations = mapping(mapping(service.resource.body.get("metadata")).get("annotations"))
    scraped = number(annotations.get(_SCRAPED)) if len(service.ports) > 1 else None
    scrapes = {
        port.number
        for container in workload.containers
        for port in container.ports
        if port.number is not None and _METRICS.search(port.name)
    }
    kept = [
        (port, target)
        for port, target in zip(service.ports, service.target_ports, strict=True)
        if not _METRICS.search(port.name)
        and not _METRICS.search(known_text(target))
        and (number(target) is None or number(target) not in scrapes | {scraped})
    ]
    if len(kept) == len(service.ports):
        return service
    return replace(service, ports=tuple(port for port, _ in kept), target_ports=tuple(target for _, target in kept))
