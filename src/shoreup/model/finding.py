"""What Shoreup says: findings, what it could not decide, and what it could not read."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from shoreup.model.grades import Category, Confidence, Consequence, Safety, Section, Severity
from shoreup.model.location import Route, Span

__all__ = [
    "Category",
    "Confidence",
    "Consequence",
    "Doubt",
    "Draft",
    "Finding",
    "Fix",
    "Notice",
    "Place",
    "ReadError",
    "Related",
    "ResourceName",
    "Safety",
    "Section",
    "Severity",
    "Suppressed",
    "Undecided",
]


class Fix(Struct, frozen=True):
    """A cure on offer."""

    title: str
    safety: Safety
    reason: str


class Place(Struct, frozen=True):
    """A symbolic place: a field of a resource, or bytes of a file.

    With ``resource`` (a :attr:`Resource.key`) the place is the field at ``route``; ``chars`` narrows it to
    characters ``start, end`` (exclusive) of a string. With ``span`` it is a place in a file. ``container``
    names the container that the field belongs to, ``""`` where there is none.
    """

    resource: int = -1
    route: Route = ()
    chars: tuple[int, int] | None = None
    span: Span | None = None
    container: str = ""


class Draft(Struct, frozen=True):
    """A finding before its lines are looked up. Concerns make these.

    ``field`` is what the fingerprint calls the place (``image``, ``readinessProbe``); it never holds a
    line, a file or a value. ``related`` are further places with a note each. ``dependants`` counts what stops with
    it. ``strict`` marks what is true and seldom worth a change; only the strict persona sees it. ``whole_estate`` says
    that the place is an example, and that the finding is about the estate as a whole. ``aged`` asks for the
    day on which the line was written, which git tells.
    """

    concern: str
    severity: Severity
    confidence: Confidence
    consequence_class: Consequence
    at: Place
    field: str
    subject: str
    message: str
    consequence: str
    related: tuple[tuple[Place, str], ...] = ()
    fixes: tuple[Fix, ...] = ()
    dependants: int = 0
    strict: bool = False
    whole_estate: bool = False
    aged: bool = False


class Doubt(Struct, frozen=True):
    """Something that a concern could not decide, before its lines are looked up."""

    concern: str
    at: Place
    unknown: str
    reason: str


class ResourceName(Struct, frozen=True):
    """How a finding names its resource. ``container`` is empty where none is meant."""

    root: str
    address: str
    kind: str
    namespace: str
    name: str
    container: str = ""


class Related(Struct, frozen=True):
    """A second place that explains the first."""

    file: str
    line: int
    note: str


class Finding(Struct, frozen=True):
    """A concern at a place in this estate. Lines and columns as in :class:`Location`."""

    rank: int
    concern: str
    severity: Severity
    confidence: Confidence
    consequence_class: Consequence
    category: Category
    section: Section
    subject: str
    message: str
    consequence: str
    file: str
    line: int
    column: int
    end_line: int
    resource: ResourceName | None
    related: tuple[Related, ...]
    fingerprint: str
    fixes: tuple[Fix, ...]
    dependants: int = 0
    """What stops with it; weighs within one class and severity."""
    strict: bool = False
    """True and seldom worth a change: only the strict persona sees it."""


class Suppressed(Struct, frozen=True):
    """A finding that the owner accepts, with the owner's reason.

    ``until`` is the last day on which that holds. ``file`` and ``line`` say where it is written: a comment, or
    an entry of the settings.
    """

    finding: Finding
    reason: str
    until: date | None
    file: str
    line: int


class Notice(Struct, frozen=True):
    """Something about the settings, the comments or the comparison that their owner should know. Never a finding.

    ``line`` is 1-based, 0 where the whole file is meant; ``file`` may be empty.
    """

    file: str
    line: int
    message: str


class Undecided(Struct, frozen=True):
    """A question that the source leaves open. It is never a finding."""

    concern: str
    resource: ResourceName | None
    file: str
    line: int
    unknown: str
    reason: str


class ReadError(Struct, frozen=True):
    """Something that could not be read. ``line`` is 1-based, 0 where the whole file is meant."""

    file: str
    line: int
    cause: str
    skipped: str
