"""What a copy of a server's files needs of the server that opens it: the libraries of its extensions.

A dump names its extensions and stops at one that is not there. Files say nothing: they open, and break where a value
or an index needs a function of a library that this machine does not have. That says nothing about the copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.server import RunningPostgresql

_LACKING: LiteralString = """
    SELECT extname FROM pg_extension
    WHERE extname NOT IN (SELECT name FROM pg_available_extensions) ORDER BY extname"""


def lacking(server: RunningPostgresql, databases: Sequence[str]) -> tuple[str, ...]:
    """The extensions of some databases that the server itself does not have, sorted."""
    found: set[str] = set()
    for database in databases:
        with server.connect(database) as connection:
            found.update(str(name) for (name,) in connection.execute(_LACKING).fetchall())
    return tuple(sorted(found))


def cannot_be_read(server: RunningPostgresql, databases: Sequence[str]) -> EngineTrouble:
    """That something could not be read without a library that is not there, and what to do."""
    named = ", ".join(lacking(server, databases)) or "a library"
    return EngineTrouble(
        f"it comes back, and not all can be read here, because this server lacks what it needs ({named}): have the "
        "estate's own image on this machine (podman or docker), or install the package"
    )


@contextmanager
def libraries_needed(server: RunningPostgresql, databases: Sequence[str]) -> Iterator[None]:
    """Raise :class:`EngineTrouble` where what is done in here needs a library that is not there."""
    from psycopg.errors import UndefinedFile

    try:
        yield
    except UndefinedFile:
        raise cannot_be_read(server, databases) from None
