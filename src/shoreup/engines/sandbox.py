"""Where a program of a stranger's repository is run: a machine of its own that holds made-up files and nothing else.

The programs of an estate are run nowhere but here. The sandbox has namespaces of its own for users, files, processes,
network, names and messages. Its files are made in memory and gone afterwards: of this machine it sees the libraries and
commands below ``/usr``, read-only, and nothing that is anybody's. There is no network, not even a loopback that is up,
no privilege and no way to a new one, and there are limits on room, processes, open files, memory and time.

One sandbox runs many programs one after the other, which is what makes 400 simulated days affordable: its first process
waits for the name of the next one, runs it, ends whatever that has left running, and says how it ended. It is process 1
of its namespace, which no signal from inside can end. In between the files are looked at and aged from outside, by
paths that follow no link.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from time import monotonic
from types import TracebackType

from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.inside import Inside
from shoreup.engines.keeper import birth, parent_of
from shoreup.engines.sandbox_ground import JOBS, PATH, PATIENCE, STATE, Ground, sandboxing, setup
from shoreup.engines.scratch import Scratch
from shoreup.engines.userlands import Userland

_BEAT = 0.2
_PATIENCE_AT_END = 5.0
_QUOTED = 2000
_DRIVER = f"""exec 3>&1 >/dev/null 2>&1
echo ready >&3
while read -r step; do
  ( . "{JOBS}/$step" ) </dev/null >{STATE}/said 2>&1 3>&-
  code=$?
  kill -KILL -1
  echo "$code" >&3
done
"""


class Step(Struct, frozen=True):
    """A program to run: its words, its whole environment and the folder that it starts in.

    ``program`` is one of the layout's shell, which a fork of the first process then runs as it is, instead of starting
    ``words``: a shell is among the dearest things to start.
    """

    words: tuple[str, ...]
    environment: Mapping[str, str] = {}
    folder: str = "/"
    program: str = ""


class Layout(Struct, frozen=True):
    """What a sandbox holds.

    ``programs`` are texts of programs by name, beside the commands of the userland or instead of them. ``files`` are
    texts by absolute path, ``folders`` are empty, ``links`` lead to other paths of the sandbox; those under
    :data:`~shoreup.engines.sandbox_ground.VOLUMES` lie on a volume. ``shell`` is the first process,
    and ``driver`` its program, where it is another one than runs the steps in forks of a shell.
    """

    userland: Userland
    steps: Mapping[str, Step]
    programs: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    folders: tuple[str, ...] = ()
    links: Mapping[str, str] = {}
    ground: Ground = Ground()
    shell: str = "/bin/sh"
    driver: str = _DRIVER


class Ended(Struct, frozen=True):
    """How a program ended: its exit code, and the end of what it wrote."""

    code: int
    said: str


class Sandbox:
    """Runs the steps of a layout, any number of times; use it in a ``with``.

    Raises :class:`EngineTrouble` where this machine grants no sandbox, and where a step passes a limit, after which
    nothing of it runs any more.
    """

    def __init__(self, scratch: Scratch, layout: Layout) -> None:
        self._scratch = scratch
        self._layout = layout
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0
        self._root = -1

    def __enter__(self) -> Sandbox:
        way = sandboxing()
        if way.missing:
            raise EngineTrouble(way.missing)
        seed = self._scratch.make(f"seed-{os.urandom(4).hex()}")
        self._furnish(seed)
        log = self._scratch.folder / f"{seed.name}.log"
        with log.open("wb") as words:
            process = subprocess.Popen(  # noqa: S603 (fixed commands; what comes from the estate is quoted)
                [*way.before(self._scratch), setup(seed, self._layout.ground, way, self._layout.shell)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                cwd=self._scratch.room,
                env={"PATH": PATH},
                start_new_session=True,
            )
        self._process = process
        self._scratch.note(process.pid)
        if self._answer(PATIENCE) != "ready":
            self._end()
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise EngineTrouble(f"the sandbox could not be made: {said[-1] if said else 'no word'}")
        self._first = _child_of(process.pid)
        self._root = os.open(f"/proc/{self._first}/root", os.O_PATH | os.O_DIRECTORY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def inside(self, path: str) -> Inside:
        """A folder of the sandbox, seen from outside. It is valid as long as the sandbox is."""
        return Inside(self._root, path)

    def run(self, step: str, seconds: float) -> Ended:
        """Run one of the layout's steps to its end, and end what it leaves running."""
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(f"{step}\n".encode())
            self._process.stdin.flush()
        except OSError:
            raise EngineTrouble("the sandbox has ended before its program began") from None
        answer = self._answer(seconds)
        if not answer.isdecimal():
            self._end()
            raise EngineTrouble(answer)
        return Ended(int(answer), self.inside(STATE).text("said", _QUOTED))

    def processes(self) -> tuple[int, ...]:
        """The processes in the sandbox, by their numbers outside."""
        try:
            own = Path(f"/proc/{self._first}/ns/pid").readlink()
        except OSError:
            return ()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if (entry / "ns/pid").readlink() == own and birth(int(entry.name)):
                        found.append(int(entry.name))
        return tuple(found)

    def _furnish(self, seed: Path) -> None:
        """What the sandbox is made of, as files that its user can read."""
        layout = self._layout
        binaries = _folder(seed / "bin")
        for name, leads_to in layout.userland.commands.items():
            if name not in layout.programs:
                (binaries / name).symlink_to(leads_to)
        for name, text in layout.programs.items():
            _write(binaries / name, f"#!/bin/sh\n{text}", 0o755)
        files = _folder(seed / "files")
        steps = {f"{JOBS}/{name}": _sourced(step) for name, step in layout.steps.items()}
        people = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
        given = {"/etc/passwd": people, "/etc/group": "root:x:0:\n", "/etc/hosts": "127.0.0.1 localhost\n"}
        for name, text in {**given, **layout.files, **steps, f"{JOBS}/driver": layout.driver}.items():
            target = files / _inner(name)
            _folder(target.parent)
            _write(target, text, 0o755)
        for name in layout.folders:
            _folder(files / _inner(name))
        for name, leads_to in layout.links.items():
            link = files / _inner(name)
            _folder(link.parent)
            link.symlink_to(leads_to)
        _folder(seed / "root")
        for made in (seed, *seed.rglob("*")):
            self._scratch.give(made)

    def _answer(self, seconds: float) -> str:
        """The next line that the sandbox says, or in words why there is none."""
        process = self._process
        assert process is not None and process.stdout is not None
        until = monotonic() + seconds
        line = b""
        while not line.endswith(b"\n"):
            ready = select.select([process.stdout], [], [], min(_BEAT, max(0.0, until - monotonic())))[0]
            if ready:
                piece = os.read(process.stdout.fileno(), 64)
                if not piece:
                    return "the sandbox has ended before its program did"
                line += piece
            elif monotonic() > until:
                return f"the program had not ended after {seconds:g} s"
            elif self._first and self._memory() > self._layout.ground.ceilings.together:
                return f"the program used more than {self._layout.ground.ceilings.together >> 20} MiB of memory"
        return line.decode("ascii", "replace").strip()

    def _memory(self) -> int:
        """Bytes that the processes hold and share with none."""
        total = 0
        for process in self.processes():
            with suppress(OSError, ValueError, IndexError):
                words = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
                total += int(words[1]) - int(words[2])
        return total * os.sysconf("SC_PAGE_SIZE")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if self._first:
            with suppress(OSError):
                os.kill(self._first, 9)  # with the first process of a namespace all others end
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_AT_END)  # who has made it clears it away
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _sourced(step: Step) -> str:
    """What the first process reads to become a step."""
    lines = [f"export {name}={quote(value)}" for name, value in step.environment.items() if _is_name(name)]
    if step.program:
        return "\n".join([*lines, f"cd {quote(step.folder)} || exit 1", "unset step code", step.program, ""])
    # Words may begin with a dash, so exec is told where its own options end.
    return "\n".join([*lines, f"cd {quote(step.folder)} || exit 1", f"exec {_quoted(step.words)}", ""])


def _quoted(words: Sequence[str]) -> str:
    return " ".join(quote(word) for word in words)


def _inner(path: str) -> str:
    """A path of the sandbox below a folder of ours. Raises :class:`EngineTrouble` for one that climbs out."""
    if ".." in path.split("/") or "\0" in path:
        raise EngineTrouble(f"a path that climbs has no place in a sandbox: {path}")
    return path.strip("/")


def _is_name(name: str) -> bool:
    return name.isidentifier() and name.isascii()


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    path.chmod(mode)


def _child_of(pid: int) -> int:
    """The process that ``unshare`` has made, by its number outside."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and parent_of(int(entry.name)) == pid:
            return int(entry.name)
    raise EngineTrouble("the sandbox cannot be looked into on this machine")
