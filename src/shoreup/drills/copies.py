"""What a restore drill needs of a product: a server to restore into, and how to ask it what is there.

Each product that can be restored has a file that keeps this contract; which one is looked up by the product's id.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine

TOOLS = frozenset({"pg_dump", "pg_dumpall", "pg_basebackup", "mysqldump", "mariadb-dump"})
"""What makes copies that can be restored here. A copy of another tool would be refused, and be called broken."""


class Copy(Struct, frozen=True):
    """A copy to restore.

    ``path`` is the file or folder. ``roles`` are users that exist before a restore, as the estate makes them;
    ``superuser`` is the one that the server is made with. ``jobs`` is how many things may be restored at a time.
    """

    path: Path
    superuser: str = ""
    roles: tuple[str, ...] = ()
    jobs: int = 2


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

    def limits(self) -> tuple[str, ...]:
        """What the experiment does not show because of how this server is."""
        ...


class Product(Protocol):
    """How copies of one product are tried."""

    def choose(self, wanted: Wanted) -> Choice | NoProvider:
        """The engine to try it on."""
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
        from shoreup.drills.copies_of_postgresql import PostgresqlCopies

        return PostgresqlCopies()

    def mysql() -> Product:
        from shoreup.drills.copies_of_mysql import MysqlCopies

        return MysqlCopies()

    def redis() -> Product:
        from shoreup.drills.copies_of_redis import RedisCopies

        return RedisCopies()

    def sqlite() -> Product:
        from shoreup.drills.copies_of_sqlite import SqliteCopies

        return SqliteCopies()

    return {"postgresql": postgresql, "mariadb": mysql, "mysql": mysql, "redis": redis, "sqlite": sqlite}
