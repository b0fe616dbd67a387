"""The same place by both names: in the object, and in Terraform's blocks.

A concern finds trouble at ``spec.template.spec.containers[0].image`` of an object; the fix goes to
``spec[0].template[0].spec[0].container[0].image``. And ``lifecycle.ignore_changes`` is written the second way
while the facts speak the first. Both directions are read from the table alone; only where blocks are spread
over several items, or two fields stand for one, the resource's own attributes are needed to be exact.
"""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.provider.conversion import MANIFEST, spread_positions
from shoreup.sources.provider.table import Field, table


def terraform_route(resource_type: str, route: Route, attributes: Mapping[str, Value] | None = None) -> Route | None:
    """Where a field of the object is in Terraform's blocks; ``None`` if no field of the type makes it.

    A route to a single block ends with its index 0. Whether the field is there is not looked at: follow the
    result into the attributes to see. ``attributes`` may help: without them a ``projected`` volume's
    ``sources`` are taken to hold one block each, and a secret to have ``data`` rather than ``data_wo``.
    """
    if resource_type == MANIFEST:
        return ("manifest", *route)
    kind = table().kind(resource_type)
    if kind is None:
        return None
    shape, place, single, position = kind.shape, _value(attributes), 0, 0
    made: Route = ()
    while position < len(route):
        candidates = shape.by_kubernetes.get(str(route[position]))
        if candidates is None:
            return None
        path, found = next((each for each in candidates if at(place, *each[0]) is not None), candidates[0])
        place, made, position = at(place, *path), (*made, *path), position + 1
        if found.block is None:
            return _leaf(found, made, route[position:])
        shape = found.block
        if found.form == "object":
            index, single = single, 0
        elif position == len(route):
            return made
        else:
            step, position = route[position], position + 1
            if not isinstance(step, int):
                return None
            index = step
            if found.form == "spread":
                index, single = _spread_block(found, place, index)
        place, made = at(place, index), (*made, index)
    return made


def kubernetes_route(resource_type: str, route: Route, attributes: Mapping[str, Value] | None = None) -> Route | None:
    """Where something in Terraform's blocks is in the object; ``None`` if it is nowhere in there.

    The route to a block list and to its only block lead to the same place in the object. ``attributes`` as
    in :func:`terraform_route`.
    """
    if resource_type == MANIFEST:
        return route[1:] if route[:1] == ("manifest",) else None
    kind = table().kind(resource_type)
    if kind is None:
        return None
    shape, place, inside_spread, position = kind.shape, _value(attributes), False, 0
    made: Route = ()
    while position < len(route):
        found = shape.fields.get(str(route[position]))
        if found is None:
            return None
        place, position = at(place, found.terraform), position + 1
        made = (*made, found.kubernetes) if found.kubernetes else made
        if found.block is None:
            return _leaf(found, made, route[position:])
        if position == len(route):
            return made
        index = route[position]
        if not isinstance(index, int) or (index and found.form in ("object", "inline") and not inside_spread):
            return None
        if found.form == "blocks":
            made = (*made, index)
        elif found.form == "spread":
            made = (*made, _spread_item(found, place, route[position : position + 3]))
        shape, place, position, inside_spread = found.block, at(place, index), position + 1, found.form == "spread"
    return made


def _leaf(found: Field, made: Route, rest: Route) -> Route | None:
    """A route that ends in an attribute: nothing, an item or an entry may follow."""
    if not rest:
        return made
    wanted = {"list": int, "map": str}.get(found.form)
    return (*made, *rest) if wanted is not None and len(rest) == 1 and isinstance(rest[0], wanted) else None


def _spread_block(found: Field, blocks: Value, item: int) -> tuple[int, int]:
    """The block that became an item, and which of the blocks of one name inside of it."""
    for position, (index, _, inside) in enumerate(spread_positions(found, blocks)):
        if position == item:
            return index, inside
    return item, 0


def _spread_item(found: Field, blocks: Value, steps: Route) -> int:
    """The item that a block became; the first one where several did."""
    for position, each in enumerate(spread_positions(found, blocks)):
        if each[: len(steps)] == steps:
            return position
    return int(steps[0])


def _value(attributes: Mapping[str, Value] | None) -> Value:
    return None if attributes is None else dict(attributes)
