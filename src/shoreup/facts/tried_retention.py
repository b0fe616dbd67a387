"""What drills of retention have seen of a backup: whether anything was left, or the newest, and whether it grew."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, State, backup_inputs, backup_subject, standing

NOTHING_LEFT = "nothing left"
"""Runs after which no whole copy was there."""
NEWEST_REMOVED = "newest removed"
"""Runs whose own copy was gone while older ones stayed."""
GROWS = "copies pile up"
"""1 where nothing bounds what is kept, else 0."""


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


def tried_retention(estate: Estate, backup: Backup) -> TriedRetention | None:
    """What the newest drill that decided anything saw; ``None`` where there is none that counts.

    A failure counts until the job is another one, a pass also no longer than it lasts.
    """
    inputs = backup_inputs(estate, backup)
    stands = standing(estate, backup_subject(backup), Drill.RETENTION, inputs)
    proof = stands.proof
    if proof is None or stands.state not in (State.PROVEN, State.FAILED) or inputs.undecided:
        return None
    if any(proof.inputs.get(name) != digest for name, digest in inputs.digests.items()):
        return None
    seen = {one.name: one.value for one in proof.measurements}
    return TriedRetention(
        day=proof.day,
        passed=stands.state is State.PROVEN,
        nothing_left=seen.get(NOTHING_LEFT, 0) > 0,
        newest_removed=seen.get(NEWEST_REMOVED, 0) > 0,
        grows=seen.get(GROWS, 0) > 0,
        said=proof.after,
    )
