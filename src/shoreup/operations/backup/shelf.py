"""The backups of one name in one store: which are whole, which are not, and which was looked at when."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import blake2b, sha256

from msgspec import Struct

from shoreup.ledger.location import state_folder
from shoreup.operations.backup.records import (
    CHECKED,
    LARGEST,
    RECORD,
    Check,
    Record,
    WrongRecord,
    decode_check,
    decode_record,
    encode,
    id_of,
    number_of,
)
from shoreup.stores.base import Entry, NotThere, Store, StoreTrouble, whole


class BackupTrouble(Exception):
    """Something about a backup did not go as it has to. The message says what, and what to do."""


class Busy(BackupTrouble):
    """Another run is at this backup."""


class State(StrEnum):
    """How a backup stands."""

    GOOD = "good"
    """Every byte was read back, and nothing speaks against it since."""
    DAMAGED = "damaged"
    """It is not what its record says."""
    LOST = "lost"
    """Its file is gone."""


class Kept(Struct, frozen=True):
    """A backup in a store. ``why`` says what is wrong with one that is not good.

    ``record`` is ``None`` where the record itself cannot be read. ``check`` is the newest look at it after it was
    taken.
    """

    id: str
    state: State
    record: Record | None = None
    check: Check | None = None
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether it can be counted on, as far as anybody looked."""
        return self.state is State.GOOD

    @property
    def restored(self) -> bool:
        """Whether it came back in a drill."""
        return self.good and self.check is not None and self.check.how == "restored"


class Shelf:
    """The backups of one ``name``."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name

    def called(self, file: str) -> str:
        """The name in the store of a file of ours."""
        return f"{self.name}/{file}"

    def next_number(self) -> int:
        """One more than any that is here, also of what was never finished."""
        return 1 + max((number_of(one.name) for one in self.store.entries(self.name)), default=0)

    def kept(self) -> tuple[Kept, ...]:
        """Every backup, the oldest first. Raises :class:`StoreTrouble`."""
        entries = {one.name: one for one in self.store.entries(self.name)}
        found = [self._one(id_of(name), entries) for name in entries if name.endswith(RECORD) and id_of(name)]
        return tuple(sorted(found, key=lambda one: (number_of(one.id), one.id)))

    def find(self, id_: str = "") -> Kept:
        """The backup of an id or the beginning of one, the newest good one for ``""``.

        Raises :class:`BackupTrouble`.
        """
        kept = self.kept()
        if not kept:
            raise BackupTrouble(f"there is no backup of {self.name} in {self.store.shown}; take one first")
        fitting = [one for one in kept if (one.id.startswith(id_) if id_ else one.good)]
        if not fitting:
            what = f"backup {id_}" if id_ else "good backup"
            raise BackupTrouble(
                f"there is no {what} of {self.name}; 'shoreup backup list {self.name}' shows what is there"
            )
        if id_ and len(fitting) > 1:
            raise BackupTrouble(f"{id_} begins the names of {len(fitting)} backups; write more of it")
        return fitting[-1]

    def digest(self, file: str) -> tuple[int, str]:
        """The size and the SHA-256 of what the store gives back for a file. Raises :class:`StoreTrouble`."""
        size, seen = 0, sha256()
        for piece in self.store.get(self.called(file)):
            size += len(piece)
            seen.update(piece)
        return size, seen.hexdigest()

    def put_small(self, file: str, content: bytes) -> None:
        """Keep something small, and see that the store has it. Raises :class:`StoreTrouble`."""
        self.store.put(self.called(file), [content])
        if whole(self.store, self.called(file), LARGEST) != content:
            raise StoreTrouble(f"{self.store.shown} gave back {file} otherwise than it was given: trust nothing there")

    def note(self, check: Check) -> None:
        """Keep what a look at a backup has shown. Raises :class:`StoreTrouble`."""
        self.put_small(f"{check.id}{CHECKED}", encode(check))

    def remove(self, id_: str) -> None:
        """Remove a backup: the record first, so that no record is ever without its file by our doing."""
        own = [one.name for one in self.store.entries(self.name) if id_of(one.name) == id_]
        for name in sorted(own, key=lambda one: not one.endswith(RECORD)):
            self.store.remove(name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one on this machine that changes these backups. Raises :class:`Busy`.

        Whoever is killed lets go by that.
        """
        folder = state_folder() / "backups"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = blake2b(f"{self.store.shown} {self.name}".encode(), digest_size=8).hexdigest()
        opened = os.open(folder / f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"another run is at the backups of {self.name}; wait until it has ended") from None
            yield
        finally:
            os.close(opened)

    def _one(self, id_: str, entries: dict[str, Entry]) -> Kept:
        try:
            record = decode_record(whole(self.store, self.called(f"{id_}{RECORD}"), LARGEST))
        except (NotThere, WrongRecord) as problem:
            return Kept(id_, State.DAMAGED, why=f"its record cannot be read: {problem}")
        check = self._check(id_, entries)
        there = entries.get(self.called(record.file))
        if there is None:
            return Kept(id_, State.LOST, record, check, "its file is gone")
        if there.size is not None and there.size != record.size:
            return Kept(id_, State.DAMAGED, record, check, f"its file has {there.size} bytes, and had {record.size}")
        if check is not None and not check.good:
            return Kept(id_, State.DAMAGED, record, check, check.why)
        return Kept(id_, State.GOOD, record, check)

    def _check(self, id_: str, entries: dict[str, Entry]) -> Check | None:
        name = self.called(f"{id_}{CHECKED}")
        if name not in entries:
            return None
        try:
            return decode_check(whole(self.store, name, LARGEST))
        except (NotThere, WrongRecord):
            return None
