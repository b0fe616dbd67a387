"""Objects of operators that make pods with a graphics card, and the one node that such an object names.

Which field says what is data, dated and with a source (``data/accelerator_objects.json``). An object counts where the
estate holds it together with the model that it serves, and the model certainly asks for a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import filled, known_text, mapping, number, truth
from shoreup.facts.knowledge import table
from shoreup.facts.scheduling.placement import HOSTNAME, Pin
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at


class _Served(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of object that an operator makes pods for. ``reference`` names an object of the kind ``model`` in the same
    namespace and group, of which ``enabled`` says that it takes a card; with an ``accelerator`` that is ``outside`` it
    runs on no node of the cluster.
    """

    kind: str
    group: str
    selector: tuple[str, ...]
    replicas: tuple[str, ...]
    reference: tuple[str, ...]
    model: str
    enabled: tuple[str, ...]
    accelerator: tuple[str, ...]
    outside: tuple[str, ...]
    source: str
    checked: str


class OperatedPin(Struct, frozen=True, eq=False):
    """An object whose pods take a graphics card on one named node. ``claim`` is where the card is asked for."""

    resource: Resource
    pin: Pin
    claim: Place


@cache
def _bundled() -> tuple[_Served, ...]:
    return table("accelerator_objects", tuple[_Served, ...])


def operated_pins(estate: Estate) -> Iterator[OperatedPin]:
    """Every object of an operator whose pods take a card and may run on one named node alone."""
    for served in _bundled():
        models = {
            (model.namespace or "default", model.name): model
            for model in estate.by_kind.get(served.model, ())
            if _of(model, served)
        }
        for resource in estate.by_kind.get(served.kind, ()):
            host = mapping(_get(resource, served.selector)).get(HOSTNAME)
            if not _of(resource, served) or host is None or number(_get(resource, served.replicas)) == 0:
                continue
            reference = known_text(_get(resource, served.reference))
            model = models.get((resource.namespace or "default", reference))
            if model is not None and _takes_card(model, served):
                route: Route = (*served.selector, HOSTNAME)
                pin = Pin(filled(host), Place(resource.key, route))
                yield OperatedPin(resource, pin, Place(model.key, served.enabled))


def _takes_card(model: Resource, served: _Served) -> bool:
    outside = known_text(_get(model, served.accelerator)) in served.outside
    return truth(_get(model, served.enabled)) is True and not outside


def _of(resource: Resource, served: _Served) -> bool:
    return resource.api_version.partition("/")[0] == served.group


def _get(resource: Resource, route: Route) -> Value:
    return at(dict(resource.body), *route)
