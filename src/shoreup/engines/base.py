"""What every engine offers, whatever its product, and how one that fails says so.

An engine is started in a scratch folder and is a context manager; what it gives is running: it can be asked, loaded,
dumped, disturbed and stopped. Everything goes over a socket in the scratch folder. Connections differ by product, so
the file of each engine has its own ``connect``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import AbstractContextManager, suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Protocol

from shoreup.engines import keeper
from shoreup.engines.jail import Finished, Jail
from shoreup.model.proof import Engine as EngineSeen

START_SECONDS = 60.0
LOAD_SECONDS = 4 * 3600.0
"""For a server that starts with data: it replays or loads all of it before it answers."""
STOP_SECONDS = 60.0
_PAUSE = 0.005
_NEXT_TO_NOTHING = 1 << 20
"""Bytes that are left on a disk that a program just filled."""

_NOT_YET = re.compile(r"database system is (?:starting up|not (?:yet )?accepting connections)")
"""What a server answers who asks it too early, as we do."""


class EngineTrouble(Exception):
    """An engine or one of its tools did not do what it was asked: nothing can be verified. The message says why."""


class EngineEnded(EngineTrouble):
    """A server ended by itself while it started: what it was to start with may be why."""


class Running(Protocol):
    """A server that runs."""

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it: the version that the server itself told."""
        ...

    @property
    def socket(self) -> Path:
        """Where it listens, and nowhere else: a socket, or the directory that PostgreSQL's lies in."""
        ...

    @property
    def server(self) -> Server:
        """Its processes, to disturb them."""
        ...

    def dump(self, target: Path, database: str = "") -> Finished:
        """Write a copy of the data into the file ``target``, with the product's own tool."""
        ...

    def restore(self, source: Path, database: str = "") -> Finished:
        """Load the copy in ``source``. That the tool is content says little: compare afterwards."""
        ...

    def size(self) -> int:
        """The bytes that its data takes on disk."""
        ...


class Engine(Protocol):
    """A way to have a server run."""

    def start(self) -> AbstractContextManager[Running]:
        """Start it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        ...


class Server:
    """The processes of one server."""

    def __init__(self, jail: Jail, process: subprocess.Popen[bytes], log: Path) -> None:
        self._jail = jail
        self._process = process
        self._log = log

    @property
    def alive(self) -> bool:
        """Whether its first process runs."""
        return self._process.poll() is None

    def pause(self) -> bool:
        """Wait a moment for something to change; whether the server is still there afterwards."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PAUSE)
        return self.alive

    def hang(self) -> None:
        """Let it stand still, as on storage that does not answer: connections are taken and nobody replies."""
        self._signal_all(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on, also what starts it: hung very early, nothing else of it was there yet."""
        self._signal_all(signal.SIGCONT)
        if self.alive:
            self._process.send_signal(signal.SIGCONT)

    def crash(self) -> None:
        """Let it die as in a power cut, with everything that belongs to it."""
        self._signal_all(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._process.kill()

    def stop(self, politely: signal.Signals) -> None:
        """Ask it to stop, and insist when it does not."""
        if not self.alive:
            return
        main = self.main
        self.wake()
        with suppress(OSError):
            os.kill(main, politely)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.crash()

    @property
    def main(self) -> int:
        """The server's first process: the one that was started, or what the fences started for it."""
        return self._jail.main_of(self._process)

    def last_words(self) -> str:
        """Why it does not run: the limit that it passed, or the end of its log."""
        return self._jail.scratch.trouble() or _end(self._log)

    def _signal_all(self, number: signal.Signals) -> None:
        # The fences' own process comes last: without it the kernel ends the others at once.
        pids = _family(self.main, self._jail.scratch.processes())
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, number)


def wait_until_ready(server: Server, ready: ReadyQuestion, what: str, seconds: float = START_SECONDS) -> float:
    """Ask until the server answers; the seconds that it took.

    Raises :class:`EngineEnded` if it dies, :class:`EngineTrouble` if it is late.
    """
    began = monotonic()
    while not ready():
        if not server.pause():
            raise EngineEnded(f"{what} ended while it started: {server.last_words()}")
        if monotonic() - began > seconds:
            raise EngineTrouble(f"{what} did not answer within {seconds:g} s: {server.last_words()}")
    return monotonic() - began


class ReadyQuestion(Protocol):
    """Whether a server answers already. It never waits long."""

    def __call__(self) -> bool: ...


def needed(finished: Finished, jail: Jail) -> Finished:
    """What a program did, if it did it. Raises :class:`EngineTrouble` with its last words."""
    if finished.well:
        return finished
    why = jail.scratch.trouble() or finished.said.splitlines()[-1:] or [_silence(jail)]
    words = why if isinstance(why, str) else why[0]
    late = "took too long and was ended" if finished.late else f"ended with {finished.code}"
    raise EngineTrouble(f"{finished.program} {late}: {words}")


def _silence(jail: Jail) -> str:
    """Why a program said nothing: its last words are kept on the same disk as its work, and may have found no room."""
    if shutil.disk_usage(jail.scratch.folder).free >= _NEXT_TO_NOTHING:
        return "no word"
    return f"no space left in {jail.scratch.folder.parent}; make room, or name another folder by TMPDIR"


def need_client(module: str) -> None:
    """See that a client library is installed. Raises :class:`EngineTrouble` that says how it comes."""
    if find_spec(module) is None:
        raise EngineTrouble(f"the client library {module} is not installed: pip install 'shoreup[engines]'")


def _family(first: int, pids: tuple[int, ...]) -> list[int]:
    """``first`` and what descends from it among ``pids``; children before parents, so that none is born meanwhile."""
    found, generation = [first], [first]
    while generation:
        generation = [pid for pid in pids if pid not in found and keeper.parent_of(pid) in generation]
        found += generation
    return [pid for pid in reversed(found) if keeper.birth(pid)]


def _end(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "it left no log"
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "ERROR" in line]
    telling = [line for line in telling if not _NOT_YET.search(line)]
    return (telling or lines or ["its log is empty"])[-1][:500]
