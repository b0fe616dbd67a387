"""Restoring copies of Redis: RDB files, and folders of append-only files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from shoreup.compare.manifest import Manifest
from shoreup.compare.redis import take
from shoreup.drills.asking import Answer, ask_redis
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.redis import Redis, RunningRedis
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine


class RedisCopies:
    """How copies of Redis are tried."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """The engine to try it on."""
        return choose(wanted)

    @contextmanager
    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> Iterator[_Target]:
        """A server with nothing in it; it starts anew with the copy."""
        with Redis(choice, scratch).start() as running:
            yield _Target(running)

    def spoil(self, copy: Path, target: Path) -> str:
        """A copy that lost its end."""
        return without_its_end(copy, target)


class _Target:
    """A Redis that starts with a copy: everything that it holds is of the copy, whatever the place is called."""

    def __init__(self, running: RunningRedis) -> None:
        self._running = running

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        finished = self._running.restore(path)
        return () if finished.well else (finished.said or f"{finished.program} ended with {finished.code}",)

    def answers(self, place: str) -> bool:
        return self._running.answers()

    def holds(self, place: str) -> Manifest:
        return take(self._running.connect)

    def unsound(self, place: str) -> tuple[str, ...]:
        # A damaged file has been refused at the start: Redis checks a sum over all of it.
        return ()

    def ask(self, query: str, place: str, database: str) -> Answer:
        return ask_redis(self._running, query)

    @property
    def moment(self) -> datetime | None:
        return None

    def limits(self) -> tuple[str, ...]:
        return ()
