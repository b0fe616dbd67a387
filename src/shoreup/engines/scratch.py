"""The folder that one experiment lies in: private, watched, and gone afterwards.

Everything that an engine writes lies in one folder that nobody but the engine's user can enter. The folder is on
record before it exists, with the run that it belongs to, so that the next start can clear away what a run left that
was killed together with its keeper (or by a power cut).
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from types import TracebackType
from typing import BinaryIO

from msgspec import Struct

from shoreup.engines import keeper
from shoreup.ledger.location import state_folder

LONGEST_BASE = 60
"""Characters of a folder in which a socket's whole path still fits: the kernel takes 107 bytes."""
_PIECE = 1 << 20
_LONG_AGO = 3600.0
"""Seconds after which nobody is still writing a record."""
_GROUPS = (1 << 30, (1 << 30) + (1 << 24))
"""Numbers of groups that no system gives to anyone: each scratch folder has one of its own."""


class Limits(Struct, frozen=True):
    """What the processes of one scratch folder may use together. Zero is no limit."""

    memory: int = 4 << 30
    """Bytes."""
    room: int = 64 << 30
    """Bytes on disk."""
    seconds: float = 6 * 3600


class Person(Struct, frozen=True):
    """Who runs the programs of an experiment: not root, also when root asks.

    ``group`` is the folder's own number, which keeps others of the same user out. Both are ``None`` where the
    programs run as whoever runs Shoreup.
    """

    user: int | None
    group: int | None


class Scratch:
    """A scratch folder; use it in a ``with``.

    ``folder`` is where the engines' user may write. ``person`` is that user. ``trouble()`` says why the folder's
    processes were ended early, ``""`` if they were not.
    """

    def __init__(self, limits: Limits | None = None, base: Path | None = None) -> None:
        self._limits = limits or Limits()
        self._base = base
        self._keeper: subprocess.Popen[bytes] | None = None
        self._processes: dict[int, str] = {}
        self._removals: list[list[str]] = []
        self._written = 0
        self.folder = Path()
        self.person = Person(None, None)
        self._record = Path()

    def __enter__(self) -> Scratch:
        records = _records()
        records.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep()
        self.person = _person()
        name = f"{keeper.PREFIX}{secrets.token_hex(4)}"
        self.folder = _base(self._base, self.person) / name
        self._record = records / f"{name}.json"
        self._write_record()
        self.folder.mkdir(mode=0o700)
        if self.person.user is not None and self.person.group is not None:
            # Only who is in the folder's own group can pass, and nobody is but our own programs.
            os.chown(self.folder, 0, self.person.group)
            self.folder.chmod(0o710)
            inside = self.folder / "in"
            inside.mkdir(mode=0o700)
            os.chown(inside, self.person.user, self.person.group)
        self._watch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watcher = self._keeper
        if watcher is None or watcher.stdin is None:
            return
        watcher.stdin.close()
        watcher.wait()
        if self.folder.exists():
            # The keeper itself was killed.
            keeper.remove_containers(self._record)
            keeper.end(self.folder, self._processes)
            keeper.remove(self.folder)
        self._record.unlink(missing_ok=True)

    @property
    def room(self) -> Path:
        """The folder that belongs to the engines' user."""
        inside = self.folder / "in"
        return inside if self.person.user is not None else self.folder

    def make(self, name: str) -> Path:
        """A new folder for the engines' user, which nobody else can enter. ``name`` may have several parts."""
        made = self.room
        for part in name.split("/"):
            made = made / part
            if not made.exists():
                made.mkdir(mode=0o700)
                self.give(made)
        return made

    def give(self, path: Path) -> Path:
        """Let a file or folder belong to the engines' user."""
        if self.person.user is not None and self.person.group is not None:
            os.chown(path, self.person.user, self.person.group, follow_symlinks=False)
        return path

    def write(self, name: str, text: str) -> Path:
        """A file that only the engines' user (and we) can read."""
        path = self.room / name
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)
        return self.give(path)

    def within(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, while the folder's room lasts: what we write ourselves, the keeper cannot end.

        Raises :class:`OSError`, and :meth:`trouble` says why.
        """
        for piece in pieces:
            self._written += len(piece)
            if self._limits.room and self._written > self._limits.room:
                why = f"it needs more than the {self._limits.room >> 20} MiB of disk that it was given"
                (self.folder / keeper.REASON).write_text(why, encoding="utf-8")
            if (self.folder / keeper.REASON).exists():
                raise OSError(errno.EDQUOT, self.trouble())
            yield piece

    def keep(self, place: Path, pieces: Iterable[bytes]) -> Path:
        """Write pieces into a new file that belongs to the engines' user. Raises :class:`OSError`."""
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.writelines(self.within(pieces))
        return self.give(place)

    def keep_with_holes(self, place: Path, pieces: Iterable[bytes]) -> Path:
        """The same for what is nothing but zeros over long stretches: they take no room."""
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "wb") as file:
            for piece in pieces:
                if piece.count(0) == len(piece):
                    file.seek(len(piece), os.SEEK_CUR)
                else:
                    file.writelines(self.within([piece]))
            file.truncate()
        return self.give(place)

    def keep_tree(self, source: Path, place: Path) -> Path:
        """Copy a folder. Links are copied and not followed, what is neither file, folder nor link is left out."""
        place.mkdir(mode=0o700)
        self.give(place)
        with os.scandir(source) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                target = place / entry.name
                if entry.is_symlink():
                    target.symlink_to(Path(entry.path).readlink())
                    self.give(target)
                elif entry.is_dir(follow_symlinks=False):
                    self.keep_tree(Path(entry.path), target)
                    target.chmod((entry.stat(follow_symlinks=False).st_mode & 0o777) | 0o700)
                elif entry.is_file(follow_symlinks=False):
                    with Path(entry.path).open("rb") as file:
                        self.keep(target, _pieces(file))
                    target.chmod((entry.stat(follow_symlinks=False).st_mode & 0o777) | 0o600)
        return place

    def note(self, pid: int) -> None:
        """Put a process on record, so that it can be ended where working directories cannot be seen."""
        self._processes[pid] = keeper.birth(pid)
        self._write_record()

    def note_removal(self, command: list[str]) -> None:
        """Put on record how a container of the folder is removed, before it is there."""
        self._removals.append(command)
        self._write_record()

    def forget_removal(self, command: list[str]) -> None:
        """Take it off the record: that container is gone."""
        self._removals.remove(command)

    def trouble(self) -> str:
        """Why the processes were ended early: a limit that they passed; ``""`` if they were not."""
        try:
            return (self.folder / keeper.REASON).read_text(encoding="utf-8")
        except OSError:
            return ""

    def processes(self) -> tuple[int, ...]:
        """Every process that works in the folder."""
        return keeper.working_in(self.folder) or tuple(self._processes)

    def _watch(self) -> None:
        limits = self._limits
        words = [str(limits.memory), str(limits.room), str(limits.seconds)]
        self._keeper = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-I", "-S", keeper.__file__, str(self.folder), str(self._record), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _write_record(self) -> None:
        told = {
            "folder": str(self.folder),
            "run": os.getpid(),
            "born": keeper.birth(os.getpid()),
            "processes": {str(pid): born for pid, born in self._processes.items()},
            "removals": self._removals,
        }
        beside = self._record.with_suffix(".new")
        beside.write_text(json.dumps(told), encoding="utf-8")
        beside.replace(self._record)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def sweep() -> tuple[Path, ...]:
    """Clear away what killed runs left behind; the folders that were removed."""
    swept: list[Path] = []
    for unfinished in _records().glob("*.new"):
        with suppress(OSError):
            if time() - unfinished.stat().st_mtime > _LONG_AGO:
                unfinished.unlink()
    for record in sorted(_records().glob("*.json")):
        try:
            told = json.loads(record.read_bytes())
            folder, run, born = Path(str(told["folder"])), int(told["run"]), str(told["born"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another run is just writing or removing it
        if keeper.birth(run) == born:
            continue
        if folder.name != record.stem or not folder.is_absolute() or not folder.name.startswith(keeper.PREFIX):
            record.unlink(missing_ok=True)
            continue
        keeper.remove_containers(record)
        if not keeper.end(folder, keeper.recorded(record)):
            continue
        was_there = folder.exists()
        keeper.remove(folder)
        if not folder.exists():
            record.unlink(missing_ok=True)
            swept += [folder] if was_there else []
    return tuple(swept)


def _records() -> Path:
    return state_folder() / "scratch"


def _person() -> Person:
    """Who runs an engine. A user who owns nothing: were it the system's ``postgres``, a dump that breaks out would
    reach the machine's own databases.
    """
    if os.geteuid() != 0:
        return Person(None, None)
    import pwd

    try:
        user = pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise OSError("this machine has no user 'nobody' to run engines as; run Shoreup as a user of its own") from None
    low, high = _GROUPS
    return Person(user, low + secrets.randbelow(high - low))


def _base(asked: Path | None, person: Person) -> Path:
    """Where a scratch folder can lie: short enough for sockets, and reachable for the engines' user."""
    usual = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/tmp")]  # noqa: S108 (what is made there is private)
    candidates = usual if asked is None else [asked]
    fits: list[Callable[[Path], bool]] = [
        lambda path: path.is_dir() and os.access(path, os.W_OK),
        lambda path: len(os.fsencode(path)) <= LONGEST_BASE,
        lambda path: person.user is None or reachable(path),
    ]
    for candidate in candidates:
        whole = candidate.resolve()
        if all(fit(whole) for fit in fits):
            return whole
    named = ", ".join(str(path) for path in candidates)
    raise OSError(f"no folder for scratch data: {named} must be writable, open to other users, and a short path")


def reachable(path: Path) -> bool:
    """Whether a user without rights of his own can come to a path and read there."""
    for step in (path, *path.parents):
        try:
            mode = step.stat().st_mode
        except OSError:
            return False
        if not mode & 0o001 and (step != path or step.is_dir()):
            return False
    return bool(path.stat().st_mode & 0o004) or path.is_dir()
