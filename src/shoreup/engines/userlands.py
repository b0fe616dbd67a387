"""The commands that an image has, made from those of this machine: GNU's, or BusyBox.

The same line does different things in the two: BusyBox's ``find -regex`` knows no ``+``, its ``date -d`` no "7 days
ago", its ``head`` other options. A program is therefore tried with the kind that its image has.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from shutil import which

from msgspec import Struct
from msgspec.structs import replace

from shoreup.engines.sandbox_ground import TOOLS

GNU = "gnu"
BUSYBOX = "busybox"
_HERE = Path("/usr/bin")
_PATH = "/usr/bin:/bin"
_GNU_COMMANDS = (
    "[ arch awk b2sum base32 base64 basename bash bunzip2 bzcat bzip2 cat chgrp chmod chown cksum cmp comm cp csplit "
    "cut date dd df diff dir dirname du echo egrep env expand expr factor false fgrep find fmt fold grep groups gunzip "
    "gzip head hostid hostname id install join kill link ln ls md5sum mkdir mkfifo mktemp mv nice nl nohup nproc "
    "numfmt od paste pathchk pr printenv printf pwd readlink realpath rm rmdir sed seq sh sha1sum sha224sum sha256sum "
    "sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tar tee test timeout touch tr "
    "true truncate tsort tty uname unexpand uniq unlink unxz users vdir wc who whoami xargs xz xzcat yes zcat flock "
    "getopt setsid ps pgrep"
).split()  # Debian's essential packages, coreutils and findutils among them (bookworm, 2026-11)
_GNU_SAYS = b"GNU coreutils"


class Userland(Struct, frozen=True):
    """The commands of a sandbox: name to what a link of that name in ``/bin`` leads to.

    ``inner`` are those that its shell runs by itself, whatever lies in ``/bin``.
    """

    kind: str
    version: str
    commands: Mapping[str, str]
    inner: frozenset[str] = frozenset()
    finds_without_delete: bool = False
    """Whether its ``find`` was built without ``-delete``."""


def userland(kind: str, more: Iterable[str] = ()) -> Userland | str:
    """A userland of a kind, with ``more`` commands of this machine as far as it has them; else what to install."""
    found = _busybox() if kind == BUSYBOX else _gnu()
    if isinstance(found, str):
        return found
    added = {name: target for name in more if name not in found.commands and (target := _seen(name))}
    return replace(found, commands={**found.commands, **added})


@cache
def _gnu() -> Userland | str:
    said = _said("ls", "--version")
    if _GNU_SAYS not in said:
        return "this machine has no GNU commands (on Alpine: apk add coreutils findutils bash)"
    commands = {name: target for name in _GNU_COMMANDS if (target := _seen(name))}
    if "sh" not in commands:
        return "this machine's shell lies outside of /usr/bin"
    return Userland(GNU, said.split(b"\n")[0].decode("ascii", "replace").rpartition(" ")[2], commands)


@cache
def _busybox() -> Userland | str:
    where = _seen("busybox")
    if not where:
        return "a sandbox like the image needs BusyBox (on Debian: apt install busybox-static)"
    names = _said("busybox", "--list").decode("ascii", "replace").split()
    if "sh" not in names:
        return "this machine's BusyBox has no shell (on Debian: apt install busybox-static)"
    version = _said("busybox").split(b" ")[1:2]
    # Some builds run their own commands without looking into PATH.
    alone = b"found" in _said("busybox", "sh", "-c", "PATH=/nowhere; true | cat && cat /dev/null && echo found")
    return Userland(
        BUSYBOX,
        version[0].decode("ascii", "replace") if version else "",
        {**dict.fromkeys(names, where), "busybox": where},
        frozenset(names) if alone else frozenset(),
        b"-delete" not in _said("busybox", "find", "--help"),
    )


def _seen(name: str) -> str:
    """Where the sandbox sees a command of this machine; empty where it does not."""
    found = which(name, path=_PATH)
    if found is None:
        return ""
    whole = Path(found).resolve()
    if whole.parent == _HERE:
        return f"{TOOLS}/{whole.name}"
    return str(whole) if whole.is_relative_to("/usr/lib") else ""


def _said(*command: str) -> bytes:
    found = which(command[0], path=_PATH)
    if found is None:
        return b""
    try:
        done = subprocess.run(  # noqa: S603 (fixed commands)
            [found, *command[1:]], capture_output=True, check=False, timeout=20, env={"PATH": _PATH, "LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout + done.stderr
