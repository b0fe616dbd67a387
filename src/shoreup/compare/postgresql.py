"""The content of PostgreSQL databases: each table hashed by the server itself, several at a time.

A value is hashed as the text that the server would print, so every setting that changes this text is pinned; the hash
of each column is the seed of the next one's, and a seed changes where a value is NULL. (The text of whole rows costs
more than twice the time: it is quoted, a character at a time.) Large tables are read in ranges of pages, so that one
table can keep all connections busy; the parts of a sum add up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from importlib.resources import files
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, LiteralString

import msgspec
from msgspec import Struct

from shoreup.compare.manifest import Content, Item, Manifest, Table, digest, manifest, sum_of

if TYPE_CHECKING:
    from psycopg import Connection, sql

METHOD = "postgresql-text-hashtextextended-sum/2"
_ROWS_ONLY = ""
_PAGE_BYTES = 8192
_PART_PAGES = 8192
"""Pages that are read at a time, 64 MiB: small enough to keep all connections busy until the end."""
_RANGES_SINCE = 140000
"""The version that reads a range of row addresses without reading the whole table."""

_PINNED: tuple[LiteralString, ...] = (
    "SET DateStyle = 'ISO, YMD'",
    "SET TimeZone = 'UTC'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 3",
    "SET bytea_output = 'hex'",
    "SET lc_monetary = 'C'",
    "SET lc_numeric = 'C'",
    "SET xmlbinary = 'base64'",
    # Without a path, names of objects in columns are written with their schema.
    "SET search_path = ''",
    "SET client_encoding = 'UTF8'",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET row_security = off",
    "SET max_parallel_workers_per_gather = 0",
)

_ITEM = "item "
_LONG_VALUES = frozenset({"constraint", "index", "columns", "enum"})
"""Items whose value is text of the schema: a manifest keeps a digest, and whether something is invalid."""

Connect = Callable[[str], "Connection[tuple[object, ...]]"]
"""Gives a connection to the database of that name, each statement its own transaction."""


class _Column(Struct, frozen=True):
    """``text`` is whether the type's own bytes are what the server would print."""

    name: str
    text: bool
    nullable: bool


class _Table(Struct, frozen=True):
    """``size`` is bytes."""

    schema: str
    name: str
    size: int
    columns: tuple[_Column, ...]


class _Part(Struct, frozen=True):
    table: _Table
    pages: tuple[int, int | None] | None


class Moment(Struct, frozen=True):
    """A moment of a database that others may read: ``snapshot`` is its name for them."""

    snapshot: str
    things: tuple[Item, ...]


@contextmanager
def held(connect: Connect, database: str) -> Iterator[Moment]:
    """A moment of a database: what is read in it is the same until the end of the ``with``.

    A manifest and a dump of one moment are of the same rows, whoever writes meanwhile. Sequences belong to no moment:
    they are read here, before anyone can begin a dump, so that a restored one stands where it stood then or further on.
    """
    with closing(connect(database)) as connection:
        yield _moment(connection)


def take(
    connect: Connect, databases: Collection[str], *, jobs: int = 2, hashes: bool = True, moment: Moment | None = None
) -> Manifest:
    """The manifest of some databases of one server.

    ``jobs`` is how many connections read at a time. Each database is read in one snapshot: a new one, or
    the ``moment`` of a database that is :func:`held`. Without ``hashes`` rows are only counted. The client's
    own errors are raised as they come.
    """
    contents: list[Content] = []
    items: list[Item] = []
    version = ""
    for name in databases:
        with closing(connect(name)) as main:
            if not version:
                version = _text(main, "SHOW server_version").split()[0]
                items = [Item("role", *_texts(row)) for row in main.execute(_queries()["roles"]).fetchall()]
            contents.append(_content(main, connect, name, jobs, hashes=hashes, moment=moment))
    method = METHOD if hashes else _ROWS_ONLY
    return manifest("postgresql", version, method, contents, items=items, one_moment=len(contents) <= 1)


def _content(
    main: Connection[tuple[object, ...]], connect: Connect, name: str, jobs: int, *, hashes: bool, moment: Moment | None
) -> Content:
    if moment is None:
        moment = _moment(main)
    else:
        _pin(main)
        _begin(main, moment.snapshot)
    tables = msgspec.json.decode(_text(main, _queries()["tables"]), type=list[_Table])
    parts = _parts(tables, ranges=main.info.server_version >= _RANGES_SINCE)
    work: SimpleQueue[_Part] = SimpleQueue()
    for part in parts:
        work.put(part)
    crew = max(1, min(jobs, len(parts)))
    with ThreadPoolExecutor(crew) as pool:
        done = [pool.submit(_read, connect, name, moment.snapshot, work, hashes=hashes) for _ in range(crew)]
        found = [one for worker in done for one in worker.result()]
    found_tables = [_added(table, found, hashes=hashes) for table in tables]
    return Content(name, (*found_tables, *_large_objects(main)), moment.things)


def _parts(tables: Sequence[_Table], *, ranges: bool) -> list[_Part]:
    """What to read, the largest tables first."""
    parts: list[_Part] = []
    for table in sorted(tables, key=lambda one: -one.size):
        pages = table.size // _PAGE_BYTES
        if not ranges or pages <= _PART_PAGES:
            parts.append(_Part(table, None))
            continue
        starts = range(0, pages, _PART_PAGES)
        # The last part has no end: the table may have grown since it was measured.
        parts += [_Part(table, (at, at + _PART_PAGES if at != starts[-1] else None)) for at in starts]
    return parts


class _Found(Struct, frozen=True):
    """The rows of a part, and the sum of their hashes."""

    table: _Table
    rows: int
    content: int


def _read(connect: Connect, name: str, snapshot: str, work: SimpleQueue[_Part], *, hashes: bool) -> list[_Found]:
    from psycopg import sql

    found: list[_Found] = []
    with closing(connect(name)) as connection:
        _pin(connection)
        _begin(connection, snapshot)
        while True:
            try:
                part = work.get_nowait()
            except Empty:
                return found
            table = part.table
            content = sql.SQL("coalesce(sum({}), 0)").format(_hash(table.columns)) if hashes else sql.SQL("0")
            place = sql.Identifier(table.schema, table.name)
            words = sql.SQL("SELECT count(*), {} FROM ONLY {}{}").format(content, place, _where(part))
            answer = connection.execute(words).fetchone()
            assert answer is not None
            found.append(_Found(table, int(str(answer[0])), int(str(answer[1]))))


def _hash(columns: Sequence[_Column]) -> sql.Composable:
    """The hash of a row of these columns; zero of none."""
    from psycopg import sql

    # A call in a call in a call, written flat: a table may have 1,600 columns.
    calls: list[sql.Composable] = []
    seeds: list[sql.Composable] = []
    for one in columns:
        column = sql.Identifier(one.name)
        # concat() prints any type as the server does, and NULL as nothing. A collation may take two texts for one.
        printed = sql.SQL("coalesce({}, '')" if one.text else "concat({})").format(column)
        calls.append(sql.SQL('hashtextextended({} COLLATE "C", ').format(printed))
        ends = " # CASE WHEN {} IS NULL THEN 1 ELSE 0 END)" if one.nullable else ")"
        seeds.append(sql.SQL(ends).format(column))
    return sql.Composed([*reversed(calls), sql.SQL("0::bigint"), *seeds])


def _where(part: _Part) -> sql.Composable:
    from psycopg import sql

    if part.pages is None:
        return sql.SQL("")
    start, end = part.pages
    words = sql.SQL(" WHERE ctid >= {}::tid").format(sql.Literal(f"({start},0)"))
    return words if end is None else words + sql.SQL(" AND ctid < {}::tid").format(sql.Literal(f"({end},0)"))


def _added(table: _Table, found: Sequence[_Found], *, hashes: bool) -> Table:
    own = [one for one in found if one.table is table]
    content = sum_of([one.content for one in own]) if hashes else ""
    return Table(f"{table.schema}.{table.name}", sum(one.rows for one in own), content)


def _large_objects(main: Connection[tuple[object, ...]]) -> tuple[Table, ...]:
    from psycopg import errors

    try:
        with main.transaction():
            row = main.execute(_queries()["large objects"]).fetchone()
    except errors.InsufficientPrivilege:
        return ()
    if row is None or not row[0]:
        return ()
    return (Table("large objects", int(str(row[0])), sum_of([int(str(row[1]))])),)


def _moment(connection: Connection[tuple[object, ...]]) -> Moment:
    _pin(connection)
    _begin(connection, "")
    return Moment(_text(connection, "SELECT pg_export_snapshot()"), _things(connection))


def _things(main: Connection[tuple[object, ...]]) -> tuple[Item, ...]:
    found: list[Item] = []
    for title, query in _queries().items():
        kind = title.removeprefix(_ITEM)
        if kind != title:
            for name, value in (_texts(row) for row in main.execute(query).fetchall()):
                found.append(Item(kind, name, _short(value) if kind in _LONG_VALUES else value))
    return tuple(found)


def _short(value: str) -> str:
    for remark in ("invalid ", "not validated "):
        if value.startswith(remark):
            return f"{remark}{digest(value.removeprefix(remark))}"
    return digest(value)


@cache
def _queries() -> Mapping[str, bytes]:
    """The questions to the catalogue, by their titles."""
    text = files("shoreup.compare").joinpath("data", "postgresql.sql").read_text(encoding="utf-8")
    parts = dict(part.split("\n", 1) for part in text.split("--- ")[1:])
    return {title: query.replace("{ours}", parts["ours"]).encode() for title, query in parts.items()}


def _begin(connection: Connection[tuple[object, ...]], snapshot: str) -> None:
    from psycopg import sql

    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot:
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))


def _pin(connection: Connection[tuple[object, ...]]) -> None:
    for words in _PINNED:
        connection.execute(words)


def _text(connection: Connection[tuple[object, ...]], query: LiteralString | bytes) -> str:
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def _texts(row: Sequence[object]) -> tuple[str, ...]:
    return tuple("" if one is None else str(one) for one in row)
