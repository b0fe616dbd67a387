"""How a sandbox is made: which namespaces this machine grants, and the commands that lay out its files.

They run as the root of a namespace of users, who is nobody outside of it, or, where only the machine's own root may
have namespaces, as that root until the last command gives everything away.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from shlex import quote
from shutil import which

from msgspec import Struct

from shoreup.engines.scratch import Scratch

PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
TOOLS = "/.tools"
"""Where this machine's commands are seen inside, read-only."""
PYTHON = f"{TOOLS}/python3"
"""This machine's Python, as the sandbox sees it."""
STATE = "/.state"
"""A folder that is written from outside between two runs, and holds what the last one said."""
VOLUMES = "/.volumes"
"""Where volumes lie; a mount shows one of them, or a folder of one, at a path."""
JOBS = "/.job"
"""Where the programs lie that are run, and the one that runs them."""
PATIENCE = 20.0
_NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL")
_BARE = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--pdeathsig=KILL")
_NEEDED = ("unshare", "setpriv", "prlimit", "mount", "umount", "pivot_root", "env", "cp", "mkdir", "ln", "chmod")
_LIBRARIES = ("lib", "lib32", "lib64", "libx32", "libexec")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NOBODY = 65534


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


class Ground(Struct, frozen=True):
    """What the files are laid out on: mounts, folders of this machine that are shown, and limits.

    Each volume of ``apart`` has a disk of its own, half as large as the sandbox's, that can be full by itself.
    """

    mounts: tuple[Mounted, ...] = ()
    shown: tuple[tuple[str, Path], ...] = ()
    ceilings: Ceilings = Ceilings()
    apart: tuple[str, ...] = ()


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
    lacking = [name for name in _NEEDED if which(name, path=PATH) is None]
    if lacking:
        return Way(False, f"a sandbox needs {', '.join(lacking)} (Debian has them in util-linux, mount and coreutils)")
    said = "no word"
    ways = [Way(True), Way(False)] if os.geteuid() == 0 else [Way(True)]
    for way in ways:
        try:
            with Scratch() as scratch:
                room = quote(str(scratch.make("try")))
                trial = f"mount -t tmpfs none {room} && cd {room} && mkdir proc old && mount -t proc proc proc"
                done = subprocess.run(  # noqa: S603 (fixed commands)
                    [*way.before(scratch), f"{trial} && pivot_root . old"],
                    capture_output=True,
                    check=False,
                    timeout=PATIENCE,
                    env={"PATH": PATH},
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as trouble:
            said = str(trouble)
            continue
        if done.returncode == 0:
            return way
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [said])[-1]
    return Way(False, f"this machine grants no namespaces to make a sandbox of: {said}")


def setup(seed: Path, ground: Ground, way: Way, shell: str = "/bin/sh") -> str:
    """The commands that make the sandbox's files around its first process, a shell, and then become it."""
    ceilings = ground.ceilings
    lines = [
        "set -eu",
        "umask 022",
        "mount --make-rprivate /",
        f"seed={quote(str(seed))}",
        f'mount -t tmpfs -o size={ceilings.room},nr_inodes={ceilings.files},mode=755,nosuid,nodev sandbox "$seed/root"',
        'cd "$seed/root"',
        'ro() { mount --bind "$1" "$2"; mount -o remount,bind,ro,nosuid,nodev "$2"; }',
        "mkdir -p old proc dev bin usr/local etc tmp run root var/tmp home mnt srv opt .tools .volumes .state",
        "chmod 1777 tmp var/tmp run",
        'ro "$seed/bin" bin',
        "for one in sbin usr/bin usr/sbin usr/local/bin; do ln -s /bin $one; done",
        f"ro /usr/bin {TOOLS[1:]}",
        *_libraries(),
        "mount -t proc -o nosuid,nodev,noexec proc proc",
        *(f": >dev/{name}; mount --bind /dev/{name} dev/{name}" for name in _DEVICES),
        "ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr",
        "mkdir -p dev/shm; chmod 1777 dev/shm",
        "if [ -f /etc/ld.so.cache ]; then cp /etc/ld.so.cache etc; fi",
        *(_disk(name, ceilings.room // 2) for name in ground.apart),
        'cp -RP "$seed/files/." .',
    ]
    for path, folder in ground.shown:
        lines += [f"mkdir -p {quote('.' + path)}", f"ro {quote(str(folder))} {quote('.' + path)}"]
    for mount in sorted(ground.mounts, key=lambda one: one.path):
        lines += _mounting(mount)
    if not way.of_its_own_users:
        lines.append(f"chown -R {_NOBODY}:{_NOBODY} root home run srv opt mnt .state .volumes")
    lines += [
        "pivot_root . old",
        "cd /",
        f"{TOOLS}/umount -l /old",
        f"{TOOLS}/hostname backup || true",
        "for one in /proc/sys/user/max_*_namespaces; do echo 0 >$one || true; done" if way.of_its_own_users else ":",
    ]
    person = [] if way.of_its_own_users else [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    limits = [
        f"--nproc={ceilings.processes}", f"--as={ceilings.memory}", f"--fsize={ceilings.room}",
        "--nofile=256", "--core=0", "--memlock=65536",
    ]  # fmt: skip
    last = [
        f"{TOOLS}/prlimit", *limits, f"{TOOLS}/setpriv", *_BARE, *person, "--",
        f"{TOOLS}/env", "-i", shell, f"{JOBS}/driver",
    ]  # fmt: skip
    return "\n".join([*lines, f"exec {' '.join(last)}"])


def _disk(name: str, size: int) -> str:
    folder = quote(f".{VOLUMES}/{name}")
    return f"mkdir -p {folder}; mount -t tmpfs -o size={size},mode=755,nosuid,nodev disk {folder}"


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
