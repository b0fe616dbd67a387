"""A product's own programs, run for a backup: what they write as a stream, and their last words where they fail.

They are the owner's programs on the owner's data, so they run as whoever runs Shoreup, with few variables and nothing
secret among their arguments.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from time import sleep
from typing import IO

from shoreup.engines.catalogue import Version, catalogue, numbers
from shoreup.engines.providers import installed
from shoreup.operations.backup.shelf import BackupTrouble

_SAID = 1 << 16
"""Bytes of a tool's last words that are looked at."""
_ROOM = 1 << 20
"""Bytes that a pipe is to hold."""
_AT_ONCE = 1 << 18
"""Bytes that are read at a time: they are still in the processor's cache, and room for them costs little."""
_A_MOMENT = 0.002
"""Seconds in which a program may write on. Whoever reads each few kilobytes as they come wakes a hundred thousand times
for a gigabyte, and takes the processor from who writes."""
_TELLING = re.compile(r"error|fatal|denied|cannot|failed|refused", re.IGNORECASE)
_HIDDEN = ("DETAIL", "CONTEXT", "Command was", "STATEMENT")


class Output:
    """What a program writes."""

    def __init__(self, program: str, process: subprocess.Popen[bytes], said: IO[bytes], fine: frozenset[int]) -> None:
        assert process.stdout is not None
        self._program, self._process, self._said, self._fine = program, process, said, fine
        self._stdout = process.stdout
        self._roomy = _widened(self._stdout.fileno())

    def began(self, seconds: float) -> bool:
        """Whether its first bytes (or its end) come within so many seconds."""
        return bool(select.select([self._stdout], [], [], seconds)[0])

    def pieces(self) -> Iterator[bytes]:
        """Everything. Raises :class:`BackupTrouble` at the end where the program ended badly."""
        while piece := os.read(self._stdout.fileno(), _AT_ONCE):
            yield piece
            if self._roomy and len(piece) < _AT_ONCE >> 1:
                sleep(_A_MOMENT)
        self.well()

    def well(self) -> None:
        """See that it ended well. Raises :class:`BackupTrouble`."""
        code = self._process.wait()
        if code not in self._fine:
            self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _SAID))
            words = telling(self._said.read().decode("utf-8", "replace"))
            raise BackupTrouble(f"{self._program} ended with {code}: {words}")


@contextmanager
def output_of(
    argv: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    source: IO[bytes] | int | None = None,
    fine: frozenset[int] = frozenset({0}),
) -> Iterator[Output]:
    """Run a program in ``folder``, with ``source`` as its input; one that is not waited for is ended.

    Raises :class:`BackupTrouble` where it does not start.
    """
    program = Path(argv[0]).name
    words = folder / f"{program}.words"
    with words.open("w+b") as said:
        try:
            process = subprocess.Popen(  # noqa: S603 (a product's own program, with words of ours)
                [str(one) for one in argv],
                stdin=subprocess.DEVNULL if source is None else source,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**_plain(folder), **environment},
                cwd=folder,
            )
        except OSError as problem:
            raise BackupTrouble(f"{program} does not start: {problem.strerror}") from None
        try:
            yield Output(program, process, said, fine)
        finally:
            process.kill()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
            words.unlink(missing_ok=True)


def run(
    argv: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    source: IO[bytes] | int | None = None,
) -> None:
    """Run a program to its end and leave what it writes. Raises :class:`BackupTrouble` where it ends badly."""
    with output_of(argv, environment, folder, source=source) as output:
        for _ in output.pieces():
            pass


class Tool:
    """A program, and the version that it is of."""

    def __init__(self, path: Path, version: Version) -> None:
        self.path = path
        self.version = version


def tools(product: str, name: str) -> tuple[Tool, ...]:
    """Every program of that name that this machine has for a product: beside its servers, or in the search path."""
    found = [Tool(one.program(name), one.version) for one in installed(product) if _has(one.folder, name)]
    alone = which(name)
    if alone is not None and not any(one.path == Path(alone) for one in found):
        found.append(Tool(Path(alone), _version(alone)))
    return tuple(found)


def dump_program(product: str) -> str:
    """What the program is called that dumps a product."""
    entry = catalogue().product(product)
    return entry.tools["dump"] if entry is not None else ""


def telling(said: str) -> str:
    """The line of a program's words that says what went wrong, without details, which may hold what is in a row."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if not any(word in line for word in _HIDDEN)]
    return next(
        (line[:300] for line in lines if _TELLING.search(line)), lines[-1][:300] if lines else "it said nothing"
    )


def private_file(folder: Path, name: str, text: str) -> Path:
    """A file that only we can read, in the run's folder; written anew where it is there."""
    path = folder / name
    path.unlink(missing_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _has(folder: Path, name: str) -> bool:
    return (folder / name).exists() or which(name) is not None


def _version(program: str) -> Version:
    try:
        done = subprocess.run(  # noqa: S603 (a program of the search path, asked for its version)
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\d+\.[\d.]+", done.stdout)
    return numbers(found.group()) if found else ()


def _widened(pipe: int) -> bool:
    """Make a pipe hold more. A system may not know that, or allow it to few."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM) >= _ROOM
    return False


def _plain(folder: Path) -> dict[str, str]:
    """The few variables that a tool gets; nothing is handed on from whoever runs Shoreup."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
