"""What Shoreup says: findings, what it could not decide, and what it could not read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shoreup.model.location import Route, Span


class Severity(StrEnum):
    """How bad it is where it applies, by itself."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def order(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How sure the reading is. What is less than likely is not a finding."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Consequence(StrEnum):
    """What is lost, in the order in which it ranks."""

    DATA_LOSS = "data-loss"
    TAKEOVER = "takeover"
    OUTAGE = "outage"
    HYGIENE = "hygiene"

    @property
    def order(self) -> int:
        """0 for the worst."""
        return list(Consequence).index(self)


class Category(StrEnum):
    """The catalogue's groups."""

    BACKUPS = "backups"
    VERSIONS = "versions"
    ACCESS = "access"
    NETWORK = "network"
    AVAILABILITY = "availability"
    PRACTICE = "practice"


class Section(StrEnum):
    """The nine sections of a written document of concerns."""

    TECH_DEBT = "tech-debt"
    KNOWN_BUGS = "known-bugs"
    SECURITY = "security"
    PERFORMANCE = "performance"
    FRAGILE_AREAS = "fragile-areas"
    SCALING_LIMITS = "scaling-limits"
    DEPENDENCIES_AT_RISK = "dependencies-at-risk"
    MISSING_FEATURES = "missing-features"
    TEST_GAPS = "test-gaps"


class Safety(StrEnum):
    """Who may apply a fix: anyone, someone who accepts a restart, a person who completes it, a command."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    SHOWN = "shown"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Fix:
    """A cure on offer."""

    title: str
    safety: Safety
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
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


@dataclass(frozen=True, slots=True)
class Draft:
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


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a concern could not decide, before its lines are looked up."""

    concern: str
    at: Place
    unknown: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceName:
    """How a finding names its resource. ``container`` is empty where none is meant."""

    root: str
    address: str
    kind: str
    namespace: str
    name: str
    container: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first."""

    file: str
    line: int
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
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


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that the owner accepts, with the owner's reason.

    ``until`` is the last day on which that holds. ``file`` and ``line`` say where it is written: a comment, or
    an entry of the settings.
    """

    finding: Finding
    reason: str
    until: date | None
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the settings, the comments or the comparison that their owner should know. Never a finding.

    ``line`` is 1-based, 0 where the whole file is meant; ``file`` may be empty.
    """

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A question that the source leaves open. It is never a finding."""

    concern: str
    resource: ResourceName | None
    file: str
    line: int
    unknown: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadError:
    """Something that could not be read. ``line`` is 1-based, 0 where the whole file is meant."""

    file: str
    line: int
    cause: str
    skipped: str
