"""A repository of restic: each stream a snapshot of one file, encrypted and freed of what is there already.

restic writes a snapshot when its input ends well, so a run that is ended before has written none. Its password goes
through a pipe: it stands in no argument, no variable and no file.

Whoever is killed leaves its lock behind. restic knows which of them are of the dead of this machine, or too old, and
takes those away when asked to; others are waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from shutil import which
from tempfile import TemporaryFile
from time import sleep
from typing import IO

import msgspec
from msgspec import Struct

from shoreup.stores.base import PIECE, Entry, NotThere, StoreTrouble, checked

_TAG = "shoreup"
_PASSED_ON = ("AWS_", "AZURE_", "B2_", "GOOGLE_", "OS_", "RCLONE_", "RESTIC_", "ST_", "XDG_")
_NOT_PASSED_ON = frozenset({"RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "RESTIC_REPOSITORY"})
_ALSO_PASSED_ON = frozenset({"HOME", "PATH", "SSH_AUTH_SOCK", "TMPDIR"})
_GRACE = 5.0
"""Seconds for an end that takes its lock away; one that waits for input does not always hear of it."""

_LOCKED = "already locked"
_PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between tries while somebody else holds the repository."""

_SAID = 4096


class _Snapshot(Struct, frozen=True):
    id: str
    time: str
    paths: tuple[str, ...] = ()


class _Held(StoreTrouble):
    """Somebody has locked the repository."""


class Restic:
    """A store in a repository, which ``restic init`` has made."""

    packs = True

    def __init__(self, repository: str, *, secret: Callable[[], str], program: str = "") -> None:
        found = program or which("restic")
        if not found:
            raise StoreTrouble("restic is not installed (Debian: restic)")
        self._program = found
        self._repository = repository
        self._secret = secret

    @property
    def shown(self) -> str:
        """The repository as restic names it, without what is before an ``@``."""
        scheme, _, rest = self._repository.rpartition("@")
        return f"restic:{rest}" if scheme else f"restic:{self._repository}"

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Make a snapshot of a file with this content."""
        self._run(["unlock", "--quiet"])  # a stream is not begun twice
        words = ["backup", "--stdin", f"--stdin-filename={_path(name)}", f"--tag={_TAG}", "--host=shoreup", "--quiet"]
        with self._started(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as (process, said):
            assert process.stdin is not None
            try:
                for piece in pieces:
                    process.stdin.write(piece)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended by itself, and says why
            except BaseException:
                # Before its input ends: an end would be a whole snapshot.
                _end(process)
                raise
            self._well(process, said)

    def get(self, name: str) -> Iterator[bytes]:
        """The file in its newest snapshot."""
        words = ["dump", "--no-lock", f"--tag={_TAG}", f"--path={_path(name)}", "latest", _path(name)]
        with self._started(words, stdout=subprocess.PIPE) as (process, said):
            assert process.stdout is not None
            while piece := process.stdout.read(PIECE):
                yield piece
            self._well(process, said)

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """The names that have a snapshot. restic does not tell how large they are."""
        start = f"/{checked(folder)}/"
        names = [path[1:] for path in self._snapshots() if path.startswith(start) and "/" not in path[len(start) :]]
        return tuple(Entry(name, None) for name in sorted(names))

    def remove(self, name: str) -> None:
        """Forget every snapshot of a name."""
        found = self._snapshots().get(_path(name))
        if found:
            self._run(["forget", *found])

    def tidy(self) -> None:
        """Give back the room of what was forgotten."""
        self._run(["prune"])

    def _snapshots(self) -> dict[str, list[str]]:
        """The ids of snapshots by path, the oldest first."""
        told = self._run(["snapshots", "--no-lock", f"--tag={_TAG}", "--json"])
        try:
            snapshots = msgspec.json.decode(told or b"[]", type=list[_Snapshot])
        except msgspec.MsgspecError as problem:
            raise StoreTrouble(f"{self.shown}: restic told what we do not understand: {problem}") from None
        found: dict[str, list[str]] = {}
        for one in sorted(snapshots, key=lambda snapshot: snapshot.time):
            for path in one.paths:
                found.setdefault(path, []).append(one.id)
        return found

    def _run(self, words: Sequence[str]) -> bytes:
        for pause in _PATIENCE:
            try:
                return self._once(words)
            except _Held:
                self._once(["unlock", "--quiet"])
                sleep(pause)
        return self._once(words)

    def _once(self, words: Sequence[str]) -> bytes:
        with self._started(words, stdout=subprocess.PIPE) as (process, said):
            assert process.stdout is not None
            told = process.stdout.read()
            self._well(process, said)
        return told

    @contextmanager
    def _started(
        self, words: Sequence[str], *, stdin: int = subprocess.DEVNULL, stdout: int
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        password = self._secret()
        if not password:
            raise StoreTrouble(f"{self.shown} needs a password: RESTIC_PASSWORD, or secret-file in [store.NAME]")
        end, start = os.pipe()
        with TemporaryFile() as said:
            try:
                os.write(start, password.encode())
                process = subprocess.Popen(  # noqa: S603 (restic, with words of ours)
                    [self._program, "--repo", self._repository, *words],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=said,
                    env={**_environment(), "RESTIC_PASSWORD_FILE": f"/dev/fd/{end}"},
                    pass_fds=(end,),
                )
            except OSError as problem:
                raise StoreTrouble(f"restic does not start: {problem.strerror}") from None
            finally:
                os.close(start)
                os.close(end)
            try:
                yield process, said
            finally:
                _end(process)

    def _well(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        code = process.wait()
        if not code:
            return
        said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
        lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
        words = next((line for line in lines if line.startswith(("Fatal", "Error"))), lines[0] if lines else "no word")
        if "no snapshot" in words:
            raise NotThere(f"{self.shown}: nothing of that name is there")
        if _LOCKED in words:
            raise _Held(f"{self.shown}: {words[:300]}")
        help_ = ""
        if "config file" in words or "does not exist" in words:
            help_ = "; 'restic init' makes a repository"
        raise StoreTrouble(f"{self.shown}: restic ended with {code}: {words[:300]}{help_}")


def _path(name: str) -> str:
    return f"/{checked(name)}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """See that it has ended, gently at first: then it takes its lock away."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ALSO_PASSED_ON or (name.startswith(_PASSED_ON) and name not in _NOT_PASSED_ON)
    }
