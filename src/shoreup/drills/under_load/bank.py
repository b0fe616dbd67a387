"""A bank whose accounts always hold the same sum, on a real server, with transfers that never stop.

Money goes from the first table to the last, in transactions, and between the two in every dump's order lies a table
that takes a while. A dump of one moment holds the sum; one that reads table by table holds more, by what went on
meanwhile. Nothing has to be compared row by row to see that. Whether much goes on meanwhile is not left to chance: the
table between the two can be held back until it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from shoreup.engines.base import Server
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Finished
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

ACCOUNTS, BALANCE = 50, 1000
SUM = 2 * ACCOUNTS * BALANCE
_LOOK = 0.02
LINES = 12_000
"""Rows of a thousand characters that a dump reads between the two: they take it longer than many transfers."""
TABLES = ("aa_paying", "mm_between", "zz_paid")
"""In the order in which every tool dumps them: by name."""
PAY = "UPDATE aa_paying SET balance = balance - 1 WHERE id = %s"
TAKE = "UPDATE zz_paid SET balance = balance + 1 WHERE id = %s"
TOTAL = "SELECT (SELECT SUM(balance) FROM aa_paying) + (SELECT SUM(balance) FROM zz_paid)"


PROGRAMS = "/.engine"
"""A folder of the sandbox with links to the engine's own clients."""


class Waiting(Struct, frozen=True):
    """Who waits for a lock at this moment: who moves money, somebody else."""

    payer: bool
    other: bool


class Bank(Protocol):
    """A bank on a running server."""

    @property
    def engine(self) -> Engine:
        """What a proof says of the server."""
        ...

    @property
    def server(self) -> Server:
        """Its processes, to break them."""
        ...

    @property
    def door(self) -> Path:
        """The folder that its socket lies in."""
        ...

    @property
    def tools(self) -> Path:
        """The folder of the engine's own clients."""
        ...

    def client(self, name: str) -> str:
        """A program of the shell that takes a client's words, leaves out whom to reach, and reaches this server."""
        ...

    def torn(self, target: str) -> tuple[str, str]:
        """Two programs of the shell that write a dump into a file, each its own part of it and its own moment."""
        ...

    def held(self) -> AbstractContextManager[Callable[[], Waiting]]:
        """While the ``with`` lasts nobody else reads the table between the two; gives who waits."""
        ...

    def transfer(self, stop: Event, done: list[int]) -> None:
        """Move money until told to stop or the server dies; counts in ``done``."""
        ...

    def sum_in(self, copy: Path) -> int | str:
        """What the accounts of a restored copy hold together, or why it does not restore."""
        ...


class Relational(Protocol):
    """A server as both banks use it."""

    @property
    def engine(self) -> Engine:
        """What a proof says of it."""
        ...

    @property
    def server(self) -> Server:
        """Its processes."""
        ...

    def create(self, database: str) -> None:
        """Make an empty database."""
        ...

    def restore(self, source: Path, database: str = ...) -> Finished:
        """Load a dump, into ``database`` where the dump names none."""
        ...


R = TypeVar("R", bound=Relational)


class OnServer(ABC, Generic[R]):
    """What a bank is on either server. ``name`` is the database in which money moves."""

    def __init__(self, running: R, choice: Choice, scratch: Scratch, name: str, tools: Path) -> None:
        self.tools = tools
        self._running = running
        self._choice = choice
        self._scratch = scratch
        self._name = name
        self._payer = 0

    @property
    def engine(self) -> Engine:
        """What a proof says of the server."""
        return self._running.engine

    @property
    def server(self) -> Server:
        """Its processes, to break them."""
        return self._running.server

    def _restored(self, running: R, copy: Path, place: str) -> int | str:
        """The sum in a copy that is restored there; into a place of its own name where it is ``name``."""
        own = place == self._name
        if not own:
            running.create(place)
        try:
            finished = running.restore(copy) if own else running.restore(copy, place)
        except BrokenCopy as broken:
            return str(broken)
        if not finished.well:
            return (self._errors(finished) or ("its tool complained",))[0]
        total = self._sum(running, place)
        return "the accounts are not in it" if total is None else total

    @abstractmethod
    def _errors(self, finished: Finished) -> tuple[str, ...]:
        """What a restore complained about, without rows."""

    @abstractmethod
    def _sum(self, running: R, name: str) -> int | None:
        """What the accounts in a database hold, or ``None`` where they are not in it."""


class Transfers:
    """Money on its way while a ``with`` lasts. ``count`` is how many transfers were made so far."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._stop = Event()
        self._done = [0]
        self._thread = Thread(target=self._work, daemon=True)

    @property
    def count(self) -> int:
        """Transfers so far."""
        return self._done[0]

    def wait_for(self, more: int, seconds: float) -> None:
        """Wait until so many more were made, at most ``seconds``."""
        wanted, until = self.count + more, monotonic() + seconds
        while self.count < wanted and self._thread.is_alive() and monotonic() < until:
            self._stop.wait(_LOOK)

    def __enter__(self) -> Transfers:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        # A server that is killed on purpose ends them too.
        with suppress(Exception):
            self._bank.transfer(self._stop, self._done)


DROPPING = """count=$#
while [ $count -gt 0 ]; do
case $1 in
{plain}) ;;
{valued}) shift; count=$((count - 1)) ;;
*) set -- "$@" "$1" ;;
esac
shift
count=$((count - 1))
done"""
"""Leaves out words of a client: those in ``plain``, and those in ``valued`` with the word behind them."""


def waiting_among(payer: int, those: Sequence[object]) -> Waiting:
    """Who they are whose numbers at the server are given; ``payer`` is the number of who moves money."""
    return Waiting(payer in those, any(one != payer for one in those))
