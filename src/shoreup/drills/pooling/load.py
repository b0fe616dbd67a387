"""Clients that open every connection that they may, all at once, on a real pooler or server.

Each connection asks for a turn: in session mode it keeps the server's connection for as long as it stands, as an
application's own pool does; else it works through short transactions. A connection is refused, or it is served, or it
waits in vain: it is still waiting when everybody else has been served and nothing moves any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import Struct, field

from shoreup.engines.base import EngineTrouble, need_client

if TYPE_CHECKING:
    import psycopg

HOLD = 0.005
"""Seconds that a transaction takes on the server."""
TURNS = 4
"""Transactions of each connection, where it gives the server's connection back in between."""
_STILL = 0.7
"""Seconds without any answer after which nobody else will be served."""
_LONGEST = 20.0


class Door(Struct, frozen=True):
    """Where connections come in: a socket's directory and its port."""

    socket: Path
    port: int
    user: str


class Rush(Struct, frozen=True):
    """Who comes: ``connections`` of one client to a database of its own, spread over the doors."""

    database: str
    connections: int


class Outcome(Struct):
    """What became of them. ``waits`` are seconds before each turn, ``refusals`` what was said, by how often."""

    asked: int
    served: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)

    @property
    def in_vain(self) -> int:
        """Connections that were never served."""
        return self.asked - self.served - self.refused

    @property
    def whole(self) -> bool:
        """Whether everybody was served."""
        return self.served == self.asked

    def percentile(self, percent: int) -> float:
        """A percentile of the waits in milliseconds; 0 where nobody was served."""
        if not self.waits:
            return 0.0
        return 1000 * (quantiles(self.waits, n=100)[percent - 1] if len(self.waits) > 1 else self.waits[0])


def rush(doors: Sequence[Door], clients: Sequence[Rush], *, keep: bool) -> Outcome:
    """Let them all come. With ``keep`` each keeps its connection. Raises :class:`EngineTrouble`."""
    need_client("psycopg")
    return asyncio.run(_all(doors, clients, keep=keep))


async def _all(doors: Sequence[Door], clients: Sequence[Rush], *, keep: bool) -> Outcome:
    outcome = Outcome(sum(one.connections for one in clients))
    over = asyncio.Event()
    last = [monotonic()]
    tasks = [
        asyncio.create_task(_one(doors[number % len(doors)], client.database, outcome, over, last, keep=keep))
        for client in clients
        for number in range(client.connections)
    ]
    began = monotonic()
    while outcome.served + outcome.refused < outcome.asked and monotonic() - last[0] < _STILL:
        if monotonic() - began > _LONGEST:
            raise EngineTrouble(f"the clients were not done within {_LONGEST:g} s")
        await asyncio.sleep(0.01)
    over.set()
    done, left = await asyncio.wait(tasks, timeout=1.0)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        problem = task.exception()
        if problem is not None:
            raise problem
    return outcome


async def _one(
    door: Door, database: str, outcome: Outcome, over: asyncio.Event, last: list[float], *, keep: bool
) -> None:
    import psycopg

    began = monotonic()
    try:
        connection = await _connected(door, database)
    except psycopg.Error as problem:
        _refused(outcome, problem)
        last[0] = monotonic()
        return
    try:
        for turn in range(1 if keep else TURNS):
            await connection.execute(f"SELECT pg_catalog.pg_sleep({HOLD})")
            if over.is_set():
                return  # somebody else's connection came free only because all is over
            last[0] = monotonic()
            outcome.waits.append(max(0.0, last[0] - began - HOLD))
            outcome.served += turn == 0
            began = monotonic()
        if keep:
            await over.wait()
    except psycopg.Error as problem:
        if not over.is_set():
            _refused(outcome, problem)
            last[0] = monotonic()
    finally:
        await connection.close()


async def _connected(door: Door, database: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    import psycopg

    return await psycopg.AsyncConnection.connect(
        host=str(door.socket),
        port=door.port,
        user=door.user,
        dbname=database,
        connect_timeout=int(_LONGEST),
        autocommit=True,
        prepare_threshold=None,
        hostaddr="",
        options="",
        passfile="",
        sslmode="disable",
        gssencmode="disable",
    )


def _refused(outcome: Outcome, problem: Exception) -> None:
    words = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    words = words.rpartition("FATAL:")[2].strip()[:120]
    outcome.refused += 1
    outcome.refusals[words] = outcome.refusals.get(words, 0) + 1
