"""What a database holds, as data: small enough to keep beside every copy, and enough to tell whether two are the same.

A table's hash is a sum over the hashes of its rows, so it does not depend on their order, can be taken in parts, and
counts a row that is there twice twice (an exclusive or would count it as none).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

FORMAT = "shoreup-manifest/1"
_MODULUS = 1 << 64
_FILE_HASH = re.compile(r"(?<= bytes) [0-9a-f]{32}\Z")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of one table. ``hash`` is sixteen hexadecimal digits, ``""`` where only rows were counted."""

    name: str
    rows: int
    hash: str = ""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """Something that is no row: a sequence, a constraint, a file. ``value`` is what must stay the same of it."""

    kind: str
    name: str
    value: str = ""


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One database (or what corresponds to it)."""

    name: str
    tables: tuple[Table, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that one server, file or folder holds.

    ``method`` names how rows were hashed: hashes of two methods cannot be held against each other. ``items`` are what
    belongs to no database. ``taken`` is UTC. ``one_moment`` says that all of it was read in one state of the data.
    """

    format: str
    product: str
    version: str
    method: str
    taken: datetime
    one_moment: bool
    contents: tuple[Content, ...] = ()
    items: tuple[Item, ...] = ()


class WrongManifest(ValueError):
    """What is no manifest; the message says why."""


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not the same. ``was`` and ``is_now`` are words for people, without any of the data."""

    database: str
    kind: str
    name: str
    was: str
    is_now: str

    def __str__(self) -> str:
        place = f"{self.database}: " if self.database else ""
        return f"{place}{self.kind} {self.name}: {self.was}, now {self.is_now}"


def manifest(
    product: str,
    version: str,
    method: str,
    contents: Collection[Content],
    *,
    items: Collection[Item] = (),
    one_moment: bool,
) -> Manifest:
    """A manifest of now, in an order of its own."""
    sorted_contents = tuple(
        Content(one.name, tuple(sorted(one.tables, key=lambda table: table.name)), tuple(sorted(one.items)))
        for one in sorted(contents, key=lambda one: one.name)
    )
    now = datetime.now(UTC).replace(microsecond=0)
    return Manifest(
        format=FORMAT,
        product=product,
        version=version,
        method=method,
        taken=now,
        one_moment=one_moment,
        contents=sorted_contents,
        items=tuple(sorted(items)),
    )


def encode(one: Manifest) -> bytes:
    """A manifest as JSON, indented for people."""
    return msgspec.json.format(msgspec.json.encode(one), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """The manifest that JSON holds. Raises :class:`WrongManifest`."""
    try:
        one = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WrongManifest(str(problem)[:200]) from None
    if one.format != FORMAT:
        raise WrongManifest(f"it is not in the format {FORMAT}")
    return one


def differences(was: Manifest, is_now: Manifest, leave_out: Collection[str] = ()) -> tuple[Difference, ...]:
    """What is not the same, kinds in ``leave_out`` aside.

    Hashes count where both have them by the same method; else rows alone are compared (:func:`hashes_compare`).
    """
    by_hash = hashes_compare(was, is_now)
    found = list(_items("", was.items, is_now.items, leave_out, by_hash=by_hash))
    now = {one.name: one for one in is_now.contents}
    for content in was.contents:
        other = now.pop(content.name, None)
        if other is None:
            found.append(Difference("", "database", content.name, f"{content.rows} rows", "missing"))
            continue
        found += _tables(content, other, by_hash=by_hash)
        found += _items(content.name, content.items, other.items, leave_out, by_hash=by_hash)
    found += [Difference("", "database", name, "not there", f"{one.rows} rows") for name, one in now.items()]
    return tuple(found)


def hashes_compare(was: Manifest, is_now: Manifest) -> bool:
    """Whether the content of rows can be compared, not only their number."""
    return bool(was.method) and was.method == is_now.method


def _tables(was: Content, is_now: Content, *, by_hash: bool) -> Iterator[Difference]:
    now = {table.name: table for table in is_now.tables}
    for table in was.tables:
        other = now.pop(table.name, None)
        if other is None:
            yield Difference(was.name, "table", table.name, _rows(table), "missing")
        elif other.rows != table.rows:
            yield Difference(was.name, "table", table.name, _rows(table), _rows(other))
        elif by_hash and table.hash and other.hash and table.hash != other.hash:
            yield Difference(was.name, "table", table.name, _rows(table), "as many rows with other content")
    for name, other in now.items():
        yield Difference(was.name, "table", name, "not there", _rows(other))


def _items(
    database: str, was: Collection[Item], is_now: Collection[Item], leave_out: Collection[str], *, by_hash: bool
) -> Iterator[Difference]:
    now = {(item.kind, item.name): item.value for item in is_now if item.kind not in leave_out}
    for item in was:
        if item.kind in leave_out:
            continue
        value = now.pop((item.kind, item.name), None)
        if value is None:
            yield Difference(database, item.kind, item.name, item.value or "there", "missing")
        elif value != item.value and (by_hash or _unhashed(item.kind, value) != _unhashed(item.kind, item.value)):
            yield Difference(database, item.kind, item.name, item.value or "there", value or "there")
    for (kind, name), value in now.items():
        yield Difference(database, kind, name, "not there", value or "there")


def _unhashed(kind: str, value: str) -> str:
    """What is told of a file without the hash of its content, which not every manifest has."""
    return _FILE_HASH.sub("", value) if kind == "file" else value


def _rows(table: Table) -> str:
    return f"{table.rows} row{'' if table.rows == 1 else 's'}"


def sum_of(hashes: Collection[int]) -> str:
    """The sum of hashes as a table's hash."""
    return f"{sum(hashes) % _MODULUS:016x}"


def digest(text: str | bytes) -> str:
    """A short name for a definition, so that a manifest holds no text of the schema."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return blake2b(content, digest_size=8).hexdigest()


def row_hash(parts: Collection[bytes]) -> int:
    """The hash of one row from its parts, for engines that cannot hash by themselves; 64 bits."""
    whole = blake2b(digest_size=8)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return int.from_bytes(whole.digest(), "big")


def kinds(one: Manifest) -> Mapping[str, int]:
    """How many items there are of each kind, over all databases."""
    counted: dict[str, int] = {}
    for item in (*one.items, *(item for content in one.contents for item in content.items)):
        counted[item.kind] = counted.get(item.kind, 0) + 1
    return counted
