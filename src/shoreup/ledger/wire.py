"""A proof as JSON, the same in the ledger and in ``.shoreup/proofs/``, and the chain that holds proofs together.

Every key is written out and checked on the way in: an unknown key, a missing one or a value of the wrong kind is an
error, because a proof that is half understood proves nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from shoreup.model.proof import Control, Engine, Measurement, Proof, ProofSubject, Verdict

BEGINNING = "0" * 64
"""What the first proof of a ledger names as the one before it."""
MAX_BYTES = 256 * 1024
"""More than that is no proof."""


class WrongProof(ValueError):
    """Content that is no proof; the message says what is wrong with it."""


class _Subject(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    kind: str
    namespace: str
    name: str
    container: str
    root: str


class _Engine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    product: str
    version: str
    stands_in_for: str


class _Control(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    what: str
    refused: bool | None


class _Measurement(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    value: float
    unit: str


class _Proof(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str
    drill: str
    subject: _Subject
    fingerprint: str
    claim: str
    engine: _Engine
    control: _Control
    before: str
    after: str
    verdict: Verdict
    measurements: list[_Measurement]
    limits: list[str]
    inputs: dict[str, str]
    taken: datetime
    expires: datetime


class Exported(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A file of ``.shoreup/proofs/``: a proof with its place in the chain of the ledger that it comes from."""

    format: str
    estate: str
    previous: str
    hash: str
    proof: msgspec.Raw


EXPORT_FORMAT = "shoreup-proof/1"


def encode(proof: Proof) -> bytes:
    """A proof as JSON: one line, keys in a fixed order, times in UTC, so that equal proofs are equal bytes."""
    return msgspec.json.encode(
        _Proof(
            id=proof.id,
            drill=proof.drill,
            subject=_Subject(*proof.subject.key, proof.subject.root),
            fingerprint=proof.fingerprint,
            claim=proof.claim,
            engine=_Engine(proof.engine.product, proof.engine.version, proof.engine.stands_in_for),
            control=_Control(proof.control.what, proof.control.refused),
            before=proof.before,
            after=proof.after,
            verdict=proof.verdict,
            measurements=[_Measurement(one.name, float(one.value), one.unit) for one in proof.measurements],
            limits=list(proof.limits),
            inputs=dict(sorted(proof.inputs.items())),
            taken=proof.taken.astimezone(UTC),
            expires=proof.expires.astimezone(UTC),
        )
    )


def decode(content: bytes | msgspec.Raw) -> Proof:
    """The proof that JSON holds. Raises :class:`WrongProof`."""
    try:
        told = msgspec.json.decode(content, type=_Proof)
        return Proof(
            id=told.id,
            drill=told.drill,
            subject=ProofSubject(
                told.subject.kind,
                told.subject.namespace,
                told.subject.name,
                told.subject.container,
                told.subject.root,
            ),
            fingerprint=told.fingerprint,
            claim=told.claim,
            engine=Engine(told.engine.product, told.engine.version, told.engine.stands_in_for),
            control=Control(told.control.what, told.control.refused),
            before=told.before,
            after=told.after,
            verdict=told.verdict,
            measurements=tuple(Measurement(one.name, one.value, one.unit) for one in told.measurements),
            limits=tuple(told.limits),
            inputs=told.inputs,
            taken=told.taken,
            expires=told.expires,
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WrongProof(_cause(problem)) from None


def chain(previous: str, estate: str, content: bytes) -> str:
    """The hash of a proof in its ledger: over the hash before it, the estate, and every byte of the proof."""
    return sha256(b"\0".join((previous.encode(), estate.encode(), content))).hexdigest()


def encode_export(estate: str, previous: str, content: bytes) -> bytes:
    """A proof as a file that can be committed."""
    exported = Exported(EXPORT_FORMAT, estate, previous, chain(previous, estate, content), msgspec.Raw(content))
    return msgspec.json.format(msgspec.json.encode(exported), indent=2) + b"\n"


def decode_export(content: bytes) -> tuple[Exported, Proof]:
    """An exported file and the proof in it, whatever its white space. Raises :class:`WrongProof`.

    The hash shows a slip of a hand, not malice: whoever may write the file may write a hash that fits.
    """
    if len(content) > MAX_BYTES:
        raise WrongProof(f"more than {MAX_BYTES // 1024} KiB")
    try:
        exported = msgspec.json.decode(content, type=Exported)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise WrongProof(_cause(problem)) from None
    if exported.format != EXPORT_FORMAT:
        raise WrongProof(f"it is not in the format {EXPORT_FORMAT}")
    proof = decode(exported.proof)
    if chain(exported.previous, exported.estate, encode(proof)) != exported.hash:
        raise WrongProof("its hash does not fit what it says: it was changed after it was written")
    return exported, proof


def _cause(problem: Exception) -> str:
    text = str(problem)
    return (text[:1].lower() + text[1:])[:200] or type(problem).__name__
