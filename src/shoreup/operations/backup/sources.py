"""What a backup can be of: the contract that each product's file keeps, and how an address is read.

A source gives a stream and, when the stream has ended, tells what was in it. A stream whose making failed raises; it
never just ends.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.stores.base import PIECE

_SAID = 1 << 16
"""Bytes of a tool's last words that are looked at."""


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

    return {"postgresql": postgresql}


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
    return Address(scheme, host, port, unquote(parts.username or ""), path.strip("/"), Path(), options)


@contextmanager
def tool_output(
    argv: Sequence[str | Path], environment: Mapping[str, str], folder: Path, fine: frozenset[int] = frozenset({0})
) -> Iterator[Callable[[], Iterator[bytes]]]:
    """Run one of a product's own programs, and have what it writes piece by piece.

    The pieces end with :class:`BackupTrouble` where it ended badly. A program that is not waited for is ended.
    """
    program = Path(argv[0]).name
    words = folder / f"{program}.words"
    with words.open("w+b") as said:
        try:
            process = subprocess.Popen(  # noqa: S603 (a product's own program, with words of ours)
                [str(one) for one in argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**plain_environment(folder), **environment},
                cwd=folder,
            )
        except OSError as problem:
            raise BackupTrouble(f"{program} does not start: {problem.strerror}") from None
        assert process.stdout is not None
        output = process.stdout

        def pieces() -> Iterator[bytes]:
            while piece := output.read(PIECE):
                yield piece
            code = process.wait()
            if code not in fine:
                said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
                raise BackupTrouble(f"{program} ended with {code}: {telling(said.read().decode('utf-8', 'replace'))}")

        try:
            yield pieces
        finally:
            process.kill()
            output.close()
            process.wait()
            words.unlink(missing_ok=True)


def plain_environment(folder: Path) -> dict[str, str]:
    """The few variables that a tool gets; nothing is handed on from whoever runs Shoreup."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


_TELLING = re.compile(r"error|fatal|denied|cannot|failed", re.IGNORECASE)


def telling(said: str) -> str:
    """The line of a tool's words that says what went wrong, without details, which may hold what is in a row."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    hidden = ("DETAIL", "CONTEXT", "Command was", "STATEMENT")
    lines = [line for line in lines if not any(word in line for word in hidden)]
    return next(
        (line[:300] for line in lines if _TELLING.search(line)), lines[-1][:300] if lines else "it said nothing"
    )


def private_file(folder: Path, name: str, text: str) -> Path:
    """A file that only we can read, in the run's folder; written anew where it is there."""
    path = folder / name
    path.unlink(missing_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
    return path
