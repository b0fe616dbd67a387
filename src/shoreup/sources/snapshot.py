"""The files of an estate as they were at a revision, copied out of git's objects.

Nothing is checked out: a checkout runs filters, hooks and whatever else a repository's configuration names. Blobs are
taken as they lie in the object store, so what is encrypted there stays encrypted. The names in a tree object are a
stranger's: none of them may lead out of the folder that is written to.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from shoreup.formats.files import MAX_BYTES, SKIPPED_FOLDERS
from shoreup.sources.git import ask

_BATCH = 400
"""Files that are asked for at once."""
_FILE_MODES = frozenset({b"100644", b"100755", b"100664"})
_LINK_MODE = b"120000"
_ENCRYPTED = b"\0GITCRYPT\0"


class Snapshot(Struct, frozen=True):
    """What was copied. ``encrypted`` are files that git holds encrypted, ``missing`` those that this clone lacks."""

    files: int
    encrypted: tuple[str, ...]
    missing: tuple[str, ...]


class _Entry(Struct, frozen=True):
    path: str
    blob: bytes
    link: bool


def commit_of(root: Path, revision: str) -> str | None:
    """The full hash of the commit that a revision names; ``None`` where there is none, or no git."""
    if not revision or revision.startswith("-") or any(ord(character) < 32 for character in revision):
        return None
    output = ask(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return None if output is None else output.decode("ascii", "replace").strip() or None


def copy_out(root: Path, commit: str, target: Path) -> Snapshot | None:
    """Copy the files below ``root`` as they were at ``commit`` into the empty folder ``target``.

    ``None`` where git does not answer. Files larger than an audit reads are left out.
    """
    # A clone without all objects has no sizes to tell.
    listing = ask(root, "ls-tree", "-r", "-l", "-z", commit) or ask(root, "ls-tree", "-r", "-z", commit)
    if listing is None:
        return None
    entries = _entries(listing)
    encrypted: list[str] = []
    missing: list[str] = []
    files = 0
    # Links come last: a file is never written through one.
    for kind in (False, True):
        wanted = [entry for entry in entries if entry.link is kind]
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            contents = _contents(root, batch)
            if contents is None:
                return None
            for entry, content in zip(batch, contents, strict=True):
                if content is None:
                    missing.append(entry.path)
                    continue
                if content.startswith(_ENCRYPTED):
                    encrypted.append(entry.path)
                files += _write(target, entry, content)
    return Snapshot(files, tuple(encrypted), tuple(missing))


def _entries(listing: bytes) -> list[_Entry]:
    found: dict[str, _Entry] = {}
    for row in listing.split(b"\0"):
        fields, tab, name = row.partition(b"\t")
        parts = fields.split()
        if not tab or len(parts) not in {3, 4} or parts[1] != b"blob":
            continue
        mode, blob, size = parts[0], parts[2], parts[-1]
        if mode not in _FILE_MODES and mode != _LINK_MODE:
            continue
        if len(parts) == 4 and size.isdigit() and int(size) > MAX_BYTES:
            continue
        path = os.fsdecode(name)
        if _harmless(path):
            found.setdefault(path, _Entry(path, blob, mode == _LINK_MODE))
    return list(found.values())


def _harmless(path: str) -> bool:
    """Whether a path stays in its folder, on every system, and is not one that an audit skips."""
    parts = path.split("/")
    return not any(part in {"", ".", ".."} or part in SKIPPED_FOLDERS for part in parts)


def _contents(root: Path, batch: Sequence[_Entry]) -> list[bytes | None] | None:
    """The bytes of each blob, ``None`` for one that is not there."""
    output = ask(root, "cat-file", "--batch", sent=b"".join(entry.blob + b"\n" for entry in batch))
    if output is None:
        return None
    found: list[bytes | None] = []
    at = 0
    for entry in batch:
        end = output.find(b"\n", at)
        head = output[at:end].split(b" ") if end >= 0 else []
        if len(head) == 3 and head[0] == entry.blob and head[2].isdigit():
            size = int(head[2])
            found.append(output[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        elif head and head[-1] == b"missing":
            found.append(None)
            at = end + 1
        else:
            return None
    return found


def _write(target: Path, entry: _Entry, content: bytes) -> int:
    """Write one file or link; a name that the file system refuses is left out."""
    path = target / entry.path
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(target.resolve()):
            return 0
        if entry.link:
            path.symlink_to(os.fsdecode(content))
        else:
            path.write_bytes(content)
        return 1
    return 0
