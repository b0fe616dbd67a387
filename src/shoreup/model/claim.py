"""What a written audit claims, and what the estate says to each claim."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The kinds of claim that are understood."""

    ANCHOR = "anchor"
    COUNT = "count"
    QUOTE = "quote"
    PROPERTY = "property"
    ABSENCE = "absence"
    OTHER = "other"


class Answer(StrEnum):
    """What became of a claim."""

    CONFIRMED = "confirmed"
    PARTLY = "partly"
    WRONG = "wrong"
    MOVED = "moved"
    PLACE = "place-found"
    """The place is there; what is said of it was not checked, or is for a person to judge."""
    UNDECIDED = "undecided"
    NOT_UNDERSTOOD = "not-understood"


class Spot(Struct, frozen=True):
    """A line that speaks for an answer. ``line`` is 1-based."""

    file: str
    line: int


class Checked(Struct, frozen=True):
    """One claim with its answer. ``line`` is the document's, 1-based; ``text`` is the claim as it stands there.

    ``said`` is one sentence of evidence: the true number, what is there, what is missing to decide. ``fingerprints``
    are findings that say the same.
    """

    line: int
    text: str
    kind: Kind
    answer: Answer
    said: str
    spots: tuple[Spot, ...] = ()
    fingerprints: tuple[str, ...] = ()
    sentence: str = ""


class CheckedDocument(Struct, frozen=True):
    """A document's lines, as they are, and the answers in the order of their lines.

    ``elsewhere`` says that most of the places it names are in files that are not there: it is another estate's.
    """

    name: str
    lines: tuple[str, ...]
    checked: tuple[Checked, ...]
    elsewhere: bool = False
