"""Restoring copies of SQLite databases, which need no server: the library that Python brings is the engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from shoreup.compare.manifest import Manifest
from shoreup.compare.sqlite import take
from shoreup.drills.asking import Answer, ask_sqlite
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.catalogue import numbers
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.providers import Installation
from shoreup.engines.scratch import Scratch
from shoreup.engines.sqlite import damage, engine, opened, restore
from shoreup.model.proof import Engine


class SqliteCopies:
    """How copies of SQLite are tried. The format of the file has been one since 2004, so the version matters little."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """Python's own library."""
        here = engine()
        return Choice(Installation(here.product, numbers(here.version), "system", Path(sys.prefix)), here)

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[_Target]:
        """Nothing has to be started."""
        yield _Target(scratch)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end."""
        return without_its_end(copy, target)


class _Target:
    """A scratch folder that a copy is brought into."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._place: Path | None = None

    @property
    def engine(self) -> Engine:
        return engine()

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        self._place = restore(path, self._scratch)
        return ()

    def answers(self, place: str) -> bool:
        with closing(opened(self._here)) as connection:
            return connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() is not None

    def holds(self, place: str) -> Manifest:
        return take(self._here)

    def unsound(self, place: str) -> tuple[str, ...]:
        return damage(self._here)

    def ask(self, query: str, place: str, database: str) -> Answer:
        return ask_sqlite(self._here, query)

    @property
    def moment(self) -> datetime | None:
        return None

    def limits(self) -> tuple[str, ...]:
        return ()

    @property
    def _here(self) -> Path:
        if self._place is None:
            raise BrokenCopy("nothing was restored")
        return self._place
