"""How findings are graded and sorted. Enumerations alone: who only asks for their names loads nothing else."""

from __future__ import annotations

from enum import StrEnum


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


class Persona(StrEnum):
    """How much a reader wants to hear: what is lost for good, what is worth doing, or everything."""

    INCIDENT = "incident"
    REGULAR = "regular"
    STRICT = "strict"


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEVER = "never"

    def fails(self, severity: Severity) -> bool:
        """Whether a finding of this severity decides the exit code."""
        return self is not FailOn.NEVER and severity.order <= Severity(self.value).order
