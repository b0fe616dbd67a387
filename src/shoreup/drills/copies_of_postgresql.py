"""Restoring copies of PostgreSQL: dumps of one database or of a whole cluster."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import take
from shoreup.compare.soundness import can_check_pages, unsound
from shoreup.drills.copies import Copy, Target
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.base import EngineEnded, EngineTrouble
from shoreup.engines.catalogue import written
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql import Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.postgresql_dumps import DumpShape, shape_of
from shoreup.engines.postgresql_files import bring, has_list, is_base_backup, version_of
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

_ADMIN = "postgres"
_VERIFY_SECONDS = 6 * 3600.0
_NOT_THERE = re.compile(r'extension "([^"\n]+)" is not available')


class PostgresqlCopies:
    """How copies of PostgreSQL are tried."""

    def choose(self, wanted: Wanted) -> Choice | NoProvider:
        """The engine to try it on."""
        return choose(wanted)

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[Target]:
        """A new cluster. A dump of a cluster brings its own superuser, so there ours has another name.

        A base backup is a cluster already: nothing is started for it before it is brought.
        """
        if is_base_backup(copy.path):
            with ExitStack() as stack:
                yield _Files(choice, scratch, copy, stack)
            return
        shape = shape_of(copy.path)
        ours = f"scratch_{secrets.token_hex(4)}" if shape.cluster else copy.superuser or _ADMIN
        with Postgresql(choice, scratch, PostgresqlOptions(superuser=ours)).start() as running:
            yield _Target(running, shape, copy)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end."""
        return without_its_end(copy, target)


class _Target:
    """A PostgreSQL that dumps are restored into. A cluster's databases keep their names; there is room for one."""

    def __init__(self, running: RunningPostgresql, shape: DumpShape, copy: Copy) -> None:
        self._running = running
        self._cluster = shape.cluster
        self._copy = copy
        self._own = frozenset(running.databases())
        from psycopg import sql

        for role in copy.roles:
            if role != running.superuser and not shape.cluster:
                with running.connect() as connection:
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        if self._cluster:
            finished = self._running.restore(path, _ADMIN)
        else:
            self._running.create(place)
            finished = self._running.restore(path, place, self._copy.jobs)
        if finished.well:
            return ()
        lacking = _NOT_THERE.search(finished.said)
        if lacking is not None:
            # The server that stands in is poorer than the estate's; that says nothing of the copy.
            raise EngineTrouble(f"the copy needs the extension {lacking.group(1)}, which this server does not have")
        return restore_errors(finished) or (f"{finished.program} ended with {finished.code}",)

    def answers(self, place: str) -> bool:
        with self._running.connect(self._databases(place)[0]) as connection:
            return connection.execute("SELECT count(*) FROM pg_catalog.pg_class").fetchone() is not None

    def holds(self, place: str) -> Manifest:
        found = take(self._running.connect, self._databases(place), jobs=self._copy.jobs)
        roles = () if not self._cluster else tuple(one for one in found.items if one.name != self._running.superuser)
        return msgspec.structs.replace(found, items=roles)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for database in self._databases(place):
            with self._running.connect(database) as connection:
                found += [str(one) for one in unsound(connection)]
        return tuple(found)

    def limits(self) -> tuple[str, ...]:
        found: list[str] = []
        if self._running.replaced_locales:
            named = ", ".join(sorted(self._running.replaced_locales))
            found.append(f"how text is sorted: this machine lacks the locale {named}")
        with self._running.connect() as connection:
            if not can_check_pages(connection):
                found.append("whether indexes fit their tables: this server has no amcheck")
        return tuple(found)

    def _databases(self, place: str) -> tuple[str, ...]:
        if not self._cluster:
            return (place,)
        return tuple(one for one in self._running.databases() if one not in self._own) or (_ADMIN,)


class _Files:
    """A base backup: the server that starts on it is the restored one."""

    def __init__(self, choice: Choice, scratch: Scratch, copy: Copy, stack: ExitStack) -> None:
        self._choice = choice
        self._scratch = scratch
        self._copy = copy
        self._stack = stack
        self._server: RunningPostgresql | None = None
        self._listed = False

    @property
    def engine(self) -> Engine:
        return self._choice.engine if self._server is None else self._server.engine

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        data = bring(path, self._scratch, f"files-{secrets.token_hex(2)}")
        major = version_of(data)
        if major != written(self._choice.installation.version[:1]):
            raise EngineTrouble(f"the files are of PostgreSQL {major}, and the engine is {self._choice.engine.version}")
        options = PostgresqlOptions(superuser=self._copy.superuser or _ADMIN, data=data)
        server = Postgresql(self._choice, self._scratch, options)
        self._listed = has_list(data)
        if self._listed:
            # The list itself is not among the files, and what a start would change has to be looked at before.
            checked = server.jail.run(
                [server.program("pg_verifybackup"), "--no-parse-wal", "--quiet", data], seconds=_VERIFY_SECONDS
            )
            if not checked.well:
                return restore_errors(checked) or (f"pg_verifybackup ended with {checked.code}",)
        try:
            self._server = self._stack.enter_context(server.start())
        except EngineEnded as trouble:
            raise BrokenCopy(f"PostgreSQL does not start with it: {trouble}") from None
        return ()

    def answers(self, place: str) -> bool:
        return self._running.answers()

    def holds(self, place: str) -> Manifest:
        return take(self._running.connect, self._databases(), jobs=self._copy.jobs)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for database in self._databases():
            with self._running.connect(database) as connection:
                found += [str(one) for one in unsound(connection)]
        return tuple(found)

    def limits(self) -> tuple[str, ...]:
        return () if self._listed else ("files that changed where no row lies: the backup has no list of checksums",)

    def _databases(self) -> tuple[str, ...]:
        others = tuple(one for one in self._running.databases() if one != _ADMIN)
        return others or (_ADMIN,)

    @property
    def _running(self) -> RunningPostgresql:
        if self._server is None:
            raise EngineTrouble("no server was started")
        return self._server
