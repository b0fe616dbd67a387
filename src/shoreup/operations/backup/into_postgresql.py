"""A backup restored into a database of the server that it is of: under a new name, or in the place of the old one.

It is loaded under a name of the run's own. Two renames then put it in the place of the old one, which stays under
another name, and applications find the new one at their next connection.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import take
from shoreup.operations.backup.of_postgresql import Server, first_line, server, tool_for
from shoreup.operations.backup.opening import fetch
from shoreup.operations.backup.restoring import Restoring
from shoreup.operations.backup.roles import made, make, told, unmake
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked
from shoreup.operations.backup.tools import run

if TYPE_CHECKING:
    from psycopg import Connection

_JOBS = 2
_ADMIN = "postgres"
_LIKE = "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s"


class IntoPostgresql:
    """A database of the backup's own server."""

    def __init__(self, restoring: Restoring) -> None:
        plan, wish = restoring.plan, restoring.wish
        self._restoring = restoring
        self._old = plan.address.database
        self._name = self._old if wish.over else wish.database
        self._beside = f"shoreup_{restoring.mark}"
        self._before = f"{self._old}_before_{restoring.mark}"
        self._made = f"made by the restore {restoring.mark} of the backup {restoring.record.id}"
        self._server: Server = server(Asked(plan.address, plan.secret, restoring.room))

    def refuse(self) -> None:
        """A database that is there is only replaced where it was asked for."""
        with closing(self._connect()) as connection:
            there = self._there(connection, self._name)
        if there and not self._restoring.wish.over:
            raise BackupTrouble(f"there is a database {self._name} already: name a new one")
        if not there and self._restoring.wish.over:
            raise BackupTrouble(f"there is no database {self._name} to restore over: --into {self._name} makes it")

    def load(self) -> None:
        """Load it under a name of ours."""
        import psycopg
        from psycopg import sql

        record, plan = self._restoring.record, self._restoring.plan
        copy = self._restoring.room / f"{record.id}.copy"
        try:
            with closing(self._connect()) as connection:
                self._drop(connection)
                make(connection, record.roles, self._made)
                like = connection.execute(_LIKE, (self._old,)).fetchone()
                making = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(self._beside))
                if like is not None:
                    encoding, collate, ctype = (sql.Literal(str(one)) for one in like)
                    making += sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(encoding, collate, ctype)
                connection.execute(making)
                version = connection.info.server_version
            fetch(plan, plan.shelf(), record, copy)
            words = [f"--dbname={self._beside}", "--no-password", "--exit-on-error", f"--jobs={_JOBS}", str(copy)]
            pg_restore = tool_for(version, "pg_restore")
            run([pg_restore.path, *words], self._server.variables(self._beside), self._restoring.room)
        except psycopg.Error as problem:
            raise BackupTrouble(f"PostgreSQL: {first_line(problem)}") from None
        finally:
            copy.unlink(missing_ok=True)

    def holds(self) -> Manifest | None:
        """Every table of it."""
        manifest = self._restoring.record.manifest
        hashes = manifest is not None and bool(manifest.method)
        return take(self._server.connect, [self._beside], jobs=_JOBS, hashes=hashes)

    def place(self) -> str:
        """Rename; after a kill, whatever of it is missing."""
        with closing(self._connect()) as connection:
            if self._there(connection, self._beside):
                if self._restoring.wish.over and self._there(connection, self._name):
                    self._rename(connection, self._name, self._before)
                self._rename(connection, self._beside, self._name)
            kept = self._there(connection, self._before)
            roles = told(made(connection, self._made), self._restoring.record.roles)
        before = f"; what was there before is the database {self._before}" if kept else ""
        return f"the database {self._name}{before}{f'; {roles}' if roles else ''}"

    def take_away(self) -> None:
        """Give back the name to what had it. What is not beside any more was given the name."""
        with closing(self._connect()) as connection:
            if not self._there(connection, self._beside) and self._there(connection, self._name):
                self._rename(connection, self._name, self._beside)
            if self._there(connection, self._before):
                self._rename(connection, self._before, self._name)

    def remove(self) -> None:
        """Remove what is under our name, and the roles that were made for it."""
        with closing(self._connect()) as connection:
            self._drop(connection)
            unmake(connection, self._made)

    def _connect(self) -> Connection[tuple[object, ...]]:
        return self._server.connect(_ADMIN)

    def _there(self, connection: Connection[tuple[object, ...]], name: str) -> bool:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None

    def _drop(self, connection: Connection[tuple[object, ...]]) -> None:
        from psycopg import sql

        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._beside)))

    def _rename(self, connection: Connection[tuple[object, ...]], name: str, to: str) -> None:
        """Rename a database, which nobody may be connected to."""
        from psycopg import sql

        old, new = sql.Identifier(name), sql.Identifier(to)
        connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(old))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))
            old = new
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(old))
