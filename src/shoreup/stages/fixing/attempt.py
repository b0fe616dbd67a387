"""One finding on its way to being fixed."""

from __future__ import annotations

from msgspec import Struct

from shoreup.concerns.base import Concern
from shoreup.facts.estate import Estate
from shoreup.formats.edits import Replacement
from shoreup.model.amendment import Applied, Dropped
from shoreup.model.edit import ANYTHING, Impact, Repair
from shoreup.model.finding import Draft, Finding


def repaired(concern: Concern, estate: Estate, draft: Draft) -> Repair | None:
    """What a concern would do about a draft; ``None`` where that is nothing, or the concern makes a mistake."""
    try:
        made = concern.repair(estate, draft)
    except Exception:  # it is said where the concern's own finding is looked at
        return None
    return made if isinstance(made, Repair) else None


class Attempt(Struct, frozen=True, eq=False):
    """A repair with the bytes that make it.

    ``alone`` says that it was realised so that no other resource changes. ``also`` counts the others that the same text
    changes. ``note`` is what the owner should know besides. ``opened`` are the concerns that came up with it.
    """

    finding: Finding
    draft: Draft
    repair: Repair
    impact: Impact
    replacements: tuple[Replacement, ...]
    alone: bool = False
    also: int = 0
    note: str = ""
    opened: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it changes."""
        return tuple(sorted({one.file for one in self.replacements}))

    def applied(self) -> Applied:
        """What is said of it when it holds."""
        fix = self.repair.fix
        return Applied(
            finding=self.finding,
            title=fix.title,
            safety=fix.safety,
            reason=fix.reason,
            impact=self.impact,
            files=self.files,
            cost=self.repair.cost,
            opens=tuple(sorted((self.repair.opens - {ANYTHING}) | self.opened)),
            also=self.also,
            loses_comments=self.repair.loses_comments,
            note=self.note,
        )

    def dropped(self, failure: Failure) -> Dropped:
        """What is said of it when it does not."""
        return Dropped(self.finding, self.repair.fix.title, failure.check, failure.cause)


class Failure(Struct, frozen=True):
    """A check that failed: its name (``read``, ``intended``, ``gone``, ``new``, ``schema``), and what was seen."""

    check: str
    cause: str
    shared: bool = False
    """Whether the trouble is that the same text feeds other resources, so that it may work alone."""
