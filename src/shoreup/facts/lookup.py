"""From the place of a finding back to the facts that stand there, for the edits that cure it."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.model.finding import Place


def workload_at(estate: Estate, place: Place) -> Workload | None:
    """The workload whose resource the place is in."""
    found = estate.once(_workloads).get(place.resource, ())
    inside = next((one for one in found if place.route[: len(one.pod_route)] == one.pod_route), None)
    return inside or next(iter(found), None)


def container_at(estate: Estate, place: Place) -> tuple[Workload, Container] | None:
    """The container that the place is in, by its route or else by its name, with its workload."""
    for workload in estate.once(_workloads).get(place.resource, ()):
        for container in workload.containers:
            if place.route[: len(container.route)] == container.route:
                return workload, container
        for container in workload.containers:
            if place.container and container.name == place.container:
                return workload, container
    return None


def _workloads(estate: Estate) -> Mapping[int, tuple[Workload, ...]]:
    found: dict[int, tuple[Workload, ...]] = {}
    for one in estate.workloads:
        found[one.resource.key] = (*found.get(one.resource.key, ()), one)
    return found
