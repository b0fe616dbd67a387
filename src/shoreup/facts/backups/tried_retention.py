"""What drills of retention have seen of a backup: whether anything was left, or the newest, and whether it grew."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, decided
from shoreup.model.proof import Proof, Verdict

NOTHING_LEFT = "nothing left"
"""Runs after which no whole copy was there."""
NEWEST_REMOVED = "newest removed"
"""Runs whose own copy was gone while older ones stayed."""
GROWS = "copies pile up"
"""1 where nothing bounds what is kept, else 0."""

COMMENT = "the comment says"
"""What a proof begins with that saw another number of copies than the program's own comment tells."""


class TriedRetention(Struct, frozen=True):
    """What a drill saw of the job as it stands today. ``said`` is how it put it, on the day ``day``.

    ``passed`` is whether all of it was well.
    """

    day: date
    passed: bool
    nothing_left: bool
    newest_removed: bool
    grows: bool
    said: str

    @property
    def unlike_comment(self) -> bool:
        """Whether what a comment tells is all that was wrong."""
        return not self.passed and self.said.startswith(COMMENT)


def tried_retention(estate: Estate, backup: Backup) -> TriedRetention | None:
    """What the newest drill that decided anything saw; ``None`` where there is none that counts."""
    proof = decided(estate, backup, Drill.RETENTION)
    return as_tried(proof) if proof is not None else None


def as_tried(proof: Proof) -> TriedRetention | None:
    """What a proof says; ``None`` where it decided nothing."""
    if proof.verdict is Verdict.COULD_NOT_VERIFY:
        return None
    seen = {one.name: one.value for one in proof.measurements}
    return TriedRetention(
        day=proof.day,
        passed=proof.verdict is Verdict.PASS,
        nothing_left=seen.get(NOTHING_LEFT, 0) > 0,
        newest_removed=seen.get(NEWEST_REMOVED, 0) > 0,
        grows=seen.get(GROWS, 0) > 0,
        said=proof.after,
    )
