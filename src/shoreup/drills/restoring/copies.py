"""What a restore drill needs of a product: a server to restore into, and how to ask it what is there.

Each product that can be restored has a file that keeps this contract; which one is looked up by the product's id.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.drills.asking import Answer
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

FILES = "files"
"""The product of copies that are of no database."""


class Copy(Struct, frozen=True):
    """A copy to restore.

    ``path`` is the file or folder. ``roles`` are users that exist before a restore, as the estate makes them;
    ``superuser`` is the one that the server is made with. ``until`` is the moment to come back to, where not all that
    is there is wanted; it has a zone. ``jobs`` is how many things may be restored at a time. ``databases`` are those
    that have to be in the newest of a whole server. ``stranger`` says that the server it is of is none of the
    estate's, so that nobody knows which roles it has.
    """

    path: Path
    superuser: str = ""
    roles: tuple[str, ...] = ()
    until: datetime | None = None
    jobs: int = 2
    databases: tuple[str, ...] = ()
    stranger: bool = False


class Target(Protocol):
    """A server that copies are restored into."""

    @property
    def engine(self) -> Engine:
        """What a proof says of it."""
        ...

    def load(self, path: Path, place: str) -> tuple[str, ...]:
        """Restore what lies at ``path`` into a new place of that name; what the tools complained about.

        Raises :class:`~shoreup.engines.packing.BrokenCopy` where there is no whole copy.
        """
        ...

    def answers(self, place: str) -> bool:
        """Whether a first question about the place is answered."""
        ...

    def holds(self, place: str) -> Manifest:
        """What the place holds now. A single database is called ``place`` in it, whatever its name was."""
        ...

    def unsound(self, place: str) -> tuple[str, ...]:
        """What is wrong with it in itself."""
        ...

    def ask(self, query: str, place: str, database: str) -> Answer:
        """Ask a question of the owner's, as somebody who may only read; ``database`` is one of several, if any."""
        ...

    @property
    def moment(self) -> datetime | None:
        """The moment that the restored data is of, where the data itself says so."""
        ...

    def limits(self) -> tuple[str, ...]:
        """What the experiment does not show because of how this server is."""
        ...


class Product(Protocol):
    """How copies of one product are tried."""

    def choose(self, wanted: Wanted, copy: Copy) -> Choice | NoProvider:
        """The engine to try it on: files need their own version, a dump bears with another."""
        ...

    def serve(self, choice: Choice, scratch: Scratch, copy: Copy) -> AbstractContextManager[Target]:
        """A server that fits the copy. Raises what an engine raises, and for no copy at all ``BrokenCopy``."""
        ...

    def spoil(self, copy: Path, target: Path) -> str:
        """Write a copy that lost its end to ``target``; says in words what was done."""
        ...


def products() -> dict[str, Callable[[], Product]]:
    """Every product whose copies can be restored, by id. Nothing is imported before it is asked for."""

    def postgresql() -> Product:
        from shoreup.drills.restoring.of_postgresql import PostgresqlCopies

        return PostgresqlCopies()

    def mysql() -> Product:
        from shoreup.drills.restoring.of_mysql import MysqlCopies

        return MysqlCopies()

    def redis() -> Product:
        from shoreup.drills.restoring.of_redis import RedisCopies

        return RedisCopies()

    def sqlite() -> Product:
        from shoreup.drills.restoring.of_sqlite import SqliteCopies

        return SqliteCopies()

    def plain_files() -> Product:
        from shoreup.drills.restoring.of_files import FileCopies

        return FileCopies()

    return {
        "postgresql": postgresql,
        "mariadb": mysql,
        "mysql": mysql,
        "redis": redis,
        "sqlite": sqlite,
        FILES: plain_files,
    }
