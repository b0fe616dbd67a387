"""Proofs for tests: whole and passing unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shoreup.ledger.wire import BEGINNING, encode, encode_export
from shoreup.model.proof import Control, Engine, Proof, ProofSubject, Verdict, digest_of

TAKEN = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def proof(
    drill: str = "restore",
    subject: str = "CronJob data/dump",
    *,
    number: int = 1,
    verdict: Verdict = Verdict.PASS,
    taken: datetime = TAKEN,
    days: int = 30,
    inputs: Mapping[str, str] | None = None,
    root: str = "",
) -> Proof:
    """A proof. ``subject`` is as findings call it, empty for the estate; ``inputs`` are texts, not their digests."""
    return Proof(
        id=f"proof-{number}",
        drill=drill,
        subject=_subject(subject, root),
        claim="The newest copy restores whole.",
        engine=Engine("postgresql", "17.2"),
        control=Control("a copy with its end cut off", True),
        before="nothing",
        after="every table matched",
        verdict=verdict,
        taken=taken,
        expires=taken + timedelta(days=days),
        inputs={name: digest_of(text) for name, text in (inputs or {}).items()},
    )


def bring(folder: Path, name: str, one: Proof, estate: str = "homelab-0123") -> Path:
    """Put a proof into an estate, as an export does."""
    file = folder / ".shoreup" / "proofs" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode_export(estate, BEGINNING, encode(one)))
    return file


def _subject(text: str, root: str) -> ProofSubject:
    if not text:
        return ProofSubject()
    whole, _, container = text.partition(", container ")
    kind, _, name = whole.partition(" ")
    namespace, slash, rest = name.partition("/")
    return ProofSubject(kind, namespace if slash else "", rest if slash else name, container, root)
