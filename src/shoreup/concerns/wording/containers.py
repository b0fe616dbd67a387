"""What the concerns about single containers share: where a container stands, and how it is called."""

from __future__ import annotations

from shoreup.facts.estate import Container, Workload
from shoreup.facts.fields import mapping
from shoreup.facts.naming import named
from shoreup.model.finding import Place
from shoreup.model.location import Route

RESTARTS = "the pod template changes, so the pods restart"


def place_of(workload: Workload, container: Container, *steps: str) -> Place:
    """A field of the container, or the container itself; the nearest block where the field is missing."""
    route: Route = container.route
    body = container.body
    for step in steps:
        if step not in body:
            break
        route = (*route, step)
        body = mapping(body.get(step))
    return Place(workload.resource.key, route, container=container.name)


def called(workload: Workload, container: Container) -> str:
    """How the container is called in a sentence."""
    return named(workload.resource, container.name)
