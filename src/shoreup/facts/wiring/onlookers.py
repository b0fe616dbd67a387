"""Programs that name others only to look at them or to link to them, so that nothing of theirs stops with those.

They are data (``data/onlookers.json``), each with its source and date.
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from shoreup.facts.knowledge import table


class _Onlooker(Struct, frozen=True, forbid_unknown_fields=True):
    """``charts`` install it, by their own names; ``products`` are ids of its images."""

    name: str
    source: str
    checked: str
    charts: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@cache
def _onlookers() -> tuple[_Onlooker, ...]:
    return table("onlookers", tuple[_Onlooker, ...])


@cache
def onlooking_charts() -> frozenset[str]:
    """The names of charts that install one."""
    return frozenset(chart for one in _onlookers() for chart in one.charts)


@cache
def onlooking_products() -> frozenset[str]:
    """The ids of products that are one."""
    return frozenset(product for one in _onlookers() for product in one.products)
