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
from functools import cache
from pathlib import Path
from shlex import quote
from shutil import which
from time import monotonic
from types import TracebackType

from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.inside import Inside
from shoreup.engines.keeper import parent_of
from shoreup.engines.scratch import Scratch
from shoreup.engines.userlands import Userland

STATE = "/.state"
"""A folder that is written from outside between two runs, and holds what the last one said."""
VOLUMES = "/.volumes"
"""Where volumes lie; a mount shows one of them, or a folder of one, at a path."""
_NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL")
_BARE = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--pdeathsig=KILL")
_NEEDED = ("unshare", "setpriv", "prlimit", "mount", "umount", "pivot_root", "env", "cp", "mkdir", "ln", "chmod")
_LIBRARIES = ("lib", "lib32", "lib64", "libx32", "libexec")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_TOOLS = "/.tools"
_PATIENCE = 20.0
_BEAT = 0.2
_QUOTED = 2000
_DRIVER = f"""exec 3>&1 >/dev/null 2>&1
echo ready >&3
while read -r step; do
  ( . "/.job/$step" ) </dev/null >{STATE}/said 2>&1 3>&-
  code=$?
  kill -9 -- -1
  echo "$code" >&3
done
"""


class Ceilings(Struct, frozen=True):
    """What programs may use. ``room`` is bytes of files, kept in memory; ``memory`` bytes of each process."""

    room: int = 64 << 20
    files: int = 20_000
    processes: int = 128
    memory: int = 512 << 20
    together: int = 1 << 30
    """Bytes of memory of all processes together."""


class Mounted(Struct, frozen=True):
    """A volume, or the folder ``part`` of it, at a path."""

    volume: str
    path: str
    part: str = ""
    read_only: bool = False


class Step(Struct, frozen=True):
    """A program to run: its words, its whole environment and the folder that it starts in."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = {}
    folder: str = "/"


class Layout(Struct, frozen=True):
    """What a sandbox holds.

    ``programs`` are texts of programs by name, beside the commands of the userland or instead of them. ``files`` are
    texts by absolute path, ``folders`` are empty; those under :data:`VOLUMES` lie on a volume. ``shown`` are folders of
    this machine by the path at which they are seen, read-only.
    """

    userland: Userland
    steps: Mapping[str, Step]
    programs: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    folders: tuple[str, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    shown: Mapping[str, Path] = {}
    ceilings: Ceilings = Ceilings()


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
                [*way.before(self._scratch), _setup(seed, self._layout, way)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                cwd=self._scratch.room,
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
                start_new_session=True,
            )
        self._process = process
        self._scratch.note(process.pid)
        if self._answer(_PATIENCE) != "ready":
            self._end()
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise EngineTrouble(f"the sandbox could not be made: {said[-1] if said else 'no word'}")
        self._first = _child_of(process.pid, self._scratch)
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
            own = os.readlink(f"/proc/{self._first}/ns/pid")
        except OSError:
            return ()
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with suppress(OSError):
                    if os.readlink(f"/proc/{entry}/ns/pid") == own:
                        found.append(int(entry))
        return tuple(found)

    def _furnish(self, seed: Path) -> None:
        """What the sandbox is made of, as files that its user can read."""
        layout = self._layout
        binaries = _folder(seed / "bin")
        for name, target in layout.userland.commands.items():
            if name not in layout.programs:
                (binaries / name).symlink_to(target)
        for name, text in layout.programs.items():
            _write(binaries / name, f"#!/bin/sh\n{text}", 0o755)
        files = _folder(seed / "files")
        steps = {f"/.job/{name}": _sourced(step) for name, step in layout.steps.items()}
        people = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
        given = {"/etc/passwd": people, "/etc/group": "root:x:0:\n", "/etc/hosts": "127.0.0.1 localhost\n"}
        for path, text in {**given, **layout.files, **steps, "/.job/driver": _DRIVER}.items():
            target = files / path.strip("/")
            _folder(target.parent)
            _write(target, text, 0o755)
        for path in layout.folders:
            _folder(files / path.strip("/"))
        _folder(seed / "root")
        for path in (seed, *seed.rglob("*")):
            self._scratch.give(path)

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
            elif self._first and self._memory() > self._layout.ceilings.together:
                return f"the program used more than {self._layout.ceilings.together >> 20} MiB of memory"
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
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


# ------------------------------------------------------------------------------------------------ how it is made


class Way(Struct, frozen=True):
    """How this machine makes a sandbox; ``missing`` says why it makes none."""

    of_its_own_users: bool
    """Whether there is a namespace of users, so that even its root is nobody outside."""
    missing: str = ""

    def before(self, scratch: Scratch) -> list[str]:
        """What the command begins with; the text of the setup follows."""
        person = scratch.person
        words: list[str] = []
        if self.of_its_own_users:
            if person.user is not None and person.group is not None:
                words += ["setpriv", f"--reuid={person.user}", f"--regid={person.group}", "--clear-groups", "--"]
            words += ["unshare", "--user", "--map-root-user"]
        else:
            words += ["unshare"]
        return [*words, *_NAMESPACES, "--", "/bin/sh", "-c"]


@cache
def sandboxing() -> Way:
    """What this machine grants to whoever runs Shoreup: asked by making a sandbox that does nothing."""
    path = "/usr/bin:/bin:/usr/sbin:/sbin"
    lacking = [name for name in _NEEDED if which(name, path=path) is None]
    if lacking:
        return Way(False, f"a sandbox needs {', '.join(lacking)} (Debian has them in util-linux, mount and coreutils)")
    said = "no word"
    ways = [Way(True), Way(False)] if os.geteuid() == 0 else [Way(True)]
    for way in ways:
        try:
            with Scratch() as scratch:
                room = scratch.make("try")
                done = subprocess.run(  # noqa: S603 (fixed commands)
                    [*way.before(scratch), f"mount -t tmpfs none {quote(str(room))} && cd {quote(str(room))} && "
                     "mkdir proc old && mount -t proc proc proc && pivot_root . old"],
                    capture_output=True,
                    check=False,
                    timeout=_PATIENCE,
                    env={"PATH": path},
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as trouble:
            said = str(trouble)
            continue
        if done.returncode == 0:
            return way
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [said])[-1]
    return Way(False, f"this machine grants no namespaces to make a sandbox of: {said}")


def _setup(seed: Path, layout: Layout, way: Way) -> str:
    """The commands that make the sandbox's files around its first process, and then become it."""
    ceilings = layout.ceilings
    lines = [
        "set -eu",
        "umask 022",
        "mount --make-rprivate /",
        f"mount -t tmpfs -o size={ceilings.room},nr_inodes={ceilings.files},mode=755,nosuid,nodev sandbox "
        f"{quote(str(seed / 'root'))}",
        f"seed={quote(str(seed))}",
        'cd "$seed/root"',
        "ro() { mount --bind \"$1\" \"$2\"; mount -o remount,bind,ro,nosuid,nodev \"$2\"; }",
        "mkdir -p old proc dev bin usr/local etc tmp run root var/tmp home mnt srv opt .tools .volumes .state",
        "chmod 1777 tmp var/tmp run",
        'ro "$seed/bin" bin',
        "for one in sbin usr/bin usr/sbin usr/local/bin; do ln -s /bin $one; done",
        f"ro /usr/bin {_TOOLS[1:]}",
        *_libraries(),
        "mount -t proc -o nosuid,nodev,noexec proc proc",
        *(f": >dev/{name}; mount --bind /dev/{name} dev/{name}" for name in _DEVICES),
        "ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr",
        "mkdir -p dev/shm; chmod 1777 dev/shm",
        "if [ -f /etc/ld.so.cache ]; then cp /etc/ld.so.cache etc; fi",
        'cp -R "$seed/files/." .',
    ]
    for path, folder in layout.shown.items():
        lines += [f"mkdir -p {quote('.' + path)}", f"ro {quote(str(folder))} {quote('.' + path)}"]
    for mount in sorted(layout.mounts, key=lambda one: one.path):
        lines += _mounting(mount)
    if not way.of_its_own_users:
        lines.append("chown -R 65534:65534 root home run srv opt mnt .state .volumes")
    lines += [
        "pivot_root . old",
        "cd /",
        f"{_TOOLS}/umount -l /old",
        f"{_TOOLS}/hostname backup || true",
        "for one in /proc/sys/user/max_*_namespaces; do echo 0 >$one || true; done" if way.of_its_own_users else ":",
    ]
    person = [] if way.of_its_own_users else ["--reuid=65534", "--regid=65534", "--clear-groups"]
    limits = [
        f"--nproc={ceilings.processes}", f"--as={ceilings.memory}", f"--fsize={ceilings.room}",
        "--nofile=256", "--core=0", "--memlock=65536",
    ]  # fmt: skip
    last = [
        f"{_TOOLS}/prlimit", *limits, f"{_TOOLS}/setpriv", *_BARE, *person, "--",
        f"{_TOOLS}/env", "-i", "/bin/sh", "/.job/driver",
    ]  # fmt: skip
    return "\n".join([*lines, f"exec {' '.join(last)}"])


def _libraries() -> list[str]:
    lines = []
    for name in _LIBRARIES:
        whole, short = Path("/usr") / name, Path("/") / name
        if whole.is_dir() and not whole.is_symlink():
            lines += [f"mkdir -p usr/{name}", f"ro /usr/{name} usr/{name}"]
        elif whole.is_symlink():
            lines.append(f"ln -s {quote(str(whole.readlink()))} usr/{name}")
        if short.is_symlink():
            lines.append(f"ln -s {quote(str(short.readlink()))} {name}")
        elif short.is_dir():
            lines += [f"mkdir -p {name}", f"ro /{name} {name}"]
    return lines


def _mounting(mount: Mounted) -> list[str]:
    source = f".{VOLUMES}/{mount.volume}/{mount.part}".rstrip("/")
    lines = [f"source={quote(source)} path={quote('.' + mount.path)}"]
    # A part may be one file, which is then shown in a file's place.
    lines.append(
        '[ -e "$source" ] || mkdir -p "$source"; '
        'if [ -f "$source" ]; then mkdir -p "${path%/*}"; [ -e "$path" ] || : >"$path"; else mkdir -p "$path"; fi; '
        'mount --bind "$source" "$path"'
    )
    if mount.read_only:
        lines.append('mount -o remount,bind,ro,nosuid,nodev "$path"')
    return lines


def _sourced(step: Step) -> str:
    """What the first process reads to become a step."""
    lines = [f"export {name}={quote(value)}" for name, value in step.environment.items() if _is_name(name)]
    # Words may begin with a dash, so exec is told where its own options end.
    return "\n".join([*lines, f"cd {quote(step.folder)} || exit 1", f"exec {_quoted(step.words)}", ""])


def _quoted(words: Sequence[str]) -> str:
    return " ".join(quote(word) for word in words)


def _is_name(name: str) -> bool:
    return name.isidentifier() and name.isascii()


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    path.chmod(mode)


def _child_of(pid: int, scratch: Scratch) -> int:
    """The process that ``unshare`` has made, by its number outside."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
    for entry in os.listdir("/proc"):
        if entry.isdigit() and parent_of(int(entry)) == pid:
            return int(entry)
    raise EngineTrouble("the sandbox cannot be looked into on this machine")
