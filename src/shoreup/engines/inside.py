"""Files of a sandbox, seen from outside, where whoever wrote them may have laid a trap.

A link in the sandbox may lead to a file of this machine, a name may climb out, a pipe may never end. So every step of
every path is opened by itself, beginning at the sandbox's own root, and is refused when it is a link or no plain file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEEPEST = 24


class Entry(Struct, frozen=True):
    """A file or folder. ``path`` is relative to where the walk began; ``changed`` is its time of change in ns."""

    path: str
    folder: bool
    size: int
    changed: int
    inode: int


class Inside:
    """A folder of a sandbox. Paths are relative to it; what is not there, or no plain file, is an ``OSError``."""

    def __init__(self, root: int, path: str = "") -> None:
        self._root = root
        self._path = [part for part in path.split("/") if part]

    def text(self, path: str, end: int) -> str:
        """The last ``end`` characters of a file; empty where there is none."""
        try:
            return self.read(path, 1 << 20).decode("utf-8", "replace").strip()[-end:]
        except OSError:
            return ""

    def read(self, path: str, most: int) -> bytes:
        """At most the first ``most`` bytes of a plain file."""
        folder, name = self._open_parent(path)
        try:
            opened = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OSError("it is no plain file")
            return file.read(most)

    def write(self, path: str, content: bytes) -> None:
        """Replace the content of a plain file that is there: who is outside has no number inside to make one with."""
        folder, name = self._open_parent(path)
        try:
            opened = os.open(name, os.O_WRONLY | _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(opened, "wb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OSError("it is no plain file")
            os.ftruncate(opened, 0)
            file.write(content)

    def age(self, path: str, changed: int) -> None:
        """Set a file's or folder's time of change, in ns since 1970."""
        folder, name = self._open_parent(path)
        try:
            os.utime(name, ns=(changed, changed), dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)

    def remove(self, path: str) -> None:
        """Remove one file, if it is there."""
        folder, name = self._open_parent(path)
        try:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)

    def clear(self, keep: frozenset[str] = frozenset(), spare: frozenset[str] = frozenset()) -> None:
        """Remove everything below. The folders ``keep`` are emptied and stay; those to ``spare`` stay as they are."""
        with suppress(OSError):
            _clear(self._open([]), "", (keep, spare), _DEEPEST)

    def walk(self, older_by: float = 0.0) -> Iterator[Entry]:
        """Everything below, folders after what is in them; links are left out.

        With ``older_by`` (seconds) all of it, and the folder itself, becomes older on the way; what is told is from
        before.
        """
        by = int(older_by * 1_000_000_000)
        try:
            top = self._open([])
        except OSError:
            return
        yield from _walk(top, "", by, _DEEPEST)
        if by and self._path:
            with suppress(OSError):
                folder, name = self._open_parent("")
                try:
                    changed = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns - by
                    os.utime(name, ns=(changed, changed), dir_fd=folder, follow_symlinks=False)
                finally:
                    os.close(folder)

    def _open(self, parts: list[str]) -> int:
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        for part in (*self._path, *parts):
            try:
                inner = os.open(part, _FOLDER, dir_fd=here)
            finally:
                os.close(here)
            here = inner
        return here

    def _open_parent(self, path: str) -> tuple[int, str]:
        parts = [part for part in path.split("/") if part]
        if not parts:
            whole = Inside(self._root, "/".join(self._path[:-1]))
            return whole._open([]), self._path[-1]
        if ".." in parts:
            raise OSError("a path may not climb")
        return self._open(parts[:-1]), parts[-1]


def _walk(folder: int, before: str, by: int, deeper: int) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                inner = stat.S_ISDIR(status.st_mode)
                path = before + entry.name
                if inner and deeper:
                    with suppress(OSError):
                        yield from _walk(os.open(entry.name, _FOLDER, dir_fd=folder), f"{path}/", by, deeper - 1)
                if by:
                    changed = status.st_mtime_ns - by
                    os.utime(entry.name, ns=(changed, changed), dir_fd=folder, follow_symlinks=False)
                if inner or stat.S_ISREG(status.st_mode):
                    yield Entry(path, inner, status.st_size, status.st_mtime_ns, status.st_ino)
    finally:
        os.close(folder)


def _clear(folder: int, before: str, staying: tuple[frozenset[str], frozenset[str]], deeper: int) -> None:
    try:
        for name in os.listdir(folder):
            with suppress(OSError):
                if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    if before + name in staying[1]:
                        continue
                    if deeper:
                        inner = os.open(name, _FOLDER, dir_fd=folder)
                        _clear(inner, f"{before}{name}/", staying, deeper - 1)
                    if before + name not in staying[0]:
                        os.rmdir(name, dir_fd=folder)
                else:
                    os.unlink(name, dir_fd=folder)
    finally:
        os.close(folder)
