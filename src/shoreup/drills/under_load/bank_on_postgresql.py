"""The bank on a PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

from shoreup.drills.under_load.bank import (
    ACCOUNTS,
    BALANCE,
    DROPPING,
    LINES,
    PAY,
    PROGRAMS,
    TAKE,
    TOTAL,
    Bank,
    OnServer,
    Waiting,
    waiting_among,
)
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.dumps import shape_of
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.scratch import Scratch


@contextmanager
def bank_on_postgresql(choice: Choice, scratch: Scratch, names: Sequence[str]) -> Iterator[Bank]:
    """A bank in each of the named databases of a new server; money moves in the first."""
    owner = Postgresql(choice, scratch, PostgresqlOptions())
    with owner.start() as running:
        for name in names:
            if name not in running.databases():
                running.create(name)
            with running.connect(name) as connection, connection.transaction():
                connection.execute("CREATE TABLE aa_paying (id int PRIMARY KEY, balance bigint NOT NULL)")
                connection.execute("CREATE TABLE mm_between (id int PRIMARY KEY, line text)")
                connection.execute("CREATE TABLE zz_paid (id int PRIMARY KEY, balance bigint NOT NULL)")
                accounts = (BALANCE, ACCOUNTS)
                connection.execute("INSERT INTO aa_paying SELECT g, %s FROM generate_series(1, %s) g", accounts)
                connection.execute("INSERT INTO zz_paid SELECT g, %s FROM generate_series(1, %s) g", accounts)
                connection.execute(
                    "INSERT INTO mm_between SELECT g, repeat(md5(g::text), 31) FROM generate_series(1, %s) g", (LINES,)
                )
        yield _PostgresqlBank(running, choice, scratch, names[0], owner.program("pg_dump").parent)


class _PostgresqlBank(OnServer[RunningPostgresql]):
    @property
    def door(self) -> Path:
        return self._running.socket

    def client(self, name: str) -> str:
        dropping = DROPPING.format(
            plain="-h?*|--host=*|-p?*|--port=*|-U?*|--username=*|-w|-W|--no-password|--password",
            valued="-h|--host|-p|--port|-U|--username",
        )
        reach = "PGHOST=/.server PGPORT=5432 PGUSER=postgres PGSSLMODE=disable"
        return f'{dropping}\nunset PGSERVICE PGHOSTADDR\n{reach} exec {PROGRAMS}/{name} "$@"'

    def torn(self, target: str) -> tuple[str, str]:
        first = f"pg_dump --table=aa_paying {self._name} >{target}"
        return first, f"pg_dump --exclude-table=aa_paying {self._name} >>{target}"

    @contextmanager
    def held(self) -> Iterator[Callable[[], Waiting]]:
        def waiting() -> Waiting:
            found = connection.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchall()
            return waiting_among(self._payer, [row[0] for row in found])

        # Closed, the connection gives back what it holds, also to a server that has died meanwhile.
        with closing(self._running.connect(self._name)) as connection:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE mm_between")
            yield waiting

    def transfer(self, stop: Event, done: list[int]) -> None:
        with self._running.connect(self._name) as connection:
            self._payer = connection.info.backend_pid
            while not stop.is_set():
                account = done[0] % ACCOUNTS + 1
                with connection.transaction():
                    connection.execute(PAY, (account,))
                    connection.execute(TAKE, (account,))
                done[0] += 1

    def sum_in(self, copy: Path) -> int | str:
        try:
            cluster = shape_of(copy).cluster
        except BrokenCopy as broken:
            return str(broken)
        if not cluster and self._running.server.alive:
            place = f"restored_{secrets.token_hex(3)}"
            try:
                return self._restored(self._running, copy, place)
            finally:
                # A job that asks which databases there are would dump it too.
                self._drop(place)
        # A dump of a cluster brings its own superuser.
        ours = f"scratch_{secrets.token_hex(4)}" if cluster else "postgres"
        with Postgresql(self._choice, self._scratch, PostgresqlOptions(superuser=ours)).start() as other:
            return self._restored(other, copy, self._name if cluster else "restored")

    def _drop(self, place: str) -> None:
        from psycopg import sql

        with self._running.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(place)))

    def _errors(self, finished: Finished) -> tuple[str, ...]:
        return restore_errors(finished)

    def _sum(self, running: RunningPostgresql, name: str) -> int | None:
        if name not in running.databases():
            return None
        with running.connect(name) as connection:
            there = connection.execute("SELECT to_regclass('aa_paying'), to_regclass('zz_paid')").fetchone()
            if there is None or None in there:
                return None
            row = connection.execute(TOTAL).fetchone()
        return int(str(row[0])) if row and row[0] is not None else None
