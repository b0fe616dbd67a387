"""The content of MariaDB and MySQL databases: each table hashed by the server itself.

The server's own CHECKSUM TABLE depends on the format of rows, which differs between versions. So every column is
written as text by rules of ours, and rows are hashed and summed up in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.compare.manifest import Content, Item, Manifest, Table, digest, manifest, sum_of

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

METHOD = "mysql-quoted-sha256-sum/1"

_PINNED = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_mode = ''",
    "SET SESSION transaction_isolation = 'REPEATABLE-READ'",
)
_TEXT = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"})
_BINARY = frozenset(
    {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit", "geometry", "point", "linestring"}
    | {"polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"}
)
_TABLES = """
    SELECT table_name, data_length FROM information_schema.tables
    WHERE table_schema = %s AND table_type = 'BASE TABLE'"""
_COLUMNS = """
    SELECT table_name, column_name, data_type, column_type, is_nullable FROM information_schema.columns
    WHERE table_schema = %s ORDER BY table_name, ordinal_position"""
_ITEMS = {
    "view": "SELECT table_name, '' FROM information_schema.views WHERE table_schema = %s",
    "index": """
        SELECT CONCAT(table_name, '.', index_name),
               CONCAT(MAX(non_unique), ' ', GROUP_CONCAT(column_name ORDER BY seq_in_index))
        FROM information_schema.statistics WHERE table_schema = %s GROUP BY table_name, index_name""",
    "constraint": """
        SELECT CONCAT(table_name, '.', constraint_name), constraint_type
        FROM information_schema.table_constraints WHERE table_schema = %s""",
    "trigger": """
        SELECT trigger_name, SHA2(action_statement, 256) FROM information_schema.triggers WHERE trigger_schema = %s""",
    "routine": """
        SELECT CONCAT(LOWER(routine_type), ' ', routine_name), SHA2(routine_definition, 256)
        FROM information_schema.routines WHERE routine_schema = %s""",
    "event": "SELECT event_name, SHA2(event_definition, 256) FROM information_schema.events WHERE event_schema = %s",
    "charset": """
        SELECT schema_name, default_character_set_name FROM information_schema.schemata WHERE schema_name = %s""",
}

Connect = Callable[[str], "Connection[Cursor]"]
"""Gives a connection to the database of that name, each statement its own transaction."""


class _Column(Struct, frozen=True):
    name: str
    kind: str
    whole: str


def hold(connection: Connection[Cursor]) -> None:
    """Put a connection into a moment: whatever it reads from now on is of that, whoever writes meanwhile."""
    _begin(connection)


def take_held(connection: Connection[Cursor], name: str, *, product: str, hashes: bool = True) -> Manifest:
    """The manifest of the database ``name`` in the moment that its connection is in since :func:`hold`."""
    version = _rows(connection, "SELECT VERSION()")[0][0].split("-")[0]
    content = _content(connection, None, name, 1, hashes=hashes)
    return manifest(product, version, METHOD if hashes else "", [content], one_moment=True)


def take(connect: Connect, databases: Collection[str], *, product: str, jobs: int = 1, hashes: bool = True) -> Manifest:
    """The manifest of some databases of one server.

    With one job each database is read in one snapshot. With more, several connections read at a time, each in a
    snapshot of its own: only for a server that nobody writes to. The client's own errors are raised as they come.
    """
    contents: list[Content] = []
    version = ""
    for name in databases:
        with closing(connect(name)) as main:
            version = version or _rows(main, "SELECT VERSION()")[0][0].split("-")[0]
            _begin(main)
            contents.append(_content(main, connect, name, jobs, hashes=hashes))
    method = METHOD if hashes else ""
    return manifest(product, version, method, contents, one_moment=jobs <= 1 and len(contents) <= 1)


def _content(main: Connection[Cursor], connect: Connect | None, name: str, jobs: int, *, hashes: bool) -> Content:
    columns: dict[str, list[_Column]] = {}
    for table, column, kind, whole, nullable in _rows(main, _COLUMNS, name):
        columns.setdefault(table, []).append(_Column(column, kind.lower(), f"{whole} {nullable}"))
    sizes = sorted(_rows(main, _TABLES, name), key=lambda row: -int(row[1] or 0))
    work: SimpleQueue[str] = SimpleQueue()
    for table, _ in sizes:
        work.put(table)

    def read(connection: Connection[Cursor]) -> list[Table]:
        found: list[Table] = []
        while True:
            try:
                table = work.get_nowait()
            except Empty:
                return found
            found.append(_table(connection, table, columns.get(table, []), hashes=hashes))

    def read_apart(connect: Connect) -> list[Table]:
        with closing(connect(name)) as connection:
            _begin(connection)
            return read(connection)

    if jobs <= 1 or connect is None:
        tables = read(main)
    else:
        with ThreadPoolExecutor(jobs) as pool:
            workers = [pool.submit(read_apart, connect) for _ in range(jobs)]
            tables = [table for worker in workers for table in worker.result()]
    items = [
        Item("columns", table, digest(", ".join(f"{one.name} {one.whole}" for one in own)))
        for table, own in columns.items()
    ]
    for kind, query in _ITEMS.items():
        items += [Item(kind, row[0] if kind != "charset" else "database", row[1]) for row in _rows(main, query, name)]
    return Content(name, tuple(tables), tuple(items))


def _table(connection: Connection[Cursor], name: str, columns: Sequence[_Column], *, hashes: bool) -> Table:
    table = _quoted(name)
    if not hashes or not columns:
        return Table(name, int(_rows(connection, f"SELECT COUNT(*) FROM {table}")[0][0]))  # noqa: S608 (quoted)
    row = f"CONCAT_WS(',', {', '.join(_written(one) for one in columns)})"
    # As many digits as a number of 64 bits has; their sum is a decimal, which has room for all of them.
    content = f"CAST(CONV(LEFT(SHA2({row}, 256), 16), 16, 10) AS UNSIGNED)"
    words = f"SELECT COUNT(*), COALESCE(SUM({content}), 0) FROM {table}"  # noqa: S608 (quoted names)
    rows, total = _rows(connection, words)[0]
    return Table(name, int(rows), sum_of([int(total)]))


def _written(column: _Column) -> str:
    """A column as text that says everything of its value; nothing is a word without quotes."""
    name = _quoted(column.name)
    if column.kind in _TEXT:
        return f"QUOTE(CONVERT({name} USING utf8mb4))"
    if column.kind in _BINARY:
        return f"COALESCE(HEX({name}), 'NULL')"
    # FLOAT is written with the six digits that a dump has: what no dump keeps is no difference.
    return f"COALESCE({name}, 'NULL')"


def _begin(connection: Connection[Cursor]) -> None:
    with connection.cursor() as cursor:
        for words in _PINNED:
            _try(cursor, words)
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")


def _try(cursor: Cursor, words: str) -> None:
    """Run a setting. MariaDB before 11.1 and MySQL name the isolation differently; it is the default in both."""
    from pymysql import MySQLError

    try:
        cursor.execute(words)
    except MySQLError:
        if "transaction_isolation" not in words:
            raise


def _rows(connection: Connection[Cursor], query: str, *values: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return [tuple("" if one is None else _plain(one) for one in row) for row in cursor.fetchall()]


def _plain(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
