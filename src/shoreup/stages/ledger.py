"""The ledger itself: is it whole, and what of it goes into the repository.

Who exports says that the ledger was whole up to its head. So one that does not hold against what was exported before is
not exported again: the new export would bear witness for whoever changed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from shoreup import __version__
from shoreup.formats.files import FileTree
from shoreup.ledger.attestation import WrongStatement, attested, statement
from shoreup.ledger.exporting import ATTESTATION, PUBLIC_KEY, deciding, exported
from shoreup.ledger.exports import FOLDER, read_exports
from shoreup.ledger.location import Location, cloned_key
from shoreup.ledger.reading import read_rows
from shoreup.ledger.signing import (
    WrongEnvelope,
    can_sign,
    make_key,
    public_half,
    sign,
    signed_by,
    usual_key,
)
from shoreup.ledger.signing import opened as unfolded
from shoreup.ledger.trouble import LedgerTrouble
from shoreup.ledger.verifying import Mark, Signed, Verification, verify
from shoreup.model.errors import UserError
from shoreup.model.finding import ReadError
from shoreup.stages.opening import Opened, opened


class Verified(Struct, frozen=True):
    """What verifying came to. ``errors`` are files that should have borne witness and say nothing that can be read."""

    ledger: str
    verification: Verification
    errors: tuple[ReadError, ...]


class Export(Struct, frozen=True):
    """What is to be written into the repository at ``root``, by path. ``key`` is the private key that was used.

    ``made`` says that the key was made for it.
    """

    root: Path
    ledger: str
    files: Mapping[str, bytes]
    head: str
    proofs: int
    key: Path | None = None
    made: bool = False


def verify_ledger(
    paths: Sequence[Path], *, config: Path | None = None, ledger: str = "", public: Path | None = None
) -> Verified:
    """Hold the ledger of the estate against itself and against what the estate says was in it.

    ``public`` is a public key in PEM; without, the one that belongs to the usual private key. Raises
    :class:`UserError` where there is no ledger or it cannot be read.
    """
    found = opened(paths, config=config, ledger=ledger, empty=True)
    where = _ledger(found)
    return _verified(found, where, _public(public))


def export_ledger(
    paths: Sequence[Path],
    *,
    config: Path | None = None,
    ledger: str = "",
    signed: bool = False,
    key: Path | None = None,
) -> Export:
    """What an export writes. A key is made where one is to sign and there is none.

    Raises :class:`UserError` where the ledger cannot be read, is empty, or was changed.
    """
    found = opened(paths, config=config, ledger=ledger, empty=True)
    where = _ledger(found)
    private = (key or usual_key()) if signed or key is not None else None
    made = private is not None and not private.exists()
    if private is not None and made:
        make_key(private)
    public = public_half(private) if private is not None else _public(None)
    verified = _verified(found, where, public)
    if not verified.verification.whole:
        raise UserError(
            f"The ledger {where.shown} was changed since it was written or exported, so nothing is exported: "
            "'shoreup ledger verify' says where. Bring it back from a copy, or begin a new one elsewhere (--ledger)."
        )
    rows = read_rows(where)
    files = exported(deciding(rows, where.estate))
    if not files:
        raise UserError(f"The ledger {where.shown} holds no proof of this estate yet. 'shoreup drill' makes them.")
    written = {f"{FOLDER}/{name}": content for name, content in files.items()}
    if private is not None:
        attestation = sign(statement(where.estate, rows[-1], files, __version__), private)
        written |= {ATTESTATION: attestation + b"\n", PUBLIC_KEY: public}
    for path in written:
        if not (found.root / path).resolve().is_relative_to(found.root.resolve()):
            raise UserError(f"{path} leads out of the repository, so nothing is written. Take the link away.")
    return Export(
        root=found.root, ledger=where.shown, files=written, head=rows[-1].hash, proofs=len(rows), key=private, made=made
    )


def _ledger(found: Opened) -> Location:
    where = found.ledger
    if where is None:
        raise UserError("This estate has no ledger yet. 'shoreup drill' makes one; --ledger names one elsewhere.")
    if where.closed:
        raise UserError(f"The ledger {where.shown} was not opened: {where.closed}.")
    if where.file is not None and not where.file.exists():
        raise UserError(f"There is no ledger {where.shown}. 'shoreup drill' makes one; --ledger names one elsewhere.")
    return where


def _verified(found: Opened, where: Location, public: bytes) -> Verified:
    before = len(found.tree.errors)
    marks = [Mark(one.path, one.hash) for one in read_exports(found.tree, cloned_key(found.root))]
    marks += _attested(found.tree, where, public)
    try:
        verification = verify(where, marks)
    except LedgerTrouble as trouble:
        raise UserError(f"The ledger {where.shown} cannot be read: {trouble}.") from None
    return Verified(where.shown, verification, tuple(found.tree.errors[before:]))


def _attested(tree: FileTree, where: Location, public: bytes) -> list[Mark]:
    """The heads that the estate's attestation names, as far as they are of this ledger."""
    marks: list[Mark] = []
    for number, line in enumerate((tree.read(ATTESTATION) or b"").splitlines(), 1):
        try:
            envelope, payload = unfolded(line)
            estate, head = attested(payload)
        except (WrongEnvelope, WrongStatement) as problem:
            tree.error(ATTESTATION, number, f"no attestation: {problem}", "what it bears witness of")
            continue
        if estate != where.estate:
            tree.error(ATTESTATION, number, "no attestation: it is of another estate", "what it bears witness of")
            continue
        signed = Signed.UNCHECKED
        if public:
            signed = Signed.VALID if signed_by(envelope, payload, public) else Signed.WRONG
        marks.append(Mark(ATTESTATION, head.hash, signed))
    return marks


def _public(file: Path | None) -> bytes:
    """The public key to check with; empty where there is none."""
    if file is None:
        usual = usual_key()
        return public_half(usual) if can_sign() and usual.exists() else b""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise UserError(f"The public key {file} cannot be read: {problem.strerror}.") from None
