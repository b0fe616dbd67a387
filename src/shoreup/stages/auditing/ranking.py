"""Findings in the order in which to deal with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shoreup.concerns.base import Concern
from shoreup.model.finding import Confidence, Draft, Finding, Severity
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
    placed: list[tuple[Draft, Location]] = []
    for draft in drafts:
        location = places.location(draft.at)
        placed.append((draft, location or Location("", 0, 0, 0, 0)))
    placed.sort(key=lambda pair: _order(pair[0], pair[1], places))
    names = [places.name(draft.at) for draft, _ in placed]
    about = [
        location.file if name is None and not draft.whole_estate else ""
        for (draft, location), name in zip(placed, names, strict=True)
    ]
    first = places.first_names({file for file in about if file})
    marks = fingerprints(
        identity(draft, name, first.get(file, file))
        for (draft, _), name, file in zip(placed, names, about, strict=True)
    )
    findings = (
        Finding(
            rank=rank,
            concern=draft.concern,
            severity=draft.severity,
            confidence=draft.confidence,
            consequence_class=draft.consequence_class,
            category=kinds[draft.concern].category,
            section=kinds[draft.concern].section,
            subject=draft.subject,
            message=draft.message,
            consequence=draft.consequence,
            file=location.file,
            line=location.line,
            column=location.column,
            end_line=location.end_line,
            resource=name,
            related=places.related(draft),
            fingerprint=mark,
            fixes=draft.fixes,
            dependants=draft.dependants,
            strict=draft.strict,
        )
        for rank, ((draft, location), name, mark) in enumerate(zip(placed, names, marks, strict=True), 1)
    )
    return tuple(zip((draft for draft, _ in placed), findings, strict=True))


def _order(draft: Draft, location: Location, places: Places) -> tuple[object, ...]:
    name = places.name(draft.at)
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
