"""Base backups of PostgreSQL: a data directory, plain or in tars, with the WAL that makes it consistent.

The files of a running server are of no one moment. What makes a base backup whole is the WAL from its beginning to its
end; PostgreSQL replays it when it starts, and refuses to start when some of it is missing. Where the backup brings its
own list of files with checksums, each file is held against that before anything is started.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from shoreup.engines.packing import BrokenCopy, packing_of, unpacked
from shoreup.engines.scratch import Scratch

_VERSION = "PG_VERSION"
_LIST = "backup_manifest"
_NOT_OURS = ("postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal")
"""What would make a restored server wait for others, or believe that it still runs."""


def is_base_backup(path: Path) -> bool:
    """Whether a folder looks like a base backup."""
    return path.is_dir() and ((path / _VERSION).is_file() or _tar(path, "base") is not None)


def bring(path: Path, scratch: Scratch, name: str) -> Path:
    """Bring a base backup into a scratch folder, as a data directory for a server of its version.

    Raises :class:`BrokenCopy` where it is none, or where something in it leads out of it.
    """
    data = scratch.make(f"{name}/data")
    base = _tar(path, "base")
    if base is not None:
        _extract(base, data)
        wal = _tar(path, "pg_wal")
        if wal is not None:
            _extract(wal, data / "pg_wal")
        listed = path / _LIST
        if listed.is_file():
            shutil.copyfile(listed, data / _LIST)
    else:
        shutil.copytree(path, data, symlinks=True, dirs_exist_ok=True)
    if not (data / _VERSION).is_file():
        raise BrokenCopy("it is no data directory of PostgreSQL: PG_VERSION is missing")
    for one in data.rglob("*"):
        if one.is_symlink():
            raise BrokenCopy("it has a table space or a link that leads out of it, which a drill does not follow")
        scratch.give(one)
        one.chmod(0o700 if one.is_dir() else 0o600)
    for extra in _NOT_OURS:
        (data / extra).unlink(missing_ok=True)
    scratch.give(data).chmod(0o700)
    return data


def version_of(data: Path) -> str:
    """The major version that a data directory is of."""
    return (data / _VERSION).read_text(encoding="ascii", errors="replace").strip()[:8]


def has_list(data: Path) -> bool:
    """Whether the backup brought its own list of files."""
    return (data / _LIST).is_file()


def _tar(folder: Path, name: str) -> Path | None:
    return next((one for one in sorted(folder.glob(f"{name}.tar*")) if one.is_file()), None)


def _extract(tar: Path, target: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise BrokenCopy("this Python is too old to unpack a stranger's archive safely")
    try:
        with tarfile.open(fileobj=_Pieces(unpacked(tar, packing_of(tar))), mode="r|") as archive:
            archive.extractall(target, filter="data")
    except (tarfile.TarError, EOFError) as problem:
        raise BrokenCopy(f"{tar.name} is damaged, or reaches out of its folder: {type(problem).__name__}") from None


class _Pieces(io.RawIOBase):
    """Pieces as something that can be read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        size = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
