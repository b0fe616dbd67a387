"""A backup restored into a new database of the MariaDB or MySQL that it is of.

These products cannot rename a database, so there is no way to put one in the place of another that could be taken
back: load it under a new name, and let the application use that.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shoreup.compare.manifest import Content, Manifest
from shoreup.compare.mysql import take
from shoreup.engines.catalogue import catalogue
from shoreup.operations.backup.of_mysql import Server, said, server
from shoreup.operations.backup.opening import fetch
from shoreup.operations.backup.restoring import Restoring
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked
from shoreup.operations.backup.tools import run, tools

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

_MARKER = "shoreup restore"
"""The name of a table that says that a database is ours and not whole yet."""


class IntoMysql:
    """A new database of the backup's own server."""

    def __init__(self, restoring: Restoring) -> None:
        if restoring.wish.over:
            raise BackupTrouble("MariaDB and MySQL cannot rename a database: restore into a new one with --into NAME")
        plan = restoring.plan
        self._restoring = restoring
        self._product = plan.address.product
        self._name = restoring.wish.database
        self._server: Server = server(Asked(plan.address, plan.secret, restoring.room))

    def refuse(self) -> None:
        """It must not be there."""
        with closing(self._server.connect()) as connection:
            if self._there(connection):
                raise BackupTrouble(f"there is a database {self._name} already: name a new one")

    def load(self) -> None:
        """Make it and load it. What a killed run left of it is made anew."""
        import pymysql

        record, plan = self._restoring.record, self._restoring.plan
        copy = self._restoring.room / f"{record.id}.copy"
        client = self._client()
        try:
            with closing(self._server.connect()) as connection:
                self._make(connection)
            fetch(plan, plan.shelf(), record, copy)
            with copy.open("rb") as source:
                source.seek(max(0, source.seek(0, os.SEEK_END) - 1024))
                if b"-- Dump completed" not in source.read():
                    raise BackupTrouble("its end is missing")
                source.seek(0)
                words: list[str | Path] = [
                    client,
                    f"--defaults-file={self._server.options}",
                    "--batch",
                    "--binary-mode",
                    self._name,
                ]
                run(words, {}, self._restoring.room, source=source)
        except pymysql.Error as problem:
            raise BackupTrouble(f"{self._product}: {said(problem)}") from None
        finally:
            copy.unlink(missing_ok=True)

    def holds(self) -> Manifest | None:
        """Every table of it, without the one that marks it."""
        manifest = self._restoring.record.manifest
        hashes = manifest is not None and bool(manifest.method)
        found = take(self._server.connect, [self._name], product=self._product, hashes=hashes)
        return replace(found, contents=tuple(_without_marker(one) for one in found.contents))

    def place(self) -> str:
        """It has its name already; it is whole now."""
        with closing(self._server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self._marker}")
        return f"the database {self._name}"

    def take_away(self) -> None:
        """Mark it as not whole again."""
        with closing(self._server.connect()) as connection, connection.cursor() as cursor:
            if self._there(connection) and not self._is_ours(cursor):
                cursor.execute(f"CREATE TABLE {self._marker} (id INT) COMMENT = %s", (self._comment,))

    def remove(self) -> None:
        """Remove it, where it is ours."""
        with closing(self._server.connect()) as connection, connection.cursor() as cursor:
            if self._is_ours(cursor):
                cursor.execute(f"DROP DATABASE {_quoted(self._name)}")

    def _make(self, connection: Connection[Cursor]) -> None:
        with connection.cursor() as cursor:
            if self._is_ours(cursor):
                cursor.execute(f"DROP DATABASE {_quoted(self._name)}")
            if self._there(connection):
                raise BackupTrouble(f"there is a database {self._name} already: name a new one")
            cursor.execute(f"CREATE DATABASE {_quoted(self._name)} CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE TABLE {self._marker} (id INT) COMMENT = %s", (self._comment,))

    def _is_ours(self, cursor: Cursor) -> bool:
        cursor.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_comment = %s",
            (self._name, self._comment),
        )
        return cursor.fetchone() is not None

    @property
    def _marker(self) -> str:
        return f"{_quoted(self._name)}.{_quoted(_MARKER)}"

    def _there(self, connection: Connection[Cursor]) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (self._name,))
            return cursor.fetchone() is not None

    def _client(self) -> Path:
        entry = catalogue().product(self._product)
        found = tools(self._product, entry.tools["client"]) if entry is not None else ()
        if not found:
            raise BackupTrouble(
                f"this machine has no client of {self._product}: install {self._product}-client (Debian)"
            )
        return max(found, key=lambda one: one.version).path

    @property
    def _comment(self) -> str:
        return f"{_MARKER} {self._restoring.mark}"


def _without_marker(content: Content) -> Content:
    return replace(
        content,
        tables=tuple(one for one in content.tables if one.name != _MARKER),
        items=tuple(one for one in content.items if one.name != _MARKER),
    )


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
