"""Trees of files: every path with its kind, mode, size and content."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from shoreup.compare.manifest import Content, Item, Manifest, Table, manifest

METHOD = "files-blake2b/1"
_PIECE = 1 << 20
_MODE = re.compile(r"[0-7]{4}\b")
_OWNERS = {"file": 0o600, "folder": 0o700}
"""What the owner of a scratch folder may always do with what is in it."""


def take(root: Path, *, jobs: int = 2, hashes: bool = True) -> Manifest:
    """The manifest of a tree. Links are recorded and not followed; what is no file, folder or link is named.

    Owners and times are not compared: restoring as another user changes the first, and nobody asks for the second.
    """
    paths = sorted(_below(root))
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        items = list(pool.map(lambda path: _item(root, path, hashes=hashes), paths))
    files = sum(1 for item in items if item.kind == "file")
    content = Content(root.name, (Table("files", files),), tuple(items))
    return manifest("files", "", METHOD if hashes else "", [content], one_moment=False)


def as_in_scratch(one: Manifest) -> Manifest:
    """A manifest of a tree as a scratch folder can hold it.

    Nothing there runs as somebody else or lets others in by its group, its owner may always read and write, and only
    files, folders and links are made.
    """
    return replace(
        one,
        contents=tuple(
            replace(content, items=tuple(_plain(item) for item in content.items if item.kind != "special file"))
            for content in one.contents
        ),
    )


def _plain(item: Item) -> Item:
    owners, mode = _OWNERS.get(item.kind), _MODE.match(item.value)
    if owners is None or mode is None:
        return item
    return replace(item, value=f"{int(mode.group(), 8) & 0o777 | owners:04o}{item.value[mode.end() :]}")


def _below(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path))


def _item(root: Path, path: Path, *, hashes: bool) -> Item:
    name = os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")
    about = path.lstat()
    mode = f"{stat.S_IMODE(about.st_mode):04o}"
    if stat.S_ISLNK(about.st_mode):
        target = os.fsencode(path.readlink()).decode("utf-8", "backslashreplace")
        return Item("link", name, f"to {target}")
    if stat.S_ISDIR(about.st_mode):
        return Item("folder", name, mode)
    if not stat.S_ISREG(about.st_mode):
        return Item("special file", name, mode)
    content = f" {_digest(path)}" if hashes else ""
    return Item("file", name, f"{mode} {about.st_size} bytes{content}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of(file)


def digest_of(file: IO[bytes]) -> str:
    """The hash of what a file still holds, as a manifest has it."""
    whole = blake2b(digest_size=16)
    while piece := file.read(_PIECE):
        whole.update(piece)
    return whole.hexdigest()
