"""MariaDB and MySQL in a scratch folder: a new server for dumps in SQL, which answers us and nobody else.

The two are one family with two sets of names, which are data. A copy of a production database brings its events along;
here nothing schedules them, also when a dump says otherwise. The client reads a dump as a script and is content with
half of one, so the closing remark of the dump decides.
"""

from __future__ import annotations

import re
import secrets
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from shoreup.engines.base import (
    LOAD_SECONDS,
    START_SECONDS,
    EngineTrouble,
    Server,
    need_client,
    needed,
    wait_until_ready,
)
from shoreup.engines.catalogue import ProductEntry, catalogue
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished, Jail
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of, unpacked
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine as EngineSeen

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

_TOOL_SECONDS = 6 * 3600.0
_BEGINNING = re.compile(rb"^(?:/\*!?M?!?999999[^\n]*\n)?-- (?:MariaDB|MySQL) dump ", re.MULTILINE)
_ENDING = b"-- Dump completed"
_TAIL = 1024
_SANDBOX = b"/*M!999999\\- enable the sandbox mode */ \n"
"""Tells the client to carry out nothing but SQL; older ones take it for a remark."""
_OWNER = "shoreup_owns"
_MAKE_OWNER = (
    f"CREATE USER IF NOT EXISTS '{_OWNER}'@'localhost' IDENTIFIED BY '';\n"
    f"GRANT ALL PRIVILEGES ON *.* TO '{_OWNER}'@'localhost' WITH GRANT OPTION;\n"
)
_UNREAD = re.compile(rb"Warning \(Code 1366\): Incorrect string value: '.*' for column ['`](.{1,200})['`] at row \d+$")
"""A dump turns strictness off, so text in another encoding is no error: it is changed, and a warning says so."""
_ROWS_IN_WORDS = re.compile(r"(entry|value:?) '.*?'(?= for key '[^']*'$| for column [^']* at row \d+$|$)")


class MysqlOptions(Struct, frozen=True):
    """How a server is to be.

    ``memory`` is what it may keep of the data in memory, in bytes. ``data`` is a restored data directory to be opened
    in place of a new one, and ``settings`` are those that its files were made with.
    """

    memory: int = 256 << 20
    data: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


class Mysql:
    """A MariaDB or MySQL that can be started."""

    def __init__(self, choice: Choice, scratch: Scratch, options: MysqlOptions | None = None) -> None:
        entry = catalogue().product(choice.installation.product)
        if entry is None or not entry.tools:
            raise EngineTrouble(f"{choice.installation.product} is none of this family")
        self.entry: ProductEntry = entry
        self.choice = choice
        self.jail = Jail(scratch, choice.installation.container)
        self._options = options or MysqlOptions()

    @contextmanager
    def start(self) -> Iterator[RunningMysql]:
        """Start it with nothing in it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        with self.begin() as running:
            running.wait(START_SECONDS if self._options.data is None else LOAD_SECONDS)
            yield running

    @contextmanager
    def begin(self) -> Iterator[RunningMysql]:
        """The same without waiting: it has been started, and does not answer yet."""
        scratch = self.jail.scratch
        name = f"my-{secrets.token_hex(2)}"
        home, nothing = scratch.make(name), scratch.make(f"{name}/none")
        data, user = self._options.data, "root"
        begin: list[str] = []
        if data is None:
            data = self._new_data(home)
        else:
            # Nobody knows the passwords that a copy brings along.
            user = _OWNER
            begin = [f"--init-file={scratch.write(f'{name}/begin', _MAKE_OWNER)}"]
            begin += [f"--{key}={value}" for key, value in self._options.settings.items()]
        listening = home / "s"
        options = [
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={listening}",
            f"--pid-file={home / 'pid'}",
            f"--tmpdir={home}",
            f"--secure-file-priv={nothing}",
            f"--innodb-buffer-pool-size={self._options.memory}",
            *self.entry.quiet,
            *begin,
        ]
        log = scratch.folder / f"{name}.log"
        server = Server(self.jail, self.jail.spawn([self.program(self.entry.server), *options], log), log)
        running = RunningMysql(self, server, listening, user)
        try:
            yield running
        finally:
            server.stop(signal.SIGTERM)

    def _new_data(self, home: Path) -> Path:
        data = home / "data"
        filled = {"{data}": str(data), "{folder}": str(self.choice.installation.folder)}
        install = [_filled(word, filled) for word in self.entry.install]
        # What installs is a script of the package; it reads nothing of a stranger's.
        command: list[str | Path] = [self.program(install[0]), *install[1:]]
        needed(self.jail.run(command, seconds=180, with_shell=True), self.jail)
        return data

    def program(self, name: str) -> Path:
        """Where one of its programs lies."""
        try:
            return self.choice.installation.program(name)
        except FileNotFoundError as problem:
            raise EngineTrouble(str(problem)) from None


class RunningMysql:
    """A MariaDB or MySQL that answers on a socket in its scratch folder."""

    def __init__(self, owner: Mysql, server: Server, listening: Path, user: str) -> None:
        self._owner = owner
        self._server = server
        self._socket = listening
        self._user = user
        self.begun = 0.0
        self._seen = ""

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until it answers. Raises :class:`EngineTrouble`."""
        self.begun = wait_until_ready(self._server, self.answers, self._owner.entry.title, seconds)
        self.look()

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it: the version that the server itself told."""
        return EngineSeen(self._owner.entry.id, self._seen, self._owner.choice.engine.stands_in_for)

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self._socket

    @property
    def server(self) -> Server:
        """Its processes."""
        return self._server

    def connect(self, database: str = "", seconds: int = 10, user: str = "") -> Connection[Cursor]:
        """A connection, each statement its own transaction: as who may do everything, unless somebody else is named.

        Raises :class:`EngineTrouble`.
        """
        need_client("pymysql")
        import pymysql

        try:
            _greeted(self._socket, seconds)
            return pymysql.connect(
                unix_socket=str(self._socket),
                user=user or self._user,
                database=database or None,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=seconds,
                local_infile=False,
            )
        except (pymysql.Error, OSError) as problem:
            raise EngineTrouble(f"{self._owner.entry.title} takes no connection: {problem}") from None

    def answers(self) -> bool:
        """Whether it answers a query now."""
        if not self._socket.exists():
            return False
        need_client("pymysql")
        import pymysql

        try:
            with self.connect(seconds=2) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (EngineTrouble, pymysql.Error):
            return False
        return True

    def look(self) -> None:
        """Ask the server for its version."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
        self._seen = str(row[0]).split("-")[0] if row else ""

    def create(self, database: str) -> None:
        """Make an empty database."""
        quoted = database.replace("`", "``")
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{quoted}` CHARACTER SET utf8mb4")

    def dump(self, target: Path, database: str = "") -> Finished:
        """Write a dump of one database (or of all) into the file ``target``."""
        tool = self._owner.entry.tools["dump"]
        options = [
            "--no-defaults",
            f"--socket={self._socket}",
            f"--user={self._user}",
            "--default-character-set=utf8mb4",
        ]
        options += ["--single-transaction", "--routines", "--triggers", "--events", "--hex-blob"]
        with target.open("xb") as file:
            return self._owner.jail.run(
                [self._owner.program(tool), *options, database or "--all-databases"],
                seconds=_TOOL_SECONDS,
                target=file.fileno(),
            )

    def restore(self, source: Path, database: str = "") -> Finished:
        """Load a dump, into ``database`` where the dump names none.

        Raises :class:`BrokenCopy` where the file is no whole dump. That the client ended well says little: compare.
        """
        packing = packing_of(source)
        beginning = beginning_of(source, packing, _TAIL)
        if not beginning.strip():
            raise BrokenCopy("it is empty")
        if not _BEGINNING.search(beginning):
            raise BrokenCopy("it does not begin like a dump of MariaDB or MySQL")
        tail = b""

        def script() -> Iterator[bytes]:
            nonlocal tail
            yield _SANDBOX
            for piece in self._owner.jail.scratch.within(unpacked(source, packing)):
                tail = (tail + piece[-_TAIL:])[-_TAIL:]
                yield piece

        client = self._owner.program(self._owner.entry.tools["client"])
        options = [
            "--no-defaults",
            f"--socket={self._socket}",
            f"--user={self._user}",
            "--default-character-set=utf8mb4",
        ]
        options += ["--batch", "--binary-mode", "--max-allowed-packet=1G", "--show-warnings"]
        words = self._owner.jail.scratch.folder / f"warnings-{secrets.token_hex(4)}"
        with words.open("xb") as file:
            finished = self._owner.jail.run(
                [client, *options, *([database] if database else [])],
                seconds=_TOOL_SECONDS,
                feed=script(),
                target=file.fileno(),
            )
        garbled = _garbled(words)
        words.unlink()
        with self.connect() as connection, connection.cursor() as cursor:
            # With the scheduler disabled for good, events could be neither restored nor dumped.
            cursor.execute("SET GLOBAL event_scheduler = OFF")
        if finished.well and _ENDING not in tail:
            raise BrokenCopy("its end is missing: the client took what there was and was content")
        if finished.well and garbled:
            raise BrokenCopy(
                f"text for the column {garbled} is not in the encoding that the dump names, so the server put a "
                "question mark in its place: the client was content"
            )
        return finished

    def size(self) -> int:
        """The bytes that its tables take."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables")
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def _options(self) -> tuple[str, ...]:
        """What every program is told."""
        where = (f"--socket={self._socket}", f"--user={self._user}")
        return ("--no-defaults", *where, "--default-character-set=utf8mb4")


def restore_errors(finished: Finished) -> tuple[str, ...]:
    """What a restore complained about, one line each, without values of rows."""
    lines = [line.strip() for line in finished.said.splitlines() if line.startswith("ERROR")]
    return tuple(_ROWS_IN_WORDS.sub(r"\1 '...'", line)[:300] for line in lines)


def _garbled(words: Path) -> str:
    """The first column whose text the server could not read, in what the client wrote; empty where it read all."""
    with words.open("rb") as lines:
        found = next((seen for seen in map(_UNREAD.match, lines) if seen is not None), None)
    if found is None:
        return ""
    # MariaDB names the place in scratch too, which says nothing to anybody.
    return ".".join(found.group(1).decode(errors="replace").replace("`", "").split(".")[-2:])


def _greeted(path: Path, seconds: float) -> None:
    """See that the server speaks first, as it does: the client would wait for that without an end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.settimeout(seconds)
        knock.connect(str(path))
        if not knock.recv(1):
            raise OSError("it closed the connection")


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word
