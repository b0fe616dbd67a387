"""Restoring copies of files: folders, tars and zips, held against their manifest; without one, looked at from inside.

Most files say nothing of themselves. A database among them does: SQLite checks its own pages, and a server's data
directory that was copied along is tried as what it is, by the engine that it is of.
"""

from __future__ import annotations

import secrets
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from shoreup.compare.files import take
from shoreup.compare.manifest import Manifest
from shoreup.drills.asking import Answer, ask_files
from shoreup.drills.restoring.copies import FILES, Copy
from shoreup.drills.restoring.inner_databases import InnerDatabase, inner_databases, tried
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.archives import unpack
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.providers import Installation
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine


class FileCopies:
    """How copies of files are tried. They need no engine of their own."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """Nothing but this program."""
        return Choice(Installation(FILES, (), "system", Path(sys.prefix)), Engine(FILES, ""))

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[_Target]:
        """Nothing has to be started."""
        yield _Target(scratch, copy)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end. Of a folder it is what would tell, where something in it does."""
        if copy.is_dir():
            return without_its_end(copy, target, tuple(one.telling for one in inner_databases(copy)))
        return without_its_end(copy, target)


class _Target:
    """A scratch folder that files are brought into."""

    def __init__(self, scratch: Scratch, copy: Copy) -> None:
        self._scratch = scratch
        self._copy = copy
        self._place: Path | None = None
        self._inner: tuple[InnerDatabase, ...] = ()
        self._limits: list[str] = []

    @property
    def engine(self) -> Engine:
        return Engine(FILES, f"SQLite {sqlite3.sqlite_version}" if any(not one.product for one in self._inner) else "")

    @property
    def moment(self) -> datetime | None:
        return None

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        name = f"tree-{secrets.token_hex(2)}"
        self._place = self._scratch.make(name) / "files"
        if path.is_dir():
            self._scratch.keep_tree(path, self._place)
        else:
            left = unpack(path, self._scratch.make(f"{name}/files"), self._scratch)
            if left.special:
                self._limits.append(f"{left.special} devices, pipes or sockets, which were not unpacked")
        self._inner = inner_databases(self._place)
        return ()

    def answers(self, place: str) -> bool:
        return self._here.is_dir()

    def holds(self, place: str) -> Manifest:
        return take(self._here, jobs=self._copy.jobs)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for one in self._inner:
            judged = tried(one, self._here, self._scratch, self._copy)
            found += judged.wrong
            self._limits += judged.unseen
        return tuple(found)

    def ask(self, query: str, place: str, database: str) -> Answer:
        return ask_files(self._here, query)

    def limits(self) -> tuple[str, ...]:
        return tuple(self._limits)

    @property
    def _here(self) -> Path:
        if self._place is None:
            raise BrokenCopy("nothing was brought")
        return self._place
