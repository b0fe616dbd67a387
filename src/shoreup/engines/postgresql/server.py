"""PostgreSQL in a scratch folder: a new cluster or a restored one, which answers us and nobody else.

A copy of a production database believes that it is the production database. Left to itself it would go on archiving
into the same place, follow its old primary, subscribe, and let its scheduled jobs send mail. So it is started with our
settings instead of its own: nothing is archived, followed, subscribed to or preloaded. Durability is relaxed, because
a scratch server that dies is made anew.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.engines.base import (
    LOAD_SECONDS,
    START_SECONDS,
    EngineTrouble,
    Server,
    need_client,
    needed,
    wait_until_ready,
)
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished, Jail
from shoreup.engines.packing import BrokenCopy, Packing, unpacked
from shoreup.engines.postgresql.clients import connected
from shoreup.engines.postgresql.dumps import DumpShape, Form, Gate, shape_of
from shoreup.engines.providers import Installation
from shoreup.engines.scratch import Scratch, reachable
from shoreup.model.proof import Engine as EngineSeen

if TYPE_CHECKING:
    import psycopg

_PORT = 5432
_TOOL_SECONDS = 6 * 3600.0
_NEVER = ("does not exist", "is not on this machine")
"""What is said of a connection that will not be had later either."""
NO_ROLE = re.compile(r'role "([^"\n]+)" does not exist')
"""What is said of a role that a dump leans on and the server does not have."""
_RUNS_A_PROGRAM = re.compile(r'could not execute command "|program "[^\n]*" failed')
_SET_BY_THE_PAST = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}
"""Settings that a recovery needs as large as they were, and what pg_controldata calls them."""


class PostgresqlOptions(Struct, frozen=True):
    """How a cluster is to be.

    ``superuser`` is its first role, as the estate calls it. ``data`` is a restored data directory to be opened in
    place of a new one; it has to lie in the scratch folder. ``durable`` keeps fsync on, for experiments that kill it.
    ``settings`` are more settings, by name; those that keep a copy quiet cannot be changed. ``encoding`` and
    ``locale`` are the new cluster's; ``checksums`` whether its pages have them. With
    ``recovering`` it stays in recovery and answers nobody until it is promoted. ``memory`` is what it may use in
    bytes.
    """

    superuser: str = "postgres"
    data: Path | None = None
    durable: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "UTF8"
    locale: str = "C.UTF-8"
    checksums: bool = False
    recovering: bool = False
    memory: int = 1 << 30


class Postgresql:
    """A PostgreSQL that can be started."""

    def __init__(self, choice: Choice, scratch: Scratch, options: PostgresqlOptions | None = None) -> None:
        self._choice = choice
        self._scratch = scratch
        self._jail = Jail(scratch, choice.installation.container)
        self._options = options or PostgresqlOptions()
        self._installation = choice.installation
        outside = self._installation.container is None and scratch.person.user is not None
        if outside and not reachable(self._installation.folder / "postgres"):
            self._installation = _brought(choice, scratch)

    @contextmanager
    def start(self) -> Iterator[RunningPostgresql]:
        """Start it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        with self.begin() as running:
            running.wait(START_SECONDS if self._options.data is None else LOAD_SECONDS)
            yield running

    @contextmanager
    def begin(self) -> Iterator[RunningPostgresql]:
        """The same without waiting: it has been started, and may not answer yet."""
        name = f"pg-{secrets.token_hex(2)}"
        home = self._scratch.make(name)
        data = self._options.data or self._new_cluster(home)
        sockets = self._scratch.make(f"{name}/s")
        settings = self._settings(sockets)
        if self._options.data is not None:
            settings |= self._from_the_past(data)
        if self._options.recovering:
            settings["hot_standby"] = "off"
            self._scratch.write(f"{data.relative_to(self._scratch.room)}/standby.signal", "")
        files = {
            "hba_file": self._scratch.write(f"{name}/hba", "local all all trust\nlocal replication all trust\n"),
            "ident_file": self._scratch.write(f"{name}/ident", ""),
        }
        quoted = {key: "'" + value.replace("'", "''") + "'" for key, value in settings.items()}
        text = "".join(f"{key} = {value}\n" for key, value in quoted.items())
        config = self._scratch.write(f"{name}/settings", text)
        # A command line outranks every file, also the postgresql.auto.conf that a copy brings along.
        command: list[str | Path] = [self.program("postgres"), "-D", data, "-c", f"config_file={config}"]
        for key, value in {**settings, **{key: str(path) for key, path in files.items()}}.items():
            command += ["-c", f"{key}={value}"]
        log = self._scratch.folder / f"{name}.log"
        server = Server(self._jail, self._jail.spawn(command, log), log)
        running = RunningPostgresql(self, server, sockets, data, self._options.superuser)
        try:
            yield running
        finally:
            server.stop(signal.SIGINT)

    def program(self, name: str) -> Path:
        """Where one of its programs lies."""
        try:
            return self._installation.program(name)
        except FileNotFoundError as problem:
            raise EngineTrouble(str(problem)) from None

    @property
    def jail(self) -> Jail:
        """What its tools run in."""
        return self._jail

    @property
    def stands_in_for(self) -> str:
        """The version that the estate runs, where this is another."""
        return self._choice.engine.stands_in_for

    def _new_cluster(self, home: Path) -> Path:
        options, data = self._options, home / "data"
        command: list[str | Path] = [self.program("initdb"), "-D", data, "-U", options.superuser, "-A", "trust"]
        command += [f"--encoding={options.encoding}", f"--locale={options.locale}", "--no-sync", "--no-instructions"]
        # What filled the disk stays, so that a full disk is still one when somebody looks why it failed.
        command.append("--no-clean")
        if self._installation.version >= (15,):
            command.append("--locale-provider=libc")
        if options.checksums:
            command.append("--data-checksums")
        elif self._installation.version >= (18,):
            command.append("--no-data-checksums")
        # initdb starts its server through a shell; it reads nothing of a stranger's.
        needed(self._jail.run(command, seconds=120, with_shell=True), self._jail)
        return data

    def _settings(self, sockets: Path) -> dict[str, str]:
        options, version = self._options, self._installation.version
        megabytes = max(64, options.memory >> 20)
        fast = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "8GB",
            "checkpoint_timeout": "1h",
            "shared_buffers": f"{min(megabytes // 4, 1024)}MB",
            "maintenance_work_mem": f"{min(megabytes // 4, 512)}MB",
            "jit": "off",
            "autovacuum": "off",
        }
        durable = {"wal_level": "replica"} if options.durable else fast
        quiet = {
            "listen_addresses": "",
            # In the data directory, so that what is killed leaves nothing of it anywhere else.
            "dynamic_shared_memory_type": "mmap",
            "port": str(_PORT),
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "archive_mode": "off",
            "archive_command": "",
            "primary_conninfo": "",
            "primary_slot_name": "",
            "shared_preload_libraries": "",
            "session_preload_libraries": "",
            "local_preload_libraries": "",
            "max_logical_replication_workers": "0",
            "ssl": "off",
            "logging_collector": "off",
            "log_destination": "stderr",
            # Statements and rows may hold what must not stand in a log.
            "log_statement": "none",
            "log_min_error_statement": "panic",
            "log_min_duration_statement": "-1",
            "log_error_verbosity": "terse",
            "external_pid_file": "",
            "synchronous_standby_names": "",
            # One that lost a process is over: told to stop while it recovers from that, it may wait for ever.
            "restart_after_crash": "off",
        }
        if version >= (15,):
            quiet["archive_library"] = ""
        if version >= (17,):
            quiet["event_triggers"] = "off"
        return {**durable, **options.settings, **quiet}

    def _from_the_past(self, data: Path) -> dict[str, str]:
        asked = needed(self._jail.run([self.program("pg_controldata"), "-D", data], seconds=60), self._jail)
        told = dict(line.split(":", 1) for line in asked.output.decode("utf-8", "replace").splitlines() if ":" in line)
        past = {name: told[title].strip() for title, name in _SET_BY_THE_PAST.items() if title in told}
        return {**past, "wal_level": "replica"}


class RunningPostgresql:
    """A PostgreSQL that answers on a socket in its scratch folder.

    ``superuser`` is the role that everything is done as. ``begun`` is how many seconds it took until it answered.
    ``replaced_locales`` are those that a dump asked for and this machine does not have.
    """

    def __init__(self, owner: Postgresql, server: Server, socket: Path, data: Path, superuser: str) -> None:
        self._owner = owner
        self._server = server
        self._socket = socket
        self._data = data
        self.superuser = superuser
        self.begun = 0.0
        self.replaced_locales: set[str] = set()
        self._seen = ""

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it: the version that the server itself told."""
        return EngineSeen("postgresql", self._seen, self._owner.stands_in_for)

    @property
    def socket(self) -> Path:
        """The directory that its socket lies in."""
        return self._socket

    @property
    def jail(self) -> Jail:
        """What its tools run in."""
        return self._owner.jail

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self._data

    @property
    def server(self) -> Server:
        """Its processes."""
        return self._server

    def connect(
        self, database: str = "postgres", seconds: int = 10, user: str = ""
    ) -> psycopg.Connection[tuple[object, ...]]:
        """A connection, each statement its own transaction: as the superuser, unless somebody else is named.

        Raises :class:`EngineTrouble`.
        """
        return connected(
            "PostgreSQL", self._socket, _PORT, user=user or self.superuser, database=database, seconds=seconds
        )

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until it answers. Raises :class:`EngineTrouble`."""
        self.begun = wait_until_ready(self._server, self.answers, "PostgreSQL", seconds)
        self.look()

    def promote(self) -> None:
        """End a recovery that would go on for ever."""
        jail = self._owner.jail
        jail.scratch.write(f"{self._data.relative_to(jail.scratch.room)}/promote", "")
        # pg_ctl would look for it among its own processes, and the server has others around it.
        os.kill(self._server.main, signal.SIGUSR1)

    def answers(self) -> bool:
        """Whether it answers a query now. Raises :class:`EngineTrouble` where it never will: the role is not there, or
        the locale.
        """
        if not (self._socket / f".s.PGSQL.{_PORT}").exists():
            return False
        need_client("psycopg")
        import psycopg

        try:
            with self.connect(seconds=2) as connection:
                connection.execute("SELECT 1")
        except EngineTrouble as trouble:
            if any(one in str(trouble) for one in _NEVER):
                raise
            return False
        except psycopg.Error:
            return False
        return True

    def ask(self, database: str, question: LiteralString) -> bytes:
        """The answer to a question that gives one value of JSON, as bytes."""
        with self.connect(database) as connection:
            row = connection.execute(question).fetchone()
        return msgspec.json.encode(row[0] if row else None)

    def look(self) -> None:
        """Ask the server for its version."""
        with self.connect() as connection:
            row = connection.execute("SELECT pg_catalog.current_setting('server_version')").fetchone()
        self._seen = str(row[0]).split()[0] if row else ""

    def databases(self) -> tuple[str, ...]:
        """The databases that can be connected to."""
        with self.connect() as connection:
            query = "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"
            return tuple(str(row[0]) for row in connection.execute(query))

    def create(self, database: str, encoding: str = "UTF8") -> None:
        """Make an empty database."""
        from psycopg import sql

        words = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}")
        with self.connect() as connection:
            connection.execute(words.format(sql.Identifier(database), sql.Literal(encoding)))

    def dump(self, target: Path, database: str = "postgres", form: Form = Form.CUSTOM, snapshot: str = "") -> Finished:
        """Write a dump into the file ``target``, of a moment that somebody holds where ``snapshot`` names one.

        Raises :class:`EngineTrouble` where the form is no single file.
        """
        if form is Form.DIRECTORY:
            raise EngineTrouble("a dump into a directory is not one file")
        with target.open("xb") as file:
            moment = [f"--snapshot={snapshot}"] if snapshot else []
            options = [f"--format={form.value}", "--no-password", *moment, database]
            return self.tool("pg_dump", options, target=file.fileno())

    def restore(self, source: Path, database: str = "postgres", jobs: int = 1) -> Finished:
        """Load a dump into a database that is there already.

        Raises :class:`BrokenCopy` where the file is no whole dump, :class:`EngineTrouble` where the tools are at fault.
        That a tool ended well says little of a restore: compare what came out.
        """
        shape = shape_of(source)
        if shape.form is Form.PLAIN:
            return self._by_psql(source, shape, database)
        place = self._within_reach(source, shape)
        options = [f"--dbname={database}", "--no-password"]
        if jobs > 1 and shape.form in {Form.CUSTOM, Form.DIRECTORY}:
            options.append(f"--jobs={jobs}")
        return self.tool("pg_restore", [*options, str(place)])

    def program(self, name: str) -> Path:
        """Where one of its programs lies. Raises :class:`EngineTrouble`."""
        return self._owner.program(name)

    def tool(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        source: int | None = None,
        target: int | None = None,
        with_shell: bool = False,
    ) -> Finished:
        """Run one of PostgreSQL's own programs against this server, which it is told in variables.

        ``with_shell`` is for those that start others through a shell (pg_dumpall), and never for one that reads a copy.
        """
        return self._owner.jail.run(
            [self._owner.program(name), *arguments],
            seconds=_TOOL_SECONDS,
            source=source,
            target=target,
            environment=self._variables(),
            with_shell=with_shell,
        )

    def size(self) -> int:
        """The bytes that its databases take."""
        with self.connect() as connection:
            row = connection.execute(
                "SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::bigint FROM pg_catalog.pg_database"
            ).fetchone()
        return int(str(row[0])) if row else 0

    def _by_psql(self, source: Path, shape: DumpShape, database: str) -> Finished:
        psql, jail = self._owner.program("psql"), self._owner.jail
        helped = jail.run([psql, "--no-psqlrc", "--help=commands"], seconds=60)
        known = jail.run(["locale", "-a"], seconds=60)
        key = secrets.token_hex(16) if b"\\restrict" in helped.output else ""
        gate = Gate(key, known.output.decode("utf-8", "replace").split())
        options = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
        options += ["--set=VERBOSITY=terse", "--set=SHOW_CONTEXT=never", f"--dbname={database}", "--file=-"]
        with Path(os.devnull).open("wb") as nowhere:
            finished = jail.run(
                [psql, *options],
                seconds=_TOOL_SECONDS,
                feed=gate.through(jail.scratch.within(unpacked(source, shape.packing))),
                target=nowhere,
                environment=self._variables(),
            )
        self.replaced_locales |= gate.replaced
        if finished.well and not gate.whole:
            raise BrokenCopy("its end is missing: psql took what there was and was content")
        return finished

    def _within_reach(self, source: Path, shape: DumpShape) -> Path:
        """The dump where the engine's user can read it: as it lies, or a copy."""
        person = self._owner.jail.scratch.person
        scratch = self._owner.jail.scratch
        ours = source.resolve().is_relative_to(scratch.room.resolve())
        if shape.packing is Packing.NONE and (person.user is None or ours or reachable(source)):
            return source.resolve()
        place = scratch.make(f"dump-{secrets.token_hex(2)}") / "copy"
        if source.is_dir():
            return scratch.keep_tree(source, place)
        return scratch.keep(place, unpacked(source, shape.packing))

    def _variables(self) -> dict[str, str]:
        return {"PGHOST": str(self._socket), "PGPORT": str(_PORT), "PGUSER": self.superuser, "PGCONNECT_TIMEOUT": "10"}


def restore_errors(finished: Finished) -> tuple[str, ...]:
    """What a restore complained about, one line each: without rows and statements, which may hold anything."""
    lines = [line.strip() for line in finished.said.splitlines()]
    if any(_RUNS_A_PROGRAM.search(line) for line in lines):
        return ("it has the server run a program (COPY ... PROGRAM), which no dump needs to",)
    return tuple(line[:300] for line in lines if "error:" in line.lower() or "fatal:" in line.lower())


def _brought(choice: Choice, scratch: Scratch) -> Installation:
    """A copy of an installation that lies where the engine's user cannot read."""
    found = choice.installation
    copied = scratch.make("program") / "pg"
    shutil.copytree(found.folder.parent, copied, symlinks=True)
    return replace(found, folder=copied / found.folder.name)
