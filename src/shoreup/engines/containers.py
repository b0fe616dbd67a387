"""The estate's own image as an engine: nothing is closer to what the estate runs.

Only an image that is on this machine already is used, by podman or docker, and nothing is pulled. Its programs run like
all others: without a network, as a user who owns nothing, on a root that they cannot write, with the scratch folder at
the same path inside as outside.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which

from msgspec import Struct

_TOOLS = ("podman", "docker")
_PATIENCE = 60.0
_LABEL = "shoreup"
_ENOUGH = 4096
"""Open files and processes of one container."""
_ASK = """
for folder in $(dirname "$(command -v "$1")" 2>/dev/null) $3; do
    if [ -x "$folder/$1" ]; then
        PATH="$PATH:$folder"; "$folder/$1" --version; echo; break
    fi
done
for name in $2; do echo "program $name $(command -v "$name")"; done
[ -z "$4" ] && exit 0
for file in "$("$4" --sharedir)"/extension/*.control; do echo "extension $(basename "$file" .control)"; done
"""


class Container(Struct, frozen=True):
    """An image on this machine, and the program that runs it."""

    tool: str
    image: str


class Inside(Struct, frozen=True):
    """What an image said of itself."""

    version: str
    programs: Mapping[str, str]
    extensions: frozenset[str]


def on_this_machine(image: str) -> Container | None:
    """The image, as the estate writes it, where it lies on this machine; it is not fetched."""
    if not image or image.startswith("-") or any(one.isspace() for one in image):
        return None
    for name in _TOOLS:
        tool = which(name)
        if tool is not None and _said([tool, "image", "inspect", "--format", "{{.Id}}", image]):
            return Container(tool, image)
    return None


def look_inside(
    container: Container, server: str, programs: Sequence[str], folders: Sequence[str], extensions_by: str
) -> Inside | None:
    """What an image has, told by its own shell; ``None`` where it has no such server or does not run here."""
    command = [*_bare(container), "--network=none", "--entrypoint=/bin/sh", container.image, "-c", _ASK, "-"]
    lines = _said([*command, server, " ".join(programs), " ".join(folders), extensions_by]).splitlines()
    told = [line.split(" ", 2) for line in lines if line.startswith(("program ", "extension "))]
    found = {words[1]: words[2] for words in told if words[0] == "program" and len(words) == 3 and words[2]}
    version = "\n".join(line for line in lines if not line.startswith(("program ", "extension ")))
    if not all(name in found for name in programs):
        return None
    return Inside(version, found, frozenset(words[1] for words in told if words[0] == "extension"))


def command_in(
    container: Container,
    argv: Sequence[str],
    *,
    name: str,
    folder: Path,
    work: Path,
    user: tuple[int, int],
    environment: Mapping[str, str],
    hide_shell: bool,
) -> list[str]:
    """The whole command that runs ``argv`` in a container of that name, which is gone when it ends."""
    words = [*_bare(container), f"--name={name}", f"--label={_LABEL}={folder.name}", "--interactive", "--network=none"]
    words += ["--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges", "--shm-size=256m"]
    words += [f"--user={user[0]}:{user[1]}", f"--workdir={work}", f"--volume={folder}:{folder}"]
    if Path(container.tool).name == "podman" and os.geteuid() != 0:
        words.append("--userns=keep-id")
    people = folder / "people"
    if people.exists():
        words.append(f"--volume={people}:/etc/passwd:ro")
    if hide_shell:
        words.append("--volume=/dev/null:/bin/sh:ro")
    words += [f"--env={key}={value}" for key, value in environment.items() if key != "PATH"]
    return [*words, f"--entrypoint={argv[0]}", container.image, *argv[1:]]


def people(user: int, group: int) -> str:
    """A list of users for inside: servers look up who they are."""
    return f"root:x:0:0::/:/bin/false\nscratch:x:{user}:{group}::/:/bin/false\n"


def removal(container: Container, name: str) -> list[str]:
    """The command that ends a container, whether it is there or not."""
    return [container.tool, "rm", "--force", "--volumes", name]


def first_process(container: Container, name: str) -> int:
    """The number, on this machine, of the process that a container runs; 0 where it runs none."""
    told = _said([container.tool, "container", "inspect", "--format", "{{.State.Pid}}", name]).strip()
    return int(told) if told.isdigit() else 0


def _bare(container: Container) -> list[str]:
    return [container.tool, "run", "--rm", "--pull=never", *_limits()]


def _limits() -> Iterator[str]:
    """Limits within our own, because who may not raise them cannot give the higher ones that are usual."""
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(kind)[1]
        most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
        yield f"--ulimit={name}={most}:{most}"


def _said(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (podman or docker, with words of ours)
            command, capture_output=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
