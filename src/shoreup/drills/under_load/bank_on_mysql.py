"""The bank on a MariaDB or MySQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Event

from shoreup.drills.under_load.bank import (
    ACCOUNTS,
    BALANCE,
    DROPPING,
    LINES,
    PAY,
    PROGRAMS,
    TABLES,
    TAKE,
    TOTAL,
    Bank,
    OnServer,
    Waiting,
    waiting_among,
)
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished
from shoreup.engines.mysql.server import Mysql, RunningMysql, restore_errors
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of
from shoreup.engines.scratch import Scratch

_BEGINNING = 1 << 16
_COUNTED = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_name LIKE '%%\\_pa%%'"


@contextmanager
def bank_on_mysql(choice: Choice, scratch: Scratch, names: Sequence[str]) -> Iterator[Bank]:
    """A bank in each of the named databases of a new server; money moves in the first."""
    owner = Mysql(choice, scratch)
    with owner.start() as running:
        for name in names:
            running.create(name)
            with running.connect(name) as connection, connection.cursor() as cursor:
                for table in TABLES:
                    kind = "line text" if table == "mm_between" else "balance bigint NOT NULL"
                    cursor.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, {kind}) ENGINE=InnoDB")
                accounts = [(number, BALANCE) for number in range(1, ACCOUNTS + 1)]
                cursor.executemany("INSERT INTO aa_paying VALUES (%s, %s)", accounts)
                cursor.executemany("INSERT INTO zz_paid VALUES (%s, %s)", accounts)
                lines = [(number, _line(number)) for number in range(1, LINES + 1)]
                cursor.executemany("INSERT INTO mm_between VALUES (%s, %s)", lines)
        yield _MysqlBank(running, choice, scratch, names[0], owner.program(owner.entry.tools["dump"]).parent)


def _line(number: int) -> str:
    """A text like no other, so that no packing makes it nothing."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest() * 31


class _MysqlBank(OnServer[RunningMysql]):
    @property
    def door(self) -> Path:
        return self._running.socket.parent

    def client(self, name: str) -> str:
        dropping = DROPPING.format(
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
            return waiting_among(self._payer, [row[0] for row in cursor.fetchall()])

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
                cursor.execute(PAY, (account,))
                cursor.execute(TAKE, (account,))
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

    def _errors(self, finished: Finished) -> tuple[str, ...]:
        return restore_errors(finished)

    def _sum(self, running: RunningMysql, name: str) -> int | None:
        with running.connect() as connection, connection.cursor() as cursor:
            cursor.execute(_COUNTED, (name,))
            if cursor.fetchone() != (2,):
                return None
        with running.connect(name) as connection, connection.cursor() as cursor:
            cursor.execute(TOTAL)
            row = cursor.fetchone()
        return int(row[0]) if row and row[0] is not None else None
