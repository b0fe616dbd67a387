"""Base backups of PostgreSQL: a data directory, plain or in tars, with the WAL that makes it consistent.

The files of a running server are of no one moment. What makes a base backup whole is the WAL from its beginning to its
end; PostgreSQL replays it when it starts, and refuses to start when some of it is missing. Where the backup brings its
own list of files with checksums, each file is held against that before anything is started. Where WAL was archived
beside it, the server can come back to any moment since. What barman-cloud keeps is such an archive too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from shoreup.engines.archives import is_tar, unpack
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of, unpacked
from shoreup.engines.postgresql.barman import (
    WALS,
    Base,
    archive_at,
    bring_tars,
    info_at,
    link_spaces,
    whole_chain,
)
from shoreup.engines.scratch import Scratch

_VERSION = "PG_VERSION"
_LIST = "backup_manifest"
_LABEL = "backup_label"
_CONTROL = "global/pg_control"
_HEADER, _IDENTIFIER = 32, 8
"""Every piece of WAL says behind 24 bytes which cluster it is of, and the control file begins with it."""
_NOT_OURS = ("postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "recovery.conf", "recovery.done")
"""What would make a restored server wait for others, or believe that it still runs."""
_SEGMENT = re.compile(r"(?P<name>[0-9A-F]{8}(?P<place>[0-9A-F]{16})|[0-9A-F]{8}\.history)(?:\.(?:partial|\w{2,6}))*")
_STARTS = re.compile(r"START WAL LOCATION: \S+ \(file [0-9A-F]{8}([0-9A-F]{16})\)")
_LOOKED_AT = 200
"""Names in a folder that are looked at to tell an archive of WAL."""
_DEEP = 3
"""Folders down to a data directory in an archive that somebody made of a server's files."""


class BaseBackup(Struct, frozen=True):
    """A base backup and what lies beside it.

    ``base`` is the data directory, the folder of its tars, or one tar of it all. ``wal`` is the folder in which WAL was
    archived since, if there is one. ``told`` is what barman-cloud wrote down of it, where it was barman-cloud.
    """

    base: Path
    wal: Path | None = None
    told: Base | None = None


def base_backup(path: Path) -> BaseBackup | None:
    """The base backup at a path: the path itself, or the newest in a folder; with the archive of WAL beside it."""
    if _is_base(path):
        return BaseBackup(path, _archive_in(path.parent))
    if not path.is_dir():
        return None
    by_barman = archive_at(path)
    if by_barman is not None:
        return BaseBackup(by_barman, path / WALS, info_at(by_barman))
    bases = [one for one in sorted(path.iterdir()) if _is_base(one)]
    if not bases:
        return None
    return BaseBackup(max(bases, key=lambda one: one.stat().st_mtime), _archive_in(path))


def bring(found: BaseBackup, scratch: Scratch, name: str) -> Path:
    """Bring a base backup into a scratch folder, as a data directory for a server of its version.

    Raises :class:`BrokenCopy` where it is none, or where something in it leads out of it.
    """
    data = scratch.make(name) / "data"
    base = found.base
    if found.told is not None:
        bring_tars(found.told, base, scratch.make(f"{name}/data"), scratch, f"{name}/spaces")
        scratch.make(f"{name}/data/pg_wal")
    elif base.is_file():
        unpack(base, scratch.make(f"{name}/data"), scratch)
        data = _data_directory(data)
    elif (tar := _tar(base, "base")) is not None:
        unpack(tar, scratch.make(f"{name}/data"), scratch)
        wal = _tar(base, "pg_wal")
        if wal is not None:
            unpack(wal, scratch.make(f"{name}/data/pg_wal"), scratch)
        if (base / _LIST).is_file():
            scratch.keep(data / _LIST, unpacked(base / _LIST, packing_of(base / _LIST)))
    else:
        scratch.keep_tree(base, data)
    if not (data / _VERSION).is_file():
        raise BrokenCopy("it is no data directory of PostgreSQL: PG_VERSION is missing")
    for one in data.rglob("*"):
        if one.is_symlink():
            raise BrokenCopy("it has a table space or a link that leads out of it, which a drill does not follow")
        one.chmod(0o700 if one.is_dir() else 0o600)
    for extra in _NOT_OURS:
        (data / extra).unlink(missing_ok=True)
    data.chmod(0o700)
    if found.told is not None:
        link_spaces(found.told, data, data.parent / "spaces", scratch)
    return data


def bring_wal(archive: Path, data: Path, scratch: Scratch) -> int:
    """Put the archived WAL that a base backup needs beside its own, and give the number of files."""
    first = _first_needed(data)
    with (data / _CONTROL).open("rb") as control:
        cluster = control.read(_IDENTIFIER)
    brought = 0
    for file in sorted(archive.rglob("*")):
        found = _SEGMENT.fullmatch(file.name)
        if found is None or not file.is_file() or (found["place"] and found["place"] < first):
            continue
        place = data / "pg_wal" / found["name"]
        if place.exists() and ".partial" in file.name:
            continue
        packing = packing_of(file)
        header = beginning_of(file, packing, _HEADER)[_HEADER - _IDENTIFIER : _HEADER]
        if found["place"] and header != cluster:
            continue  # an archive of several clusters
        place.unlink(missing_ok=True)
        scratch.keep(place, unpacked(file, packing))
        brought += 1
    return brought


def bring_chain(told: Base, archive: Path, data: Path, scratch: Scratch, *, whole: bool) -> str:
    """Put every piece of WAL that follows a base backup beside it; the first that is missing, empty where none is.

    Raises :class:`BrokenCopy` where the base cannot do without what is missing, or a piece is no whole one of its
    server's; with ``whole`` for any that is missing.
    """
    chain = whole_chain(told, archive)
    if chain.gap and (chain.gap[8:] <= told.last[8:] or whole):
        needed = chain.gap[8:] <= told.last[8:]
        behind = f", and {chain.after} behind it are there" if chain.after else ""
        why = f"without it base backup {told.id} is not whole" if needed else f"nothing later comes back{behind}"
        raise BrokenCopy(f"WAL {chain.gap} is missing in the archive: {why}")
    with (data / _CONTROL).open("rb") as control:
        cluster = control.read(_IDENTIFIER)
    for file in sorted(archive.rglob("*")):
        found = _SEGMENT.fullmatch(file.name)
        if found is None or not (found["name"].endswith(".history") or found["name"] in chain.names):
            continue
        packing, place = packing_of(file), data / "pg_wal" / found["name"]
        if found["place"] and beginning_of(file, packing, _HEADER)[_HEADER - _IDENTIFIER : _HEADER] != cluster:
            raise BrokenCopy(f"WAL {found['name']} is another server's: two of them archive into one place")
        place.unlink(missing_ok=True)
        try:
            # A piece that was archived before it was full is zeros behind its end.
            scratch.keep_with_holes(place, unpacked(file, packing))
        except BrokenCopy as broken:
            raise BrokenCopy(f"WAL {found['name']}: {broken}") from None
        if found["place"] and place.stat().st_size != told.segment:
            raise BrokenCopy(f"WAL {found['name']} has {place.stat().st_size:,} bytes instead of {told.segment:,}")
    return chain.gap


def wants_to_follow(data: Path, scratch: Scratch) -> None:
    """Let the server go on reading WAL until it is told to stop. No command of a shell is needed for that."""
    scratch.give(_empty(data / "standby.signal"))


def major_of(found: BaseBackup) -> str:
    """The major version that a base backup says it is of, where that can be seen without unpacking it."""
    if found.told is not None:
        return found.told.major
    return version_of(found.base) if (found.base / _VERSION).is_file() else ""


def telling_files(found: BaseBackup) -> tuple[str, ...]:
    """What cannot be cut off without being missed. Of WAL the end may be of no use, and be missed by nobody."""
    tar = _tar(found.base, "base")
    if tar is not None:
        return (tar.name,)
    if not has_list(found.base):
        return (_CONTROL,)
    tables = [one for one in (found.base / "base").rglob("*") if one.is_file() and not one.is_symlink()]
    largest = max(tables, key=lambda one: one.stat().st_size, default=found.base / _CONTROL)
    return (str(largest.relative_to(found.base)),)


def version_of(data: Path) -> str:
    """The major version that a data directory is of."""
    return (data / _VERSION).read_text(encoding="ascii", errors="replace").strip()[:8]


def has_list(data: Path) -> bool:
    """Whether the backup brought its own list of files."""
    return (data / _LIST).is_file()


def is_labelled(data: Path) -> bool:
    """Whether the files were taken as a backup, and not just copied from under a server."""
    return (data / _LABEL).is_file()


def _is_base(path: Path) -> bool:
    if path.is_dir():
        return ((path / _VERSION).is_file() and (path / "global").is_dir()) or _tar(path, "base") is not None
    if not path.is_file() or not is_tar(path):
        return False
    return _names_first(path) in {_LABEL, "tablespace_map", _VERSION}


def _names_first(tar: Path) -> str:
    beginning = next(unpacked(tar, packing_of(tar)), b"")
    return beginning[:100].split(b"\0")[0].decode("ascii", "replace").removeprefix("./")


def is_archive(folder: Path) -> bool:
    """Whether WAL lies right in a folder that is no base backup: what is archived beside one, and no copy by itself."""
    if not folder.is_dir() or _is_base(folder):
        return False
    return any(_SEGMENT.fullmatch(one.name) for one in islice(folder.iterdir(), _LOOKED_AT))


def _archive_in(folder: Path) -> Path | None:
    """The folder below this one in which WAL lies, by its content."""
    for one in sorted(folder.iterdir()):
        if one.is_dir() and not one.is_symlink() and not _is_base(one) and any(_segments(one)):
            return one
    return None


def _segments(folder: Path) -> Iterator[Path]:
    for one in islice(folder.rglob("*"), _LOOKED_AT):
        found = _SEGMENT.fullmatch(one.name)
        if found is not None and found["place"] and one.is_file() and "pg_wal" not in one.parts[-3:-1]:
            yield one


def _first_needed(data: Path) -> str:
    try:
        found = _STARTS.search((data / _LABEL).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return found.group(1) if found is not None else ""


def _data_directory(folder: Path) -> Path:
    """The data directory in what was unpacked."""
    here = [folder]
    for _ in range(_DEEP):
        for one in here:
            if (one / _VERSION).is_file() and (one / "global").is_dir():
                return one
        here = [below for one in here for below in sorted(one.iterdir()) if below.is_dir() and not below.is_symlink()]
    return folder


def _tar(folder: Path, name: str) -> Path | None:
    return next((one for one in sorted(folder.glob(f"{name}.tar*")) if one.is_file()), None)


def _empty(path: Path) -> Path:
    path.touch(mode=0o600)
    return path
