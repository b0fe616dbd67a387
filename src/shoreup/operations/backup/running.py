"""Taking a backup, in steps that may be killed anywhere.

The file is named after the run, so a step that runs again writes the same file again. What the source told is kept
beside it without counting; only when the store has given back every byte does the record appear, and with it the
backup. If anything fails, what was written goes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from shoreup.operations.backup.packing import AGE, ENDINGS, ZSTD, Counter, Meter, compressed, encrypted
from shoreup.operations.backup.plan import Plan, planned
from shoreup.operations.backup.records import FORMAT, LARGEST, RECORD, UNSEALED, Record, decode_record, encode, new_id
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked, sources
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.stores.base import whole

NAME, COPY, READ_BACK, SEAL = "name it", "copy", "read it back", "seal"


def backup_run() -> Operation:
    """The operation that takes a backup. The result of its last step is the record, without its manifest."""
    return Operation(
        "backup run",
        (
            Step(NAME, _name, "nothing was changed"),
            Step(COPY, _copy, "what was written is removed", _drop),
            Step(READ_BACK, _read_back, "nothing was changed"),
            Step(SEAL, _seal, "the record is removed", _unseal),
        ),
        anywhere=True,
    )


def record_of(results: Plain) -> Record:
    """The record in what the last step gave."""
    return msgspec.convert(results, type=Record)


def _name(run: Run) -> Plain:
    plan = planned(run)
    began = _now()
    return {"id": new_id(plan.shelf().next_number(), began, run.id), "began": began.isoformat()}


def _copy(run: Run) -> Plain:
    plan = planned(run)
    id_, began = _id(run), datetime.fromisoformat(str(_named(run)["began"]))
    shelf = plan.shelf()
    if plan.spec.recipients and shelf.store.packs:
        raise BackupTrouble("a repository of restic encrypts by itself: leave out encrypt-to")
    packing = () if shelf.store.packs else ((ZSTD, AGE) if plan.spec.recipients else (ZSTD,))
    content, packed = Counter(), Meter()
    asked = Asked(plan.address, plan.secret, run.folder, plan.spec.hashes, plan.spec.exclude)
    source = sources()[plan.address.product]()
    with shelf.alone(), source.open(asked) as stream:
        pieces = content.through(stream.pieces())
        if ZSTD in packing:
            pieces = compressed(pieces)
        if AGE in packing:
            pieces = encrypted(pieces, plan.spec.recipients)
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
        roles=taken.roles,
    )
    shelf.put_small(f"{id_}{UNSEALED}", encode(record))
    return {"file": file, "size": record.size, "sha256": record.sha256}


def _read_back(run: Run) -> Plain:
    plan = planned(run)
    told = run.results[COPY]
    assert isinstance(told, dict)
    size, sha256 = plan.shelf().digest(str(told["file"]))
    if (size, sha256) != (told["size"], told["sha256"]):
        what = f"{size} of {told['size']} bytes" if size != told["size"] else "other bytes"
        raise BackupTrouble(f"{plan.open_store().shown} gave back {what} than it was given: trust nothing there")
    return sha256


def _seal(run: Run) -> Plain:
    plan = planned(run)
    shelf, id_ = plan.shelf(), _id(run)
    names = {one.name for one in shelf.store.entries(shelf.name)}
    if shelf.called(f"{id_}{UNSEALED}") in names:
        content = whole(shelf.store, shelf.called(f"{id_}{UNSEALED}"), LARGEST)
        shelf.put_small(f"{id_}{RECORD}", content)
        shelf.store.remove(shelf.called(f"{id_}{UNSEALED}"))
    else:
        content = whole(shelf.store, shelf.called(f"{id_}{RECORD}"), LARGEST)
    plain: Plain = msgspec.to_builtins(msgspec.structs.replace(decode_record(content), manifest=None, roles=()))
    return plain


def _unseal(run: Run) -> None:
    plan = planned(run)
    shelf = plan.shelf()
    shelf.store.remove(shelf.called(f"{_id(run)}{RECORD}"))


def _drop(run: Run) -> None:
    plan = planned(run)
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
