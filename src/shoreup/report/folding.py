"""Many findings, few lines: what is the same trouble is said once, with a count.

A module called three times gives three findings at one place, and a platform that never heard of budgets
gives sixty of one kind. The account keeps every one; only the eye is spared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shoreup.model.finding import Category, Finding, Severity

FIRST = 10
"""How many kinds of trouble are named before all others."""
MANY = 3
"""More places than this with the same concern fold to one line."""


class Spot(Struct, frozen=True):
    """The findings of one concern at one place, best rank first."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]


class Kind(Struct, frozen=True):
    """The findings of one concern, by place, best rank first."""

    concern: str
    spots: tuple[Spot, ...]

    @property
    def first(self) -> Finding:
        return self.spots[0].first

    @property
    def count(self) -> int:
        return sum(len(spot.findings) for spot in self.spots)

    @property
    def severity(self) -> Severity:
        """The worst among them."""
        return min((one.severity for spot in self.spots for one in spot.findings), key=lambda one: one.order)

    @property
    def files(self) -> int:
        return len({spot.first.file for spot in self.spots})


class Group(Struct, frozen=True):
    """The kinds of trouble of one category, best rank first."""

    category: Category
    kinds: tuple[Kind, ...]


def kinds(findings: Iterable[Finding]) -> tuple[Kind, ...]:
    """Findings by concern and place, in order of the best rank."""
    by_concern: dict[str, dict[tuple[str, int, int], list[Finding]]] = {}
    for one in sorted(findings, key=lambda one: one.rank):
        by_concern.setdefault(one.concern, {}).setdefault((one.file, one.line, one.column), []).append(one)
    return tuple(
        Kind(concern, tuple(Spot(tuple(found)) for found in places.values())) for concern, places in by_concern.items()
    )


def urgent(folded: Sequence[Kind]) -> tuple[Kind, ...]:
    """What comes before all else, in order of rank.

    Whatever is critical has a place there, so that ten lesser losses of data do not hide an open door. Small things
    come only where there is nothing but small things.
    """
    serious = [kind for kind in folded if kind.first.severity is not Severity.LOW] or list(folded)
    chosen = sorted(serious, key=lambda kind: kind.severity is not Severity.CRITICAL)[:FIRST]
    return tuple(kind for kind in serious if kind in chosen)


def groups(folded: Iterable[Kind]) -> tuple[Group, ...]:
    """Kinds by category, in order of the best rank."""
    by_category: dict[Category, list[Kind]] = {}
    for kind in folded:
        by_category.setdefault(kind.first.category, []).append(kind)
    return tuple(Group(category, tuple(members)) for category, members in by_category.items())


def severity_counts(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity, worst first, none left out."""
    counts = dict.fromkeys(Severity, 0)
    for one in findings:
        counts[one.severity] += 1
    return counts
