"""Copies that are compressed: read piece by piece, refused where their end is missing, and stopped where they swell.

How a file is compressed is seen in its first bytes; its name says what somebody once meant. A few kilobytes may unpack
to more than any disk holds, so what comes out is held against what went in.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from shutil import which
from typing import Protocol

from shoreup.engines.base import EngineTrouble

_PIECE = 1 << 20
_HARMLESS = 1 << 30
"""Bytes that any copy may unpack to."""
_SWELLS = 500
"""How many times its own size a larger one may become: dumps of real data come to a tenth of that."""


class BrokenCopy(Exception):
    """A file that is no whole copy, or one that gives orders; the message says what is wrong."""


class Packing(StrEnum):
    """How a file is compressed."""

    NONE = ""
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    LZ4 = "lz4"
    SNAPPY = "snappy"


_FIRST_BYTES = {
    b"\x1f\x8b": Packing.GZIP,
    b"\x28\xb5\x2f\xfd": Packing.ZSTD,
    b"\xfd7zXZ\0": Packing.XZ,
    b"BZh": Packing.BZIP2,
    b"\x04\x22\x4d\x18": Packing.LZ4,
    b"\xff\x06\x00\x00sNaPpY": Packing.SNAPPY,
}
_SNAPPY_CHUNK = 1 << 18
"""Bytes that no chunk of snappy's frames comes to: 64 KiB of content, and a little."""


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


_BY_PYTHON: dict[Packing, Callable[[Path], _Reader]] = {
    Packing.NONE: lambda path: path.open("rb"),
    Packing.GZIP: gzip.GzipFile,
    Packing.XZ: lzma.LZMAFile,
    Packing.BZIP2: bz2.BZ2File,
}


def packing_of(path: Path) -> Packing:
    """How a file is compressed, by its first bytes and not by its name. Raises :class:`BrokenCopy`."""
    try:
        with path.open("rb") as file:
            first = file.read(10)
    except OSError as problem:
        raise BrokenCopy(f"it cannot be read: {problem.strerror or problem}") from None
    return next((packing for magic, packing in _FIRST_BYTES.items() if first.startswith(magic)), Packing.NONE)


def beginning_of(path: Path, packing: Packing, size: int) -> bytes:
    """At least the first ``size`` bytes of the content, where there are so many. Raises :class:`BrokenCopy`.

    A copy that lost its end begins like a whole one, so no more is read than was asked for.
    """
    beginning = b""
    for piece in unpacked(path, packing, size):
        beginning += piece
        if len(beginning) >= size:
            break
    return beginning


def unpacked(path: Path, packing: Packing, piece: int = _PIECE) -> Iterator[bytes]:
    """The content of a file, in pieces of at most ``piece`` bytes.

    Raises :class:`BrokenCopy` where its end is missing or it is damaged, :class:`EngineTrouble` where it swells to what
    no copy of data does, or where the program that unpacks it is not installed.
    """
    try:
        if packing is Packing.NONE:
            yield from _read(path, packing, piece)
            return
        yield from bounded(_read(path, packing, piece), path.stat().st_size)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile):
        raise BrokenCopy("its compressed content is damaged or ends too early") from None
    except OSError as problem:
        if packing is Packing.BZIP2 and problem.errno is None:
            raise BrokenCopy("its compressed content is damaged") from None
        raise BrokenCopy(f"it cannot be read: {problem.strerror or problem}") from None


def bounded(pieces: Iterator[bytes], packed: int) -> Iterator[bytes]:
    """The same pieces of what lay in ``packed`` bytes. Raises :class:`EngineTrouble` where they become too many."""
    most, total = max(_HARMLESS, _SWELLS * packed), 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise EngineTrouble(
                f"its {packed:,} bytes unpack to more than {most >> 20:,} MiB, which is no copy of data but a trap"
            )
        yield piece


def _read(path: Path, packing: Packing, size: int) -> Iterator[bytes]:
    if packing is Packing.SNAPPY:
        yield from _snappy(path)
        return
    opening = _BY_PYTHON.get(packing)
    if opening is None:
        yield from _by_program(path, packing.value, size)
        return
    with closing(opening(path)) as file:
        while piece := file.read(size):
            yield piece


def _snappy(path: Path) -> Iterator[bytes]:
    """Frames of snappy, chunk by chunk: each says its length, and holds a checksum that the library looks at."""
    try:
        from cramjam import snappy
    except ImportError:
        raise EngineTrouble("it is compressed with snappy; install cramjam (PyPI), which unpacks it") from None
    magic = next(one for one, packing in _FIRST_BYTES.items() if packing is Packing.SNAPPY)
    with path.open("rb") as file:
        while head := file.read(4):
            length = int.from_bytes(head[1:], "little")
            chunk = file.read(length) if length < _SNAPPY_CHUNK else b""
            if len(head) < 4 or len(chunk) < length:
                raise BrokenCopy("its compressed content is damaged or ends too early")
            try:
                piece = bytes(snappy.decompress(magic + head + chunk))
            except Exception:  # the library's own errors have no class of their own in every version
                raise BrokenCopy("its compressed content is damaged") from None
            if piece:  # whoever reads takes an empty one for the end
                yield piece


def _by_program(path: Path, name: str, size: int) -> Iterator[bytes]:
    program = which(name)
    if program is None:
        raise EngineTrouble(f"it is compressed with {name}, which is not installed; install {name} (Debian)")
    with path.open("rb") as source:
        process = subprocess.Popen(  # noqa: S603 (the system's decompressor, which gets no file name)
            [program, "-dcq"], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    assert process.stdout is not None
    try:
        while piece := process.stdout.read(size):
            yield piece
        if process.wait() != 0:
            raise BrokenCopy("its compressed content is damaged or ends too early")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
