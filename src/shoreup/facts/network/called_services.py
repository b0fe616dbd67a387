"""Where workloads are told which Services to call: environment values and arguments of their own that name one."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import Estate, Service, Workload
from shoreup.facts.wiring.reading import wiring
from shoreup.model.finding import Place


def called_services(estate: Estate) -> Iterator[tuple[Workload, Service, Place]]:
    """Each workload with a Service that it calls and the place in itself that says so."""
    services = {service.resource.key: service for service in estate.services}
    workloads = {workload.resource.key: workload for workload in estate.workloads}
    for source, edges in wiring(estate).needs.items():
        workload = workloads.get(source.resource)
        for edge in edges if workload is not None else ():
            service = services.get(edge.target.resource)
            if workload and service and edge.how == "calls" and edge.place.resource == workload.resource.key:
                yield workload, service, edge.place
