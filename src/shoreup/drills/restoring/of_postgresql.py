"""Restoring copies of PostgreSQL: dumps of one database or of a whole cluster."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import take
from shoreup.compare.soundness import can_check_pages, unsound
from shoreup.drills.asking import Answer, ask_postgresql
from shoreup.drills.restoring.copies import Copy, Target
from shoreup.drills.restoring.of_postgresql_files import BaseBackupTarget
from shoreup.drills.spoiling import archive_without_its_end, without_its_end
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.postgresql.dumps import DumpShape, shape_of
from shoreup.engines.postgresql.files import base_backup, major_of, telling_files
from shoreup.engines.postgresql.server import NO_ROLE, Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

_ADMIN = "postgres"
_NOT_THERE = re.compile(r'extension "([^"\n]+)" is not available')


class PostgresqlCopies:
    """How copies of PostgreSQL are tried."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """The engine to try it on. Files say themselves which major version they are of."""
        found = base_backup(copy.path)
        if found is None:
            return choose(wanted)
        major = major_of(found)
        version = wanted.version if wanted.version.split(".")[0] == major or not major else major
        return choose(replace(wanted, files=True, version=version))

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[Target]:
        """A new cluster. A dump of a cluster brings its own superuser, so there ours has another name.

        A base backup is a cluster already: nothing is started for it before it is brought.
        """
        found = base_backup(copy.path)
        if found is not None:
            with ExitStack() as stack:
                yield BaseBackupTarget(choice, scratch, copy, stack)
            return
        shape = shape_of(copy.path)
        ours = f"scratch_{secrets.token_hex(4)}" if shape.cluster else copy.superuser or _ADMIN
        with Postgresql(choice, scratch, PostgresqlOptions(superuser=ours)).start() as running:
            yield DumpTarget(running, shape, copy)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end; of a base backup it is the base that did, not some of the WAL beside it."""
        found = base_backup(copy)
        if found is not None and found.told is not None:
            return archive_without_its_end(found.base, target)
        if found is None or found.base.is_file():
            return without_its_end(copy if found is None else found.base, target)
        return without_its_end(found.base, target, telling=telling_files(found))


class DumpTarget:
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
    def server(self) -> RunningPostgresql:
        """The server that it restores into."""
        return self._running

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
        absent = NO_ROLE.search(finished.said) if self._copy.stranger else None
        if absent is not None:
            # Whether the server that it is of has the role is written nowhere.
            raise EngineTrouble(
                f"the copy needs the role {absent.group(1)}, and the server that it is of is not in the repository, so "
                "whether the role is there at a restore is not known: dump with --no-owner --no-privileges, or with "
                "pg_dumpall, which brings the roles along"
            )
        return restore_errors(finished) or (f"{finished.program} ended with {finished.code}",)

    def answers(self, place: str) -> bool:
        with self._running.connect(self._databases(place)[0]) as connection:
            return connection.execute("SELECT count(*) FROM pg_catalog.pg_class").fetchone() is not None

    def holds(self, place: str) -> Manifest:
        found = take(self._running.connect, self._databases(place), jobs=self._copy.jobs)
        roles = () if not self._cluster else tuple(one for one in found.items if one.name != self._running.superuser)
        return replace(found, items=roles)

    def unsound(self, place: str) -> tuple[str, ...]:
        found: list[str] = []
        for database in self._databases(place):
            with self._running.connect(database) as connection:
                found += [str(one) for one in unsound(connection)]
        return tuple(found)

    def ask(self, query: str, place: str, database: str) -> Answer:
        return ask_postgresql(self._running, query, database or self._databases(place)[0])

    @property
    def moment(self) -> datetime | None:
        return None

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
