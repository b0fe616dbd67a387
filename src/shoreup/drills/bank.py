"""A bank whose accounts always hold the same sum, on a real server, with transfers that never stop.

Money goes from the first table to the last, in transactions, and between the two in every dump's order lies a table
that takes a while. A dump of one moment holds the sum; one that reads table by table holds more, by what went on
meanwhile. Nothing has to be compared row by row to see that. Whether much goes on meanwhile is not left to chance: the
table between the two can be held back until it has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Protocol

from msgspec import Struct

from shoreup.engines.base import EngineTrouble, Server
from shoreup.engines.choosing import Choice
from shoreup.engines.mysql import Mysql, RunningMysql
from shoreup.engines.mysql import restore_errors as mysql_errors
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of
from shoreup.engines.postgresql import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.postgresql import restore_errors as postgresql_errors
from shoreup.engines.postgresql_dumps import shape_of
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

ACCOUNTS, BALANCE = 50, 1000
SUM = 2 * ACCOUNTS * BALANCE
_BEGINNING = 1 << 16
_LOOK = 0.02
_LINES = 12_000
"""Rows of a thousand characters that a dump reads between the two: they take it longer than many transfers."""
_TABLES = ("aa_paying", "mm_between", "zz_paid")
"""In the order in which every tool dumps them: by name."""
_PAY = "UPDATE aa_paying SET balance = balance - 1 WHERE id = %s"
_TAKE = "UPDATE zz_paid SET balance = balance + 1 WHERE id = %s"
_TOTAL = "SELECT (SELECT SUM(balance) FROM aa_paying) + (SELECT SUM(balance) FROM zz_paid)"


PROGRAMS = "/.engine"
"""A folder of the sandbox with links to the engine's own clients."""


class Waiting(Struct, frozen=True):
    """Who waits for a lock at this moment: who moves money, somebody else."""

    payer: bool
    other: bool


class Bank(Protocol):
    """A bank on a running server."""

    @property
    def engine(self) -> Engine:
        """What a proof says of the server."""
        ...

    @property
    def server(self) -> Server:
        """Its processes, to break them."""
        ...

    @property
    def door(self) -> Path:
        """The folder that its socket lies in."""
        ...

    @property
    def tools(self) -> Path:
        """The folder of the engine's own clients."""
        ...

    def client(self, name: str) -> str:
        """A program of the shell that takes a client's words, leaves out whom to reach, and reaches this server."""
        ...

    def torn(self, target: str) -> tuple[str, str]:
        """Two programs of the shell that write a dump into a file, each its own part of it and its own moment."""
        ...

    def held(self) -> AbstractContextManager[Callable[[], Waiting]]:
        """While the ``with`` lasts nobody else reads the table between the two; gives who waits."""
        ...

    def transfer(self, stop: Event, done: list[int]) -> None:
        """Move money until told to stop or the server dies; counts in ``done``."""
        ...

    def sum_in(self, copy: Path) -> int | str:
        """What the accounts of a restored copy hold together, or why it does not restore."""
        ...


class Transfers:
    """Money on its way while a ``with`` lasts. ``count`` is how many transfers were made so far."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._stop = Event()
        self._done = [0]
        self._thread = Thread(target=self._work, daemon=True)

    @property
    def count(self) -> int:
        """Transfers so far."""
        return self._done[0]

    def wait_for(self, more: int, seconds: float) -> None:
        """Wait until so many more were made, at most ``seconds``."""
        wanted, until = self.count + more, monotonic() + seconds
        while self.count < wanted and self._thread.is_alive() and monotonic() < until:
            self._stop.wait(_LOOK)

    def __enter__(self) -> Transfers:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        # A server that is killed on purpose ends them too.
        with suppress(Exception):
            self._bank.transfer(self._stop, self._done)


def open_bank(choice: Choice, scratch: Scratch, names: Sequence[str]) -> AbstractContextManager[Bank]:
    """A bank in each of the named databases of a new server; the first is the one that money moves in."""
    if choice.installation.container is not None:
        raise EngineTrouble("an engine in a container cannot be reached from the sandbox; install the server itself")
    return (
        _postgresql(choice, scratch, names)
        if choice.installation.product == "postgresql"
        else _mysql(choice, scratch, names)
    )


_DROPPING = """count=$#
while [ $count -gt 0 ]; do
case $1 in
{plain}) ;;
{valued}) shift; count=$((count - 1)) ;;
*) set -- "$@" "$1" ;;
esac
shift
count=$((count - 1))
done"""


def _waiting(payer: int, those: Sequence[object]) -> Waiting:
    return Waiting(payer in those, any(one != payer for one in those))


# ------------------------------------------------------------------------------------------------- PostgreSQL


@contextmanager
def _postgresql(choice: Choice, scratch: Scratch, names: Sequence[str]) -> Iterator[Bank]:
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
                    "INSERT INTO mm_between SELECT g, repeat(md5(g::text), 31) FROM generate_series(1, %s) g", (_LINES,)
                )
        yield _PostgresqlBank(running, choice, scratch, names[0], owner.program("pg_dump").parent)


class _PostgresqlBank:
    def __init__(self, running: RunningPostgresql, choice: Choice, scratch: Scratch, name: str, tools: Path) -> None:
        self.tools = tools
        self._running = running
        self._choice = choice
        self._scratch = scratch
        self._name = name
        self._payer = 0

    @property
    def engine(self) -> Engine:
        return self._running.engine

    @property
    def server(self) -> Server:
        return self._running.server

    @property
    def door(self) -> Path:
        return self._running.socket

    def client(self, name: str) -> str:
        dropping = _DROPPING.format(
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
            return _waiting(self._payer, [row[0] for row in found])

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
                    connection.execute(_PAY, (account,))
                    connection.execute(_TAKE, (account,))
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

    def _restored(self, running: RunningPostgresql, copy: Path, place: str) -> int | str:
        if place != self._name:
            running.create(place)
        try:
            finished = running.restore(copy, place if place != self._name else "postgres")
        except BrokenCopy as broken:
            return str(broken)
        if not finished.well:
            return (postgresql_errors(finished) or ("its tool complained",))[0]
        total = _postgresql_sum(running, place)
        return "the accounts are not in it" if total is None else total


def _postgresql_sum(running: RunningPostgresql, name: str) -> int | None:
    if name not in running.databases():
        return None
    with running.connect(name) as connection:
        there = connection.execute("SELECT to_regclass('aa_paying'), to_regclass('zz_paid')").fetchone()
        if there is None or None in there:
            return None
        row = connection.execute(_TOTAL).fetchone()
    return int(str(row[0])) if row and row[0] is not None else None


# ------------------------------------------------------------------------------------------- MariaDB and MySQL


@contextmanager
def _mysql(choice: Choice, scratch: Scratch, names: Sequence[str]) -> Iterator[Bank]:
    owner = Mysql(choice, scratch)
    with owner.start() as running:
        for name in names:
            running.create(name)
            with running.connect(name) as connection, connection.cursor() as cursor:
                for table in _TABLES:
                    kind = "line text" if table == "mm_between" else "balance bigint NOT NULL"
                    cursor.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, {kind}) ENGINE=InnoDB")
                accounts = [(number, BALANCE) for number in range(1, ACCOUNTS + 1)]
                cursor.executemany("INSERT INTO aa_paying VALUES (%s, %s)", accounts)
                cursor.executemany("INSERT INTO zz_paid VALUES (%s, %s)", accounts)
                lines = [(number, _line(number)) for number in range(1, _LINES + 1)]
                cursor.executemany("INSERT INTO mm_between VALUES (%s, %s)", lines)
        yield _MysqlBank(running, choice, scratch, names[0], owner.program(owner.entry.tools["dump"]).parent)


def _line(number: int) -> str:
    """A text like no other, so that no packing makes it nothing."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest() * 31


class _MysqlBank:
    def __init__(self, running: RunningMysql, choice: Choice, scratch: Scratch, name: str, tools: Path) -> None:
        self.tools = tools
        self._running = running
        self._choice = choice
        self._scratch = scratch
        self._name = name
        self._payer = 0

    @property
    def engine(self) -> Engine:
        return self._running.engine

    @property
    def server(self) -> Server:
        return self._running.server

    @property
    def door(self) -> Path:
        return self._running.socket.parent

    def client(self, name: str) -> str:
        dropping = _DROPPING.format(
            plain="-h?*|--host=*|-P?*|--port=*|-u?*|--user=*|-p*|--password*|-S?*|--socket=*|--protocol=*|--ssl*|"
            "--skip-ssl|--defaults-*|--login-path=*|--set-gtid-purged=*|--column-statistics=*|--get-server-public-key",
            valued="-h|--host|-P|--port|-u|--user|-S|--socket",
        )
        reach = f"--no-defaults --socket=/.server/{self._running.socket.name} --user=root"
        return f'{dropping}\nunset MYSQL_HOST MYSQL_PWD MYSQL_TCP_PORT\nexec {PROGRAMS}/{name} {reach} "$@"'

    def torn(self, target: str) -> tuple[str, str]:
        tool, name = "mysqldump --single-transaction", self._name
        return f"{tool} {name} aa_paying >{target}", f"{tool} {name} mm_between zz_paid >>{target}"

    @contextmanager
    def held(self) -> Iterator[Callable[[], Waiting]]:
        def waiting() -> Waiting:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for%lock'")
            return _waiting(self._payer, [row[0] for row in cursor.fetchall()])

        with closing(self._running.connect(self._name)) as connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLES mm_between WRITE")
            yield waiting

    def transfer(self, stop: Event, done: list[int]) -> None:
        with self._running.connect(self._name) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            self._payer = (cursor.fetchone() or (0,))[0]
            while not stop.is_set():
                account = done[0] % ACCOUNTS + 1
                connection.begin()
                cursor.execute(_PAY, (account,))
                cursor.execute(_TAKE, (account,))
                connection.commit()
                done[0] += 1

    def sum_in(self, copy: Path) -> int | str:
        try:
            own_place = b"\nUSE `" in beginning_of(copy, packing_of(copy), _BEGINNING)
        except BrokenCopy as broken:
            return str(broken)
        if not own_place and self._running.server.alive:
            place = f"restored_{secrets.token_hex(3)}"
            try:
                return self._restored(self._running, copy, place)
            finally:
                with self._running.connect() as connection, connection.cursor() as cursor:
                    cursor.execute(f"DROP DATABASE IF EXISTS {place}")
        with Mysql(self._choice, self._scratch).start() as other:
            return self._restored(other, copy, self._name if own_place else "restored")

    def _restored(self, running: RunningMysql, copy: Path, place: str) -> int | str:
        if place != self._name:
            running.create(place)
        try:
            finished = running.restore(copy, "" if place == self._name else place)
        except BrokenCopy as broken:
            return str(broken)
        if not finished.well:
            return (mysql_errors(finished) or ("its tool complained",))[0]
        total = _mysql_sum(running, place)
        return "the accounts are not in it" if total is None else total


def _mysql_sum(running: RunningMysql, name: str) -> int | None:
    counted = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_name LIKE '%%\\_pa%%'"
    with running.connect() as connection, connection.cursor() as cursor:
        cursor.execute(counted, (name,))
        if cursor.fetchone() != (2,):
            return None
    with running.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(_TOTAL)
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else None
