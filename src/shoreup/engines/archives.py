"""Archives of a stranger, unpacked so that nothing lands outside of the folder that they are given.

A name in an archive may climb (``../../etc``), a link may lead out and a later file be written through it, an entry may
be a device. So names that climb end it, links are made when every file is written, what is neither file, folder nor
link is left out and counted, and nothing is followed while it is written.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.packing import BrokenCopy, beginning_of, bounded, packing_of, unpacked
from shoreup.engines.scratch import Scratch

_PIECE = 1 << 20
_LOOK = _BLOCK = 512
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Left(Struct, frozen=True):
    """What was not unpacked: the number of devices, pipes and sockets."""

    special: int = 0


def is_tar(path: Path) -> bool:
    """Whether a file is a tar, compressed or not. Raises :class:`BrokenCopy`."""
    beginning = beginning_of(path, packing_of(path), _LOOK)
    return beginning[257:262] == b"ustar"


def is_zip(path: Path) -> bool:
    """Whether a file is a zip."""
    with path.open("rb") as file:
        return file.read(4) in _ZIP


def unpack_tar(pieces: Iterable[bytes], target: Path, scratch: Scratch, *, closed: bool = False) -> Left:
    """Unpack a tar into ``target``, an empty folder of the scratch folder.

    ``closed`` says that its writer always ends it with empty blocks: one that was cut off between two files lacks
    nothing else. Raises :class:`BrokenCopy` for one that is damaged or reaches out of its folder.
    """
    writer, source = _Writer(target, scratch), _Pieces(iter(pieces))
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for member in archive:
                if member.isreg():
                    content = archive.extractfile(member)
                    assert content is not None
                    writer.file(member.name, _pieces_of(content, member.size), member.mode)
                elif member.isdir():
                    writer.folder(member.name, member.mode)
                elif member.issym():
                    writer.link(member.name, member.linkname)
                elif member.islnk():
                    writer.same(member.name, member.linkname)
                else:
                    writer.special += 1
            if closed and source.to_the_end() != bytes(_BLOCK):
                raise EOFError("its last block is missing")
    except (tarfile.TarError, EOFError) as problem:
        raise BrokenCopy(f"the archive is damaged or ends too early: {problem}") from None
    return writer.finished()


def unpack(path: Path, target: Path, scratch: Scratch, *, closed: bool = False) -> Left:
    """Unpack a tar (compressed or not) or a zip into ``target``. Raises :class:`BrokenCopy`.

    ``closed`` as for :func:`unpack_tar`.
    """
    if is_zip(path):
        return _unpack_zip(path, target, scratch)
    return unpack_tar(unpacked(path, packing_of(path)), target, scratch, closed=closed)


def _unpack_zip(path: Path, target: Path, scratch: Scratch) -> Left:
    writer = _Writer(target, scratch)
    try:
        with zipfile.ZipFile(path) as archive:
            for piece in bounded(_from_zip(archive, writer), path.stat().st_size):
                del piece
    except RuntimeError:
        raise EngineTrouble("the archive needs a password, which is not known") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as problem:
        raise BrokenCopy(f"the archive is damaged: {problem}") from None
    return writer.finished()


def _from_zip(archive: zipfile.ZipFile, writer: _Writer) -> Iterator[bytes]:
    """Write everything in a zip; what is written is handed on, so that somebody can count it."""
    for member in archive.infolist():
        mode = member.external_attr >> 16
        if member.is_dir():
            writer.folder(member.filename, mode)
            continue
        with archive.open(member) as content:
            if stat.S_ISLNK(mode):
                writer.link(member.filename, content.read(4096).decode("utf-8", "surrogateescape"))
            else:
                yield from writer.passing(member.filename, iter(lambda: content.read(_PIECE), b""), mode or 0o644)


class _Writer:
    """Writes below one folder."""

    def __init__(self, target: Path, scratch: Scratch) -> None:
        self._target = target
        self._scratch = scratch
        self._links: list[tuple[str, str]] = []
        self._modes: dict[Path, int] = {}
        self.special = 0

    def folder(self, name: str, mode: int = 0) -> Path:
        """Make a folder, with those above it."""
        made = self._target
        for part in _parts(name):
            made = made / part
            try:
                made.mkdir(mode=0o700)
            except FileExistsError:
                if not stat.S_ISDIR(made.lstat().st_mode):
                    raise BrokenCopy(f"a file in the archive is a folder too: {_shown(name)}") from None
            else:
                self._scratch.give(made)
        if mode and made != self._target:
            self._modes[made] = (mode & 0o777) | 0o700
        return made

    def file(self, name: str, pieces: Iterator[bytes], mode: int) -> None:
        """Write a file."""
        for piece in self.passing(name, pieces, mode):
            del piece

    def passing(self, name: str, pieces: Iterator[bytes], mode: int) -> Iterator[bytes]:
        """Write a file, and hand on what was written."""
        place = self._place(name)
        number = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            for piece in self._scratch.within(pieces):
                file.write(piece)
                yield piece
        self._scratch.give(place).chmod((mode & 0o777) | 0o600)

    def same(self, name: str, other: str) -> None:
        """Give a file a second name. The first one was in the archive before."""
        source = self._target.joinpath(*_parts(other))
        try:
            regular = stat.S_ISREG(source.lstat().st_mode)
        except OSError:
            regular = False
        if not regular:
            raise BrokenCopy(f"a link in the archive leads to what is not in it: {_shown(name)}")
        os.link(source, self._place(name), follow_symlinks=False)

    def link(self, name: str, target: str) -> None:
        """Remember a link; it is made at the end."""
        _parts(name)
        self._links.append((name, target))

    def finished(self) -> Left:
        """Make the links."""
        for name, target in self._links:
            place = self._place(name)
            place.symlink_to(target)
            self._scratch.give(place)
        for folder, mode in self._modes.items():
            folder.chmod(mode)
        return Left(self.special)

    def _place(self, name: str) -> Path:
        parts = _parts(name)
        if not parts:
            raise BrokenCopy("a file in the archive has no name")
        place = self.folder("/".join(parts[:-1])) / parts[-1]
        if os.path.lexists(place):
            if stat.S_ISDIR(place.lstat().st_mode):
                raise BrokenCopy(f"a folder in the archive is a file too: {_shown(name)}")
            place.unlink()  # an archive that was appended to holds a file twice, and the last one counts
        return place


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in PurePosixPath(name).parts if part not in ("/", "//", "."))
    if ".." in parts or "\0" in name:
        raise BrokenCopy(f"a path in the archive climbs out of its folder: {_shown(name)}")
    return parts


def _shown(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")[:80]


def _pieces_of(content: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = content.read(min(_PIECE, left))
        if not piece:
            raise EOFError("a file in it is shorter than it says")
        left -= len(piece)
        yield piece


class _Pieces(io.RawIOBase):
    """Pieces as something that can be read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""
        self._last = b""

    def to_the_end(self) -> bytes:
        """Read what is left, and give the last block of all."""
        while self.read(_PIECE):
            pass
        return self._last

    def read(self, size: int = -1) -> bytes:
        held, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._last = (self._last + piece[-_BLOCK:])[-_BLOCK:]
            held.append(piece)
            length += len(piece)
        whole = b"".join(held)
        size = len(whole) if size < 0 else size
        found, self._rest = whole[:size], whole[size:]
        return found
