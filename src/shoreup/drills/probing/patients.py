"""Servers that are brought into the states that a probe has to tell apart: starting, healthy, full, hung.

Each state is a real one. A PostgreSQL that is starting is in a recovery that goes on, and rejects connections; a Redis
is loading what it saved, key by slow key; a MariaDB or a web server has not come to listening yet. A full server holds
as many connections as it takes. A hung one is stopped by the kernel, so that it still takes connections and answers
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from shoreup.engines.base import EngineTrouble, Server, wait_until_ready
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.mysql.server import Mysql, RunningMysql
from shoreup.engines.pgbouncer import PgBouncer, RunningPgBouncer
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.redis import Redis, RunningRedis
from shoreup.engines.scratch import Scratch
from shoreup.engines.web_servers import WEB_SERVERS, WebServer
from shoreup.model.proof import Engine

_FEW = 10
"""Connections that a full server takes."""
_KEYS, _LOADING = 500, 4000
"""Keys of a Redis that loads slowly, and microseconds for each."""


class Patient(Protocol):
    """A server that was begun and may not answer yet."""

    starts_slowly: bool
    """Whether it is in a start that goes on until :meth:`get_up`."""
    fills: bool
    """Whether it can be :meth:`full` in a way that a probe can tell from hanging."""

    @property
    def engine(self) -> Engine:
        """What a proof says of it, once it is up."""
        ...

    @property
    def server(self) -> Server:
        """Its processes, to disturb them."""
        ...

    @property
    def listens(self) -> Path:
        """The socket that it listens on."""
        ...

    def get_up(self) -> None:
        """Let the start come to its end, and wait for it. Raises :class:`EngineTrouble`."""
        ...

    def full(self) -> AbstractContextManager[None]:
        """While it lasts, every connection is taken, and one more is refused."""
        ...

    def lead(self, words: Sequence[str]) -> list[str]:
        """A probe's command, led to this server: what it says of host and port is replaced."""
        ...

    def variables(self) -> Mapping[str, str]:
        """What leads the product's own tools to this server."""
        ...


class Ward(Protocol):
    """Begins a server of one product. Raises :class:`EngineTrouble`."""

    def __call__(self, choice: Choice, scratch: Scratch) -> AbstractContextManager[Patient]: ...


def wards() -> Mapping[str, Ward]:
    """How a server of each product is begun."""
    databases: Mapping[str, Ward] = {
        "postgresql": _postgresql,
        "mariadb": _mysql,
        "mysql": _mysql,
        "redis": _redis,
        "pgbouncer": _pgbouncer,
    }
    return {**databases, **dict.fromkeys(WEB_SERVERS, _web)}


class _SpeaksPostgresql:
    """What is the same of everything that PostgreSQL's own tools speak to."""

    def __init__(self, running: RunningPostgresql | RunningPgBouncer) -> None:
        self._reached = running
        self.server = running.server

    @property
    def engine(self) -> Engine:
        return self._reached.engine

    @contextmanager
    def full(self) -> Iterator[None]:
        with ExitStack() as held, _until_refused(self._reached, held):
            yield

    def lead(self, words: Sequence[str]) -> list[str]:
        return led(words, {}, ("-h", "--host", "-p", "--port"))


class _Postgresql(_SpeaksPostgresql):
    starts_slowly = True
    fills = True

    def __init__(self, running: RunningPostgresql) -> None:
        super().__init__(running)
        self._running = running
        self.listens = running.socket / ".s.PGSQL.5432"

    def get_up(self) -> None:
        self._running.promote()
        self._running.wait()

    def variables(self) -> Mapping[str, str]:
        return {"PGHOST": str(self._running.socket), "PGPORT": "5432", "PGUSER": self._running.superuser}


@contextmanager
def _postgresql(choice: Choice, scratch: Scratch) -> Iterator[Patient]:
    options = PostgresqlOptions(recovering=True, settings={"max_connections": str(_FEW)}, memory=64 << 20)
    with Postgresql(choice, scratch, options).begin() as running:
        wait_until_ready(running.server, partial(_rejects, running), "PostgreSQL")
        yield _Postgresql(running)


def _rejects(running: RunningPostgresql) -> bool:
    """Whether its recovery has come so far that it says so."""
    try:
        running.connect(seconds=2).close()
    except EngineTrouble as trouble:
        return "the database system is" in str(trouble)
    return False


class _PgBouncer(_SpeaksPostgresql):
    starts_slowly = False
    fills = True

    def __init__(self, running: RunningPgBouncer) -> None:
        super().__init__(running)
        self._running = running
        self.listens = running.socket / ".s.PGSQL.6432"

    def get_up(self) -> None:
        pass

    def variables(self) -> Mapping[str, str]:
        return {"PGHOST": str(self._running.socket), "PGPORT": "6432", "PGUSER": "postgres", "PGDATABASE": "postgres"}


@contextmanager
def _pgbouncer(choice: Choice, scratch: Scratch) -> Iterator[Patient]:
    behind = choose(Wanted("postgresql"))
    if isinstance(behind, NoProvider):
        raise EngineTrouble(f"a pooler needs a server behind it: {behind}")
    settings = {"max_client_conn": str(_FEW), "default_pool_size": "2"}
    with (
        Postgresql(behind, scratch, PostgresqlOptions(memory=64 << 20)).start() as server,
        PgBouncer(choice, scratch, server, settings).start() as running,
    ):
        yield _PgBouncer(running)


class _Mysql:
    starts_slowly = True
    fills = True

    def __init__(self, running: RunningMysql) -> None:
        self._running = running
        self.server = running.server
        self.listens = running.socket

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def get_up(self) -> None:
        self.server.wake()
        self._running.wait()

    @contextmanager
    def full(self) -> Iterator[None]:
        with closing(self._running.connect()) as admin, admin.cursor() as cursor:
            cursor.execute("SELECT @@max_connections")
            before = (cursor.fetchone() or (151,))[0]
            cursor.execute("SET GLOBAL max_connections = %s", (_FEW,))
            try:
                with ExitStack() as held:
                    with suppress(EngineTrouble):
                        for _ in range(2 * _FEW):
                            held.enter_context(closing(self._running.connect()))
                    yield
            finally:
                cursor.execute("SET GLOBAL max_connections = %s", (before,))

    def lead(self, words: Sequence[str]) -> list[str]:
        there = ["--no-defaults", f"--socket={self._running.socket}"]
        names = ("mariadb-admin", "mysqladmin", "mariadb", "mysql")
        return led(words, dict.fromkeys(names, there), ("-h", "--host", "-P", "--port"))

    def variables(self) -> Mapping[str, str]:
        return {}


@contextmanager
def _mysql(choice: Choice, scratch: Scratch) -> Iterator[Patient]:
    with Mysql(choice, scratch).begin() as running:
        # It stops here, with its data open and no socket yet, for as long as we look at it.
        running.server.hang()
        yield _Mysql(running)


class _Redis:
    starts_slowly = True
    fills = True

    def __init__(self, running: RunningRedis) -> None:
        self._running = running
        self.listens = running.socket

    @property
    def server(self) -> Server:
        return self._running.server

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def get_up(self) -> None:
        self._running.wait()

    @contextmanager
    def full(self) -> Iterator[None]:
        from redis.exceptions import RedisError

        with self._running.connect() as admin, ExitStack() as held:
            before = admin.config_get("maxclients")["maxclients"]
            admin.config_set("maxclients", _FEW)
            for _ in range(4 * _FEW):
                # One that is late on a busy machine is no sign that it is full.
                with suppress(RedisError):
                    held.enter_context(self._running.connect()).ping()
                if int(admin.info("clients")["connected_clients"]) >= _FEW:
                    break
            else:
                raise EngineTrouble("the server could not be filled with connections")
            yield
            held.close()
            admin.config_set("maxclients", before)

    def lead(self, words: Sequence[str]) -> list[str]:
        there = ["-s", str(self._running.socket)]
        return led(words, {"redis-cli": there, "valkey-cli": there}, ("-h", "-p"))

    def variables(self) -> Mapping[str, str]:
        return {}


@contextmanager
def _redis(choice: Choice, scratch: Scratch) -> Iterator[Patient]:
    with Redis(choice, scratch).start() as running:
        with running.connect() as client:
            client.mset({f"key {number}": "x" * 200 for number in range(_KEYS)})
            client.save()
        running.begin_again(_LOADING)
        # Before it loads, it makes its socket; without that it could not say that it is loading.
        while not running.socket.exists() and running.server.pause():
            pass
        yield _Redis(running)


class _Web:
    starts_slowly = True
    fills = False

    def __init__(self, web: WebServer, running: ExitStack) -> None:
        self._web = web
        self._running = running
        self._server: Server | None = None
        self.listens = web.socket

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def engine(self) -> Engine:
        return self._web.engine

    def get_up(self) -> None:
        self._server = self._running.enter_context(self._web.start())

    def full(self) -> AbstractContextManager[None]:
        return nullcontext()

    def lead(self, words: Sequence[str]) -> list[str]:
        return list(words)

    def variables(self) -> Mapping[str, str]:
        return {}


@contextmanager
def _web(choice: Choice, scratch: Scratch) -> Iterator[Patient]:
    # Whoever asks meets the same before it runs and before it listens: nobody there.
    with ExitStack() as running:
        yield _Web(WebServer(choice, scratch), running)


@contextmanager
def _until_refused(running: RunningPostgresql | RunningPgBouncer, held: ExitStack) -> Iterator[None]:
    with suppress(EngineTrouble):
        for _ in range(2 * _FEW):
            held.enter_context(closing(running.connect()))
        raise RuntimeError("the server takes more connections than it was told to")
    yield


def led(words: Sequence[str], tools: Mapping[str, Sequence[str]], address: Sequence[str]) -> list[str]:
    """A command without the options that say ``address``, and with others behind the names of ``tools``.

    A script of a shell is led word by word too, so far as its words stand apart.
    """
    if len(words) >= 3 and Path(words[0]).name in ("sh", "bash", "ash") and "c" in words[1]:
        return [*words[:2], _script(words[2], tools, address), *words[3:]]
    found: list[str] = []
    skip = False
    for word in words:
        if skip or any(word.startswith(f"{option}=") for option in address):
            skip = False
        elif word in address:
            skip = True
        else:
            found += [word, *tools.get(Path(word).name, ())]
    return found


def _script(text: str, tools: Mapping[str, Sequence[str]], address: Sequence[str]) -> str:
    options = "|".join(re.escape(option) for option in address)
    text = re.sub(rf"\s(?:{options})(?:=|\s+)\S+", "", text)
    for name, more in tools.items():
        text = re.sub(rf"(?<![\w/-])((?:/\S*/)?{re.escape(name)})(?![\w-])", rf"\1 {' '.join(more)}", text)
    return text
