"""Backups of files: a folder as a tar, and a manifest of what is in the tar itself.

Files that change while they are read are torn, and tar says so: that is no backup. Leave them out, or back up a
snapshot of the file system.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from shutil import which
from threading import Thread

from msgspec.structs import replace

from shoreup.compare.files import METHOD, digest_of
from shoreup.compare.manifest import Content, Item, Manifest, Table, manifest
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.sources import Asked, Stream, Taken
from shoreup.operations.backup.tools import Output, output_of


class Files:
    """How a folder is copied."""

    ending = ".tar"

    @contextmanager
    def open(self, asked: Asked) -> Iterator[Stream]:
        """Have tar read the folder."""
        folder, tar = asked.address.path, which("tar")
        if not folder.is_dir():
            raise BackupTrouble(f"there is no folder {folder}")
        if tar is None:
            raise BackupTrouble("this machine has no tar")
        words = [tar, "--create", "--file=-", "--numeric-owner", *(f"--exclude={one}" for one in asked.exclude)]
        told = Taken("files", "", "tar", datetime.now(UTC))
        with output_of([*words, f"--directory={folder}", "."], {}, asked.folder) as output:
            yield _Tar(output, folder.name, told, hashes=asked.hashes)


class _Tar:
    def __init__(self, output: Output, name: str, told: Taken, *, hashes: bool) -> None:
        self._output = output
        self._told = told
        self._reader = TarReader(name, hashes=hashes)

    def pieces(self) -> Iterator[bytes]:
        return self._reader.through(self._output.pieces())

    def taken(self) -> Taken:
        return replace(self._told, manifest=self._reader.manifest())


class TarReader:
    """Reads a tar while it passes, and tells what is in it, as :func:`shoreup.compare.files.take` does of a tree."""

    def __init__(self, name: str, *, hashes: bool) -> None:
        self._name = name
        self._hashes = hashes
        self._items: list[Item] = []
        self._trouble: Exception | None = None

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces. Raises :class:`BackupTrouble` at the end where they are no whole tar."""
        end, start = os.pipe()
        thread = Thread(target=self._read, args=(end,), daemon=True)
        thread.start()
        try:
            with os.fdopen(start, "wb", buffering=0) as target:
                for piece in pieces:
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[target.write(rest) or 0 :]
                    yield piece
        finally:
            thread.join()
        if self._trouble is not None:
            raise BackupTrouble(f"the tar cannot be read: {str(self._trouble)[:200]}")

    def manifest(self) -> Manifest:
        """What was in it."""
        files = sum(1 for one in self._items if one.kind == "file")
        content = Content(self._name, (Table("files", files),), tuple(self._items))
        return manifest("files", "", METHOD if self._hashes else "", [content], one_moment=False)

    def _read(self, end: int) -> None:
        with os.fdopen(end, "rb") as source:
            try:
                with tarfile.open(fileobj=source, mode="r|") as archive:
                    for member in archive:
                        # Kept for going back, which nobody does in a stream; millions of them would fill the memory.
                        archive.members.clear()  # type: ignore[attr-defined] # documented, and missing in the stubs
                        name = member.name.removeprefix("./")
                        if name not in {".", ""}:
                            self._items.append(self._item(archive, member, name))
            except Exception as trouble:
                self._trouble = trouble
            while source.read(1 << 20):
                pass  # a pipe that nobody reads would stop the backup

    def _item(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> Item:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        mode = f"{member.mode:04o}"
        if member.issym():
            return Item("link", shown, f"to {os.fsencode(member.linkname).decode('utf-8', 'backslashreplace')}")
        if member.isdir():
            return Item("folder", shown, mode)
        if not (member.isreg() or member.islnk()):
            return Item("special file", shown, mode)
        first = self._first(member) if member.islnk() else None
        if first is not None:
            return Item("file", shown, first.value)
        file = archive.extractfile(member)
        content = f" {digest_of(file)}" if self._hashes and file is not None else ""
        return Item("file", shown, f"{mode} {member.size} bytes{content}")

    def _first(self, member: tarfile.TarInfo) -> Item | None:
        """The file that a hard link is another name of, which came before."""
        target = os.fsencode(member.linkname.removeprefix("./")).decode("utf-8", "backslashreplace")
        return next((one for one in self._items if one.kind == "file" and one.name == target), None)
