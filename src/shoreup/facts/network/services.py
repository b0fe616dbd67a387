"""Services and the workloads that answer for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from shoreup.facts.estate import Container, Port, Service, Workload
from shoreup.facts.fields import items, known_text, mapping, number, text
from shoreup.facts.products import Products
from shoreup.facts.selection import matches_labels
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_PORT_NAME = re.compile(r"(?:^|_)PORT$")


class Labelled:
    """Workloads found by their labels, the ones applied together with the asker first."""

    def __init__(self, workloads: Iterable[Workload]) -> None:
        self._by_label: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
        for workload in workloads:
            for key, value in workload.labels.items():
                self._by_label[(workload.namespace, key, known_text(value))].append(workload)

    def find(self, resource: Resource, selector: Mapping[str, Value]) -> tuple[Workload, ...]:
        """The workloads that a Service's selector certainly matches. An empty selector matches none."""
        if not selector:
            return ()
        namespace = resource.namespace or "default"
        smallest = min(
            (self._by_label.get((namespace, key, known_text(value)), []) for key, value in selector.items()), key=len
        )
        found = [workload for workload in smallest if matches_labels(selector, workload.labels) is True]
        together = [workload for workload in found if workload.resource.root == resource.root]
        return tuple(together or found)


def read_services(resources: Iterable[Resource], workloads: Sequence[Workload]) -> tuple[Service, ...]:
    """Every Service with what it leads to."""
    labelled = Labelled(workloads)
    found: list[Service] = []
    for resource in resources:
        if resource.api_version != "v1":
            continue
        spec = mapping(resource.body.get("spec"))
        ports = [mapping(port) for port in items(spec.get("ports"))]
        found.append(
            Service(
                resource=resource,
                namespace=resource.namespace or "default",
                name=resource.name,
                ports=tuple(
                    Port(text(port.get("name")), number(port.get("port")), text(port.get("protocol")) or "TCP")
                    for port in ports
                ),
                target_ports=tuple(port.get("targetPort", port.get("port")) for port in ports),
                workloads=labelled.find(resource, mapping(spec.get("selector"))),
            )
        )
    return tuple(found)


def targets(service: Service, workload: Workload, products: Products | None = None) -> tuple[Container, ...]:
    """The containers of a workload that certainly receive the service's traffic.

    A port that no container declares goes to the only container that runs on, where there is only one; else to the only
    one that is told that port, or, with ``products``, whose product listens there.
    """
    staying = [container for container in workload.containers if not container.init or container.sidecar]
    found: list[Container] = []
    for target in service.target_ports:
        wanted = number(target)
        name = known_text(target) if wanted is None else ""
        declared = [
            container
            for container in staying
            if any(
                (wanted is not None and port.number == wanted) or (name and port.name == name)
                for port in container.ports
            )
        ]
        main = [container for container in staying if not container.sidecar]
        if not declared and len(main) == 1 and len(staying) == 1:
            declared = main
        elif not declared and wanted is not None:
            declared = _listening(staying, wanted, products)
        found.extend(container for container in declared if container not in found)
    return tuple(found)


def _listening(staying: Sequence[Container], port: int, products: Products | None) -> list[Container]:
    """The one container that listens on a port which none declares; none where several may."""
    told = [container for container in staying if _is_told(container, port)]
    if not told and products is not None:
        known = [(container, products.get(container.image.product)) for container in staying]
        told = [container for container, product in known if product is not None and port in product.ports]
    return told if len(told) == 1 else []


def _is_told(container: Container, port: int) -> bool:
    written = re.compile(rf"(?<![\d.]){port}(?![\d.])")
    if any(written.search(known_text(word)) for word in container.command):
        return True
    return any(_PORT_NAME.search(name) and number(value) == port for name, value in container.env.items())
