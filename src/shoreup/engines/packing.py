"""Copies that are compressed: read piece by piece, and refused where their end is missing."""

from __future__ import annotations

import gzip
import subprocess
import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from shutil import which

_PIECE = 1 << 20


class BrokenCopy(Exception):
    """A file that is no whole copy, or one that gives orders; the message says what is wrong."""


class Packing(StrEnum):
    """How a file is compressed."""

    NONE = ""
    GZIP = "gzip"
    ZSTD = "zstd"


def packing_of(path: Path) -> Packing:
    """How a file is compressed, by its first bytes and not by its name. Raises :class:`BrokenCopy`."""
    try:
        with path.open("rb") as file:
            first = file.read(4)
    except OSError as problem:
        raise BrokenCopy(f"it cannot be read: {problem.strerror or problem}") from None
    if first.startswith(b"\x1f\x8b"):
        return Packing.GZIP
    return Packing.ZSTD if first == b"\x28\xb5\x2f\xfd" else Packing.NONE


def beginning_of(path: Path, packing: Packing, size: int) -> bytes:
    """At least the first ``size`` bytes of the content, where there are so many. Raises :class:`BrokenCopy`."""
    beginning = b""
    for piece in unpacked(path, packing):
        beginning += piece
        if len(beginning) >= size:
            break
    return beginning


def unpacked(path: Path, packing: Packing) -> Iterator[bytes]:
    """The content of a file, piece by piece. Raises :class:`BrokenCopy` where its end is missing or it is damaged."""
    try:
        if packing is Packing.ZSTD:
            yield from _by_zstd(path)
            return
        with gzip.open(path) if packing is Packing.GZIP else path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BrokenCopy("its compressed content is damaged or ends too early") from None
    except OSError as problem:
        raise BrokenCopy(f"it cannot be read: {problem.strerror or problem}") from None


def _by_zstd(path: Path) -> Iterator[bytes]:
    program = which("zstd")
    if program is None:
        raise BrokenCopy("it is compressed with zstd, which is not installed (Debian: zstd)")
    with path.open("rb") as source:
        process = subprocess.Popen(  # noqa: S603 (the system's decompressor, which gets no file name)
            [program, "-dcq"], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    assert process.stdout is not None
    try:
        while piece := process.stdout.read(_PIECE):
            yield piece
        if process.wait() != 0:
            raise BrokenCopy("its compressed content is damaged or ends too early")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
