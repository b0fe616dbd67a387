"""What is kept beside a backup's file: what it is of, and what was seen of it since.

Names say the order: a number counts up from the highest that the store has, because a clock can jump back. The time in
a name is for people.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec
from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.operations.backup.roles import Role

FORMAT = "shoreup-backup/1"
RECORD = ".backup.json"
UNSEALED = ".unsealed.json"
CHECKED = ".checked.json"
LARGEST = 256 << 20
"""Bytes of a record: a manifest has a line for each table."""
_ID = re.compile(r"(?P<number>\d{6,})-\d{8}T\d{6}Z-[0-9a-f]{8}")


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """One backup.

    ``number`` orders the backups of a ``name``. ``began`` and ``moment`` are UTC; the backup is of ``moment``.
    ``version`` is the server's, ``tool`` what read it, ``position`` where a replay of the server's log would start.
    ``file`` lies beside, with ``size`` bytes and ``sha256``; ``content`` is its size before it was packed in the ways
    of ``packing``, first to last. ``manifest`` is what it holds, where that could be told for its very moment;
    ``remarks`` say why not, and whatever else its owner should know. ``roles`` are those that a database leans on.
    """

    format: str
    id: str
    number: int
    name: str
    run: str
    began: datetime
    moment: datetime
    product: str
    version: str
    tool: str
    position: str
    file: str
    size: int
    sha256: str
    content: int
    packing: tuple[str, ...] = ()
    manifest: Manifest | None = None
    remarks: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """What a look at a backup has shown. ``how`` is ``read`` or ``restored``, ``why`` says what was wrong."""

    format: str
    id: str
    good: bool
    how: str
    when: datetime
    why: str = ""


class WrongRecord(ValueError):
    """What is no record of a backup; the message says why."""


def new_id(number: int, began: datetime, run: str) -> str:
    """The name of a backup. ``run`` tells two apart that two machines begin at once."""
    mark = blake2b(run.encode(), digest_size=4).hexdigest()
    return f"{number:06d}-{began.astimezone(UTC):%Y%m%dT%H%M%SZ}-{mark}"


def number_of(name: str) -> int:
    """The number in the name of anything that belongs to a backup; 0 for what does not."""
    found = _ID.match(name.rpartition("/")[2])
    return int(found["number"]) if found else 0


def id_of(name: str) -> str:
    """The backup that something belongs to by its name; ``""`` for what belongs to none."""
    found = _ID.match(name.rpartition("/")[2])
    return found.group() if found else ""


def encode(one: Record | Check) -> bytes:
    """As JSON, indented for people."""
    return msgspec.json.format(msgspec.json.encode(one), indent=1) + b"\n"


def decode_record(content: bytes) -> Record:
    """The record that JSON holds. Raises :class:`WrongRecord`."""
    try:
        one = msgspec.json.decode(content, type=Record)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WrongRecord(str(problem)[:200]) from None
    if one.format != FORMAT:
        raise WrongRecord(f"it is not in the format {FORMAT}")
    return one


def decode_check(content: bytes) -> Check:
    """The check that JSON holds. Raises :class:`WrongRecord`."""
    try:
        return msgspec.json.decode(content, type=Check)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WrongRecord(str(problem)[:200]) from None
