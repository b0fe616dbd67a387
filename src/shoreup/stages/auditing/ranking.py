"""Findings in the order in which to deal with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shoreup.concerns.base import Concern
from shoreup.model.finding import Confidence, Draft, Finding, ResourceName, Severity
from shoreup.model.location import Location
from shoreup.stages.auditing.places import Places, fingerprints, identity

_YIELDS = {Severity.CRITICAL: 0, Severity.HIGH: 0, Severity.MEDIUM: 3, Severity.LOW: 7}
"""In halves of a class."""


def ranked(
    drafts: Sequence[Draft], places: Places, concerns: Iterable[type[Concern]]
) -> tuple[tuple[Draft, Finding], ...]:
    """Each draft with the finding that it becomes, the worst first. ``concerns`` are those that were asked.

    Data loss comes before takeover, outage and hygiene; then severity, then how much depends on it, then certainty.
    What is medium gives way to what is grave in the next class, and what is low to two more: a door that stands open
    comes before a retention that could be better.
    """
    kinds = {kind.id: kind for kind in concerns}
    placed = [_Placed(draft, places.location(draft.at) or _NOWHERE, places.name(draft.at)) for draft in drafts]
    placed.sort(key=_order)
    first = places.first_names({one.about for one in placed if one.about})
    marks = fingerprints(identity(one.draft, one.name, first.get(one.about, one.about)) for one in placed)
    return tuple(
        (one.draft, _finding(rank, one, mark, kinds[one.draft.concern], places))
        for rank, (one, mark) in enumerate(zip(placed, marks, strict=True), 1)
    )


_NOWHERE = Location("", 0, 0, 0, 0)


class _Placed(Struct, frozen=True, eq=False):
    """A draft with its lines, and with the resource that it is about where that has a name."""

    draft: Draft
    location: Location
    name: ResourceName | None

    @property
    def about(self) -> str:
        """The file that stands for what a draft is about, where no resource does; empty for the whole estate."""
        return self.location.file if self.name is None and not self.draft.whole_estate else ""


def _finding(rank: int, placed: _Placed, mark: str, kind: type[Concern], places: Places) -> Finding:
    draft, location = placed.draft, placed.location
    return Finding(
        rank=rank,
        concern=draft.concern,
        severity=draft.severity,
        confidence=draft.confidence,
        consequence_class=draft.consequence_class,
        category=kind.category,
        section=kind.section,
        subject=draft.subject,
        message=draft.message,
        consequence=draft.consequence,
        file=location.file,
        line=location.line,
        column=location.column,
        end_line=location.end_line,
        resource=placed.name,
        related=places.related(draft),
        fingerprint=mark,
        fixes=draft.fixes,
        dependants=draft.dependants,
        strict=draft.strict,
    )


def _order(placed: _Placed) -> tuple[object, ...]:
    draft, location, name = placed.draft, placed.location, placed.name
    return (
        2 * draft.consequence_class.order + _YIELDS[draft.severity],
        draft.consequence_class.order,
        draft.severity.order,
        -draft.dependants,
        draft.confidence is not Confidence.CERTAIN,
        draft.concern,
        name.root if name else "",
        name.address if name else "",
        location.file,
        location.line,
        location.column,
        draft.field,
    )
