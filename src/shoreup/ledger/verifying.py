"""Whether anything that a ledger holds was changed, as far as that can be known.

The chain shows what was changed in its middle. Who owns the database can write a whole new one, and then only what was
taken out before, an exported proof or a signed head, knows better: its hash has to be in the chain still.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from shoreup.ledger.location import Location
from shoreup.ledger.reading import Break, Row, breaks_in, read_rows
from shoreup.ledger.wire import BEGINNING, WrongProof


class Signed(StrEnum):
    """What is known of the signature of a mark."""

    NONE = "none"
    """It carries none: an exported proof."""
    UNCHECKED = "unchecked"
    """There is no key here to check it with."""
    VALID = "valid"
    WRONG = "wrong"


class Mark(Struct, frozen=True):
    """A hash that was taken out of the ledger once: an exported proof or an attested head. ``place`` is its file."""

    place: str
    hash: str
    signed: Signed = Signed.NONE


class Held(Struct, frozen=True):
    """A mark, and the number of the proof that it is of; ``None`` where no such proof is there any more."""

    mark: Mark
    number: int | None


class Verification(Struct, frozen=True):
    """What came of it. ``covered`` is the last proof that a mark vouches for, 0 where none does."""

    proofs: int
    head: str
    breaks: tuple[Break, ...]
    marks: tuple[Held, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found to be changed."""
        return not self.breaks and all(
            one.number is not None and one.mark.signed is not Signed.WRONG for one in self.marks
        )

    @property
    def covered(self) -> int:
        """The number of the last proof before which nothing can have changed unseen."""
        return max((one.number or 0 for one in self.marks if one.mark.signed is not Signed.WRONG), default=0)


def verify(where: Location, marks: Sequence[Mark]) -> Verification:
    """Follow a ledger from its first proof to its last. Raises :class:`LedgerTrouble`."""
    rows = read_rows(where)
    numbers = {row.hash: row.number for row in rows}
    return Verification(
        proofs=len(rows),
        head=rows[-1].hash if rows else BEGINNING,
        breaks=tuple(sorted((*breaks_in(rows), *_columns(rows)), key=lambda one: one.number)),
        marks=tuple(Held(mark, numbers.get(mark.hash)) for mark in marks),
    )


def _columns(rows: Sequence[Row]) -> list[Break]:
    """Where what is there to be searched says something else than the proof."""
    found: list[Break] = []
    for row in rows:
        try:
            proof = row.proof()
        except WrongProof:
            continue  # told already
        says = (proof.id, proof.drill, proof.verdict.value, f"{proof.taken:%Y-%m-%dT%H:%M:%S.%fZ}")
        if says != row.columns:
            found.append(Break(row.number, "its columns say something else than the proof itself, which alone counts"))
    return found
