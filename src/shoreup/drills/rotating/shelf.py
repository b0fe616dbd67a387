"""What lies on the shelf after a run: which of the made-up copies are whole, read from outside of the sandbox.

A copy says at its end which run it is of, whatever its name is and however it is packed. So nothing has to be known of
how a job calls its files.
"""

from __future__ import annotations

import bz2
import lzma
import re
import subprocess
import zlib
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from shutil import which
from time import time_ns

from msgspec import Struct

from shoreup.drills.sandboxed_jobs.standins import WHOLE
from shoreup.engines.inside import Inside
from shoreup.engines.sandbox import Sandbox
from shoreup.engines.sandbox_ground import VOLUMES

_MOST = 1 << 20
_UNPACKED = 8 << 20
_SECONDS = 60 * 1_000_000_000
_SAYS = re.compile(WHOLE.encode() + rb" (\d{6})")


class Kept(Struct, frozen=True):
    """After a run: the runs of which a whole copy is there, and how many files there are in all."""

    runs: frozenset[int]
    files: int


class Lying(Struct, frozen=True, order=True):
    """One thing on the shelf; ``age`` is in ns, ``content`` a digest that is empty for a folder."""

    age: int
    volume: int
    path: str
    content: str


class Shelf:
    """The volumes that a job keeps its copies on."""

    def __init__(self, sandbox: Sandbox, volumes: Sequence[str], sources: Sequence[str] = ()) -> None:
        self._copies = [sandbox.inside(f"{VOLUMES}/{name}") for name in volumes]
        self._sources = [sandbox.inside(f"{VOLUMES}/{name}") for name in sources]
        self._shifted = 0
        self._known: dict[tuple[int, int, int], frozenset[int]] = {}

    def look(self, but: frozenset[str], passing: float = 0.0) -> Kept:
        """What is there now; ``but`` are files that were there before the first run.

        Afterwards so many seconds pass: everything becomes older by them.
        """
        runs: set[int] = set()
        files = 0
        for volume in self._copies:
            for entry in volume.walk(passing):
                if entry.folder or entry.path in but:
                    continue
                files += 1
                key = (entry.inode, entry.size, entry.changed + self._shifted)
                if key not in self._known:
                    self._known[key] = _runs_in(volume, entry.path)
                runs |= self._known[key]
        for volume in self._sources:
            for _ in volume.walk(passing):
                pass
        self._shifted += int(passing * 1_000_000_000)
        return Kept(frozenset(runs), files)

    def names(self) -> frozenset[str]:
        """The files that are there."""
        return frozenset(entry.path for volume in self._copies for entry in volume.walk() if not entry.folder)

    def state(self) -> tuple[Lying, ...]:
        """All that lies there, the youngest first."""
        now = time_ns()
        return tuple(
            sorted(
                Lying(now - entry.changed, number, entry.path, "" if entry.folder else _digest(volume, entry.path))
                for number, volume in enumerate(self._copies)
                for entry in volume.walk()
            )
        )

    def renew_sources(self) -> None:
        """Let the folders that are copied look as if something had been added to them just now."""
        for volume in self._sources:
            volume.age("", time_ns())
            for entry in volume.walk():
                if entry.folder:
                    volume.age(entry.path, time_ns())


def alike(one: Sequence[Lying], other: Sequence[Lying]) -> bool:
    """Whether two shelves hold the same in the same order of ages, of which seconds do not count."""
    return len(one) == len(other) and all(
        (mine.volume, mine.path, mine.content) == (its.volume, its.path, its.content)
        and abs(mine.age - its.age) < _SECONDS
        for mine, its in zip(one, other, strict=True)
    )


def _digest(volume: Inside, path: str) -> str:
    try:
        return blake2b(volume.read(path, _MOST)).hexdigest()
    except OSError:
        return "unread"


def _runs_in(volume: Inside, path: str) -> frozenset[int]:
    try:
        content = volume.read(path, _MOST)
    except OSError:
        return frozenset()
    for _ in range(3):
        inner = _unpacked(content)
        if inner is None:
            break
        content = inner
    return frozenset(int(number) for number in _SAYS.findall(content))


def _unpacked(content: bytes) -> bytes | None:
    """What a packed file holds, up to a limit; ``None`` where it is not packed."""
    try:
        if content.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(content, _UNPACKED)
        if content.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(content, _UNPACKED)
        if content.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor(memlimit=256 << 20).decompress(content, _UNPACKED)
        if content.startswith(b"\x28\xb5\x2f\xfd") and (zstd := which("zstd")) is not None:
            with suppress(subprocess.TimeoutExpired):
                done = subprocess.run(  # noqa: S603 (a fixed command)
                    [zstd, "-dcq", "-M256MB"],
                    input=content,
                    capture_output=True,
                    check=False,
                    timeout=10,
                )
                return done.stdout[:_UNPACKED]
    except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
        return b""
    return None
