"""What a drill saw: one experiment on a real engine, with what it measured and what it does not show.

A proof is worth something only because it can fail. So its negative control, the same experiment with the trouble left
in, has to be refused before a pass counts; and a harness that broke has verified nothing, which is neither a pass nor
a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct, field


class Verdict(StrEnum):
    """What an experiment came to."""

    PASS = "pass"  # noqa: S105 (a verdict)
    FAIL = "fail"
    COULD_NOT_VERIFY = "could-not-verify"


class ProofSubject(Struct, frozen=True):
    """What an experiment was about: an object of the estate, or the estate as a whole (every field empty).

    ``root`` is the directory that the object is applied from (:attr:`Resource.root`); it tells objects of one name
    apart, so it counts only where the estate has several.
    """

    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""
    root: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The identity in Kubernetes, which survives moved files."""
        return (self.kind, self.namespace, self.name, self.container)

    def __str__(self) -> str:
        if not self.name:
            return "the estate"
        whole = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {whole}" + (f", container {self.container}" if self.container else "")


class Engine(Struct, frozen=True):
    """What the experiment ran on. ``stands_in_for`` names the estate's own version where it was another."""

    product: str
    version: str
    stands_in_for: str = ""


class Control(Struct, frozen=True):
    """The negative control: what was broken on purpose, and whether the experiment refused it.

    ``refused`` is ``None`` where the control was not run.
    """

    what: str
    refused: bool | None


class Measurement(Struct, frozen=True):
    """A number with its unit: ``s``, ``bytes``, ``rows`` ..."""

    name: str
    value: float
    unit: str


class Proof(Struct, frozen=True):
    """One experiment.

    ``id`` is unique. ``fingerprint`` is the finding's that it answers, empty where it answers none. ``claim`` is the
    sentence that was put to the test, ``before`` and ``after`` what was seen without and with what it claims.
    ``limits`` are what it does not show. ``inputs`` are digests by name (``image``, ``command``, ``volume``; see
    :func:`digest_of`) of what was proven: when one changes, the proof is about something else. ``taken`` and
    ``expires`` are UTC.

    Raises ``ValueError`` for a proof that contradicts itself: a pass whose control was not refused, an end before the
    beginning, a time without a zone.
    """

    id: str
    drill: str
    subject: ProofSubject
    claim: str
    engine: Engine
    control: Control
    before: str
    after: str
    verdict: Verdict
    taken: datetime
    expires: datetime
    fingerprint: str = ""
    measurements: tuple[Measurement, ...] = ()
    limits: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.id and self.drill):
            raise ValueError("a proof needs an id and the name of its drill")
        if self.taken.utcoffset() is None or self.expires.utcoffset() is None:
            raise ValueError("a proof's times need a zone, such as Z")
        if self.expires <= self.taken:
            raise ValueError("a proof cannot expire before it was taken")
        if self.verdict is Verdict.PASS and self.control.refused is not True:
            raise ValueError("a pass needs a control that was refused; without one it is could-not-verify")

    @property
    def day(self) -> date:
        """The day on which it was taken, in UTC."""
        return self.taken.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The last day on which it counts, in UTC."""
        return self.expires.astimezone(UTC).date()


def digest_of(text: str) -> str:
    """The digest of an input. Inputs themselves are never kept: a command may hold a secret."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=b"shoreup-input").hexdigest()
