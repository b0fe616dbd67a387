"""The content of a SQLite database: rows hashed here, because SQLite has no hash of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from shoreup.compare.manifest import Content, Item, Manifest, Table, digest, manifest, row_hash, sum_of
from shoreup.engines.sqlite import opened

METHOD = "sqlite-values-blake2b-sum/1"


def take(path: Path, *, hashes: bool = True) -> Manifest:
    """The manifest of one database file, read in one transaction."""
    with closing(opened(path)) as connection:
        connection.execute("BEGIN")
        schema = connection.execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        virtual = {name for kind, name, text in schema if kind == "table" and _is_virtual(text)}
        names = [name for kind, name, _ in schema if kind == "table" and name not in virtual]
        tables = [_table(connection, name, hashes=hashes) for name in names]
        items = [Item(kind, name, digest(text)) for kind, name, text in schema if name not in virtual]
        items += [Item("virtual table", name) for name in virtual]
        items += [Item("version", "user_version", str(connection.execute("PRAGMA user_version").fetchone()[0]))]
    content = Content("main", tuple(tables), tuple(items))
    return manifest("sqlite", sqlite3.sqlite_version, METHOD if hashes else "", [content], one_moment=True)


def _is_virtual(text: str) -> bool:
    return text.lstrip()[:14].upper() == "CREATE VIRTUAL"


def _table(connection: sqlite3.Connection, name: str, *, hashes: bool) -> Table:
    quoted = name.replace('"', '""')
    if not hashes:
        row = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608 (quoted above)
        return Table(name, int(row[0]))
    found: list[int] = []
    connection.text_factory = _Text
    try:
        for row in connection.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608 (quoted above)
            found.append(row_hash([_part(value) for value in row]))
    finally:
        connection.text_factory = str
    return Table(name, len(found), sum_of(found))


class _Text(bytes):
    """Text as it is stored, so that a damaged encoding is no error and text is told from a blob."""


def _part(value: object) -> bytes:
    """A value with its type."""
    if value is None:
        return b"n"
    if isinstance(value, bytes):
        return (b"t" if isinstance(value, _Text) else b"b") + value
    if isinstance(value, float):
        return b"f" + value.hex().encode()
    return b"i" + str(value).encode()
