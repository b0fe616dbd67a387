"""What is remembered of one claim (this backup restores): how it stands today, and how its numbers went.

A single drill says whether a promise holds; a row of them says where it is going. A restore that takes a minute longer
each month misses its objective on a day that can be told beforehand.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shoreup.model.proof import Measurement, Proof, ProofSubject, Verdict

RECOVERY_TIME = "rto"
RECOVERY_POINT = "rpo"
COPY_SIZE = "copy"
"""The measurements of a proof that a row is made of."""


class Stands(StrEnum):
    """How a claim stands today."""

    PROVEN = "proven"
    NEVER = "never"
    EXPIRED = "expired"
    CHANGED = "changed"
    FAILED = "failed"
    NOT_VERIFIED = "not-verified"
    GONE = "gone"
    """It was proven of something that the estate no longer has."""


class TrackRecord(Struct, frozen=True):
    """One claim. ``proofs`` are all that were taken of it, oldest first. ``decides`` is the one that counts today.

    ``changed`` are the inputs that are others now. ``recovery_time`` and ``recovery_point`` are the owner's objectives
    in seconds, ``None`` where none was named.
    """

    drill: str
    subject: ProofSubject
    stands: Stands
    proofs: tuple[Proof, ...] = ()
    decides: Proof | None = None
    changed: tuple[str, ...] = ()
    recovery_time: float | None = None
    recovery_point: float | None = None

    @property
    def newest(self) -> Proof | None:
        """The last one, whatever it came to."""
        return self.proofs[-1] if self.proofs else None

    @property
    def last_success(self) -> datetime | None:
        """When it passed for the last time."""
        return next((one.taken for one in reversed(self.proofs) if one.verdict is Verdict.PASS), None)

    @property
    def expires(self) -> datetime | None:
        """Until when the pass that decides today counts, or counted."""
        return self.decides.expires if self.decides is not None and self.decides.verdict is Verdict.PASS else None

    def row(self, name: str) -> tuple[tuple[datetime, float], ...]:
        """A measurement over time, of those proofs that took it."""
        return tuple((one.taken, found.value) for one in self.proofs if (found := measured(one, name)) is not None)

    def newest_of(self, name: str) -> tuple[datetime, float] | None:
        """The last word on a measurement, and when it was taken."""
        row = self.row(name)
        return row[-1] if row else None


def measured(proof: Proof, name: str) -> Measurement | None:
    """A measurement of a proof; ``None`` where it did not come that far."""
    return next((one for one in proof.measurements if one.name == name), None)
