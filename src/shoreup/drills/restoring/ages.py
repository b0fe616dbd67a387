"""How old a copy says it is, inside: a new name and a new date on an old file make no newer copy.

Some formats write down when they were made. Those that leave out the time zone are believed only as far as they must
be true somewhere.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shoreup.engines.base import EngineTrouble
from shoreup.engines.packing import BrokenCopy, Packing, beginning_of, packing_of

_LOOK = 512
_FARTHEST_WEST = timedelta(hours=12)
"""So much later it may be in truth than a clock without a zone says."""
_CUSTOM = b"PGDMP"
_RDB_MADE = re.compile(rb"\x05ctime(?:\xc2(.{4})|\x0a(\d{10}))", re.DOTALL)
_SQL_MADE = re.compile(rb"-- (?:Started on|Dump completed on) +(\d{4}-\d\d-\d\d +\d{1,2}:\d\d:\d\d)(?: (UTC|GMT))?")


def latest(path: Path) -> datetime | None:
    """The latest moment at which a copy can have been made, by its own word; ``None`` where it says nothing."""
    if not path.is_file():
        return None
    with suppress(OSError, ValueError, BrokenCopy, EngineTrouble, struct.error):
        packing = packing_of(path)
        beginning = beginning_of(path, packing, _LOOK)[: 1 << 16]
        if beginning.startswith(_CUSTOM):
            return _custom(beginning)
        if beginning.startswith(b"REDIS"):
            return _rdb(beginning)
        ends = b""
        if packing is Packing.NONE:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _LOOK))
                ends = file.read()
        return _sql(beginning) or _sql(ends)
    return None


def _custom(beginning: bytes) -> datetime | None:
    """pg_dump's own format: after the sizes of numbers and the kind of compression comes the local time, in pieces."""
    major, minor, integer = beginning[5], beginning[6], beginning[8]
    at = 11 + (1 if (major, minor) >= (1, 15) else 1 + integer)
    parts: list[int] = []
    for _ in range(6):
        value = int.from_bytes(beginning[at + 1 : at + 1 + integer], "little")
        parts.append(-value if beginning[at] else value)
        at += 1 + integer
    second, minute, hour, day, month, year = parts
    return datetime(1900 + year, month + 1, day, hour, minute, min(second, 59), tzinfo=UTC) + _FARTHEST_WEST


def _rdb(beginning: bytes) -> datetime | None:
    found = _RDB_MADE.search(beginning)
    if found is None:
        return None
    seconds = struct.unpack("<i", found.group(1))[0] if found.group(1) else int(found.group(2))
    return datetime.fromtimestamp(seconds, UTC)


def _sql(text: bytes) -> datetime | None:
    found = _SQL_MADE.search(text)
    if found is None:
        return None
    told = datetime.strptime(found.group(1).decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return told if found.group(2) else told + _FARTHEST_WEST
