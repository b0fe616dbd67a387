"""What makes an experiment a proof: a control that was refused, a verdict that says which of three things happened.

PASS: the control was refused and the claim held. FAIL: the control was refused and the claim did not hold. Anything
else, an engine that is missing, a tool that broke, a limit that was passed, a control that nobody refused, is COULD NOT
VERIFY: it says something about the harness and nothing about what was to be proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from time import monotonic

from msgspec import Struct, field

from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import NoProvider
from shoreup.engines.packing import BrokenCopy
from shoreup.ledger.appending import Ledger
from shoreup.ledger.location import Location
from shoreup.ledger.trouble import LedgerTrouble
from shoreup.model.errors import UserError
from shoreup.model.proof import Control, Engine, Measurement, Proof, ProofSubject, Verdict

LONGEST = timedelta(days=366)


class Claim(Struct, frozen=True):
    """What is put to the test, and about what.

    ``inputs`` are digests by name of what is proven. ``fingerprint`` is the finding that it answers, if any. A proof
    counts for ``lasts``.
    """

    drill: str
    text: str
    subject: ProofSubject
    inputs: Mapping[str, str] = {}
    fingerprint: str = ""
    lasts: timedelta = timedelta(days=30)


class Seen(Struct):
    """What an experiment has seen so far; it is filled in as the experiment goes on."""

    engine: Engine
    control: Control
    before: str = ""
    after: str = ""
    verdict: Verdict = Verdict.COULD_NOT_VERIFY
    measurements: list[Measurement] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Measure a phase in seconds, also one that fails."""
        began = monotonic()
        try:
            yield
        finally:
            self.measure(phase, monotonic() - began, "s")

    def measure(self, name: str, value: float, unit: str) -> None:
        """Note a number."""
        self.measurements.append(Measurement(name, round(value, 3), unit))

    def seconds(self, *phases: str) -> float:
        """The sum of some phases."""
        return sum(one.value for one in self.measurements if one.name in phases and one.unit == "s")

    @property
    def passed(self) -> bool:
        """Whether the claim was seen to hold."""
        return self.verdict is Verdict.PASS

    def fails(self, why: str) -> None:
        """The claim does not hold. Only after a control that was refused is that a failure."""
        self.after = why
        self.verdict = Verdict.FAIL if self.control.refused else Verdict.COULD_NOT_VERIFY

    def passes(self, what: str) -> None:
        """The claim holds."""
        self.after = what
        self.verdict = Verdict.PASS if self.control.refused else Verdict.COULD_NOT_VERIFY

    def unknown(self, why: str) -> None:
        """Nothing was verified."""
        self.after = why
        self.verdict = Verdict.COULD_NOT_VERIFY


@contextmanager
def harness(seen: Seen) -> Iterator[None]:
    """What breaks in here says nothing about the claim."""
    try:
        yield
    except (EngineTrouble, BrokenCopy) as trouble:
        seen.unknown(str(trouble))
    except OSError as trouble:
        seen.unknown(f"this machine refused: {trouble.strerror or trouble}")
    except Exception as trouble:
        # A driver's errors are of many classes, and none of them says anything about a copy.
        words = (str(trouble).strip().splitlines() or ["no word"])[0][:200]
        seen.unknown(f"the experiment broke: {type(trouble).__name__}, {words}")


def missing(seen: Seen, nothing: NoProvider) -> None:
    """There is no engine to try it on."""
    seen.unknown(str(nothing))


def proof_of(claim: Claim, seen: Seen, *, run: str, taken: datetime) -> Proof:
    """The experiment as a proof. ``taken`` is when it began."""
    about = f"{run} {claim.drill} {claim.subject} {claim.subject.root}"
    name = blake2b(about.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return Proof(
        id=f"{claim.drill}-{name}",
        drill=claim.drill,
        subject=claim.subject,
        fingerprint=claim.fingerprint,
        claim=claim.text,
        engine=seen.engine,
        control=seen.control,
        before=seen.before,
        after=seen.after,
        verdict=seen.verdict,
        measurements=tuple(seen.measurements),
        limits=tuple(dict.fromkeys(seen.limits)),
        inputs=claim.inputs,
        taken=taken,
        expires=taken + min(claim.lasts, LONGEST),
    )


def reach(where: Location) -> None:
    """See that a ledger takes proofs, before an experiment is made whose proof nobody could keep.

    Raises :class:`UserError`.
    """
    try:
        Ledger(where).close()
    except LedgerTrouble as trouble:
        raise UserError(f"The ledger {where.shown} takes no proof: {trouble}.") from None


def record(proof: Proof, where: Location, *, run: str) -> str:
    """Put a proof into the ledger, and give its hash. Recorded twice for one run, it is there once.

    Raises :class:`UserError` where the ledger does not take it.
    """
    try:
        with Ledger(where) as ledger:
            return ledger.append(proof, run=run, step=proof.id)
    except LedgerTrouble as trouble:
        raise UserError(f"The proof was not kept in the ledger {where.shown}: {trouble}.") from None
