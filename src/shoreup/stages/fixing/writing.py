"""Writing files so that whoever looks sees them old or new, never half, and never over somebody else's change.

Everything is checked before the first byte: that each file is what was read, and that it may be written. The new
content is written in full elsewhere on the same file system and takes the old one's name in one step: in the
repository's ``.git`` or where this user's ledgers lie, where nobody takes it for a file of the estate; beside the old
one only where both are on another file system. Names of such files begin with :data:`PREFIX`; those that a killed run
left are swept by the next.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.ledger.location import state_folder
from shoreup.model.amendment import Change
from shoreup.model.errors import UserError

PREFIX = ".shoreup-new-"


def write(tree: FileTree, changes: Sequence[Change]) -> None:
    """Write every change, or none of them where one of the files is not what was read or cannot be written."""
    root = Path(os.path.realpath(tree.root))
    folders = {(root / one.path).parent for one in changes}
    for folder in sorted(folders | {_workshop(root, folder) for folder in folders}):
        _sweep(folder)
    for change in changes:
        _refuse(root, change)
    prepared: list[tuple[Path, Path]] = []
    try:
        for change in changes:
            prepared.append(_prepare(root, change))
        for change in changes:
            _refuse(root, change)
        while prepared:
            new, target = prepared[0]
            new.replace(target)
            prepared.pop(0)
            _settle(target.parent)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise UserError(f"{problem.filename or root} could not be written: {reason}. Look at 'git diff'.") from None
    finally:
        for new, _ in prepared:
            with contextlib.suppress(OSError):
                new.unlink()


def _refuse(root: Path, change: Change) -> None:
    path = root / change.path
    try:
        now: bytes | None = path.read_bytes()
    except FileNotFoundError:
        now = None
    except OSError as problem:
        raise UserError(f"{change.path} cannot be read: {problem.strerror}. Nothing was written.") from None
    if now != change.before:
        raise UserError(f"{change.path} changed while Shoreup worked. Nothing was written; run it again.")
    if now is not None and not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise UserError(f"{change.path} is read-only. Nothing was written; make it writable or leave it out.")
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not os.access(path if now is not None else folder, os.W_OK):
        raise UserError(f"{change.path} cannot be written by you. Nothing was written.")


def _prepare(root: Path, change: Change) -> tuple[Path, Path]:
    target = root / change.path
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _workshop(root, target.parent) / f"{PREFIX}{os.getpid()}-{change.path.replace('/', '-')[-100:]}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(change.after)
            file.flush()
            os.fsync(file.fileno())
        if change.before is not None:
            known = target.stat()
            new.chmod(stat.S_IMODE(known.st_mode))
            with contextlib.suppress(PermissionError):
                os.chown(new, known.st_uid, known.st_gid)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    return new, target


def _workshop(root: Path, folder: Path) -> Path:
    """Where new content is made ready: a folder on the same file system."""
    near = folder
    while not near.exists():
        near = near.parent
    git = next((top / ".git" for top in (root, *root.parents) if (top / ".git").is_dir()), None)
    own = state_folder() / "writing"
    if git is None:
        with contextlib.suppress(OSError):
            own.mkdir(mode=0o700, parents=True, exist_ok=True)
    places = [place for place in (git, own) if place is not None and os.access(place, os.W_OK)]
    return next((place for place in places if place.stat().st_dev == near.stat().st_dev), folder)


def _settle(folder: Path) -> None:
    """See to it that the new names survive a loss of power, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what a killed run left, unless that run is still alive."""
    if not folder.is_dir():
        return
    for left in folder.glob(f"{PREFIX}*"):
        number = left.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdigit() and not _alive(int(number)):
            with contextlib.suppress(OSError):
                left.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
