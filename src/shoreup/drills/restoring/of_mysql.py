"""Restoring copies of MariaDB and MySQL: dumps in SQL, of one database or of several."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from shoreup.compare.manifest import Manifest
from shoreup.compare.mysql import take
from shoreup.drills.asking import Answer, ask_mysql
from shoreup.drills.restoring.copies import Copy, Target
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.base import EngineEnded, EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.mysql.files import are_files, bring, version_in
from shoreup.engines.mysql.server import Mysql, MysqlOptions, RunningMysql, restore_errors
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

_SYSTEM = frozenset({"information_schema", "performance_schema", "mysql", "sys"})


class MysqlCopies:
    """How copies of MariaDB and MySQL are tried."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """The engine to try it on. Files need the series that they are of."""
        if not are_files(copy.path):
            return choose(wanted)
        return choose(replace(wanted, files=True, version=wanted.version or version_in(copy.path)))

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[Target]:
        """A new server; for files there is none before they are brought."""
        if are_files(copy.path):
            with ExitStack() as stack:
                yield _Files(choice, scratch, copy, stack)
            return
        with Mysql(choice, scratch).start() as running:
            yield _Dumps(running, copy)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end."""
        return without_its_end(copy, target)


class _Dumps:
    """A server that dumps are restored into: into a place where they name no database, else into their own."""

    def __init__(self, running: RunningMysql, copy: Copy) -> None:
        self.running = running
        self._copy = copy

    @property
    def engine(self) -> Engine:
        return self.running.engine

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        self.running.create(place)
        finished = self.running.restore(path, place)
        return () if finished.well else restore_errors(finished) or (f"{finished.program} ended with {finished.code}",)

    def answers(self, place: str) -> bool:
        with self.running.connect(place) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.tables")
            return cursor.fetchone() is not None

    def holds(self, place: str) -> Manifest:
        product = self.running.engine.product
        return take(self.running.connect, self._databases(place), product=product, jobs=self._copy.jobs)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for database in self._databases(place):
            with self.running.connect(database) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
                for (table,) in cursor.fetchall():
                    quoted = str(table).replace("`", "``")
                    cursor.execute(f"CHECK TABLE `{quoted}`")
                    found += [f"table {table}: {words}" for _, _, kind, words in cursor.fetchall() if kind == "error"]
        return tuple(found)

    def ask(self, query: str, place: str, database: str) -> Answer:
        return ask_mysql(self.running, query, database or self._databases(place)[0])

    @property
    def moment(self) -> datetime | None:
        return None

    def limits(self) -> tuple[str, ...]:
        return ()

    def _databases(self, place: str) -> tuple[str, ...]:
        with self.running.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            named = {str(row[0]) for row in cursor.fetchall()} - _SYSTEM
            cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", (place,))
            (count,) = cursor.fetchone() or (0,)
        others = tuple(sorted(named - {place}))
        # A dump that names its databases leaves the place empty, and files know of no such place.
        return others if others and not count else (place,)


class _Files:
    """The files of a server: the server that starts on them is the restored one."""

    def __init__(self, choice: Choice, scratch: Scratch, copy: Copy, stack: ExitStack) -> None:
        self._choice = choice
        self._scratch = scratch
        self._copy = copy
        self._stack = stack
        self._started: _Dumps | None = None
        self._limits: tuple[str, ...] = ()

    @property
    def engine(self) -> Engine:
        return self._choice.engine if self._started is None else self._started.engine

    @property
    def moment(self) -> datetime | None:
        return None

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        brought = bring(path, Mysql(self._choice, self._scratch), f"files-{secrets.token_hex(2)}")
        if not brought.prepared:
            self._limits = ("that the next copy is as good: the files were copied from under a server unawares",)
        options = MysqlOptions(data=brought.data, settings=brought.settings)
        try:
            running = self._stack.enter_context(Mysql(self._choice, self._scratch, options).start())
        except EngineEnded as trouble:
            raise BrokenCopy(f"the server does not start with it: {trouble}") from None
        self._started = _Dumps(running, self._copy)
        return ()

    def answers(self, place: str) -> bool:
        return self._server.running.answers()

    def holds(self, place: str) -> Manifest:
        return self._server.holds(place)

    def unsound(self, place: str) -> tuple[str, ...]:
        return self._server.unsound(place)

    def ask(self, query: str, place: str, database: str) -> Answer:
        return self._server.ask(query, place, database)

    def limits(self) -> tuple[str, ...]:
        return self._limits

    @property
    def _server(self) -> _Dumps:
        if self._started is None:
            raise EngineTrouble("no server was started")
        return self._started
