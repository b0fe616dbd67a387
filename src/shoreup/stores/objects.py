"""A bucket of an S3 server, or a part of one.

An upload in parts becomes an object when it is closed, so what was begun and not closed is under no name. A server may
keep such parts until it is told not to; the docs name the rule that tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shoreup.stores.base import PIECE, Entry, NotThere, StoreTrouble, checked, is_name

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

_PART = 24 << 20
"""Bytes of a part. There may be 10,000 of them, and a few at a time are in memory."""
_PARTS_AT_A_TIME = 3
_CODE = re.compile(r"<Code>(\w+)</Code>")
_HELP = {
    "NoSuchBucket": "make the bucket first",
    "InvalidAccessKeyId": "look at the id of the key",
    "SignatureDoesNotMatch": "look at the key",
    "AccessDenied": "let the key read, write, list and delete there",
    "SlowDown": "try again later",
}


class Objects:
    """A store in a bucket, below a prefix."""

    packs = False

    def __init__(self, bucket: str, prefix: str, *, endpoint: str, region: str, key_id: str, secret: str) -> None:
        from obstore.store import S3Store

        if not (key_id and secret):
            raise StoreTrouble(
                "an S3 store needs a key: its id in AWS_ACCESS_KEY_ID and the key in AWS_SECRET_ACCESS_KEY, or in what "
                "key-id-env and secret-env or secret-file of [store.NAME] say"
            )
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._shown = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self._at_address = f" at {urlsplit(endpoint).hostname}" if endpoint else ""
        config: S3Config = {
            "region": region or "us-east-1",
            "access_key_id": key_id,
            "secret_access_key": secret,
        }
        if endpoint:  # without one it is Amazon's
            config["endpoint"] = endpoint
        self._store: S3Store = S3Store(
            bucket,
            config=config,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=15),
                "read_timeout": timedelta(minutes=2),
                # Of a whole request, which may be all of a large backup.
                "timeout": timedelta(days=2),
            },
            retry_config={"max_retries": 4, "retry_timeout": timedelta(minutes=2)},
        )

    @property
    def shown(self) -> str:
        """The bucket and the prefix."""
        return self._shown

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Upload in parts."""
        import obstore

        target, making = self._at(name), _Making(pieces)
        try:
            obstore.put(
                self._store,
                target,
                making,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_A_TIME,
                mode="overwrite",
            )
        except Exception as problem:
            if making.trouble is not None:
                raise making.trouble from None
            raise self._trouble(problem) from None
        if making.trouble is not None:
            self.remove(name)  # a library that takes a broken stream for an ended one
            raise making.trouble

    def get(self, name: str) -> Iterator[bytes]:
        """Download."""
        import obstore

        try:
            for piece in obstore.get(self._store, self._at(name)).stream(min_chunk_size=PIECE):
                yield bytes(piece)
        except FileNotFoundError:
            raise NotThere(f"there is no {name} in {self._shown}") from None
        except _errors() as problem:
            raise self._trouble(problem) from None

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """The objects of a folder."""
        return tuple(one for one in self.tree(folder) if "/" not in one.name.removeprefix(f"{folder}/"))

    def tree(self, folder: str) -> tuple[Entry, ...]:
        """The objects of a folder and of those below it."""
        import obstore

        start = f"{self._at(folder)}/"
        try:
            found = [one for batch in obstore.list(self._store, start) for one in batch]
        except _errors() as problem:
            raise self._trouble(problem) from None
        names = [(one["path"].removeprefix(self._prefix), one["size"]) for one in found]
        return tuple(Entry(name, size) for name, size in sorted(names) if is_name(name))

    def remove(self, name: str) -> None:
        """Remove an object."""
        import obstore

        try:
            obstore.delete(self._store, self._at(name))
        except FileNotFoundError:
            return
        except _errors() as problem:
            raise self._trouble(problem) from None

    def tidy(self) -> None:
        """Nothing is left to do: what is removed is gone."""

    def _at(self, name: str) -> str:
        return f"{self._prefix}{checked(name)}"

    def _trouble(self, problem: Exception) -> StoreTrouble:
        words = str(problem)
        code = _CODE.search(words)
        if code is not None:
            help_ = _HELP.get(code.group(1), "")
            return StoreTrouble(f"{self._shown}: the server says {code.group(1)}" + (f"; {help_}" if help_ else ""))
        if "error sending request" in words or "onnection refused" in words:
            return StoreTrouble(f"{self._shown}: the server{self._at_address} does not answer")
        return StoreTrouble(f"{self._shown}: {words.splitlines()[0][:200]}")


class _Making:
    """Pieces for a library that may lose what making them raised."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.trouble: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except BaseException as trouble:
            self.trouble = trouble
            raise


def _errors() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError, ValueError)
