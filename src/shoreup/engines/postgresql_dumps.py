"""The dumps of PostgreSQL: what a file is, whether it is whole, and how a stranger's is kept from giving orders.

``psql`` reads a dump as a script. Where the script ends too early it has nothing to complain about, so it ends with 0:
a plain dump that was cut off restores "well". Only the closing remark that pg_dump writes shows that all of it came.
A script may also speak to ``psql`` itself (``\\!`` runs a shell), which no dump needs to; newer versions of psql can be
told to refuse that, and for older ones it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from shoreup.engines.packing import BrokenCopy, Packing, beginning_of, packing_of

_TAIL = 2048
_LONGEST_LINE = 1 << 26
_ENDINGS = (b"PostgreSQL database dump complete", b"PostgreSQL database cluster dump complete")
_BEGINNINGS = (b"PostgreSQL database dump", b"PostgreSQL database cluster dump")
_COPY_OR_ORDER = re.compile(rb"^(?:COPY [^\n]* FROM stdin;|\\[^\n]*)$", re.MULTILINE)
_COPY_END = re.compile(rb"^\\\.$", re.MULTILINE)
_OWN_ORDERS = (b"\\restrict", b"\\unrestrict")
"""What pg_dump itself writes since August 2025; the session is restricted by us instead."""


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
    return DumpShape(Form.PLAIN, packing)


class Gate:
    """Lets a plain dump through to psql, and looks at it on the way.

    With ``refuses`` an order to psql raises :class:`BrokenCopy`; without, psql is trusted to refuse it.
    """

    def __init__(self, *, refuses: bool) -> None:
        self._refuses = refuses
        self._in_copy = False
        self._tail = b""

    @property
    def whole(self) -> bool:
        """Whether the last that came is what pg_dump ends with."""
        return not self._in_copy and any(one in self._tail for one in _ENDINGS)

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same dump, line by line looked at; nothing but orders to psql is ever held back."""
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
        held: list[tuple[int, int]] = []
        at = 0
        while True:
            found = (_COPY_END if self._in_copy else _COPY_OR_ORDER).search(lines, at)
            if found is None:
                break
            at = found.end()
            if self._in_copy:
                self._in_copy = False
            elif found.group().startswith(b"\\"):
                if self._holds_back(found.group()):
                    held.append(found.span())
            else:
                self._in_copy = True
        kept, at = [], 0
        for start, end in held:
            kept.append(lines[at:start])
            at = end
        return b"".join((*kept, lines[at:])) if held else lines

    def _holds_back(self, order: bytes) -> bool:
        word = order.split()[0]
        if word in _OWN_ORDERS:
            return True
        if self._refuses:
            raise BrokenCopy(f"it gives psql an order ({word[:12].decode('ascii', 'replace')}), which no dump needs to")
        return False
