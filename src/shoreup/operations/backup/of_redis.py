"""Backups of Redis: what the server sends to a replica that begins, which is a copy of one moment.

Redis counts nothing in that moment. Its keys are counted before and after; where both say the same and no key is to
end by itself, that is what the copy holds, and else nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec.structs import replace

from shoreup.compare.manifest import Manifest, differences
from shoreup.compare.redis import Connect, take
from shoreup.engines.base import EngineTrouble, need_client
from shoreup.engines.catalogue import written
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Address, Asked, Stream, Taken
from shoreup.operations.backup.tools import Output, output_of, tools

_PATIENCE = 15
_OPTIONS = frozenset({"socket"})
_END = 0xFF
_END_AT = 9
"""Bytes before the end at which the copy says that it ends; a checksum comes after."""
_MARK_BYTES = 40
_MARK = re.compile(rb"[0-9a-f]{40}")
"""What a server that does not know the size beforehand puts behind the copy; redis-cli cannot cut it off a pipe."""
_HELD_BACK = _MARK_BYTES + _END_AT
_NOT_COUNTED = "keys were not counted: some end by themselves, or others wrote meanwhile"


class Redis:
    """How everything in a Redis is copied."""

    ending = ".rdb"

    @contextmanager
    def open(self, asked: Asked) -> Iterator[Stream]:
        """Ask the server for its copy."""
        own, password = asked.address, asked.secret()
        wrong = sorted(set(own.options) - _OPTIONS)
        if wrong or not (own.host or own.options.get("socket")):
            raise BackupTrouble("redis:// wants a host: redis://cache:6379, or redis:///?socket=/run/redis/redis.sock")
        found = tools("redis", "redis-cli")
        if not found:
            raise BackupTrouble("this machine has no redis-cli: install redis-tools (Debian)")
        program = max(found, key=lambda one: one.version)
        words = ["-s", own.options["socket"]] if own.options.get("socket") else ["-h", own.host, "-p", str(own.port)]
        words += ["--user", own.user] if own.user else []
        connect = _connecting(own, password)
        from redis.exceptions import RedisError

        try:
            before, ending = take(connect, hashes=False), _some_end(connect)
            told = Taken("redis", before.version, f"redis-cli {written(program.version)}", datetime.now(UTC))
            secret = {"REDISCLI_AUTH": password} if password else {}
            with output_of([program.path, *words, "--rdb", "-"], secret, asked.folder) as output:
                yield _Copy(output, connect, told, None if ending else before)
        except RedisError as problem:
            raise BackupTrouble(f"redis: {str(problem)[:200]}") from None


class _Copy:
    def __init__(self, output: Output, connect: Connect, told: Taken, before: Manifest | None) -> None:
        self._output = output
        self._connect = connect
        self._told = told
        self._before = before

    def pieces(self) -> Iterator[bytes]:
        rest = b""
        for piece in self._output.pieces():
            rest += piece
            if len(rest) > _HELD_BACK:
                yield rest[:-_HELD_BACK]
                rest = rest[-_HELD_BACK:]
        if _MARK.fullmatch(rest[-_MARK_BYTES:]):
            rest = rest[:-_MARK_BYTES]
        if len(rest) < _END_AT or rest[-_END_AT] != _END:
            raise BackupTrouble("what Redis sent ends too early")
        yield rest

    def taken(self) -> Taken:
        if self._before is None or differences(self._before, take(self._connect, hashes=False)):
            return replace(self._told, remarks=(_NOT_COUNTED,))
        return replace(self._told, manifest=self._before)


def _connecting(own: Address, password: str) -> Connect:
    try:
        need_client("redis")
    except EngineTrouble as trouble:
        raise BackupTrouble(str(trouble)) from None
    from redis import Redis as Client
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return lambda number: Client(
        host=own.host or "localhost",
        port=own.port,
        unix_socket_path=own.options.get("socket") or None,
        db=number,
        username=own.user or None,
        password=password or None,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )


def _some_end(connect: Connect) -> bool:
    """Whether keys are to end by themselves: then a copy may restore fewer than it holds."""
    with connect(0) as client:
        told = client.info("keyspace")
    return any(one.get("expires") for one in told.values() if isinstance(one, dict))
