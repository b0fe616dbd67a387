"""Backups of SQLite: a copy that SQLite itself makes, while others write.

The copy lies in the run's folder until it is in the store, so as much room is needed there as the database has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from shoreup.compare.sqlite import take
from shoreup.engines.sqlite import backup, damage
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked, Stream, Taken
from shoreup.stores.base import PIECE


class Sqlite:
    """How a database of SQLite is copied."""

    ending = ".sqlite"

    @contextmanager
    def open(self, asked: Asked) -> Iterator[Stream]:
        """Have SQLite make a copy, and look at it."""
        source, copy = asked.address.path, asked.folder / "copy.sqlite"
        if not source.is_file():
            raise BackupTrouble(f"there is no database at {source}")
        moment = datetime.now(UTC)
        try:
            _clear(copy)
            backup(source, copy)
            wrong = damage(copy)
            if wrong:
                raise BackupTrouble(f"SQLite finds {source} damaged: {wrong[0]}; keep the older backups")
            kept = take(copy, hashes=asked.hashes)
            yield _Copy(copy, Taken("sqlite", sqlite3.sqlite_version, "SQLite's backup", moment, manifest=kept))
        except sqlite3.Error as problem:
            raise BackupTrouble(f"{source}: {problem}") from None
        finally:
            _clear(copy)


def _clear(copy: Path) -> None:
    """Remove a copy and what lies beside a database that was opened."""
    for one in copy.parent.glob(f"{copy.name}*"):
        one.unlink()


class _Copy:
    def __init__(self, path: Path, told: Taken) -> None:
        self._path = path
        self._told = told

    def pieces(self) -> Iterator[bytes]:
        with self._path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece

    def taken(self) -> Taken:
        return self._told
