"""Whether the ledger is whole, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120
_SIGNED = {
    "none": "exported",
    "unchecked": "signed, by whom was not checked: name the public key (--public-key)",
    "valid": "signed",
    "wrong": "not signed by this key: it was changed, or another key signed it",
}


class Broken(Struct, frozen=True):
    """A proof whose place in the chain is not what it says."""

    number: int
    cause: str


class Witness(Struct, frozen=True):
    """Something outside that names a proof of the ledger. ``number`` is ``None`` where that proof is gone."""

    file: str
    hash: str
    signed: str
    number: int | None


class Unread(Struct, frozen=True):
    """A witness that says nothing that can be read."""

    file: str
    cause: str


class Whole(Struct, frozen=True):
    """What verifying came to."""

    ledger: str
    whole: bool
    proofs: int
    head: str
    covered: int
    breaks: Sequence[Broken]
    witnesses: Sequence[Witness]
    errors: Sequence[Unread]


def render_json(found: Whole) -> str:
    """As JSON: see docs/json-contract.md."""
    document: dict[str, Json] = {
        "ledger": found.ledger,
        "whole": found.whole,
        "proofs": found.proofs,
        "head": found.head,
        "covered": found.covered,
        "breaks": [{"number": one.number, "cause": one.cause} for one in found.breaks],
        "witnesses": [
            {"file": one.file, "hash": one.hash, "signed": one.signed, "number": one.number} for one in found.witnesses
        ],
        "errors": [{"file": one.file, "cause": one.cause} for one in found.errors],
    }
    return encode(document)


def render(found: Whole, *, width: int = 100, colour: bool = False) -> str:
    """As text."""
    ink, wide = Ink(colour), max(NARROWEST, min(width, WIDEST))
    return "".join(f"{line}\n" for line in _lines(found, ink, wide))


def _lines(found: Whole, ink: Ink, width: int) -> Iterator[str]:
    verdict = ink("WHOLE", "good") if found.whole else ink("CHANGED", "critical")
    count = f"{found.proofs} proof{'' if found.proofs == 1 else 's'}"
    yield f"{verdict}  {ink(plain(found.ledger), 'strong')}  {ink(f'{count}, head {found.head[:12]}', 'faint')}"
    for broken in found.breaks:
        yield from _prose(f"Proof {broken.number}: {broken.cause}.", width)
    for one in found.witnesses:
        if one.number is None:
            yield from _prose(
                f"{one.file} names the proof {one.hash[:12]}, which is no longer there: it was taken out or replaced.",
                width,
            )
        elif one.signed == "wrong":
            yield from _prose(f"{one.file} is {_SIGNED['wrong']}.", width)
    for unread in found.errors:
        yield from _prose(f"{unread.file} bears no witness: {unread.cause}.", width)
    yield from _prose(_reach(found), width)
    unchecked = [one for one in found.witnesses if one.signed == "unchecked"]
    if unchecked:
        yield from _prose(f"{unchecked[0].file} is {_SIGNED['unchecked']}.", width)


def _reach(found: Whole) -> str:
    if not found.covered and found.witnesses:
        return "Nothing that vouches for it names a proof that is still there."
    if not found.covered:
        return (
            "Nothing of it was exported or signed yet, so only the chain of hashes speaks for it, and whoever owns the "
            "database could write a whole new one. 'shoreup ledger export --sign' puts an end to that."
        )
    later = "" if found.covered >= found.proofs else "; for those behind it the chain alone speaks"
    best = max((one for one in found.witnesses if one.number == found.covered), key=lambda one: one.signed == "valid")
    how = _SIGNED[best.signed].partition(",")[0]
    return f"What was {how} vouches for every proof up to number {found.covered}{later}."


def _prose(text: str, width: int) -> Iterator[str]:
    for line in wrap(sentence(text), width - 2):
        yield f"  {line}"
