"""Backups of PostgreSQL: a database as pg_dump's custom form, and its rows counted in the dump's own snapshot.

The custom form can be restored by several workers and in parts. It is not compressed by pg_dump, because zstd does
that better beside it. A snapshot is exported first; pg_dump and the counting read in it, so the numbers are those of
the dump, whoever writes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import held, take
from shoreup.engines.base import EngineTrouble, need_client
from shoreup.engines.catalogue import written
from shoreup.operations.backup.roles import leant_on
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Address, Asked, Stream, Taken
from shoreup.operations.backup.tools import Output, Tool, output_of, private_file, tools

if TYPE_CHECKING:
    import psycopg

_PATIENCE = "15"
_POSITION = """
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text"""
_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey"})


class Server(Struct, frozen=True):
    """A PostgreSQL that somebody runs, and how to get in: by ``passfile``, which only we can read."""

    address: Address
    passfile: Path

    def connect(self, database: str = "") -> psycopg.Connection[tuple[object, ...]]:
        """A connection, each statement its own transaction. Raises :class:`BackupTrouble`."""
        import psycopg
        from psycopg.conninfo import make_conninfo

        try:
            return psycopg.connect(
                make_conninfo("", **self._options),
                host=self.address.host,
                port=self.address.port,
                user=self.address.user,
                dbname=database or self.address.database,
                passfile=str(self.passfile),
                # PGPASSWORD and its like may be of the operations' own database, and would count first.
                password="",
                hostaddr="",
                options="",
                connect_timeout=int(_PATIENCE),
                autocommit=True,
                application_name="shoreup",
            )
        except psycopg.Error as problem:
            raise BackupTrouble(f"PostgreSQL takes no connection: {first_line(problem)}") from None

    @property
    def _options(self) -> dict[str, str]:
        return {key: value for key, value in self.address.options.items() if key in _OPTIONS}

    def variables(self, database: str = "") -> dict[str, str]:
        """What its tools are told, in place of arguments."""
        options = {f"PG{key.upper()}": value for key, value in self._options.items()}
        return {
            "PGHOST": self.address.host,
            "PGPORT": str(self.address.port),
            "PGUSER": self.address.user,
            "PGDATABASE": database or self.address.database,
            "PGPASSFILE": str(self.passfile),
            "PGCONNECT_TIMEOUT": _PATIENCE,
            "PGAPPNAME": "shoreup",
            **options,
        }


def server(asked: Asked) -> Server:
    """The server of an address. Raises :class:`BackupTrouble` where the address or the client is not whole."""
    try:
        need_client("psycopg")
    except EngineTrouble as trouble:
        raise BackupTrouble(str(trouble)) from None
    if not (asked.address.user and asked.address.database and asked.address.host):
        raise BackupTrouble("postgresql:// wants a user, a host and a database: postgresql://clerk@db/bank")
    wrong = sorted(set(asked.address.options) - _OPTIONS)
    if wrong:
        raise BackupTrouble(f"postgresql:// does not know {wrong[0]!r}; there are host, {', '.join(sorted(_OPTIONS))}")
    password = asked.secret()
    line = f"*:*:*:*:{_escaped(password)}\n" if password else ""
    return Server(asked.address, private_file(asked.folder, "pgpass", line))


def tool_for(version: int, name: str) -> Tool:
    """A program for a server of a version as it tells it (170004): of the same major, or of the next newer.

    Raises :class:`BackupTrouble` where there is none: an older pg_dump refuses a newer server.
    """
    major, have = version // 10000, tools("postgresql", name)
    fitting = [one for one in have if one.version[:1] >= (major,)]
    if not fitting:
        words = ", ".join(sorted({written(one.version[:1]) for one in have})) or "none"
        raise BackupTrouble(
            f"the server is PostgreSQL {major}, and this machine has {name} of {words}: "
            f"install postgresql-client-{major} (Debian)"
        )
    return min(fitting, key=lambda one: one.version[0])


class Postgresql:
    """How a database of PostgreSQL is copied."""

    ending = ".dump"

    @contextmanager
    def open(self, asked: Asked) -> Iterator[Stream]:
        """Hold a moment of the database, and begin to dump it."""
        import psycopg

        own = server(asked)
        try:
            with closing(own.connect()) as main:
                version = main.info.server_version
                found, roles = main.execute(_POSITION).fetchone(), leant_on(main)
            position = str(found[0]) if found else ""
            pg_dump = tool_for(version, "pg_dump")
            with held(own.connect, asked.address.database) as moment, ThreadPoolExecutor(1) as pool:
                now = datetime.now(UTC)
                counting = pool.submit(
                    take, own.connect, [asked.address.database], jobs=1, hashes=asked.hashes, moment=moment
                )
                words = ["--format=custom", "--compress=0", "--no-password", f"--snapshot={moment.snapshot}"]
                with output_of([pg_dump.path, *words], own.variables(), asked.folder) as output:
                    tool = f"pg_dump {written(pg_dump.version)}"
                    told = Taken("postgresql", "", tool, now, position, roles=roles)
                    yield _Dump(output, counting, told)
        except psycopg.Error as problem:
            raise BackupTrouble(f"PostgreSQL: {first_line(problem)}") from None
        finally:
            own.passfile.unlink(missing_ok=True)


class _Dump:
    def __init__(self, output: Output, counting: Future[Manifest], told: Taken) -> None:
        self._output = output
        self._counting = counting
        self._told = told

    def pieces(self) -> Iterator[bytes]:
        return self._output.pieces()

    def taken(self) -> Taken:
        from msgspec.structs import replace

        manifest = self._counting.result()
        return replace(self._told, version=manifest.version, manifest=manifest)


def first_line(problem: Exception) -> str:
    """What a driver says, without details."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")
