"""Where an upgrade keeps things, so that whoever comes after a kill knows how far it went.

Everything lies in one folder beside the data directory, on the same file system: the new cluster while it is made, the
old one afterwards, the backup, and a page of state that is replaced whole. The data directory itself has one name all
the time, and what stands under it changes in one instant: two names are exchanged by the kernel. Where a file system
cannot do that (NFS), two renames follow each other, and the state says what the second one has to be.

What the state does not have to say is read from the disk: the version of a directory stands in it, and whether clients
are let in shows in which of its two access lists is in place.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shoreup.engines.postgresql.inventory import Shape
from shoreup.engines.postgresql.upgrade import Mode

STATE = "state.json"
ACCESS_LISTS = ("pg_hba.conf", "pg_ident.conf")
"""The access lists of a cluster; the one that decides who comes in is first."""
KEPT = ".shoreup"
"""What the name of the owner's access list ends with while ours is in its place."""
_EXCHANGE = 2
_HERE = -100
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV}

Phase = Literal["begun", "prepared", "stopping", "carrying", "carried", "switching", "started", "done", "back"]
"""How far a run went. Each is written before what it names begins, but for ``prepared``, ``carried`` and ``done``."""


class UpgradeState(Struct, frozen=True):
    """One upgrade of one data directory.

    ``source`` and ``target`` are major versions, ``old_programs`` and ``new_programs`` folders. ``backup`` is a base
    backup that was verified, or empty where ``snapshot`` says in the owner's words what stands in for it. ``stopped``
    is when the old server was told to stop, in seconds since 1970. ``catalogue`` is what it held then. ``backed`` is
    when the backup was whole, in the same way.
    """

    run: str
    phase: Phase
    mode: str
    source: int
    target: int
    old_programs: str
    new_programs: str
    superuser: str
    options: str = ""
    log: str = ""
    backup: str = ""
    snapshot: str = ""
    stopped: float = 0.0
    backed: float = 0.0
    catalogue: dict[str, dict[str, str]] = {}
    shape: Shape | None = None

    @property
    def shared(self) -> bool:
        """Whether a server has run, or may have, on files that both clusters share: only a restore goes back."""
        return self.mode == Mode.LINK and self.phase in {"started", "done"}


class UpgradePlace(Struct, frozen=True):
    """The data directory and the folder beside it."""

    data: Path

    @property
    def folder(self) -> Path:
        """The folder beside the data directory."""
        return self.data.parent / f".{self.data.name}.shoreup-upgrade"

    @property
    def new(self) -> Path:
        """The new cluster while it is made."""
        return self.folder / "new"

    @property
    def old(self) -> Path:
        """The old cluster, once the new one has its place."""
        return self.folder / "old"

    @property
    def backup(self) -> Path:
        """The base backup."""
        return self.folder / "backup"

    @property
    def script(self) -> Path:
        """What ``psql`` is to say."""
        return self.folder / "ask.sql"

    def state(self) -> UpgradeState | None:
        """How far an upgrade went; ``None`` where none began."""
        try:
            return msgspec.json.decode((self.folder / STATE).read_bytes(), type=UpgradeState)
        except FileNotFoundError:
            return None

    def write(self, state: UpgradeState) -> UpgradeState:
        """Replace the state, whole and for good."""
        part = self.folder / f"{STATE}.part"
        with part.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / STATE)
        settle(self.folder)
        return state

    def reach(self, state: UpgradeState, phase: Phase) -> UpgradeState:
        """The same upgrade, at another phase."""
        return self.write(replace(state, phase=phase))

    def major(self, folder: Path) -> int:
        """The version of a cluster; 0 where there is none."""
        try:
            return int((folder / "PG_VERSION").read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return 0

    def switched(self, state: UpgradeState) -> bool:
        """Whether the new cluster has the data directory's name."""
        return self.major(self.data) == state.target

    def opened(self, state: UpgradeState) -> bool:
        """Whether the new cluster lets clients in: from then on nothing may be taken back without a word."""
        return self.switched(state) and not (self.data / f"{ACCESS_LISTS[0]}{KEPT}").exists()


def bring(place: UpgradePlace, state: UpgradeState, version: int) -> None:
    """Let the cluster of this version be the data directory, and the other lie beside. Done twice it is done once.

    A kill leaves either the one or the other under the name; without the kernel's help, for an instant nothing.
    """
    data = place.data
    if place.major(data) != version:
        coming = next((one for one in (place.new, place.old) if place.major(one) == version), None)
        if coming is None:
            raise FileNotFoundError(errno.ENOENT, f"no cluster of version {version} lies in", str(place.folder))
        if data.exists() and not _exchanged(data, coming):
            data.rename(place.new if place.major(data) == state.target else place.old)
        if not data.exists():
            coming.rename(data)
        settle(data.parent)
    for one, other, right in ((place.new, place.old, state.source), (place.old, place.new, state.target)):
        if place.major(one) == right and not other.exists():
            one.rename(other)
    settle(place.folder)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names at once; ``False`` where kernel or file system cannot."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    if function(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one))


def settle(folder: Path) -> None:
    """See that what a folder lists survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(folder: Path) -> None:
    """Remove a directory tree that may be half there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
