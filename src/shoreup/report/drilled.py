"""What drills saw, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.model.proof import Measurement, Proof, Verdict
from shoreup.report.contract import Json, encode
from shoreup.report.quantities import duration, size
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120
_STYLES = {Verdict.PASS: "good", Verdict.FAIL: "critical", Verdict.COULD_NOT_VERIFY: "medium"}
_WORDS = {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.COULD_NOT_VERIFY: "COULD NOT VERIFY"}


class Left(Struct, frozen=True):
    """Something that was not tried: what it is about, and why."""

    subject: str
    drill: str
    reason: str


def render(
    proofs: Sequence[Proof], left: Sequence[Left], ledger: str, *, width: int = 100, colour: bool = False
) -> str:
    """The proofs one below the other."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for line in page.lines(proofs, left, ledger))


def render_json(proofs: Sequence[Proof], left: Sequence[Left], ledger: str) -> str:
    """The same as JSON: see docs/json-contract.md."""
    return encode(
        {
            "proofs": [as_json(one) for one in proofs],
            "untried": [{"subject": one.subject, "drill": one.drill, "reason": one.reason} for one in left],
            "ledger": ledger,
        }
    )


def as_json(proof: Proof) -> Mapping[str, Json]:
    """A proof as a program reads it."""
    return {
        "id": proof.id,
        "drill": proof.drill,
        "subject": str(proof.subject),
        "verdict": proof.verdict.value,
        "claim": proof.claim,
        "engine": {
            "product": proof.engine.product,
            "version": proof.engine.version,
            "stands_in_for": proof.engine.stands_in_for,
        },
        "control": {"what": proof.control.what, "refused": proof.control.refused},
        "before": proof.before,
        "after": proof.after,
        "measurements": [{"name": one.name, "value": one.value, "unit": one.unit} for one in proof.measurements],
        "limits": list(proof.limits),
        "inputs": dict(proof.inputs),
        "fingerprint": proof.fingerprint,
        "taken": proof.taken.isoformat(),
        "expires": proof.expires.isoformat(),
    }


class _Page(Struct, frozen=True):
    ink: Ink
    width: int

    def lines(self, proofs: Sequence[Proof], left: Sequence[Left], ledger: str) -> Iterator[str]:
        for proof in proofs:
            yield from self._proof(proof)
            yield ""
        for one in left:
            yield f"{self.ink('NOT TRIED', 'faint')}  {self.ink(plain(one.subject), 'strong')}  {plain(one.drill)}"
            for line in one.reason.splitlines():
                # What is to be copied into a file stays as it is.
                yield from [f"  {plain(line)}"] if line.startswith("  ") else self._prose(line)
            yield ""
        if len(proofs) + len(left) > 1:
            yield from self._prose(_summary(proofs, left), "")
        if proofs:
            yield from self._prose(f"Kept in {ledger}; the audit reads it.", "")

    def _proof(self, proof: Proof) -> Iterator[str]:
        verdict = self.ink(_WORDS[proof.verdict], _STYLES[proof.verdict])
        engine = f"{proof.engine.product} {proof.engine.version}"
        if proof.engine.stands_in_for:
            engine += f", standing in for {proof.engine.stands_in_for}"
        yield f"{verdict}  {self.ink(plain(str(proof.subject)), 'strong')}  {self.ink(plain(engine), 'faint')}"
        yield from self._prose(proof.claim)
        if proof.before:
            yield from self._prose(f"Control: {proof.before}")
        yield from self._prose(proof.after)
        numbers = ", ".join(_number(one) for one in proof.measurements)
        if numbers:
            yield from self._prose(f"Measured: {numbers}", "  ")
        for limit in proof.limits:
            yield from self._prose(f"Not shown: {limit}")
        if proof.verdict is Verdict.PASS:
            yield from self._prose(f"It counts until {proof.last_day.isoformat()}.")

    def _prose(self, text: str, indent: str = "  ") -> Iterator[str]:
        for line in wrap(sentence(text), self.width - len(indent)):
            yield f"{indent}{line}"


def _summary(proofs: Sequence[Proof], left: Sequence[Left]) -> str:
    counts = Counter(one.verdict for one in proofs)
    told = {
        "passed": counts[Verdict.PASS],
        "failed": counts[Verdict.FAIL],
        "could not be verified": counts[Verdict.COULD_NOT_VERIFY],
        "not tried": len(left),
    }
    return f"{len(proofs) + len(left)} drills: {', '.join(f'{count} {word}' for word, count in told.items() if count)}."


def _number(one: Measurement) -> str:
    if one.unit == "s":
        return f"{one.name} {duration(one.value)}"
    if one.unit == "bytes":
        return f"{one.name} {size(one.value)}"
    value = f"{one.value:,.0f}" if one.value >= 1000 else f"{one.value:g}"
    told = one.unit if one.unit not in one.name.split() else ""
    return f"{one.name} {value} {told}".rstrip()
