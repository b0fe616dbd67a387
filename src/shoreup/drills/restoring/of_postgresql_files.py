"""Restoring base backups of PostgreSQL: the server that starts on the files is the restored one."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import take
from shoreup.compare.soundness import unsound
from shoreup.drills.asking import Answer, ask_postgresql
from shoreup.drills.restoring.copies import Copy
from shoreup.engines.base import EngineEnded, EngineTrouble
from shoreup.engines.catalogue import written
from shoreup.engines.choosing import Choice
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.files import (
    BaseBackup,
    base_backup,
    bring,
    bring_chain,
    bring_wal,
    has_list,
    is_labelled,
    version_of,
    wants_to_follow,
)
from shoreup.engines.postgresql.libraries import cannot_be_read, lacking, libraries_needed
from shoreup.engines.postgresql.recovery import FOLLOWS_SINCE, reached, target, wait_for
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

_ADMIN = "postgres"
_VERIFY_SECONDS = 6 * 3600.0


class BaseBackupTarget:
    """A server that is started on the files of a copy, or ``server``, which runs on them already."""

    def __init__(
        self, choice: Choice, scratch: Scratch, copy: Copy, stack: ExitStack, server: RunningPostgresql | None = None
    ) -> None:
        self._choice = choice
        self._scratch = scratch
        self._copy = copy
        self._stack = stack
        self._server = server
        self._limits: list[str] = []
        self._moment: datetime | None = None
        self._gap = ""

    @property
    def engine(self) -> Engine:
        return self._choice.engine if self._server is None else self._server.engine

    @property
    def moment(self) -> datetime | None:
        return self._moment

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        found = base_backup(path)
        if found is None:
            raise BrokenCopy("it is no base backup")
        data = bring(found, self._scratch, f"files-{secrets.token_hex(2)}")
        major = version_of(data)
        if major != written(self._choice.installation.version[:1]):
            raise EngineTrouble(f"the files are of PostgreSQL {major}, and the engine is {self._choice.engine.version}")
        follows = self._follows(found, data)
        settings = target(self._copy.until) if follows else {}
        options = PostgresqlOptions(superuser=self._copy.superuser or _ADMIN, data=data, settings=settings)
        server = Postgresql(self._choice, self._scratch, options)
        wrong = self._held_against_its_list(server, data)
        if wrong:
            return wrong
        try:
            self._server = self._stack.enter_context(server.begin())
            wait_for(self._server, self._scratch)
        except EngineEnded as trouble:
            raise BrokenCopy(f"PostgreSQL does not start with it: {trouble}") from None
        if follows:
            try:
                self._moment = reached(self._server, self._copy.until)
            except BrokenCopy as broken:
                raise BrokenCopy(f"{broken}; WAL {self._gap} is missing" if self._gap else str(broken)) from None
        return ()

    def _follows(self, found: BaseBackup, data: Path) -> bool:
        """Bring archived WAL, if there is some and as far as it is needed; whether the server is to replay it."""
        until = self._copy.until
        if found.wal is None:
            if until is not None:
                raise BrokenCopy("no archive of WAL lies beside it, so it comes back to no other moment than its own")
            return False
        if found.told is not None:
            self._gap = bring_chain(found.told, found.wal, data, self._scratch, whole=until is None)
            follows = True
        else:
            follows = bool(bring_wal(found.wal, data, self._scratch))
        if self._choice.installation.version < FOLLOWS_SINCE:
            if until is not None:
                raise EngineTrouble("a PostgreSQL before 12 is not brought to a moment by a drill")
            return False
        if follows:
            wants_to_follow(data, self._scratch)
        return follows

    def _held_against_its_list(self, server: Postgresql, data: Path) -> tuple[str, ...]:
        """What pg_verifybackup finds wrong. What a start would change has to be looked at before."""
        if not is_labelled(data):
            self._limits.append("that the next copy is as good: the files were copied from under a server unawares")
        if not has_list(data):
            self._limits.append("files that changed where no row lies: the backup has no list of checksums")
            return ()
        options = ["--no-parse-wal", "--quiet", "--ignore=standby.signal"]
        checked = server.jail.run([server.program("pg_verifybackup"), *options, data], seconds=_VERIFY_SECONDS)
        return () if checked.well else restore_errors(checked) or (f"pg_verifybackup ended with {checked.code}",)

    def answers(self, place: str) -> bool:
        return self._running.answers()

    def holds(self, place: str) -> Manifest:
        databases = self._databases()
        with libraries_needed(self._running, databases):
            return take(self._running.connect, databases, jobs=self._copy.jobs)

    def unsound(self, place: str) -> tuple[str, ...]:
        wanted = self._copy.databases if self._copy.until is None else ()
        there = self._running.databases() if wanted else ()
        found = [f"the database {one}, which the estate declares, is not in it" for one in wanted if one not in there]
        databases = self._databases()
        missing = lacking(self._running, databases)
        if missing:
            self._limits.append(f"indexes and functions of {', '.join(missing)}: this server does not have them")
        with libraries_needed(self._running, databases):
            for database in databases:
                with self._running.connect(database) as connection:
                    found += [str(one) for one in unsound(connection)]
        return tuple(found)

    def ask(self, query: str, place: str, database: str) -> Answer:
        databases = self._databases()
        answer = ask_postgresql(self._running, query, database or databases[0])
        if answer.refused == "UndefinedFile":
            raise cannot_be_read(self._running, databases)
        return answer

    def limits(self) -> tuple[str, ...]:
        return tuple(self._limits)

    def _databases(self) -> tuple[str, ...]:
        others = tuple(one for one in self._running.databases() if one != _ADMIN)
        return others or (_ADMIN,)

    @property
    def _running(self) -> RunningPostgresql:
        if self._server is None:
            raise EngineTrouble("no server was started")
        return self._server
