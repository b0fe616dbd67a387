"""A backup brought into a folder: files as files, a database as the file that its own tools load."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from shoreup.compare.files import take as take_files
from shoreup.compare.manifest import Manifest
from shoreup.compare.sqlite import take as take_sqlite
from shoreup.operations.backup.opening import content, fetch
from shoreup.operations.backup.packing import piped
from shoreup.operations.backup.restoring import Restoring
from shoreup.operations.backup.roles import script
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.stores.base import PIECE

_ENDINGS = {"postgresql": ".dump", "mariadb": ".sql", "mysql": ".sql", "redis": ".rdb", "sqlite": ".sqlite"}
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


def folder(restoring: Restoring, target: Path) -> Renamed:
    """A new folder, with the tree of files in it or with one file."""
    if restoring.record.product == "files":
        return Renamed(restoring, target, None)
    return Renamed(restoring, target, f"{restoring.plan.name}{_ENDINGS[restoring.record.product]}")


def in_place(restoring: Restoring) -> Renamed:
    """The folder or the database file that the backup is of. Whoever uses it must be stopped."""
    return Renamed(restoring, restoring.plan.address.path, None, over=True)


class Renamed:
    """Something made beside its place and renamed.

    ``inside`` names the one file in it, ``None`` for the thing itself.
    """

    def __init__(self, restoring: Restoring, target: Path, inside: str | None, *, over: bool = False) -> None:
        self._restoring = restoring
        self._target = target
        self._inside = inside
        self._over = over
        self._beside = target.with_name(f".{target.name}.{restoring.mark}")
        self._before = target.with_name(f"{target.name}.before-{restoring.mark}")

    def refuse(self) -> None:
        """What is there already is only replaced where it was asked for."""
        if not self._target.parent.is_dir():
            raise BackupTrouble(f"there is no folder {self._target.parent}")
        if not self._over and self._target.exists() and (not self._target.is_dir() or any(self._target.iterdir())):
            raise BackupTrouble(f"{self._target} is there already, and is not empty: name a new folder")

    def load(self) -> None:
        """Bring it beside the target. What a killed run left of it is made anew."""
        self._clear()
        record, plan = self._restoring.record, self._restoring.plan
        try:
            if record.product == "files":
                self._beside.mkdir(mode=0o700)
                self._extract(content(plan, plan.shelf(), record))
            elif self._inside is not None:
                self._beside.mkdir(mode=0o700)
                fetch(plan, plan.shelf(), record, self._beside / self._inside)
                if record.roles:
                    (self._beside / "roles.sql").write_text(script(record.roles), encoding="utf-8")
            else:
                fetch(plan, plan.shelf(), record, self._beside)
        except OSError as problem:
            raise BackupTrouble(f"{self._target.parent}: {problem.strerror or problem}") from None

    def holds(self) -> Manifest | None:
        """The tree or the database; of other products' files every byte was compared when they were brought."""
        record = self._restoring.record
        hashes = record.manifest is not None and bool(record.manifest.method)
        if record.product == "files":
            return take_files(self._beside, hashes=hashes)
        if record.product == "sqlite":
            return take_sqlite(self._beside / self._inside if self._inside else self._beside, hashes=hashes)
        return None

    def place(self) -> str:
        """Rename; after a kill, whatever of it is missing."""
        if self._beside.exists():
            if self._over and self._target.exists():
                if self._restoring.record.product != "files":
                    self._move_beside(self._target, self._before)
                self._target.rename(self._before)
            elif self._target.is_dir():
                self._target.rmdir()
            self._beside.rename(self._target)
            _flush(self._target.parent)
        kept = f"; what was there before is {self._before}" if self._before.exists() else ""
        inside = self._target / self._inside if self._inside else self._target
        return f"{inside}{kept}"

    def take_away(self) -> None:
        """Give back the name to what had it. What is not beside any more was given the name."""
        if not self._beside.exists() and self._target.exists():
            self._target.rename(self._beside)
        if self._before.exists():
            if self._restoring.record.product != "files":
                self._move_beside(self._before, self._target)
            self._before.rename(self._target)

    def remove(self) -> None:
        """Remove what is beside the target."""
        self._clear()

    def _clear(self) -> None:
        if self._beside.is_dir():
            shutil.rmtree(self._beside)
        for one in self._beside.parent.glob(f"{self._beside.name}*"):
            one.unlink()
        self._beside.with_name(f".{self._beside.name}.part").unlink(missing_ok=True)

    def _move_beside(self, source: Path, target: Path) -> None:
        """The log of a database of SQLite belongs to it, and would be taken for the new one's."""
        for ending in _BESIDE_SQLITE:
            with suppress(FileNotFoundError):
                source.with_name(source.name + ending).rename(target.with_name(target.name + ending))

    def _extract(self, pieces: Iterator[bytes]) -> None:
        with piped(pieces) as source, tarfile.open(fileobj=source, mode="r|") as archive:
            try:
                archive.extractall(self._beside, filter=_as_it_was, numeric_owner=True)  # noqa: S202 (filtered)
                while source.read(PIECE):
                    pass  # what lies behind the end of the tar is part of the backup, and is checked
            except tarfile.TarError as problem:
                raise BackupTrouble(f"its tar cannot be unpacked: {str(problem)[:200]}") from None


def _as_it_was(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """A member with the rights that it had, unless it leads out of the folder or to what another one made there."""
    checked = tarfile.tar_filter(member, path)
    if member.islnk():
        tarfile.data_filter(member, path)  # it looks at where a second name leads, too
    if not member.isdir() and os.path.lexists(os.path.join(path, checked.name)):  # noqa: PTH118 (as tarfile does)
        # Ours name nothing twice. What is written to a name that is a link or a device already ends elsewhere.
        raise BackupTrouble("its tar names something twice, which no tar of ours does: nothing of it is restored")
    return checked.replace(mode=member.mode, deep=False)


def _flush(folder: Path) -> None:
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
