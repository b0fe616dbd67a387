"""Which ingress controllers an estate runs, and the annotations that each of them reads.

An annotation is a promise that one controller alone keeps. Any other passes it over without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import filled, items, mapping
from shoreup.facts.knowledge import table
from shoreup.facts.naming import named
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Value

_DEEPEST = 12
_CLASS = "kubernetes.io/ingress.class"


class Controller(Struct, frozen=True, forbid_unknown_fields=True):
    """One controller: the prefix of its annotations, the ingress classes that are its own by habit, the charts and
    images that run it.
    """

    id: str
    name: str
    prefix: str
    classes: tuple[str, ...]
    charts: tuple[str, ...]
    images: tuple[str, ...]
    source: str
    checked: str


class IgnoredAnnotations(Struct, frozen=True, eq=False):
    """Annotations of a controller that the estate does not run, on one object. ``runs`` are those that it does.

    ``undecided`` says why it is not certain.
    """

    place: Place
    who: str
    controller: str
    names: tuple[str, ...]
    runs: tuple[str, ...]
    undecided: str = ""


@cache
def _bundled() -> tuple[Controller, ...]:
    return table("ingress_controllers", tuple[Controller, ...])


def running_controllers(estate: Estate) -> tuple[Controller, ...]:
    """The ingress controllers that the estate certainly runs."""
    return estate.once(_running)


def _running(estate: Estate) -> tuple[Controller, ...]:
    charts = {release.chart.rpartition("/")[2] for release in estate.releases}
    charts |= {resource.name for resource in estate.by_kind.get("HelmChartConfig", ())}
    images = {image.repository for image in estate.images}
    classes = {
        filled(mapping(resource.body.get("spec")).get("controller"))
        for resource in estate.by_kind.get("IngressClass", ())
    }
    found = []
    for controller in _bundled():
        by_image = any(image.endswith(known) for image in images for known in controller.images)
        if charts & set(controller.charts) or by_image or any(controller.id in declared for declared in classes):
            found.append(controller)
    return tuple(found)


def ignored_annotations(estate: Estate) -> Iterator[IgnoredAnnotations]:
    """Every object with annotations that no controller of the estate reads."""
    runs = running_controllers(estate)
    absent = [controller for controller in _bundled() if controller not in runs]
    for carried, chosen, place, who in _annotated(estate):
        for controller in absent:
            names = tuple(key for key in carried if key.startswith(controller.prefix))
            if names:
                why = _open(runs, chosen, carried)
                at = Place(place.resource, (*place.route, names[0]))
                yield IgnoredAnnotations(
                    place=at,
                    who=who,
                    controller=controller.name,
                    names=names,
                    runs=tuple(one.name for one in runs),
                    undecided=why,
                )


def _open(runs: Sequence[Controller], chosen: str, carried: Mapping[str, Value]) -> str:
    """Why the controller may read the annotations all the same, or another keep the same promise."""
    if not runs:
        return "which ingress controller the cluster runs is not in the estate"
    if chosen and not any(chosen in one.classes or one.id in chosen for one in runs):
        return f"no controller in the estate is known to serve the class {chosen}"
    if any(key.startswith(one.prefix) for one in runs for key in carried):
        return f"annotations of {runs[0].name} beside them may promise the same"
    return ""


def _annotated(estate: Estate) -> Iterator[tuple[Mapping[str, Value], str, Place, str]]:
    for resource in estate.by_kind.get("Ingress", ()):
        annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
        chosen = filled(mapping(resource.body.get("spec")).get("ingressClassName")) or filled(annotations.get(_CLASS))
        yield annotations, chosen, Place(resource.key, ("metadata", "annotations")), named(resource)
    derived = {resource.parent for resource in estate.by_kind.get("Ingress", ())}
    for release in estate.releases:
        if release.resource.key in derived:
            continue
        for route, ingress in _ingresses(release.values, release.values_route, 0):
            annotations = mapping(ingress.get("annotations"))
            chosen = filled(ingress.get("ingressClassName")) or filled(ingress.get("className"))
            chosen = chosen or filled(annotations.get(_CLASS))
            place = Place(release.resource.key, (*route, "annotations"))
            yield annotations, chosen, place, named(release.resource)


def _ingresses(
    value: Value | Mapping[str, Value], route: Route, depth: int
) -> Iterator[tuple[Route, Mapping[str, Value]]]:
    """Every ``ingress`` of a chart's values that is switched on."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner: Route = (*route, key)
            held = mapping(item) if key == "ingress" else {}
            if mapping(held.get("annotations")) and held.get("enabled") is not False:
                yield inner, held
            if isinstance(item, (dict, list)):
                yield from _ingresses(item, inner, depth + 1)
    else:
        for index, item in enumerate(items(value)):
            if isinstance(item, dict):
                yield from _ingresses(item, (*route, index), depth + 1)
