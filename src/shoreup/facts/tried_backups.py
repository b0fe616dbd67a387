"""What drills under load have seen of a backup: whether its dump is of one moment, and its failures are heard."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, State, backup_inputs, backup_subject, standing

WRONG_BY = "sum wrong by"
"""By how much the accounts of the restored dump differ from what they always hold."""
UNNOTICED = "failures unnoticed"
"""Broken dumps after which the job ended with 0."""
PASSWORDS_SEEN = "passwords seen"
"""Secrets that stood in the words of a process."""


class TriedBackup(Struct, frozen=True):
    """What a drill saw of the job as it stands today, on the day ``day``; ``said`` is how it put it."""

    day: date
    passed: bool
    torn: bool
    unnoticed: bool
    said: str


def tried_backup(estate: Estate, backup: Backup) -> TriedBackup | None:
    """What the newest drill that decided anything saw; ``None`` where there is none that counts."""
    inputs = backup_inputs(estate, backup)
    stands = standing(estate, backup_subject(backup), Drill.UNDER_LOAD, inputs)
    proof = stands.proof
    if proof is None or stands.state not in (State.PROVEN, State.FAILED) or inputs.undecided:
        return None
    if any(proof.inputs.get(name) != digest for name, digest in inputs.digests.items()):
        return None
    seen = {one.name: one.value for one in proof.measurements}
    return TriedBackup(
        day=proof.day,
        passed=stands.state is State.PROVEN,
        torn=seen.get(WRONG_BY, 0) > 0,
        unnoticed=seen.get(UNNOTICED, 0) > 0,
        said=proof.after,
    )
