"""Redis in a scratch folder: it reads a saved copy at its start, or does not start at all.

What Redis saved (an RDB file, or the folder of its append-only files) is read when a server starts. So to restore is to
start anew. An append-only file may end in the middle of an order, and Redis by default takes what it understands and
goes on; here it is told not to, because a copy that lost its end is no whole copy.
"""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from shoreup.engines.base import LOAD_SECONDS, EngineEnded, EngineTrouble, Server, need_client, wait_until_ready
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished, Jail
from shoreup.engines.packing import BrokenCopy, Packing, packing_of, unpacked
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine as EngineSeen

if TYPE_CHECKING:
    from redis import Redis as Client

_SAVED = "dump.rdb"
_APPENDED = "appendonlydir"
_SINGLE = "appendonly.aof"
_MAGIC = b"REDIS"
_SAVE_SECONDS = 3600.0


class Redis:
    """A Redis that can be started."""

    def __init__(self, choice: Choice, scratch: Scratch) -> None:
        self.choice = choice
        self.jail = Jail(scratch, choice.installation.container)

    @contextmanager
    def start(self) -> Iterator[RunningRedis]:
        """Start it with nothing in it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        home = self.jail.scratch.make(f"redis-{secrets.token_hex(2)}")
        running = RunningRedis(self, home)
        try:
            running.launch(appended=False)
            yield running
        finally:
            running.server.stop(signal.SIGTERM)


class RunningRedis:
    """A Redis that answers on a socket in its scratch folder."""

    def __init__(self, owner: Redis, home: Path) -> None:
        self._owner = owner
        self._home = home
        self._socket = home / "s"
        self._server: Server | None = None
        self.begun = 0.0
        self._seen = ""

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it: the version that the server itself told."""
        return EngineSeen("redis", self._seen, self._owner.choice.engine.stands_in_for)

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self._socket

    @property
    def server(self) -> Server:
        """Its processes."""
        if self._server is None:
            raise EngineTrouble("Redis was not started")
        return self._server

    def launch(self, *, appended: bool) -> None:
        """Start the server on what lies in its folder; ``appended`` are append-only files."""
        self._spawn(appended=appended, slowness=0)
        self.wait()

    def begin_again(self, slowness: int) -> None:
        """Start the server anew on what it saved, and do not wait: each key takes ``slowness`` microseconds to load."""
        self.server.crash()
        self._socket.unlink(missing_ok=True)
        self._spawn(appended=False, slowness=slowness)

    def wait(self) -> None:
        """Wait until it answers. Raises :class:`EngineTrouble`."""
        self.begun = wait_until_ready(self.server, self.answers, "Redis", LOAD_SECONDS)
        with self.connect() as client:
            told = client.info("server")
            self._seen = str(told["redis_version"])

    def _spawn(self, *, appended: bool, slowness: int) -> None:
        folder = self._owner.jail.scratch.folder
        log = folder / f"{self._home.name}.log"
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._home),
            "dbfilename": _SAVED,
            "save": "",
            "appendonly": "yes" if appended else "no",
            "appendfsync": "no",
            "aof-load-truncated": "no",
            "daemonize": "no",
            "databases": "16",
            "repl-diskless-sync-delay": "0",  # no second replica will come that could share a copy
            "stop-writes-on-bgsave-error": "no",
        }
        if slowness:
            options |= {"key-load-delay": str(slowness), "loading-process-events-interval-bytes": "1024"}
        command: list[str | Path] = [self._owner.choice.installation.program("redis-server")]
        for name, value in options.items():
            command += [f"--{name}", value]
        self._server = Server(self._owner.jail, self._owner.jail.spawn(command, log), log)

    def connect(self, database: int = 0, seconds: float = 10.0) -> Client:
        """A connection; keys and values are bytes. Raises :class:`EngineTrouble` where the client is missing."""
        need_client("redis")
        from redis import Redis as Client
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return Client(
            unix_socket_path=str(self._socket), db=database, socket_timeout=seconds, retry=Retry(NoBackoff(), 0)
        )

    def answers(self) -> bool:
        """Whether it answers now, with everything loaded."""
        if not self._socket.exists():
            return False
        need_client("redis")
        from redis.exceptions import RedisError

        try:
            with self.connect(seconds=2) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def dump(self, target: Path, database: str = "") -> Finished:
        """Save everything into the file ``target``, which must not be there. There is no dump of one database."""
        if database:
            raise EngineTrouble("Redis saves all databases together")
        began = monotonic()
        with self.connect(seconds=_SAVE_SECONDS) as client:
            client.save()
        with (self._home / _SAVED).open("rb") as saved, target.open("xb") as file:
            shutil.copyfileobj(saved, file)
        return Finished("redis-server", 0, "", monotonic() - began)

    def restore(self, source: Path, database: str = "") -> Finished:
        """Start anew on a copy: an RDB file (compressed or not), or a folder with append-only files.

        Raises :class:`BrokenCopy` where it is none, or where the server refuses it.
        """
        if database:
            raise EngineTrouble("Redis restores all databases together")
        began = monotonic()
        appended = source.is_dir()
        self.server.crash()
        self._socket.unlink(missing_ok=True)
        (self._home / _SAVED).unlink(missing_ok=True)
        if appended:
            self._bring_folder(source)
        else:
            self._bring_file(source)
        try:
            self.launch(appended=appended)
        except EngineEnded as problem:
            raise BrokenCopy(f"Redis does not start with it: {problem}") from None
        return Finished("redis-server", 0, "", monotonic() - began)

    def size(self) -> int:
        """The bytes of memory that its data takes."""
        with self.connect() as client:
            return int(client.info("memory")["used_memory_dataset"])

    def _bring_file(self, source: Path) -> None:
        place = self._home / _SAVED
        self._owner.jail.scratch.keep(place, unpacked(source, packing_of(source)))
        with place.open("rb") as file:
            first = file.read(len(_MAGIC))
        if first != _MAGIC:
            raise BrokenCopy("it is empty" if not first else "it does not begin like a copy of Redis")

    def _bring_folder(self, source: Path) -> None:
        folder = source / _APPENDED if (source / _APPENDED).is_dir() else source
        if not any(folder.glob("*.manifest")):
            single = source / _SINGLE
            if not single.is_file() or single.is_symlink():
                raise BrokenCopy("it is a folder without the manifest of append-only files")
            # Before Redis 7 there was one such file; a newer server takes it over when it starts.
            self._owner.jail.scratch.keep(self._home / _SINGLE, unpacked(single, Packing.NONE))
            return
        target = self._owner.jail.scratch.make(f"{self._home.name}/{_APPENDED}")
        for file in folder.iterdir():
            if file.is_file() and not file.is_symlink() and packing_of(file) is Packing.NONE:
                (target / file.name).unlink(missing_ok=True)
                self._owner.jail.scratch.keep(target / file.name, unpacked(file, Packing.NONE))
