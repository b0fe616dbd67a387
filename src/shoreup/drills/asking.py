"""The owner's own questions to what was restored: whether the users are there, whether the balances add up.

A question is SQL of a person who may err, and the data may be a stranger's. So it is asked by a user who may read and
do nothing else, in a transaction that only reads, for a limited time. What is answered is compared and never told: a
proof is kept and shown, and an answer may be somebody's name.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.engines.mysql.server import RunningMysql
from shoreup.engines.postgresql.server import RunningPostgresql
from shoreup.engines.redis import RunningRedis
from shoreup.engines.sqlite import opened

if TYPE_CHECKING:
    import psycopg

ASKER = "shoreup_asks"
"""The user who asks. It is made for that in the scratch server."""
SECONDS = 60
_READS_ALL_SINCE = 140000
_COMPARED = re.compile(r"(?P<how>>=|<=|!=|>|<|=)\s*(?P<with>.+)", re.DOTALL)
_NOTHING = frozenset({"", "0", "false", "f", "none"})
_STEPS = 10_000
"""Instructions of SQLite between two looks at the clock."""


class Question(Struct, frozen=True):
    """What is asked, and what has to come: the first column of the first row, as text.

    ``expect`` is that text, or a comparison of numbers (``>= 400``). Without it, anything but nothing, zero and false
    will do. ``database`` is which one is asked where a copy holds several. ``within`` is how long it may take on the
    new version of an upgrade, where the owner said that.
    """

    query: str
    expect: str = ""
    name: str = ""
    database: str = ""
    within: timedelta | None = None

    def __str__(self) -> str:
        return self.name or f"{self.query[:60]}{'...' if len(self.query) > 60 else ''}"


class Answer(Struct, frozen=True):
    """What came: ``None`` for no row. ``refused`` is why there was no answer at all."""

    value: str | None = None
    refused: str = ""


def disappointed(question: Question, answer: Answer) -> str:
    """What is wrong with an answer, without the answer; empty where it is as expected."""
    if answer.refused:
        return f"the question {str(question)!r} was not answered: {answer.refused}"
    value = answer.value
    if not question.expect:
        return "" if value is not None and value.lower() not in _NOTHING else f"to {str(question)!r} there is nothing"
    if value is None:
        return f"to {str(question)!r} there is no row"
    return "" if _fits(value, question.expect) else f"the answer to {str(question)!r} is not {question.expect!r}"


def ask_postgresql(server: RunningPostgresql, query: str, database: str) -> Answer:
    """Ask one database of a server."""
    from psycopg import Error

    with asker_of_postgresql(server, database) as connection:
        try:
            with connection.transaction():
                # Prepared, a text can hold one statement and no more.
                row = connection.execute(query.encode(), prepare=True).fetchone()
        except Error as problem:
            return Answer(refused=type(problem).__name__)
    return _first(row)


@contextmanager
def asker_of_postgresql(server: RunningPostgresql, database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the one who asks, which only reads; the role is made where the server has none."""
    from psycopg import sql

    asker = sql.Identifier(ASKER)
    with server.connect(database) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (ASKER,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS").format(asker))
        if connection.info.server_version >= _READS_ALL_SINCE:
            connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(asker))
        else:
            for (schema,) in connection.execute("SELECT nspname FROM pg_namespace").fetchall():
                words = "GRANT USAGE ON SCHEMA {0} TO {1}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1}"
                connection.execute(sql.SQL(words).format(sql.Identifier(str(schema)), asker))
    with server.connect(database, user=ASKER) as connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute(f"SET statement_timeout = '{SECONDS}s'")
        yield connection


_PATIENCE: Mapping[str, str] = {
    "mysql": f"SET SESSION max_execution_time = {SECONDS * 1000}",
    "mariadb": f"SET SESSION max_statement_time = {SECONDS}",
}
"""How each is told that a query may take :data:`SECONDS`: MySQL counts milliseconds (their manuals, 2026-11)."""


def ask_mysql(server: RunningMysql, query: str, database: str) -> Answer:
    """Ask one database of a server."""
    import pymysql

    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE USER IF NOT EXISTS '{ASKER}'@'localhost'")
        cursor.execute(f"GRANT SELECT, SHOW VIEW ON *.* TO '{ASKER}'@'localhost'")
    with server.connect(database, user=ASKER) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(_PATIENCE[server.engine.product])
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute(query)
            return _first(cursor.fetchone())
        except pymysql.Error as problem:
            return Answer(refused=f"error {problem.args[0] if problem.args else ''}".strip())


def ask_redis(server: RunningRedis, query: str) -> Answer:
    """Ask with a command that only reads, such as ``DBSIZE`` or ``EXISTS key``."""
    from redis import RedisError

    with server.connect() as client:
        try:
            client.execute_command("ACL", "SETUSER", ASKER, "reset", "on", "nopass", "~*", "+@read", "+dbsize")
            client.execute_command("AUTH", ASKER, "-")
            answer = client.execute_command(*shlex.split(query))
        except (RedisError, ValueError) as problem:
            return Answer(refused=type(problem).__name__)
    if isinstance(answer, list | set | dict):
        answer = len(answer)
    return _first((answer,))


def ask_sqlite(path: Path, query: str) -> Answer:
    """Ask a database file."""
    until = monotonic() + SECONDS
    with closing(opened(path)) as connection:
        connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        try:
            return _first(connection.execute(query).fetchone())
        except (sqlite3.Error, sqlite3.Warning) as problem:
            return Answer(refused=type(problem).__name__)


def ask_files(root: Path, query: str) -> Answer:
    """Count the files that a pattern names (``photos/**/*.jpg``)."""
    with suppress(ValueError, NotImplementedError, OSError):
        return Answer(str(sum(1 for one in root.glob(query) if one.is_file() and not one.is_symlink())))
    return Answer(refused="it is no pattern of files below the copy's folder")


def _first(row: object) -> Answer:
    if not isinstance(row, tuple) or not row or row[0] is None:
        return Answer()
    value = row[0]
    return Answer(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _fits(value: str, expected: str) -> bool:
    found = _COMPARED.fullmatch(expected.strip())
    if found is None:
        return value == expected or (_number(value) is not None and _number(value) == _number(expected))
    have, limit = _number(value), _number(found["with"])
    if have is None or limit is None:
        same = value == found["with"]
        return same if found["how"] in ("=", ">=", "<=") else not same if found["how"] == "!=" else False
    return {
        ">=": have >= limit,
        "<=": have <= limit,
        "!=": have != limit,
        ">": have > limit,
        "<": have < limit,
        "=": have == limit,
    }[found["how"]]


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
