"""What a fix does to what runs: by the fields that change, and by who reads the ConfigMaps and Secrets among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.wiring.config_uptake import uptake
from shoreup.model.edit import Become, Edit, FieldEdit, Impact
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.stages.fixing.impact import impact


class Effect(Struct, frozen=True):
    """``impact`` is the worst of all. ``because`` says what makes it so where the changed fields alone would not.

    ``note`` says what the owner should do or know besides.
    """

    impact: Impact
    because: str = ""
    note: str = ""


def effect(estate: Estate, resources: Sequence[Resource], edits: Sequence[Edit]) -> Effect:
    """The effect of all edits of one fix. ``resources`` are those of the reading, by their keys."""
    routes: dict[int, list[Route]] = {}
    for edit in edits:
        for key, route in _touched(edit):
            routes.setdefault(key, []).append(route)
    every = [_of_one(estate, resources[key], some) for key, some in routes.items()]
    worst = max(every, key=lambda one: one.impact.order, default=Effect(Impact.NONE))
    notes = dict.fromkeys(one.note for one in every if one.note) if worst.impact.order < Impact.RESTART.order else ()
    return Effect(worst.impact, worst.because, "; ".join(notes))


def _touched(edit: Edit) -> Iterator[tuple[int, Route]]:
    if isinstance(edit, Become):
        yield edit.resource, ()
    elif isinstance(edit, FieldEdit):
        yield edit.resource, edit.route


def _of_one(estate: Estate, resource: Resource, routes: Sequence[Route]) -> Effect:
    held = resource.kind in ("ConfigMap", "Secret") and resource.api_version == "v1"
    if not held or any(not route for route in routes):
        return Effect(impact(resource, routes))
    if all(route[:1] == ("metadata",) for route in routes):
        return Effect(Impact.NONE)
    taken = uptake(estate, resource, {str(route[1]) for route in routes if len(route) > 1})
    note = f"{'; '.join(taken.late)}, and knows of the change when it starts next" if taken.late else ""
    if taken.anew:
        return Effect(Impact.REPLACE, taken.anew, note)
    if taken.restarted:
        return Effect(Impact.RESTART, taken.restarted, note)
    return Effect(Impact.RELOAD if taken.follows else Impact.NONE, "", note)
