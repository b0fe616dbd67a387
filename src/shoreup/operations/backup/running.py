"""Taking a backup, in steps that may be killed anywhere.

The file is named after the run, so a step that runs again writes the same file again. What the source told is kept
beside it without counting; only when the store has given back every byte does the record appear, and with it the
backup. If anything fails, what was written goes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from shoreup.operations.backup.packing import AGE, ENDINGS, ZSTD, Counter, Meter, compressed, encrypted
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.records import FORMAT, LARGEST, RECORD, UNSEALED, Record, decode_record, encode, new_id
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked, sources
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.stores.base import whole

NAME, COPY, READ_BACK, SEAL = "name it", "copy", "read it back", "seal"


def backup_run(plan: Plan) -> Operation:
    """The operation that takes a backup. The result of its last step is the record."""
    return Operation(
        "backup run",
        (
            Step(NAME, lambda run: _name(plan, run), "nothing was changed"),
            Step(COPY, lambda run: _copy(plan, run), "what was written is removed", lambda run: _drop(plan, run)),
            Step(READ_BACK, lambda run: _read_back(plan, run), "nothing was changed"),
            Step(SEAL, lambda run: _seal(plan, run), "the record is removed", lambda run: _unseal(plan, run)),
        ),
    )


def record_of(results: Plain) -> Record:
    """The record in what the last step gave."""
    return msgspec.convert(results, type=Record)


def _name(plan: Plan, run: Run) -> Plain:
    began = _now()
    return {"id": new_id(plan.shelf().next_number(), began, run.id), "began": began.isoformat()}


def _copy(plan: Plan, run: Run) -> Plain:
    id_, began = _id(run), datetime.fromisoformat(str(_named(run)["began"]))
    shelf = plan.shelf()
    if plan.recipients and shelf.store.packs:
        raise BackupTrouble("a repository of restic encrypts by itself: leave out encrypt-to")
    packing = () if shelf.store.packs else ((ZSTD, AGE) if plan.recipients else (ZSTD,))
    content, packed = Counter(), Meter()
    asked = Asked(plan.address, plan.secret, run.folder, plan.hashes, plan.exclude)
    source = sources()[plan.address.product]()
    with shelf.alone(), source.open(asked) as stream:
        pieces = content.through(stream.pieces())
        if ZSTD in packing:
            pieces = compressed(pieces)
        if AGE in packing:
            pieces = encrypted(pieces, plan.recipients)
        file = f"{id_}{source.ending}{''.join(ENDINGS[one] for one in packing)}"
        shelf.store.put(shelf.called(file), packed.through(pieces))
        taken = stream.taken()
    record = Record(
        format=FORMAT,
        id=id_,
        number=int(id_.partition("-")[0]),
        name=plan.name,
        run=run.id,
        began=began,
        moment=taken.moment,
        product=taken.product,
        version=taken.version,
        tool=taken.tool,
        position=taken.position,
        file=file,
        size=packed.size,
        sha256=packed.sha256,
        content=content.size,
        packing=packing,
        manifest=taken.manifest,
        remarks=taken.remarks,
    )
    shelf.put_small(f"{id_}{UNSEALED}", encode(record))
    return {"file": file, "size": record.size, "sha256": record.sha256}


def _read_back(plan: Plan, run: Run) -> Plain:
    told = run.results[COPY]
    assert isinstance(told, dict)
    size, sha256 = plan.shelf().digest(str(told["file"]))
    if (size, sha256) != (told["size"], told["sha256"]):
        what = f"{size} of {told['size']} bytes" if size != told["size"] else "other bytes"
        raise BackupTrouble(f"{plan.open_store().shown} gave back {what} than it was given: trust nothing there")
    return sha256


def _seal(plan: Plan, run: Run) -> Plain:
    shelf, id_ = plan.shelf(), _id(run)
    names = {one.name for one in shelf.store.entries(shelf.name)}
    if shelf.called(f"{id_}{UNSEALED}") in names:
        content = whole(shelf.store, shelf.called(f"{id_}{UNSEALED}"), LARGEST)
        shelf.put_small(f"{id_}{RECORD}", content)
        shelf.store.remove(shelf.called(f"{id_}{UNSEALED}"))
    else:
        content = whole(shelf.store, shelf.called(f"{id_}{RECORD}"), LARGEST)
    plain: Plain = msgspec.to_builtins(msgspec.structs.replace(decode_record(content), manifest=None))
    return plain


def _unseal(plan: Plan, run: Run) -> None:
    shelf = plan.shelf()
    shelf.store.remove(shelf.called(f"{_id(run)}{RECORD}"))


def _drop(plan: Plan, run: Run) -> None:
    shelf, id_ = plan.shelf(), _id(run)
    shelf.remove(id_)
    for ending in _possible_endings(plan):
        # A store may hold what an upload began and did not finish, which is not among its entries.
        shelf.store.remove(shelf.called(f"{id_}{ending}"))


def _possible_endings(plan: Plan) -> tuple[str, ...]:
    source = sources()[plan.address.product]()
    endings = [source.ending, f"{source.ending}{ENDINGS[ZSTD]}", f"{source.ending}{ENDINGS[ZSTD]}{ENDINGS[AGE]}"]
    return (*endings, UNSEALED, RECORD)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _id(run: Run) -> str:
    return str(_named(run)["id"])


def _named(run: Run) -> dict[str, Plain]:
    named = run.results[NAME]
    assert isinstance(named, dict)
    return named
