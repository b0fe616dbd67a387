"""From a backup's file back to the data: read, checked, decrypted, decompressed, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shoreup.operations.backup.packing import AGE, ZSTD, Meter, decompressed, decrypted
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.shelf import BackupTrouble, Kept, Shelf


def content(plan: Plan, shelf: Shelf, record: Record) -> Iterator[bytes]:
    """The data of a backup, never more than its record says that there is.

    Raises :class:`BackupTrouble` where it was not what its record says: as soon as it swells, else at the end.
    """
    seen = Meter()
    pieces = seen.through(shelf.store.get(shelf.called(record.file)))
    size = 0
    inner = pieces
    for way in reversed(record.packing):
        if way == AGE:
            inner = decrypted(inner, plan.key())
        elif way == ZSTD:
            inner = decompressed(inner)
        else:
            raise BackupTrouble(f"it is packed by {way}, which this version of Shoreup does not know")
    for piece in inner:
        size += len(piece)
        if size > record.content:
            raise BackupTrouble(f"it unpacks to more than the {record.content} bytes that it was made of")
        yield piece
    for _ in pieces:
        pass  # what lies behind the end counts as well
    if (seen.size, seen.sha256) != (record.size, record.sha256):
        raise BackupTrouble("its file is not the one that was written")
    if size != record.content:
        raise BackupTrouble(f"it unpacks to {size} bytes, and was made of {record.content}")


def fetch(plan: Plan, shelf: Shelf, record: Record, target: Path) -> Path:
    """Bring the data of a backup into a new file. Raises :class:`BackupTrouble`; nothing is left then."""
    beside = target.with_name(f".{target.name}.part")
    try:
        with beside.open("wb") as file:
            beside.chmod(0o600)
            file.writelines(content(plan, shelf, record))
        beside.replace(target)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise BackupTrouble(f"{target.parent}: {problem.strerror or problem}") from None
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


def recorded(kept: Kept) -> Record:
    """The record of a backup that can be used. Raises :class:`BackupTrouble` for one that is not good."""
    if kept.record is None or not kept.good:
        raise BackupTrouble(f"backup {kept.id} is {kept.state.value}: {kept.why}")
    return kept.record
