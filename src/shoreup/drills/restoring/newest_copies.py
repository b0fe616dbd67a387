"""Which files are the newest copies of a job: one a database, where the job writes several.

A job names its files by a pattern with a date in it. What differs in more than digits is another output of the same
run; what nobody has written for a day while others were is an old name, and is no part of the newest copy.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from shoreup.engines.postgresql.files import is_archive
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.storage.mounts import mounted

MANIFEST = ".manifest.json"
"""What the name of a copy's manifest ends with, behind the name of the copy."""
_UNFINISHED = (".partial", ".part", ".tmp", ".temp")
_BASES = "pg_basebackup"
"""Beside what it writes lies the archive of WAL, which comes back with it."""
_IN_A_COPY = (
    *("PG_VERSION", "backup_manifest", "backup_label", "toc.dat"),
    *("base.tar", "base.tar.gz", "base.tar.zst", "base.tar.lz4"),
    *("ibdata1", "xtrabackup_checkpoints", "mariadb_backup_checkpoints"),
    *("appendonlydir", "appendonly.aof"),
)
"""What lies in a folder that is one copy: of PostgreSQL (base backup, dump as a folder), MariaDB, Redis."""
_ONE_RUN = timedelta(hours=20)
_DIGITS = re.compile(r"[\dTZ:_.-]*\d[\dTZ:_.-]*")


def newest_copies(estate: Estate, backup: Backup, where: Path | None) -> tuple[Path, ...] | str:
    """The newest copy of each output of a job, or what to say in the settings.

    ``where`` is a copy, or a folder of copies, that is to be taken instead of where the estate puts them.
    """
    if where is not None and not (where.is_dir() and backup.target_path and not _is_copy(where)):
        return (where,)
    if where is not None:
        pattern = Path(backup.target_path).name
        found = _outputs(where, pattern, backup.tool)
        return found if isinstance(found, tuple) and found else (where,)
    volume, container = backup.target_volume, backup.container
    if volume is None or container is None:
        return "where the copies lie on this machine is not known; name one with --from"
    folder = mounted(estate, backup.namespace, volume)
    named = f"{volume.server}:{volume.path}" if volume.server else volume.claim or volume.path or volume.name
    if not folder:
        say = f'[storage] "{named}" = "/path" in shoreup.toml'
        return f"where {named} is mounted here is not known: say {say}, or name a copy by --from"
    inside = next(
        (
            f"{one.sub_path}/{backup.target_path[len(one.path) :]}"
            for one in sorted(container.mounts, key=lambda one: -len(one.path))
            if one.volume == volume.name and f"{backup.target_path}/".startswith(f"{one.path.rstrip('/')}/")
        ),
        "",
    )
    pattern = inside.strip("/").replace("//", "/")
    if not pattern or ".." in Path(pattern).parts:
        return f"which of the files in {folder} are its copies is not known; name one with --from"
    outputs = _outputs(Path(folder), pattern, backup.tool)
    return outputs or f"no copy like {pattern} lies in {folder}"


def _is_copy(folder: Path) -> bool:
    """Whether a folder is itself a copy, whose files belong together, and no folder of copies."""
    return any((folder / name).exists() for name in _IN_A_COPY)


def _outputs(folder: Path, pattern: str, tool: str) -> tuple[Path, ...] | str:
    try:
        found = [
            (one.stat().st_mtime, one)
            for one in folder.glob(pattern.replace("**", "*"))
            if not one.name.endswith((MANIFEST, *_UNFINISHED)) and not (tool == _BASES and is_archive(one))
        ]
    except (OSError, ValueError, NotImplementedError) as problem:
        return f"{folder} cannot be looked into: {problem}"
    newest: dict[str, tuple[float, Path]] = {}
    for when, one in found:
        output = _DIGITS.sub("#", one.relative_to(folder).as_posix())
        newest[output] = max(newest.get(output, (when, one)), (when, one))
    last = max((when for when, _ in newest.values()), default=0.0)
    return tuple(sorted(one for when, one in newest.values() if last - when < _ONE_RUN.total_seconds()))
