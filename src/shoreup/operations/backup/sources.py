"""What a backup can be of: the contract that each product's file keeps, and how an address is read.

A source gives a stream and, when the stream has ended, tells what was in it. A stream whose making failed raises; it
never just ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.operations.backup.roles import Role
from shoreup.operations.backup.shelf import BackupTrouble


class Address(Struct, frozen=True):
    """What a backup is of. ``options`` are those behind the ``?``; ``path`` is of a file or folder."""

    product: str
    host: str = ""
    port: int = 0
    user: str = ""
    database: str = ""
    path: Path = Path()
    options: Mapping[str, str] = {}


class Asked(Struct, frozen=True):
    """What is to be copied and how.

    ``secret`` gives the password when somebody needs it, ``""`` for none. ``folder`` is the run's own.
    """

    address: Address
    secret: Callable[[], str]
    folder: Path
    hashes: bool = False
    exclude: tuple[str, ...] = ()


class Taken(Struct, frozen=True):
    """What a stream was of: see :class:`~shoreup.operations.backup.records.Record`."""

    product: str
    version: str
    tool: str
    moment: datetime
    position: str = ""
    manifest: Manifest | None = None
    remarks: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()


class Stream(Protocol):
    """Data on its way."""

    def pieces(self) -> Iterator[bytes]:
        """The data. Raises :class:`BackupTrouble` where not all of it came."""
        ...

    def taken(self) -> Taken:
        """What it was; asked when the last piece has come. Raises :class:`BackupTrouble`."""
        ...


class Source(Protocol):
    """A product that can be copied."""

    @property
    def ending(self) -> str:
        """What the name of a file with its data ends with: ``.dump``."""
        ...

    def open(self, asked: Asked) -> AbstractContextManager[Stream]:
        """Begin. Raises :class:`BackupTrouble`."""
        ...


def sources() -> dict[str, Callable[[], Source]]:
    """Every product that can be copied, by the scheme of its address. Nothing is imported before it is asked for."""

    def postgresql() -> Source:
        from shoreup.operations.backup.of_postgresql import Postgresql

        return Postgresql()

    def mysql() -> Source:
        from shoreup.operations.backup.of_mysql import Mysql

        return Mysql()

    def redis() -> Source:
        from shoreup.operations.backup.of_redis import Redis

        return Redis()

    def sqlite() -> Source:
        from shoreup.operations.backup.of_sqlite import Sqlite

        return Sqlite()

    def files() -> Source:
        from shoreup.operations.backup.of_files import Files

        return Files()

    return {
        "postgresql": postgresql,
        "mariadb": mysql,
        "mysql": mysql,
        "redis": redis,
        "sqlite": sqlite,
        "files": files,
    }


PORTS = {"postgresql": 5432, "mariadb": 3306, "mysql": 3306, "redis": 6379}
_ALSO = {"postgres": "postgresql", "file": "files"}


def address(text: str) -> Address:
    """What a text such as ``postgresql://clerk@db:5432/bank`` names. Raises :class:`BackupTrouble`."""
    parts = urlsplit(text)
    scheme = _ALSO.get(parts.scheme, parts.scheme)
    if scheme not in sources():
        known = ", ".join(sorted(sources()))
        raise BackupTrouble(
            f"what to copy begins with one of {known} and a colon, not with {parts.scheme or 'nothing'!r}"
        )
    if parts.password is not None:
        raise BackupTrouble("an address must not hold a password: name a password-env or password-file")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = unquote(parts.path)
    if scheme not in PORTS:
        if not path.startswith("/"):
            raise BackupTrouble(f"{scheme}: wants a whole path, as in {scheme}:/srv/data")
        return Address(scheme, path=Path(path), options=options)
    try:
        port = parts.port or PORTS[scheme]
    except ValueError:
        raise BackupTrouble("the port in an address is a number") from None
    host = options.pop("host", "") or parts.hostname or ""
    return Address(
        product=scheme,
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        database=path.strip("/"),
        path=Path(),
        options=options,
    )
