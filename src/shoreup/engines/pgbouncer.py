"""PgBouncer in a scratch folder, in front of a PostgreSQL of the same: real queues, real refusals."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shoreup.engines.base import EngineTrouble, Server, wait_until_ready
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Jail
from shoreup.engines.postgresql.clients import connected
from shoreup.engines.postgresql.server import RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine as EngineSeen

if TYPE_CHECKING:
    import psycopg

_PORT = 6432
_ADMIN = "pgbouncer"


class PgBouncer:
    """A PgBouncer that can be started. ``settings`` are those of the estate, by name; where it listens is ours.

    ``user`` is whom the server takes its connections for, the superuser where none is named.
    """

    def __init__(
        self,
        choice: Choice,
        scratch: Scratch,
        behind: RunningPostgresql,
        settings: Mapping[str, str] | None = None,
        user: str = "",
    ) -> None:
        self._user = user or behind.superuser
        self.choice = choice
        self._jail = Jail(scratch, choice.installation.container)
        self._behind = behind
        self._settings = dict(settings or {})

    @contextmanager
    def start(self) -> Iterator[RunningPgBouncer]:
        """Start it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        scratch = self._jail.scratch
        name = f"pool-{secrets.token_hex(2)}"
        home = scratch.make(name)
        users = scratch.write(f"{name}/users", f'"{self._behind.superuser}" ""\n')
        ours = {
            "unix_socket_dir": str(home),
            "unix_socket_mode": "0700",
            "listen_addr": "",
            "listen_port": str(_PORT),
            "auth_type": "any",
            "auth_file": str(users),
            "admin_users": self._behind.superuser,
            "logfile": "",
            "pidfile": "",
            "syslog": "0",
        }
        settings = {**self._settings, **ours}
        for key, value in settings.items():
            if "\n" in key + value or "=" in key:
                raise EngineTrouble(f"the setting {key!r} of PgBouncer is more than one line")
        database = f"* = host={self._behind.socket} port=5432 user={self._user}\n"
        text = "[databases]\n" + database + "[pgbouncer]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items() if v)
        config = scratch.write(f"{name}/pgbouncer.ini", text)
        log = scratch.folder / f"{name}.log"
        program = self.choice.installation.program("pgbouncer")
        server = Server(self._jail, self._jail.spawn([program, config], log), log)
        running = RunningPgBouncer(self, server, home, self._behind.superuser)
        try:
            running.begun = wait_until_ready(server, running.answers, "PgBouncer")
            yield running
        finally:
            server.stop(signal.SIGTERM)


class RunningPgBouncer:
    """A PgBouncer that answers on a socket in its scratch folder."""

    def __init__(self, owner: PgBouncer, server: Server, socket: Path, superuser: str) -> None:
        self._owner = owner
        self.server = server
        self.socket = socket
        self._superuser = superuser
        self.begun = 0.0

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it."""
        return self._owner.choice.engine

    def connect(self, database: str = "postgres", seconds: int = 10) -> psycopg.Connection[tuple[object, ...]]:
        """A connection through the pool. Raises :class:`EngineTrouble`."""
        return connected(
            "PgBouncer",
            self.socket,
            _PORT,
            user=self._superuser,
            database=database,
            seconds=seconds,
            pooled=True,
        )

    def answers(self) -> bool:
        """Whether its console answers now."""
        if not (self.socket / f".s.PGSQL.{_PORT}").exists():
            return False
        try:
            return bool(self.show("VERSION"))
        except EngineTrouble:
            return False

    def show(self, what: str) -> tuple[Mapping[str, str], ...]:
        """What the console shows (``POOLS``, ``STATS``, ``CONFIG`` ...), row by row."""
        if not what.replace("_", "").isalpha():
            raise ValueError(f"{what!r} is nothing that the console shows")
        with self.connect(_ADMIN) as console, console.cursor() as cursor:
            cursor.execute(f"SHOW {what}".encode())
            names = [column.name for column in cursor.description or ()]
            return tuple(
                {name: str(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
            )
