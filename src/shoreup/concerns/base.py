"""What every concern is: an id, its place in the catalogue, and a check over facts.

A concern is one file in this folder whose name is the id with underscores. It is found by import; there is
no list of concerns anywhere. The class docstring is its page: What, Why, Example, Fix safety.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, TypeAlias

from shoreup.facts.estate import Estate
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import (
    Category,
    Confidence,
    Consequence,
    Doubt,
    Draft,
    Fix,
    Place,
    Safety,
    Section,
    Severity,
)
from shoreup.model.page import Source

Outcome: TypeAlias = Draft | Doubt


class Concern(ABC):
    """One kind of trouble."""

    id: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity]
    consequence_class: ClassVar[Consequence]
    category: ClassVar[Category]
    section: ClassVar[Section]
    sources: ClassVar[tuple[Source, ...]] = ()
    """Where what it takes for true can be read: whose behaviour it is, or which table says so."""
    estate_level: ClassVar[bool] = False
    """True for the concerns about proof (E in the catalogue)."""
    strict: ClassVar[bool] = False
    """True for concerns that only the strict persona sees: true, and seldom worth a change."""
    slow_facts: ClassVar[Literal["", "programs", "wiring"]] = ""
    """Which of the facts that take long it asks for; ``programs`` are backups too. In a large estate each of these is
    worked out in one of two processes, and who says so here is asked there. To forget it costs time, nothing else."""
    proposal: ClassVar[str | Mapping[Fix, str]] = ""
    """What a person completes and pastes where no edit is made, one text or one for each fix that is offered. What is
    theirs to say stands in angle brackets."""

    @abstractmethod
    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at the facts; give a draft for each trouble and a doubt for each question left open."""

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The edits that cure a finding of this concern, or why code makes none.

        ``estate`` is the one that ``draft`` was found in; its facts are found again by ``draft.at``. A value that the
        estate does not hold (a version, a digest, a size, a role) is taken from a recorded source among the facts or
        not at all.
        """
        return self.unrepaired(draft)

    def unrepaired(self, draft: Draft, reason: str = "", text: str = "") -> NoRepair:
        """No edits: ``reason``, or else what the finding itself offers. ``text`` is for a person to complete; without
        one it is the concern's :attr:`proposal`.
        """
        if not reason:
            offer = draft.fixes[0] if draft.fixes else None
            if offer is None:
                reason = "nothing that an edit of these files could cure"
            elif offer.safety is Safety.OPERATE:
                reason = f"a command does it, not an edit: {offer.title}"
            else:
                reason = f"a person has to decide: {offer.title} ({offer.reason})"
        if not text:
            said = self.proposal
            text = said if isinstance(said, str) else said.get(draft.fixes[0], "") if draft.fixes else ""
        return NoRepair(reason, text)

    def found(
        self,
        at: Place,
        *,
        field: str,
        subject: str,
        message: str,
        consequence: str,
        related: tuple[tuple[Place, str], ...] = (),
        fixes: tuple[Fix, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence = Confidence.CERTAIN,
        consequence_class: Consequence | None = None,
        dependants: int = 0,
        strict: bool = False,
        whole_estate: bool = False,
        aged: bool = False,
    ) -> Draft:
        """A finding of this concern. ``message`` is one sentence of fact, ``consequence`` what follows if it stays.

        ``strict`` leaves it to the strict persona. ``whole_estate`` is for what no single object stands for; the place
        is then an example. ``aged`` adds the day on which the line was written.
        """
        return Draft(
            concern=self.id,
            severity=severity or self.severity,
            confidence=confidence,
            consequence_class=consequence_class or self.consequence_class,
            at=at,
            field=field,
            subject=subject,
            message=message,
            consequence=consequence,
            related=related,
            fixes=fixes,
            dependants=dependants,
            strict=strict or self.strict,
            whole_estate=whole_estate,
            aged=aged,
        )

    def undecided(self, at: Place, *, unknown: str, reason: str) -> Doubt:
        """A question of this concern that the source leaves open. ``unknown`` names the field, ``reason`` says why."""
        return Doubt(self.id, at, unknown, reason)
