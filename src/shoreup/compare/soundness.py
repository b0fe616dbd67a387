"""Whether a restored PostgreSQL is sound in itself, for copies that nobody kept a manifest of.

What is checked here needs no memory of how it was: an index that PostgreSQL does not use, a sequence that will hand out
a number which is taken, pages that contradict each other, and a database in which there is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from msgspec import Struct

if TYPE_CHECKING:
    from psycopg import Connection

_INVALID: LiteralString = """
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT (i.indisvalid AND i.indisready) ORDER BY 1"""

_OWNED: LiteralString = """
    SELECT n.nspname, s.relname, tn.nspname, t.relname, a.attname, q.seqincrement
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                    AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE NOT q.seqcycle ORDER BY 1, 2"""

_BTREES: LiteralString = """
    SELECT c.oid::regclass::text, c.oid
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE m.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND i.indisready AND c.relpersistence <> 't'
    ORDER BY pg_relation_size(c.oid) DESC"""


class Unsound(Struct, frozen=True):
    """Something that is wrong, whatever it was like before."""

    kind: str
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.what}"


def unsound(connection: Connection[tuple[object, ...]], *, pages: bool = True) -> tuple[Unsound, ...]:
    """What is wrong in one database. With ``pages`` every B-tree is checked against its table by amcheck."""
    found = [
        Unsound("index", str(name), "it is invalid and PostgreSQL does not use it")
        for (name,) in connection.execute(_INVALID).fetchall()
    ]
    found += _sequences(connection)
    if pages:
        found += _indexes(connection)
    return tuple(found)


def can_check_pages(connection: Connection[tuple[object, ...]]) -> bool:
    """Whether the server has amcheck."""
    row = connection.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'").fetchone()
    return row is not None and bool(row[0])


def _sequences(connection: Connection[tuple[object, ...]]) -> list[Unsound]:
    from psycopg import sql

    found: list[Unsound] = []
    for schema, name, table_schema, table, column, increment in connection.execute(_OWNED).fetchall():
        step = int(str(increment))
        words = sql.SQL("SELECT (SELECT last_value FROM {}), (SELECT {}({}) FROM {})").format(
            sql.Identifier(str(schema), str(name)),
            sql.SQL("max" if step > 0 else "min"),
            sql.Identifier(str(column)),
            sql.Identifier(str(table_schema), str(table)),
        )
        row = connection.execute(words).fetchone()
        if row is None or not isinstance(row[0], int) or not isinstance(row[1], int):
            continue
        behind = row[1] - row[0] if step > 0 else row[0] - row[1]
        if behind > 0:
            what = f"it stands {behind} behind its column, so the next insert meets a number that is taken"
            found.append(Unsound("sequence", f"{schema}.{name}", what))
    return found


def _indexes(connection: Connection[tuple[object, ...]]) -> list[Unsound]:
    from psycopg import Error
    from psycopg.errors import UndefinedFile

    if not can_check_pages(connection):
        return []
    connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    found: list[Unsound] = []
    row = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'amcheck'"
    ).fetchone()
    assert row is not None
    from psycopg import sql

    check = sql.SQL("SELECT {}(%s::oid::regclass, true)").format(sql.Identifier(str(row[0]), "bt_index_check"))
    for name, oid in connection.execute(_BTREES).fetchall():
        try:
            connection.execute(check, (oid,))
        except UndefinedFile:
            continue  # of a type whose library this server does not have, so nobody can tell
        except Error as problem:
            what = (problem.diag.message_primary or type(problem).__name__)[:200]
            found.append(Unsound("index", str(name), what))
    return found
