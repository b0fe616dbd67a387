"""The dumps of PostgreSQL: what a file is, whether it is whole, and how a stranger's is kept from giving orders.

``psql`` reads a dump as a script. Where the script ends too early it has nothing to complain about, so it ends with 0:
a plain dump that was cut off restores "well". Only the closing remark that pg_dump writes shows that all of it came.
A script may also speak to ``psql`` itself (``\\!`` runs a shell), which no dump needs to; newer versions of psql can be
told to refuse that, and for older ones it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from shoreup.engines.packing import BrokenCopy, Packing, beginning_of, packing_of

_TAIL = 2048
_LONGEST_LINE = 1 << 26
_ENDINGS = (b"PostgreSQL database dump complete", b"PostgreSQL database cluster dump complete")
_BEGINNINGS = (b"PostgreSQL database dump", b"PostgreSQL database cluster dump")
_TELLING = re.compile(rb"^(?:COPY [^\n]* FROM stdin;|\\[^\n]*|CREATE DATABASE [^\n]*)$", re.MULTILINE)
_COPY_END = re.compile(rb"^\\\.$", re.MULTILINE)
_OWN_ORDERS = (b"\\restrict", b"\\unrestrict")
"""What pg_dump itself writes since August 2025; the session is restricted by us instead."""
_CONNECT = re.compile(rb"""\\connect (?:-reuse-previous=on )?(?:[\w.-]+|"[^"`\\]*")\s*""")
"""What a dump of a whole cluster has to say to psql, and nothing that could hide in it."""
_LOCALE = re.compile(rb"(?<=(?:LOCALE|OLLATE|_CTYPE) = ')[^'\n]+(?=')")
_ANYWHERE = frozenset({"c", "posix", "c.utf8"})


class Form(StrEnum):
    """How a dump is written."""

    PLAIN = "plain"
    CUSTOM = "custom"
    DIRECTORY = "directory"
    TAR = "tar"


class DumpShape(Struct, frozen=True):
    """What a file or folder is."""

    form: Form
    packing: Packing
    cluster: bool = False
    """Whether it is of all databases, with their roles."""


def shape_of(path: Path) -> DumpShape:
    """What kind of dump lies at ``path``, by its content and not by its name. Raises :class:`BrokenCopy`."""
    if path.is_dir():
        if (path / "toc.dat").exists():
            return DumpShape(Form.DIRECTORY, Packing.NONE)
        raise BrokenCopy("it is a folder without the toc.dat of a dump")
    packing = packing_of(path)
    beginning = beginning_of(path, packing, _TAIL)
    if not beginning.strip():
        raise BrokenCopy("it is empty")
    if beginning.startswith(b"PGDMP"):
        return DumpShape(Form.CUSTOM, packing)
    if beginning[257:262] == b"ustar" or beginning.startswith(b"toc.dat\0"):
        return DumpShape(Form.TAR, packing)
    if not any(one in beginning for one in _BEGINNINGS):
        raise BrokenCopy("it does not begin like a dump of PostgreSQL")
    return DumpShape(Form.PLAIN, packing, cluster=_BEGINNINGS[1] in beginning)


class Gate:
    """Lets a plain dump through to psql, and looks at it on the way.

    ``key`` is the word that psql was restricted with, so that it refuses orders by itself; without one (an older psql)
    an order raises :class:`BrokenCopy` here. ``locales`` are those of this machine: a database that asks for another
    one is made with ``C.UTF-8``, which changes how it sorts and not what it holds; ``replaced`` names them.
    """

    def __init__(self, key: str = "", locales: Collection[str] = ()) -> None:
        self._key = key.encode()
        self._locales = _ANYWHERE | {_plain(one) for one in locales}
        self._in_copy = False
        self._tail = b""
        self.replaced: set[str] = set()

    @property
    def whole(self) -> bool:
        """Whether the last that came is what pg_dump ends with."""
        return not self._in_copy and any(one in self._tail for one in _ENDINGS)

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same dump, line by line looked at."""
        if self._key:
            yield b"\\restrict " + self._key + b"\n"
        rest = b""
        for piece in pieces:
            rest += piece
            cut = rest.rfind(b"\n") + 1
            if cut == 0 and len(rest) > _LONGEST_LINE:
                cut = len(rest)
            if cut:
                yield self._seen(rest[:cut])
                rest = rest[cut:]
        if rest:
            yield self._seen(rest)

    def _seen(self, lines: bytes) -> bytes:
        self._tail = (self._tail + lines[-_TAIL:])[-_TAIL:]
        kept: list[bytes] = []
        done = at = 0
        while True:
            found = (_COPY_END if self._in_copy else _TELLING).search(lines, at)
            if found is None:
                break
            at = found.end()
            if self._in_copy or found.group().startswith(b"COPY"):
                self._in_copy = not self._in_copy
                continue
            kept += [lines[done : found.start()], self._instead_of(found.group())]
            done = at
        return b"".join((*kept, lines[done:])) if kept else lines

    def _instead_of(self, line: bytes) -> bytes:
        if not line.startswith(b"\\"):
            return _LOCALE.sub(self._locale, line)
        if line.split()[0] in _OWN_ORDERS:
            return b""
        if _CONNECT.fullmatch(line):
            # Only for this one line psql is let go.
            return b"\n".join((b"\\unrestrict " + self._key, line, b"\\restrict " + self._key)) if self._key else line
        if self._key:
            return line  # psql refuses it, and says in which line
        word = line.split()[0][:12].decode("ascii", "replace")
        raise BrokenCopy(f"it gives psql an order ({word}), which no dump needs to")

    def _locale(self, found: re.Match[bytes]) -> bytes:
        name = found.group().decode("utf-8", "replace")
        if _plain(name) in self._locales:
            return found.group()
        self.replaced.add(name)
        return b"C.UTF-8"


def _plain(locale: str) -> str:
    """A locale's name without what people and systems write differently."""
    return locale.lower().replace("-", "")
