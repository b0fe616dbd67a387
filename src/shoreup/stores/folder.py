"""A folder on this machine, which may be a mounted share.

A file is written beside its name, flushed to the disk, and then gets the name, so that under a name there is never half
a file, also after a power cut. Reading back from the memory of the system would prove nothing of the disk, so the
system is asked to forget what was written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from shoreup.stores.base import PIECE, Entry, NotThere, StoreTrouble, checked, is_name

_FIX = {
    errno.ENOSPC: "free some space there, or keep fewer backups",
    errno.EDQUOT: "free some space there, or raise the quota",
    errno.EROFS: "it is mounted read-only: mount it for writing",
    errno.EACCES: "let whoever runs Shoreup write there",
    errno.EPERM: "let whoever runs Shoreup write there",
}


class Folder:
    """A store in a folder, which has to be there: one that is made by mistake lies on the wrong disk."""

    packs = False

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self._root)

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file beside its name, flush it, and give it the name."""
        target = self._at(name)
        beside = _beside(target)
        making = iter(pieces)
        try:
            self._is_there()
            self._make(target.parent)
            opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise self._trouble(problem) from None
        try:
            with os.fdopen(opened, "wb", buffering=0) as file:
                for piece in making:
                    self._write(file.fileno(), piece)
                self._settle(file.fileno())
            beside.replace(target)
            _flush(target.parent)
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise self._trouble(problem) from None
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def get(self, name: str) -> Iterator[bytes]:
        """The content of a file."""
        try:
            with self._at(name).open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    yield piece
        except FileNotFoundError:
            raise NotThere(f"there is no {name} in {self._root}") from None
        except OSError as problem:
            raise self._trouble(problem) from None

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """The files of a folder, without those that are being written."""
        try:
            self._is_there()
            with os.scandir(self._at(folder)) as found:
                files = [one for one in found if not one.name.startswith(".") and one.is_file(follow_symlinks=False)]
                return tuple(sorted((Entry(f"{folder}/{one.name}", one.stat().st_size) for one in files), key=_name))
        except FileNotFoundError:
            return ()
        except OSError as problem:
            raise self._trouble(problem) from None

    def tree(self, folder: str) -> tuple[Entry, ...]:
        """The files of a folder and of those below it. Links are not followed."""
        top, found = self._at(folder), list[Entry]()
        try:
            self._is_there()
            for below, _, files in os.walk(top, onerror=_raised):
                for file in files:
                    path = Path(below, file)
                    name = path.relative_to(self._root).as_posix()
                    if is_name(name) and path.is_file() and not path.is_symlink():
                        found.append(Entry(name, path.stat().st_size))
        except FileNotFoundError:
            return ()
        except OSError as problem:
            raise self._trouble(problem) from None
        return tuple(sorted(found, key=_name))

    def remove(self, name: str) -> None:
        """Remove a file."""
        target = self._at(name)
        try:
            _beside(target).unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            _flush(target.parent)
        except FileNotFoundError:
            return
        except OSError as problem:
            raise self._trouble(problem) from None

    def tidy(self) -> None:
        """Nothing is left to do: what is removed is gone."""

    def _at(self, name: str) -> Path:
        return self._root / checked(name)

    def _is_there(self) -> None:
        if not self._root.is_dir():
            raise StoreTrouble(f"there is no folder {self._root}: make it, or mount what should lie there")

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _flush(folder.parent)

    def _write(self, opened: int, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(opened, rest) :]

    def _settle(self, opened: int) -> None:
        os.fsync(opened)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)

    def _trouble(self, problem: OSError) -> StoreTrouble:
        help_ = _FIX.get(problem.errno or 0, "")
        return StoreTrouble(f"{self._root}: {problem.strerror or problem}" + (f"; {help_}" if help_ else ""))


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _flush(folder: Path) -> None:
    """Have the names in a folder on disk. Some shares cannot, and have them there anyway."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _raised(problem: OSError) -> None:
    raise problem


def _name(one: Entry) -> str:
    return one.name
