"""The content of a Redis: every key by its type, so that how a server happens to store it does not matter.

A key's hash is over its name, its type, its members in an order of ours, and whether and when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from shoreup.compare.manifest import Content, Item, Manifest, Table, manifest, row_hash, sum_of

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

METHOD = "redis-members-blake2b-sum/1"
_KEYS_AT_A_TIME = 500
_SORTED = frozenset({b"set", b"hash"})

Connect = Callable[[int], "Redis"]
"""Gives a connection to the database of that number, whose answers are bytes."""


def take(connect: Connect, *, hashes: bool = True) -> Manifest:
    """The manifest of all databases of one server that have keys. Redis knows no snapshots: nobody should write."""
    with connect(0) as client:
        version = str(client.info("server")["redis_version"])
        numbers = sorted(int(name.removeprefix("db")) for name in client.info("keyspace") if name.startswith("db"))
        functions = _functions(client)
    contents = [_content(connect, number, hashes=hashes) for number in numbers]
    method = METHOD if hashes else ""
    return manifest("redis", version, method, contents, items=functions, one_moment=False)


def _content(connect: Connect, number: int, *, hashes: bool) -> Content:
    with connect(number) as client:
        if not hashes:
            return Content(str(number), (Table("keys", int(client.dbsize())),))
        found: list[int] = []
        for keys in _batches(client):
            found += _hashes(client, keys)
    return Content(str(number), (Table("keys", len(found), sum_of(found)),))


def _batches(client: Redis) -> Iterator[list[bytes]]:
    """Every key once: a scan may give one twice."""
    seen: set[bytes] = set()
    batch: list[bytes] = []
    for key in client.scan_iter(count=_KEYS_AT_A_TIME):
        if key not in seen:
            seen.add(key)
            batch.append(key)
        if len(batch) >= _KEYS_AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch


def _hashes(client: Redis, keys: Sequence[bytes]) -> list[int]:
    with client.pipeline(transaction=False) as asked:
        for key in keys:
            asked.type(key)
            asked.pexpiretime(cast("str", key))  # typed for text, sent as it is
        told = asked.execute(raise_on_error=False)
        kinds, ends = told[::2], told[1::2]
        for key, kind in zip(keys, kinds, strict=True):
            _ask(asked, key, kind)
        values = asked.execute(raise_on_error=False)
    return [
        row_hash([key, kind, _end(end), *_members(kind, value)])
        for key, kind, end, value in zip(keys, kinds, ends, values, strict=True)
        if kind != b"none"
    ]


def _ask(asked: Pipeline, key: bytes, kind: bytes) -> None:
    questions: dict[bytes, Callable[[], object]] = {
        b"string": lambda: asked.get(key),
        b"list": lambda: asked.lrange(key, 0, -1),
        b"set": lambda: asked.smembers(key),
        b"zset": lambda: asked.zrange(key, 0, -1, withscores=True),
        b"hash": lambda: asked.hgetall(key),
        b"stream": lambda: asked.xrange(key),
    }
    # A module's own type is known to nobody but the module; what it would save is compared.
    questions.get(kind, lambda: asked.dump(key))()


def _members(kind: bytes, value: object) -> list[bytes]:
    if isinstance(value, dict):
        return [part for pair in sorted(cast("dict[bytes, bytes]", value).items()) for part in pair]
    parts = _flat(value)
    return sorted(parts) if kind in _SORTED else parts


def _flat(value: object) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, dict):
        return [part for pair in value.items() for one in pair for part in _flat(one)]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [part for one in value for part in _flat(one)]
    return [str(value).encode()]


def _end(told: object) -> bytes:
    """When a key ends. Servers before 7.0 do not tell the moment, so it counts for nothing there."""
    return str(told).encode() if isinstance(told, int) else b"?"


def _functions(client: Redis) -> tuple[Item, ...]:
    from redis.exceptions import ResponseError

    try:
        told: object = client.function_dump()
    except ResponseError:
        return ()
    return (Item("functions", "server", f"{row_hash([told]):016x}"),) if isinstance(told, bytes) else ()
