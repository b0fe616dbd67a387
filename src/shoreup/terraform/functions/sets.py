"""Operations on sets. A union may hold unknown items; the others need to know every item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

from shoreup.model.value import Value
from shoreup.terraform.functions.conversion import as_set, unify
from shoreup.terraform.functions.kinds import Refused, TerraformSet, equal, first_unknown, make_set
from shoreup.terraform.functions.signature import Function, Parameter

MAX_PRODUCT = 1_000_000


def union(*sets: list[Value]) -> Value:
    return make_set([item for items in _one_type(sets) for item in items])


def intersection(*sets: list[Value]) -> Value:
    return _reduced(sets, lambda item, items: _has(items, item))


def subtract(*sets: list[Value]) -> Value:
    return _reduced(sets, lambda item, items: not _has(items, item))


def _reduced(sets: tuple[list[Value], ...], keep: Callable[[Value, list[Value]], bool]) -> Value:
    if (unknown := first_unknown([*sets])) is not None:
        return unknown
    left, *others = _one_type(sets)
    for items in others:
        left = [item for item in left if keep(item, items)]
    return make_set(left)


def _has(items: list[Value], item: Value) -> bool:
    if isinstance(item, str):
        return item in items
    return any(equal(item, other) for other in items)


def _one_type(sets: tuple[list[Value], ...]) -> list[list[Value]]:
    try:
        together = iter(unify([item for items in sets for item in items]))
    except Refused:
        raise Refused("given sets must all have compatible element types") from None
    return [[next(together) for _ in items] for items in sets]


def setproduct(*lists: Value) -> Value:
    if len(lists) < 2:
        raise Refused("at least two arguments are required")
    columns: list[list[Value]] = []
    size = 1
    for position, items in enumerate(lists):
        if not isinstance(items, list):
            raise Refused("a set or a list is required", position)
        try:
            columns.append(unify(items))
        except Refused:
            raise Refused("all elements must be of the same type", position) from None
        size *= len(items)
    if size > MAX_PRODUCT:
        raise Refused("the product has too many elements")
    rows: list[Value] = [list(row) for row in product(*columns)]
    return make_set(rows) if any(isinstance(items, TerraformSet) for items in lists) else rows


_FIRST = Parameter("first_set", as_set)
_OTHERS = Parameter("other_sets", as_set)

FUNCTIONS: Mapping[str, Function] = {
    "setintersection": Function(intersection, (_FIRST,), _OTHERS),
    "setproduct": Function(setproduct, rest=Parameter("sets")),
    "setsubtract": Function(subtract, (Parameter("a", as_set), Parameter("b", as_set))),
    "setunion": Function(union, (_FIRST,), _OTHERS),
}
