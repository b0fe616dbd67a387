"""Looking at backups again: every byte read and held against the record, and, where asked, restored in a drill.

A look is kept beside the backup. What it found damaged is called so in every list from then on; a store that cannot be
written to does not keep it, and the look says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from shoreup.drills.proving import record as put_into_ledger
from shoreup.drills.restoring.copies import Copy, products
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.choosing import Wanted
from shoreup.facts.backups.own import own_subject
from shoreup.ledger.location import Location
from shoreup.model.proof import Proof, Verdict, digest_of
from shoreup.operations.backup.opening import fetch
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.records import FORMAT, Check, Record
from shoreup.operations.backup.shelf import BackupTrouble, Kept, Shelf, State
from shoreup.stores.base import NotThere, StoreTrouble

READ, RESTORED = "read", "restored"


class Looked(Struct, frozen=True):
    """What a look has shown. ``unkept`` says why it could not be kept; ``proof`` is a drill's."""

    kept: Kept
    check: Check
    unkept: str = ""
    proof: Proof | None = None


def look(plan: Plan, kept: Kept, *, now: datetime) -> Looked:
    """Read all of a backup from its store. Raises :class:`StoreTrouble` where the store does not answer."""
    shelf = plan.shelf()
    why = kept.why if kept.state is not State.GOOD and kept.record is None else ""
    if kept.record is not None:
        why = _read(shelf, kept.record)
    return _noted(shelf, kept, Check(format=FORMAT, id=kept.id, good=not why, how=READ, when=now, why=why), None)


def look_by_drill(plan: Plan, kept: Kept, ledger: Location, folder: Path, *, run: str, now: datetime) -> Looked:
    """Restore a backup on a scratch engine and keep the proof.

    Raises :class:`BackupTrouble` where nothing can be tried.
    """
    record, shelf = kept.record, plan.shelf()
    if record is None:
        raise BackupTrouble(f"backup {kept.id} is {kept.state.value}: {kept.why}")
    if record.product not in products():
        raise BackupTrouble(f"a drill cannot restore copies of {record.product} yet")
    why = _read(shelf, record)
    if why:
        return _noted(shelf, kept, Check(format=FORMAT, id=kept.id, good=False, how=READ, when=now, why=why), None)
    copy = fetch(plan, shelf, record, folder / f"{record.id}.copy")
    try:
        proof = restore(_spec(plan, record, copy), run=run, now=now)
    finally:
        copy.unlink(missing_ok=True)
    put_into_ledger(proof, ledger, run=run)
    if proof.verdict is Verdict.COULD_NOT_VERIFY:
        return Looked(kept, Check(FORMAT, kept.id, True, READ, now), proof=proof)
    good = proof.verdict is Verdict.PASS
    return _noted(
        shelf,
        kept,
        Check(format=FORMAT, id=kept.id, good=good, how=RESTORED, when=now, why="" if good else proof.after),
        proof,
    )


def _spec(plan: Plan, record: Record, copy: Path) -> RestoreSpec:
    roles = () if record.manifest is None else [one.name for one in record.manifest.items if one.kind == "role"]
    return RestoreSpec(
        subject=own_subject(plan.name),
        wanted=Wanted(record.product, record.version),
        copy=Copy(copy, roles=tuple(one for one in roles if not one.startswith("pg_"))),
        manifest=record.manifest,
        made=record.moment,
        inputs={"file": digest_of(record.sha256)},
        lasts=timedelta(days=30),
    )


def _read(shelf: Shelf, record: Record) -> str:
    try:
        size, sha256 = shelf.digest(record.file)
    except NotThere:
        return "its file is gone"
    if size != record.size:
        return f"its file has {size} bytes, and had {record.size}"
    return "" if sha256 == record.sha256 else "its file has other bytes than were written"


def _noted(shelf: Shelf, kept: Kept, check: Check, proof: Proof | None) -> Looked:
    before = kept.check
    if check.good and check.how == READ and before is not None and before.good and before.how == RESTORED:
        # That it came back once is the better word of the two.
        check = Check(FORMAT, kept.id, True, RESTORED, before.when)
    try:
        shelf.note(check)
    except StoreTrouble as trouble:
        return Looked(kept, check, str(trouble), proof)
    return Looked(kept, check, "", proof)
