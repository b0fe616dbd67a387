"""The last account of an estate, kept until anything that it was made from changes.

An entry names every file that the audit read, with a hash of its content, and the list of all files that it
could have read. It is good only while all of that, the options, the day and Shoreup itself are the same. Entries are
written whole or not at all, any of them can be thrown away at any time, and a damaged one is no entry.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import shoreup
from shoreup.formats.files import FileTree
from shoreup.model.account import Account

MAX_ENTRIES = 64
MAX_BYTES = 256 * 1024 * 1024
"""All entries together; the oldest go first."""


class _Entry(Struct, frozen=True):
    """What is stored. ``files`` maps the files that were read to hashes of their content."""

    listing: str
    files: Mapping[str, str]
    account: Account


class Cache:
    """Accounts by what was asked. ``question`` is everything but the files: paths, options, the day."""

    def __init__(self, question: tuple[str, ...]) -> None:
        text = "\0".join((_identity(), *question))
        self._path = (
            folder() / f"{blake2b(text.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}.account"
        )

    def look(self, tree: FileTree) -> Account | None:
        """The account, when it is still good for these files."""
        try:
            entry = msgspec.msgpack.decode(self._path.read_bytes(), type=_Entry)
        except (OSError, msgspec.MsgspecError):
            return None
        if entry.listing != _listing(tree):
            return None
        if any(tree.digest(path) != digest for path, digest in entry.files.items()):
            return None
        with contextlib.suppress(OSError):
            os.utime(self._path)
        return replace(entry.account, cached=True)

    def keep(self, tree: FileTree, account: Account) -> None:
        """Store an account. A cache that cannot be written is no reason to fail."""
        entry = _Entry(_listing(tree), {path: tree.digest(path) for path in tree.touched}, account)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _write(self._path, msgspec.msgpack.encode(entry))
            _prune(self._path.parent)


def folder() -> Path:
    """Where entries lie: ``$XDG_CACHE_HOME/shoreup``, by default ``~/.cache/shoreup``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~").expanduser() / ".cache")
    return Path(base) / "shoreup"


def _identity() -> str:
    """Shoreup's version and, because a work tree changes without one, the state of its own files."""
    package = Path(shoreup.__file__).parent
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.*") if path.suffix != ".pyc")
    return f"{shoreup.__version__} {newest} {sys.version_info[:2]}"


def _listing(tree: FileTree) -> str:
    return blake2b("\0".join(tree.files).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _prune(where: Path) -> None:
    entries = sorted(
        ((status.st_mtime, status.st_size, path) for path in where.glob("*.account") if (status := _stat(path))),
        reverse=True,
    )
    total = 0
    for index, (_, size, path) in enumerate(entries):
        total += size
        if index and (index >= MAX_ENTRIES or total > MAX_BYTES):
            with contextlib.suppress(OSError):
                path.unlink()


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
