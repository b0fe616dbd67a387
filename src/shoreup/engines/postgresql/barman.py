"""An archive that barman-cloud keeps of a PostgreSQL, as CloudNativePG lets it: base backups in tars, and WAL.

Below a server's folder lie ``base/ID/`` with ``backup.info``, ``data.tar`` and a tar for each table space, and
``wals/`` with the pieces of WAL, each in a folder of its log's number. A tar that grows large goes on in
``data_0001.tar``. How something is packed shows in its content, whatever its name says.

A server that replays WAL and misses a piece believes that there is no more, and what came after is lost without a
word. So the pieces are counted before: from the one with which the base begins to the last, along the timelines.
The layout is that of barman 3.19 (EnterpriseDB/barman, barman/cloud.py and barman/infofile.py, read 2026-11).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from shoreup.engines.archives import unpack
from shoreup.engines.packing import BrokenCopy, packing_of, unpacked
from shoreup.engines.scratch import Scratch

INFO = "backup.info"
BASES, WALS = "base", "wals"
SMALL = 1 << 20
"""Bytes that a ``backup.info`` or a history of timelines may have."""
DONE = "DONE"
BASE_ID = re.compile(r"\d{8}T\d{6}")
WAL_FILE = re.compile(r"(?P<name>[0-9A-F]{24}|[0-9A-F]{8}\.history)(?:\.(?:gz|bz2|xz|zst|lz4|snappy))?")
TAR_FILE = re.compile(r"(?P<of>data|\d{1,10})(?:_\d{4,})?\.tar(?:\.\w{2,6})?")
_LINE = re.compile(r"(\w+)=(.*)")
_SWITCH = re.compile(r"\s*(\d+)\s+([0-9A-F]{1,8})/([0-9A-F]{1,8})\b", re.IGNORECASE)
_SEGMENT = 16 << 20
_SIZES = frozenset(1 << power for power in range(20, 31))
_LONGEST_LIST = 64 << 10


class Base(Struct, frozen=True):
    """A base backup, as its ``backup.info`` tells it.

    ``first`` and ``last`` are the pieces of WAL that make it whole. ``ended`` is when it was finished, ``error`` what
    broke it. ``segment`` is the size of a piece in bytes. ``spaces`` are its table spaces, by the number that names
    their tar.
    """

    id: str
    status: str
    first: str = ""
    last: str = ""
    timeline: int = 1
    ended: datetime | None = None
    major: str = ""
    segment: int = _SEGMENT
    spaces: Mapping[str, str] = {}
    error: str = ""

    @property
    def done(self) -> bool:
        """Whether it says of itself that it was finished."""
        return self.status == DONE


class Chain(Struct, frozen=True):
    """The pieces of WAL that a base backup is followed by.

    ``names`` are those to replay in order, up to the first that is missing. ``gap`` is the name of that one, empty
    where none is; ``after`` is how many lie behind it.
    """

    names: tuple[str, ...]
    gap: str = ""
    after: int = 0


def read_info(name: str, content: bytes) -> Base:
    """What a ``backup.info`` tells of the base backup in the folder ``name``.

    Raises :class:`BrokenCopy` where it is none.
    """
    lines = map(_LINE.fullmatch, content.decode("utf-8", "replace").splitlines())
    told = {one[1]: "" if one[2] == "None" else one[2] for one in lines if one is not None}
    if not told.get("status"):
        raise BrokenCopy(f"{INFO} of {name} is none: no status stands in it")
    base = Base(name, told["status"], error=told.get("error", "")[:200])
    if not base.done:
        return base
    first, last, segment = told.get("begin_wal", ""), told.get("end_wal", ""), told.get("xlog_segment_size", "")
    if not (re.fullmatch("[0-9A-F]{24}", first) and re.fullmatch("[0-9A-F]{24}", last)):
        raise BrokenCopy(f"{INFO} of {name} does not say from which WAL to which it goes")
    version, size = told.get("version", ""), int(segment) if segment.isdecimal() else _SEGMENT
    return Base(
        name,
        DONE,
        first,
        last,
        timeline=int(first[:8], 16),
        ended=_moment(told.get("end_time", "")),
        major=str(int(version) // 10000) if version.isdecimal() and len(version) < 8 else "",
        segment=size if size in _SIZES else _SEGMENT,
        spaces=_spaces(told.get("tablespaces", "")),
    )


def chain_of(base: Base, names: Collection[str], histories: Mapping[int, str]) -> Chain:
    """Which of the pieces in an archive follow a base backup. ``histories`` are the files on timelines, by number.

    Raises :class:`BrokenCopy` where the newest timeline does not come from the base's.
    """
    spans = _spans(base, histories)
    lying = {(int(one[:8], 16), _place(base, one)) for one in names}
    counting = {place for timeline, place in lying if place in spans.get(timeline, ())}
    last = max(counting | {_place(base, base.last)})
    found: list[str] = []
    for place in range(_place(base, base.first), last + 1):
        may_be = [_name(base, timeline, place) for timeline in sorted(spans, reverse=True) if place in spans[timeline]]
        there = next((one for one in may_be if one in names), "")
        if not there:
            return Chain(tuple(found), may_be[0], sum(1 for one in counting if one > place))
        found.append(there)
    return Chain(tuple(found))


def archive_at(path: Path) -> Path | None:
    """The newest finished base backup below a server's folder; ``None`` where the folder is none of barman's."""
    bases = path / BASES
    if not bases.is_dir():
        return None
    for one in sorted(bases.iterdir(), reverse=True):
        with suppress(OSError, BrokenCopy):
            if BASE_ID.fullmatch(one.name) and info_at(one).done:
                return one
    return None


def info_at(base: Path) -> Base:
    """What lies in a base backup's folder says of itself. Raises :class:`BrokenCopy` and :class:`OSError`."""
    with (base / INFO).open("rb") as file:
        return read_info(base.name, file.read(SMALL))


def whole_chain(base: Base, wals: Path) -> Chain:
    """The chain in a folder of WAL."""
    files = [found for one in wals.rglob("*") if (found := WAL_FILE.fullmatch(one.name)) is not None]
    names = {found["name"] for found in files if not found["name"].endswith(".history")}
    texts = {
        int(found["name"][:8], 16): history_in(path)
        for path in wals.rglob("*.history*")
        if (found := WAL_FILE.fullmatch(path.name)) is not None
    }
    return chain_of(base, names, texts)


def history_in(path: Path) -> str:
    """A history of timelines as text."""
    return b"".join(unpacked(path, packing_of(path)))[:SMALL].decode("utf-8", "replace")


def bring_tars(base: Base, folder: Path, data: Path, scratch: Scratch, spaces: str) -> None:
    """Unpack a base backup into ``data``, and its table spaces into folders below the scratch folder ``spaces``.

    Raises :class:`BrokenCopy`, also where a tar is missing.
    """
    tars = sorted(one for one in folder.iterdir() if TAR_FILE.fullmatch(one.name) and one.is_file())
    for space in ("data", *base.spaces):
        its = [one for one in tars if one.name.startswith((f"{space}.", f"{space}_"))]
        if not its:
            what = f"table space {base.spaces[space]}" if space in base.spaces else "base backup"
            raise BrokenCopy(f"the {what} is missing: no {space}.tar lies in {base.id}")
        target = data if space == "data" else scratch.make(f"{spaces}/{space}")
        for tar in its:
            unpack(tar, target, scratch, closed=True)


def link_spaces(base: Base, data: Path, spaces: Path, scratch: Scratch) -> None:
    """Let a data directory find its table spaces where they were unpacked to."""
    links = data / "pg_tblspc"
    if base.spaces and not links.is_dir():
        raise BrokenCopy("it has table spaces, and no folder pg_tblspc for them")
    for space in base.spaces:
        link = links / space
        link.symlink_to(spaces / space)
        scratch.give(link)


def _spans(base: Base, histories: Mapping[int, str]) -> dict[int, range]:
    """For each timeline from the base's to the newest, the places in which its WAL counts."""
    newest = base.timeline
    while newest + 1 in histories:
        newest += 1
    begin, spans = _place(base, base.first), dict[int, range]()
    end = begin + 0x100000000 * 2
    if newest == base.timeline:
        return {newest: range(begin, end)}
    switches = [
        (int(one[1]), (int(one[2], 16) << 32 | int(one[3], 16)) // base.segment)
        for one in map(_SWITCH.match, histories[newest].splitlines())
        if one is not None
    ]
    if base.timeline not in {timeline for timeline, _ in switches}:
        raise BrokenCopy(f"timeline {newest}, the newest in the archive, does not come from the base backup's own")
    for timeline, place in switches:
        if timeline >= base.timeline:
            spans[timeline] = range(begin, place + 1)
            begin = max(begin, place)
    spans[newest] = range(begin, end)
    return spans


def _place(base: Base, name: str) -> int:
    """Where a piece of WAL lies in the server's whole log, counted in pieces."""
    return int(name[8:16], 16) * (0x100000000 // base.segment) + int(name[16:], 16)


def _name(base: Base, timeline: int, place: int) -> str:
    log, piece = divmod(place, 0x100000000 // base.segment)
    return f"{timeline:08X}{log:08X}{piece:08X}"


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _spaces(text: str) -> dict[str, str]:
    """``[('fast', 16385, '/srv/fast')]``, or nothing."""
    if not text or len(text) > _LONGEST_LIST:
        return {}
    try:
        told = ast.literal_eval(text)
        return {str(int(number)): str(name) for name, number, _ in told}
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise BrokenCopy("the list of its table spaces cannot be read") from None
