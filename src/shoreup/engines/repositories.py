"""Repositories of restic and borg: the newest snapshot, taken out as a tar.

Their own restore commands write whatever a snapshot holds, also devices and links that lead anywhere, as whoever runs
them. So a snapshot is asked for as one stream and unpacked as a stranger's archive is. The password goes into the
variable that the tool reads, and nowhere else; a repository is not written to, not even to lock it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from shoreup.engines.archives import Left, unpack_tar
from shoreup.engines.base import EngineTrouble
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch

_T = TypeVar("_T")
_PIECE = 1 << 20
_PATIENCE = 600.0
_QUOTED = 300
_HANDED_ON = ("AWS_", "B2_", "AZURE_", "GOOGLE_", "ST_", "OS_", "RCLONE_", "SSH_AUTH_SOCK", "BORG_RSH", "HOME")
"""What lets the tools into a store is in variables that they read themselves."""


class Snapshot(Struct, frozen=True):
    """One run of a job. ``paths`` are what it copied, where the tool keeps that."""

    id: str
    made: datetime
    paths: tuple[str, ...] = ()


class Repository(Struct, frozen=True):
    """A repository. ``secret`` looks its password up, when it is needed; ``""`` is none."""

    tool: str
    at: str
    secret: Callable[[], str]

    def newest(self, paths: tuple[str, ...] = ()) -> Snapshot:
        """The newest snapshot, of those that hold ``paths`` where some do.

        Raises :class:`EngineTrouble` where the tool does not say, :class:`BrokenCopy` where there is none.
        """
        words = _TOOLS[self.tool]
        found = words.snapshots(self._asked(words.listing))
        if not found:
            raise BrokenCopy(f"there is no snapshot in the {self.tool} repository")
        fitting = [one for one in found if set(paths) <= set(one.paths)]
        return max(fitting or found, key=lambda one: one.made)

    def bring(self, snapshot: Snapshot, target: Path, scratch: Scratch) -> Left:
        """Unpack a snapshot into ``target``. Raises as :meth:`newest`, and :class:`BrokenCopy` for a damaged one."""
        known = _TOOLS[self.tool]
        words = [one.format(id=snapshot.id) for one in known.taking]
        if known.walking:
            try:
                self._asked(tuple(one.format(id=snapshot.id) for one in known.walking))
            except EngineTrouble as trouble:
                raise BrokenCopy(f"the snapshot is not whole: {trouble}") from None
        with scratch.folder.joinpath("said").open("w+b") as said:
            process = subprocess.Popen(  # noqa: S603 (words of the table below, and an id that the tool gave)
                [self._program(), *words],
                env=self._environment(scratch.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )
            assert process.stdout is not None
            try:
                left = unpack_tar(_pieces(process.stdout), target, scratch)
                if process.wait() != 0:
                    raise BrokenCopy(f"{self.tool} does not give it whole: {self._told(said.name)}")
                return left
            except BrokenCopy:
                if process.poll() not in (None, 0):
                    raise BrokenCopy(f"{self.tool} does not give it whole: {self._told(said.name)}") from None
                raise
            finally:
                process.kill()
                process.stdout.close()
                process.wait()

    def _asked(self, words: tuple[str, ...]) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 (words of the table below)
                [self._program(), *words],
                env=self._environment(None),
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise EngineTrouble(f"{self.tool} did not answer within {_PATIENCE:g} s") from None
        if done.returncode != 0:
            raise EngineTrouble(f"{self.tool} does not open it: {self._masked(done.stderr)}")
        return done.stdout

    def _program(self) -> str:
        program = which(self.tool)
        if program is None:
            raise EngineTrouble(f"{self.tool} is not installed; install {_TOOLS[self.tool].debian} (Debian)")
        return program

    def _environment(self, base: Path | None) -> Mapping[str, str]:
        words = _TOOLS[self.tool]
        handed_on = {key: value for key, value in os.environ.items() if key.startswith(_HANDED_ON)}
        own = {words.place: self.at, words.password: self.secret(), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        return {**handed_on, **own, **words.environment, **({"TMPDIR": str(base)} if base is not None else {})}

    def _told(self, said: str) -> str:
        return self._masked(Path(said).read_bytes())

    def _masked(self, words: bytes) -> str:
        """What a tool complained of, without what let it in."""
        lines = words.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        last = next((line for line in lines if "Fatal" in line or "rror" in line), lines[-1])
        for secret in (self.secret(), self.at):
            last = last.replace(secret, "***") if secret else last
        return last[:_QUOTED]


def kind_of(path: Path) -> str:
    """The tool whose repository a folder is, by its content; empty for none."""
    if (path / "keys").is_dir() and (path / "snapshots").is_dir():
        return "restic"
    return "borg" if (path / "data").is_dir() and (path / "config").is_file() and (path / "nonce").exists() else ""


class _Restic(Struct):
    id: str
    time: datetime
    paths: tuple[str, ...] = ()


class _BorgArchive(Struct):
    archive: str
    time: str


class _Borg(Struct):
    archives: tuple[_BorgArchive, ...]


class _Words(Struct, frozen=True):
    """How one tool is spoken to."""

    place: str
    password: str
    debian: str
    listing: tuple[str, ...]
    taking: tuple[str, ...]
    snapshots: Callable[[bytes], list[Snapshot]]
    environment: Mapping[str, str] = {}
    walking: tuple[str, ...] = ()
    """Goes through a whole snapshot first, where taking it out would pass over folders that cannot be read."""


def _of_restic(told: bytes) -> list[Snapshot]:
    return [Snapshot(one.id, one.time, one.paths) for one in _decoded(told, tuple[_Restic, ...])]


def _of_borg(told: bytes) -> list[Snapshot]:
    # Borg tells the time of this machine.
    archives = _decoded(told, _Borg).archives
    return [Snapshot(one.archive, datetime.fromisoformat(one.time).astimezone(UTC)) for one in archives]


_TOOLS: Mapping[str, _Words] = {
    "restic": _Words(
        place="RESTIC_REPOSITORY",
        password="RESTIC_PASSWORD",  # noqa: S106 (a variable's name)
        debian="restic",
        listing=("--no-lock", "--no-cache", "--quiet", "snapshots", "--json"),
        taking=("--no-lock", "--no-cache", "--quiet", "dump", "--archive", "tar", "{id}", "/"),
        snapshots=_of_restic,
        walking=("--no-lock", "--no-cache", "--quiet", "stats", "--mode", "restore-size", "{id}"),
    ),
    "borg": _Words(
        place="BORG_REPO",
        password="BORG_PASSPHRASE",  # noqa: S106 (a variable's name)
        debian="borgbackup",
        listing=("--bypass-lock", "list", "--json", "--last", "200"),
        taking=("--bypass-lock", "export-tar", "::{id}", "-"),
        snapshots=_of_borg,
        environment={
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
            "BORG_EXIT_CODES": "legacy",
        },
    ),
}

TOOLS = frozenset(_TOOLS)
"""The tools whose repositories can be opened."""


def _decoded(told: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(told, type=kind)
    except msgspec.MsgspecError as problem:
        raise EngineTrouble(f"the list of snapshots cannot be read: {str(problem)[:_QUOTED]}") from None


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece
