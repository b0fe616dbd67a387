"""How the programs of an experiment run: as nobody, without a network, without a shell, and not for ever.

A dump is a program in the language of its engine, and a stranger may have written it. So everything that reads one
runs as a user who owns nothing, with no privilege that it could gain back, in namespaces of its own: no network but
sockets in the scratch folder, no other process in sight, and ``/bin/sh`` hidden, which is what ``COPY ... PROGRAM``,
``archive_command``, ``\\!`` and their kin would start. Where the machine grants no namespaces, the fences that are
missing are named, so that a proof can say so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from shutil import which
from threading import Thread
from time import monotonic
from typing import BinaryIO

from msgspec import Struct

from shoreup.engines.containers import Container, command_in, first_process, people, removal
from shoreup.engines.keeper import parent_of
from shoreup.engines.scratch import Scratch

_AS_ROOT = ("--mount", "--net", "--pid", "--fork", "--kill-child=KILL")
_AS_A_USER = ("--user", "--map-current-user", "--keep-caps", *_AS_ROOT)
_HIDE_SHELL = 'mount --bind /dev/null "$(readlink -f /bin/sh)" && exec "$@"'
_DROP = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
_NETWORK = (
    "this machine grants no namespace of its own to an engine, so nothing but its settings kept it off the network"
)
_SHELLS = "the machine's shells were in the engine's reach"
_QUOTED = 2000
"""Characters of a program's last words that are kept."""


class Fences(Struct, frozen=True):
    """What separates an experiment's programs from the machine. ``missing`` says in words what does not."""

    before: tuple[str, ...]
    """What a command begins with."""
    hides_shell: bool
    missing: tuple[str, ...] = ()


class Finished(Struct, frozen=True):
    """A program that ended by itself or was ended. ``seconds`` is how long it ran.

    ``said`` is the end of what it wrote to standard error. ``output`` is its standard output where that was kept.
    """

    program: str
    code: int
    said: str
    seconds: float
    output: bytes = b""
    late: bool = False

    @property
    def well(self) -> bool:
        """Whether it says of itself that it succeeded; some programs say so of half a piece of work."""
        return self.code == 0 and not self.late


@cache
def fences() -> Fences:
    """The fences that this machine grants to whoever runs Shoreup."""
    unshare, setpriv = which("unshare"), which("setpriv")
    if unshare is not None and setpriv is not None:
        options = _AS_ROOT if os.geteuid() == 0 else _AS_A_USER
        before = (unshare, *options, "--", "/bin/sh", "-c", _HIDE_SHELL, "-")
        if _works((*before, setpriv, *_DROP, "--", *_true())):
            return Fences(before, hides_shell=True)
        bare = (unshare, *(one for one in options if one not in {"--mount", "--keep-caps"}), "--")
        if _works((*bare, setpriv, *_DROP, "--", *_true())):
            return Fences(bare, hides_shell=False, missing=(_SHELLS,))
    return Fences((), False, (_NETWORK, _SHELLS))


def _true() -> tuple[str, ...]:
    return (which("true") or "/bin/true",)


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: S603 (fixed commands)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class Jail:
    """Runs programs in a scratch folder, as its person: behind the machine's fences, or in a container."""

    def __init__(self, scratch: Scratch, container: Container | None = None) -> None:
        self.scratch = scratch
        self.container = container
        self.fences = fences() if container is None else Fences((), hides_shell=True)
        self._names: dict[int, str] = {}
        if container is not None:
            people_file = scratch.folder / "people"
            people_file.write_text(people(*self._user()), encoding="utf-8")

    def main_of(self, process: subprocess.Popen[bytes]) -> int:
        """The number of the program itself, which fences or a container may have started for us."""
        if self.container is not None:
            return first_process(self.container, self._names.get(process.pid, "")) or process.pid
        if not self.fences.before:
            return process.pid
        children = [pid for pid in self.scratch.processes() if parent_of(pid) == process.pid]
        return children[0] if children else process.pid

    def _start(
        self,
        argv: Sequence[str | Path],
        environment: Mapping[str, str] | None,
        *,
        with_shell: bool,
        stdin: BinaryIO | int,
        stdout: BinaryIO | int,
        stderr: BinaryIO | int,
    ) -> subprocess.Popen[bytes]:
        given = self.environment(environment)
        name = f"{self.scratch.folder.name}-{os.urandom(3).hex()}"
        if self.container is None:
            command, outside = self.command(argv, with_shell=with_shell), given
        else:
            command, outside = self._contained(argv, given, name, with_shell=with_shell), dict(os.environ)
            self.scratch.note_removal(removal(self.container, name))
        process = subprocess.Popen(  # noqa: S603 (what the engine's file says)
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.scratch.room if self.container is None else "/",
            env=outside,
            start_new_session=True,
        )
        self._names[process.pid] = name
        return process

    def _contained(
        self, argv: Sequence[str | Path], given: Mapping[str, str], name: str, *, with_shell: bool
    ) -> list[str]:
        assert self.container is not None
        return command_in(
            self.container,
            [str(one) for one in argv],
            name=name,
            folder=self.scratch.folder,
            work=self.scratch.room,
            user=self._user(),
            environment=given,
            hide_shell=not with_shell,
        )

    def _user(self) -> tuple[int, int]:
        person = self.scratch.person
        return (
            os.geteuid() if person.user is None else person.user,
            os.getegid() if person.group is None else person.group,
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        if self.container is not None:
            name = self._names.get(process.pid, "")
            subprocess.run(  # noqa: S603 (podman or docker, with words of ours)
                removal(self.container, name), capture_output=True, check=False, timeout=60
            )

    def command(self, argv: Sequence[str | Path], *, with_shell: bool = False) -> list[str]:
        """The whole command that runs ``argv`` behind fences. With ``with_shell`` it may start shells."""
        words = [str(one) for one in argv]
        user, group = self.scratch.person.user, self.scratch.person.group
        setpriv = which("setpriv")
        drop: list[str] = []
        if setpriv is not None:
            drop = [setpriv, *_DROP]
            if user is not None and group is not None:
                drop += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
            elif not self.fences.before:
                drop = [setpriv, "--no-new-privs"]
            if self.fences.before:
                # The kernel forgets this when the user changes, so unshare's own --kill-child does not last.
                drop.append("--pdeathsig=KILL")
            drop.append("--")
        elif user is not None:
            raise OSError("to run an engine as another user than root, setpriv (util-linux) is needed")
        before = list(self.fences.before)
        if with_shell and self.fences.hides_shell:
            before = before[: before.index("--") + 1]
        return [*before, *drop, *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The few variables that a program gets; nothing is handed on from whoever runs Shoreup."""
        home = str(self.scratch.room)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": home,
            "TMPDIR": home,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            **(more or {}),
        }

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        seconds: float,
        source: BinaryIO | int | None = None,
        feed: Iterable[bytes] | None = None,
        target: BinaryIO | int | None = None,
        environment: Mapping[str, str] | None = None,
        with_shell: bool = False,
    ) -> Finished:
        """Run a program to its end, at most ``seconds``.

        ``source`` or ``feed`` is its input, ``target`` takes its output; without, the output is kept. What making
        ``feed`` raises is raised here, after the program has ended.
        """
        if feed is not None:
            with Pump(feed) as pump:
                return self.run(
                    argv,
                    seconds=seconds,
                    source=pump.end,
                    target=target,
                    environment=environment,
                    with_shell=with_shell,
                )
        began = monotonic()
        words_file = self.scratch.folder / f"said-{os.urandom(4).hex()}"
        with words_file.open("w+b") as words:
            process = self._start(
                argv,
                environment,
                with_shell=with_shell,
                stdin=subprocess.DEVNULL if source is None else source,
                stdout=subprocess.PIPE if target is None else target,
                stderr=words,
            )
            late = False
            output = b""
            try:
                output = process.communicate(timeout=seconds)[0] or b""
            except subprocess.TimeoutExpired:
                late = True
            finally:
                if process.poll() is None:
                    self._end(process)
                    output = process.communicate()[0] or b""
            said = _end_of(words)
        if self.container is not None:
            self.scratch.forget_removal(removal(self.container, self._names.pop(process.pid)))
        words_file.unlink(missing_ok=True)
        return Finished(
            program=Path(argv[0]).name,
            code=process.returncode,
            said=said,
            seconds=monotonic() - began,
            output=output,
            late=late,
        )

    def spawn(
        self, argv: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a server that writes to ``log`` and runs until it is ended."""
        with log.open("ab") as words:
            process = self._start(
                argv, environment, with_shell=False, stdin=subprocess.DEVNULL, stdout=words, stderr=words
            )
        self.scratch.note(process.pid)
        return process


class Pump:
    """Puts what is made piece by piece into a pipe, while somebody reads its ``end``."""

    def __init__(self, feed: Iterable[bytes]) -> None:
        self._feed = feed
        self.end, self._start = os.pipe()
        self._thread = Thread(target=self._work, daemon=True)
        self._trouble: Exception | None = None

    def __enter__(self) -> Pump:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        os.close(self.end)  # a writer that nobody reads is told so, and stops
        self._thread.join()
        if self._trouble is not None and kind is None:
            raise self._trouble

    def _work(self) -> None:
        try:
            with os.fdopen(self._start, "wb", buffering=0) as pipe:
                for piece in self._feed:
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[pipe.write(rest) or 0 :]
        except BrokenPipeError:
            pass  # the program ended early, and its own words say why
        except Exception as trouble:
            self._trouble = trouble


def _end_of(words: BinaryIO) -> str:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - _QUOTED * 4))
    return words.read().decode("utf-8", "replace").strip()[-_QUOTED:]
