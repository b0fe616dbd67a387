"""SQLite: no server, but copies that can be taken wrongly all the same.

A database that is being written to is a file and its log beside it; copying the file alone may give something that
opens and lacks the newest, or that is torn. What counts is what SQLite itself says of the copy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from shoreup.engines.packing import BrokenCopy, Packing, packing_of, unpacked
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine as EngineSeen

MAGIC = b"SQLite format 3\0"
"""What every database begins with."""
_BESIDE = "-wal"


def engine() -> EngineSeen:
    """The library that Python brings."""
    return EngineSeen("sqlite", sqlite3.sqlite_version)


def backup(source: Path, target: Path) -> None:
    """Take a consistent copy of a database that may be in use. ``target`` must not be there."""
    if target.exists():
        raise FileExistsError(target)
    with closing(opened(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)


def restore(source: Path, scratch: Scratch) -> Path:
    """Bring a copy (compressed or not) into a scratch folder, with its log where one lies beside it.

    Raises :class:`BrokenCopy` where it is no database or SQLite finds it damaged.
    """
    place = scratch.make(f"sqlite-{token_hex(2)}") / "copy.sqlite"
    scratch.keep(place, unpacked(source, packing_of(source)))
    log = source.with_name(source.name + _BESIDE)
    if log.exists():
        scratch.keep(place.with_name(place.name + _BESIDE), unpacked(log, Packing.NONE))
    with place.open("rb") as file:
        first = file.read(len(MAGIC))
    if first != MAGIC:
        raise BrokenCopy("it is empty" if not first else "it does not begin like a database of SQLite")
    troubles = damage(place)
    if troubles:
        raise BrokenCopy(f"SQLite finds it damaged: {troubles[0]}")
    return place


def damage(path: Path) -> tuple[str, ...]:
    """What SQLite's own check finds, rows that break a foreign key included; empty for a sound database."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
            loose = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as problem:
        return (str(problem),)
    words = [one for one in found if one != "ok"]
    tables = sorted({str(row[0]) for row in loose})
    return tuple(words + [f"rows of {table} refer to rows that are not there" for table in tables])


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads. What the schema computes reaches nothing beyond the file."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection
