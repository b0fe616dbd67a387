"""Backups of MariaDB and MySQL: a database as a dump in SQL, and its rows counted in the moment that the dump is of.

Neither product can hand a snapshot from one connection to another. So for an instant nobody may write: under the
server's read lock our connection begins to read its moment, the position in the server's log is asked, and the dump is
started; its first bytes come when its own moment has begun, and then the lock goes. Where the user may not take the
lock, or gets it too late because somebody writes for long, the dump is consistent all the same, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from shoreup.compare.manifest import Manifest
from shoreup.compare.mysql import hold, take_held
from shoreup.engines.base import EngineTrouble, need_client
from shoreup.engines.catalogue import written
from shoreup.model.wording import some
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Address, Asked, Stream, Taken
from shoreup.operations.backup.tools import Output, Tool, dump_program, output_of, private_file, tools

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

_PATIENCE = 15
_LOCK_SECONDS = 5
_FIRST_BYTES_SECONDS = 10.0
_OPTIONS = frozenset({"socket"})
_POSITIONS = ("SHOW MASTER STATUS", "SHOW BINARY LOG STATUS")
"""What asks for the position; MySQL 8.4 knows the second alone."""
_LOOSE = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = %s AND table_type = 'BASE TABLE' AND engine NOT IN ('InnoDB', 'ROCKSDB', 'TokuDB')"""
_NOT_COUNTED = (
    "rows were not counted: the user may not lock the server for an instant (RELOAD), or somebody wrote for long"
)


class Server(Struct, frozen=True):
    """A MariaDB or MySQL that somebody runs, and how to get in: by ``options``, a file that only we can read."""

    address: Address
    options: Path
    password: str

    def connect(self, database: str = "") -> Connection[Cursor]:
        """A connection, each statement its own transaction. Raises :class:`BackupTrouble`."""
        import pymysql

        try:
            return pymysql.connect(
                host=self.address.host or "localhost",
                port=self.address.port,
                unix_socket=self.address.options.get("socket") or None,
                user=self.address.user,
                password=self.password,
                database=database or None,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=_PATIENCE,
                local_infile=False,
            )
        except (pymysql.Error, OSError) as problem:
            raise BackupTrouble(f"{self.address.product} takes no connection: {said(problem)}") from None


def server(asked: Asked) -> Server:
    """The server of an address. Raises :class:`BackupTrouble` where the address or the client is not whole."""
    try:
        need_client("pymysql")
    except EngineTrouble as trouble:
        raise BackupTrouble(str(trouble)) from None
    own = asked.address
    if not (own.user and own.database and (own.host or own.options.get("socket"))):
        raise BackupTrouble(f"{own.product}:// wants a user, a host and a database: {own.product}://clerk@db/bank")
    wrong = sorted(set(own.options) - _OPTIONS)
    if wrong:
        raise BackupTrouble(f"{own.product}:// does not know {wrong[0]!r}; there is socket")
    password = asked.secret()
    lines = ["[client]", f"user={_quoted(own.user)}", "default-character-set=utf8mb4"]
    if own.options.get("socket"):
        lines.append(f"socket={_quoted(own.options['socket'])}")
    else:
        lines += [f"host={_quoted(own.host)}", f"port={own.port}", "protocol=TCP"]
    if password:
        lines.append(f"password={_quoted(password)}")
    return Server(own, private_file(asked.folder, "my.cnf", "\n".join([*lines, ""])), password)


class Mysql:
    """How a database of MariaDB or MySQL is copied."""

    ending = ".sql"

    @contextmanager
    def open(self, asked: Asked) -> Iterator[Stream]:
        """Hold a moment of the database where that is allowed, and begin to dump it."""
        import pymysql

        own, database = server(asked), asked.address.database
        dump = _dump_tool(asked.address.product)
        words: list[str | Path] = [
            dump.path,
            f"--defaults-file={own.options}",
            "--single-transaction",
            "--quick",
            "--routines",
        ]
        words += ["--triggers", "--events", "--hex-blob", "--skip-dump-date", database]
        try:
            with closing(own.connect(database)) as counter, ThreadPoolExecutor(1) as pool:
                version, loose = _asked(counter, "SELECT VERSION()"), _loose(counter, database)
                told = Taken(
                    asked.address.product,
                    version.split("-")[0],
                    f"{dump.path.name} {written(dump.version)}",
                    datetime.now(UTC),
                    remarks=tuple(loose),
                )
                with _locked(own) as locked:
                    if locked is not None:
                        hold(counter)
                        told = replace(told, position=_position(locked), moment=datetime.now(UTC))
                    with output_of(words, {}, asked.folder) as output:
                        began = locked is not None and output.began(_FIRST_BYTES_SECONDS)
                        if locked is not None:
                            _do(locked, "UNLOCK TABLES")
                        counting = None
                        if began and not loose:
                            counting = pool.submit(
                                take_held, counter, database, product=asked.address.product, hashes=asked.hashes
                            )
                        elif not loose:
                            told = replace(told, remarks=(_NOT_COUNTED,))
                        yield _Dump(output, counting, told)
        except (pymysql.Error, OSError) as problem:
            raise BackupTrouble(f"{asked.address.product}: {said(problem)}") from None
        finally:
            own.options.unlink(missing_ok=True)


class _Dump:
    def __init__(self, output: Output, counting: Future[Manifest] | None, told: Taken) -> None:
        self._output = output
        self._counting = counting
        self._told = told

    def pieces(self) -> Iterator[bytes]:
        return self._output.pieces()

    def taken(self) -> Taken:
        return self._told if self._counting is None else replace(self._told, manifest=self._counting.result())


@contextmanager
def _locked(own: Server) -> Iterator[Connection[Cursor] | None]:
    """A connection that keeps everybody from writing, or ``None`` where it may not. It is let go at the end at last."""
    import pymysql

    with closing(own.connect()) as connection:
        try:
            # Whoever waits for this lock makes all writers wait, so it does not wait long.
            _do(connection, f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
            _do(connection, "FLUSH TABLES WITH READ LOCK")
        except pymysql.Error:
            yield None
            return
        yield connection


def _dump_tool(product: str) -> Tool:
    found = tools(product, dump_program(product))
    if not found:
        raise BackupTrouble(f"this machine has no {dump_program(product)}: install {product}-client (Debian)")
    return max(found, key=lambda one: one.version)


def _position(connection: Connection[Cursor]) -> str:
    import pymysql

    for words in _POSITIONS:
        with suppress(pymysql.Error), connection.cursor() as cursor:
            cursor.execute(words)
            row = cursor.fetchone()
            return f"{row[0]}:{row[1]}" if row else ""
    return ""


def _loose(connection: Connection[Cursor], database: str) -> list[str]:
    """Tables that are in no transaction, so that a dump has them of another moment."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOSE, (database,))
        names = sorted(str(row[0]) for row in cursor.fetchall())
    if not names:
        return []
    return [
        f"not of one moment, and not counted: {some(names, 5)} keep no transactions (ALTER TABLE ... ENGINE=InnoDB)"
    ]


def _asked(connection: Connection[Cursor], words: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(words)
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _do(connection: Connection[Cursor], words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(words)


def said(problem: Exception) -> str:
    """What a driver says: its text without the number."""
    words = str(problem.args[-1]) if problem.args else type(problem).__name__
    return words.splitlines()[0][:300] if words else type(problem).__name__


def _quoted(text: str) -> str:
    """A value of an option file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
