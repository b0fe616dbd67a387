"""Where a copy comes from when it does not lie in a folder of this machine: a repository, or a store.

What a source brings is laid into the scratch folder, and is gone with it. Bringing it is part of the recovery time: on
the day on which the data is lost it has to be brought too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shoreup.drills.restoring.ages import latest
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.repositories import Repository
from shoreup.engines.scratch import Scratch


class Brought(Struct, frozen=True):
    """What came. ``made`` is when the source says that it was made. ``remarks`` are what to say of it, however it
    comes back.
    """

    path: Path
    made: datetime
    limits: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def find(self, inside: str) -> Path:
        """The newest that a pattern names in it; all of it without one. Raises :class:`BrokenCopy`."""
        if not inside:
            return self.path
        found = [one for one in self.path.glob(inside.strip("/")) if not one.is_symlink()]
        if not found:
            raise BrokenCopy(f"there is nothing like {inside} in it")
        return max(found, key=lambda one: one.lstat().st_mtime)


class Source(Protocol):
    """Brings a copy."""

    def bring(self, scratch: Scratch) -> Brought:
        """Bring the newest copy into the scratch folder.

        Raises :class:`~shoreup.engines.base.EngineTrouble` where the source does not give it, and
        :class:`BrokenCopy` where what it gives is none.
        """
        ...


class RepositorySource(Struct, frozen=True):
    """A repository of restic or borg. ``paths`` are what the job copies, where the estate says it."""

    repository: Repository
    paths: tuple[str, ...] = ()

    def bring(self, scratch: Scratch) -> Brought:
        snapshot = self.repository.newest(self.paths)
        target = scratch.make("snapshot")
        left = self.repository.bring(snapshot, target, scratch)
        special = f"{left.special} devices, pipes or sockets, which were not unpacked"
        return Brought(target, snapshot.made, (special,) if left.special else ())


def moments(path: Path) -> list[datetime]:
    """When a copy that lies here was made: as the file system says, and as it says itself."""
    said = latest(path)
    times = [path.stat().st_mtime] if path.is_file() else [one.lstat().st_mtime for one in path.rglob("*")]
    newest = max(times, default=path.stat().st_mtime)
    return [datetime.fromtimestamp(newest, UTC), *([said] if said is not None else [])]


def size_of(path: Path) -> int:
    """The bytes of a copy."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file() and not one.is_symlink()]
    return sum(one.lstat().st_size for one in files)
