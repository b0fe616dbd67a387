"""Documents about bringing the estate back, and how old they are beside the estate that they describe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct

from shoreup.facts.estate import Database, Estate
from shoreup.model.finding import Place
from shoreup.model.location import Span
from shoreup.sources.repository import Role

OLD = timedelta(days=366)
"""How long a plan may rest while the estate goes on."""


class Plan(Struct, frozen=True, eq=False):
    """A document about recovery. ``changed`` is the day of its last commit, ``None`` where git does not tell."""

    path: str
    place: Place
    text: str
    changed: date | None


def plans(estate: Estate) -> Iterator[Plan]:
    """Every document about recovery."""
    for file in estate.repository:
        if file.role is Role.RECOVERY_PLAN:
            start = len(
                "".join(file.text.splitlines(keepends=True)[: file.line - 1]).encode("utf-8", "surrogateescape")
            )
            place = Place(span=Span(file.path, start, start))
            yield Plan(file.path, place, file.text, estate.last_changes.get(file.path))


def newest(found: tuple[Plan, ...]) -> Plan | None:
    """The plan that was changed last; ``None`` where git cannot date every one, as an undated one may be new."""
    if not found or any(plan.changed is None for plan in found):
        return None
    return max(found, key=lambda plan: plan.changed or date.min)


def unnamed(found: tuple[Plan, ...], databases: tuple[Database, ...]) -> tuple[Database, ...]:
    """The databases that no plan names."""
    told = "\n".join(plan.text for plan in found).lower()
    return tuple(one for one in databases if one.name.lower() not in told)
