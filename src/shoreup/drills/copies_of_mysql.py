"""Restoring copies of MariaDB and MySQL: dumps in SQL, of one database or of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shoreup.compare.manifest import Manifest
from shoreup.compare.mysql import take
from shoreup.drills.copies import Copy
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.mysql import Mysql, RunningMysql, restore_errors
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

_SYSTEM = frozenset({"information_schema", "performance_schema", "mysql", "sys"})


class MysqlCopies:
    """How copies of MariaDB and MySQL are tried."""

    def choose(self, wanted: Wanted) -> Choice | NoProvider:
        """The engine to try it on."""
        return choose(wanted)

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[_Target]:
        """A new server."""
        with Mysql(choice, scratch).start() as running:
            yield _Target(running, copy)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end."""
        return without_its_end(copy, target)


class _Target:
    """A server that dumps are restored into: into a place where they name no database, else into their own."""

    def __init__(self, running: RunningMysql, copy: Copy) -> None:
        self._running = running
        self._copy = copy

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        self._running.create(place)
        finished = self._running.restore(path, place)
        return () if finished.well else restore_errors(finished) or (f"{finished.program} ended with {finished.code}",)

    def answers(self, place: str) -> bool:
        with self._running.connect(place) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.tables")
            return cursor.fetchone() is not None

    def holds(self, place: str) -> Manifest:
        product = self._running.engine.product
        return take(self._running.connect, self._databases(place), product=product, jobs=self._copy.jobs)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for database in self._databases(place):
            with self._running.connect(database) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
                for (table,) in cursor.fetchall():
                    quoted = str(table).replace("`", "``")
                    cursor.execute(f"CHECK TABLE `{quoted}`")
                    found += [f"table {table}: {words}" for _, _, kind, words in cursor.fetchall() if kind == "error"]
        return tuple(found)

    def limits(self) -> tuple[str, ...]:
        return ()

    def _databases(self, place: str) -> tuple[str, ...]:
        with self._running.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            named = {str(row[0]) for row in cursor.fetchall()} - _SYSTEM
            cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", (place,))
            (count,) = cursor.fetchone() or (0,)
        others = tuple(sorted(named - {place}))
        # A dump that names its databases leaves the place empty.
        return others if others and not count else (place,)
