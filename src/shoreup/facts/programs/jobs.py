"""What runs where: a container's programs with the files that they see.

A path in a program means nothing until the container's mounts say which volume it lies on, and for ``kubectl exec`` it
is another container's mounts that count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from shoreup.facts.backups.commands.copies import Copy, copies
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.commands.file_tools import FILE_TOOLS, REPOSITORIES
from shoreup.facts.backups.commands.removal import Removal
from shoreup.facts.backups.commands.removals import REMOVING, removals
from shoreup.facts.estate import ConfigEntry, Container, Mount, Script, Volume, Workload
from shoreup.facts.fields import known_text
from shoreup.facts.programs.scripts import by_map, environment, mounted_files, program
from shoreup.formats.shell import Command, Program, Word

_KNOWN_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/", "/opt/", "/usr/lib/")
_NAMES = sorted(re.escape(name) for name in {*DUMP_TOOLS, *FILE_TOOLS, *REPOSITORIES, *REMOVING, "sqlite3"})
_TELLING = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")
"""A cheap look before a program that runs for long is parsed."""
_KIND_NAMES: Mapping[str, str] = {
    "deploy": "Deployment", "deployment": "Deployment", "deployments": "Deployment", "sts": "StatefulSet",
    "statefulset": "StatefulSet", "statefulsets": "StatefulSet", "ds": "DaemonSet", "daemonset": "DaemonSet",
    "pod": "Pod", "pods": "Pod", "po": "Pod", "job": "Job",
}  # fmt: skip

T = TypeVar("T")


class Job(Struct, frozen=True, eq=False):
    """One program of one container, read."""

    script: Script
    workload: Workload
    container: Container
    program: Program
    copies: tuple[Copy, ...]
    removals: tuple[Removal, ...]
    files: frozenset[str]
    """The paths of files in ConfigMaps that the container sees."""
    hidden: str
    """Why the program may do more than what is read of it; empty when all of it is."""


class Spot(Struct, frozen=True, eq=False):
    """A place on a volume. ``path`` is the path on the volume's own server or disk, as far as it is literal."""

    workload: Workload
    volume: Volume
    path: str

    @property
    def server_path(self) -> str:
        """The path with what the volume itself begins at."""
        return f"{self.volume.path.rstrip('/')}/{self.path.lstrip('/')}".rstrip("/") or "/"


def jobs(scripts: Sequence[Script], config: Sequence[ConfigEntry]) -> Iterator[Job]:
    """Every program that a container runs, with what it copies and removes."""
    index = by_map(config)
    for script in scripts:
        if script.workload is None or script.container is None:
            continue
        if script.workload.kind not in ("CronJob", "Job") and not _TELLING.search(script.text):
            continue
        read = program(script)
        known = environment(script)
        copied = tuple(copies(read, known))
        files = frozenset(path for path, _ in mounted_files(script.workload, script.container, index))
        removed = tuple(removals(read, copied, known))
        unseen = _hidden(script, script.workload, script.container, read, files)
        yield Job(
            script=script,
            workload=script.workload,
            container=script.container,
            program=read,
            copies=copied,
            removals=removed,
            files=files,
            hidden=unseen,
        )


def recurs(job: Job, command: Command) -> bool:
    """Whether the command runs again and again: on a schedule, or in a loop that sleeps."""
    if job.workload.kind == "CronJob":
        return True
    loops = {frame.id for frame in command.context if frame.kind == "while"}
    if not loops:
        return False
    return any(
        other.name in ("sleep", "wait") and any(frame.id in loops for frame in other.context)
        for other in job.program.commands
    )


def pause(job: Job, command: Command) -> str:
    """The sleep of the loop that the command stands in, as written."""
    loops = {frame.id for frame in command.context if frame.kind == "while"}
    for other in job.program.commands:
        if other.name == "sleep" and other.arguments and any(frame.id in loops for frame in other.context):
            return other.arguments[0].text
    return ""


def spot(workload: Workload, container: Container, path: str) -> Spot | None:
    """Where a path of the container lies; ``None`` when it is on no volume."""
    if not path.startswith("/"):
        return None
    best: Mount | None = None
    for mount in container.mounts:
        folder = mount.path.rstrip("/")
        if (path == folder or path.startswith(f"{folder}/")) and (best is None or len(mount.path) > len(best.path)):
            best = mount
    if best is None:
        return None
    volume = next((item for item in workload.volumes if item.name == best.volume), None)
    if volume is None:
        return None
    inside = path[len(best.path.rstrip("/")) :].lstrip("/")
    return Spot(workload, volume, f"{best.sub_path.strip('/')}/{inside}".strip("/"))


def spot_of(job: Job, word: Word, host: tuple[Workload, Container] | None) -> Spot | None:
    """Where a word's path lies, by what is literal of it."""
    where = host or (job.workload, job.container)
    known = word.prefix
    if not known and word.parts and word.parts[0].kind == "glob":
        known = re.split(r"[*?\[{]", word.parts[0].text)[0]
    elif word.parts and len(word.parts) > 1 and word.parts[1].kind == "glob":
        known += re.split(r"[*?\[{]", word.parts[1].text)[0]
    if known and not known.startswith("/"):
        folder = known_text(where[1].body.get("workingDir"))
        known = f"{folder.rstrip('/')}/{known.removeprefix('./')}" if folder else known
    return spot(where[0], where[1], known)


def same_place(one: Spot, other: Spot) -> bool:
    """Whether two spots are on the same volume, claim or export, whatever their folders."""
    if one.volume is other.volume:
        return True
    if one.volume.claim and one.volume.claim == other.volume.claim:
        return one.workload.namespace == other.workload.namespace
    if one.volume.server and one.volume.server == other.volume.server and one.volume.path and other.volume.path:
        if one.volume.somewhere_below or other.volume.somewhere_below:
            return _holds(one.volume, other.volume) or _holds(other.volume, one.volume)
        return _nested(one.volume.path, other.volume.path)
    if one.volume.kind == other.volume.kind == "host-path" and one.volume.path and other.volume.path:
        return _nested(one.volume.path, other.volume.path)
    return False


class ByPlace(Generic[T]):
    """Things by the volumes that they touch, so that an estate of any size is looked through once."""

    def __init__(self, things: Iterable[tuple[T, str, Iterable[Volume]]]) -> None:
        self._at: dict[_Key, dict[int, T]] = {}
        self._below: dict[_Key, dict[int, T]] = {}
        for number, (thing, namespace, volumes) in enumerate(things):
            for volume in volumes:
                for key in _identities(namespace, volume):
                    self._at.setdefault(key, {})[number] = thing
                for folder in _folders(volume):
                    self._below.setdefault(folder, {})[number] = thing

    def near(self, one: Spot) -> list[T]:
        """What touches the same volume, claim, export or folder as a spot, in the order in which it was given."""
        found: dict[int, T] = {}
        for key in _identities(one.workload.namespace, one.volume):
            found.update(self._at.get(key, {}))
        for folder in _folders(one.volume):
            found.update(self._at.get(folder, {}))
        whole = next(_folders(one.volume), None)
        if whole is not None:
            found.update(self._below.get(whole, {}))
        return [found[number] for number in sorted(found)]


_Key = tuple[str, ...]


def _identities(namespace: str, volume: Volume) -> Iterator[_Key]:
    yield "volume", str(id(volume))
    if volume.claim:
        yield "claim", namespace, volume.claim
    whole = next(_folders(volume), None)
    if whole is not None:
        yield whole


def _folders(volume: Volume) -> Iterator[_Key]:
    """The volume's own folder and those around it, on its server or node."""
    if not volume.path or not (volume.server or volume.kind == "host-path"):
        return
    path = volume.path.rstrip("/")
    while True:
        yield "folder", volume.server, path
        if not path:
            return
        path = path.rpartition("/")[0]


def covers(outer: Spot, inner: Spot) -> bool:
    """Whether the folder of one spot holds the other, both being in the same place."""
    if not same_place(outer, inner):
        return False
    if outer.volume.claim and outer.volume.claim == inner.volume.claim:
        return _within(f"/{inner.path}", f"/{outer.path}".rstrip("/") or "/")
    if outer.volume.somewhere_below:
        return False
    if outer.volume.path and inner.volume.path:
        return _within(inner.server_path, outer.server_path)
    return _within(f"/{inner.path}", f"/{outer.path}".rstrip("/") or "/")


def _holds(whole: Volume, part: Volume) -> bool:
    """Whether a volume is a whole export or folder in which another one certainly lies."""
    return not whole.somewhere_below and _within(part.path, whole.path)


def _nested(one: str, other: str) -> bool:
    return _within(one, other) or _within(other, one)


def _within(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")


def remote_host(job: Job, command: Command, workloads: Sequence[Workload]) -> tuple[Workload, Container] | None:
    """The container in which a command of ``kubectl exec`` runs; ``None`` when it is not certain."""
    frame = command.frame("remote")
    if frame is None or frame.parent < 0:
        return None
    words = [word.text for word in job.program.commands[frame.parent].arguments]
    own = words[: words.index("--")] if "--" in words else words
    if "exec" not in own:
        return None
    meant = _exec_target(own, job.workload.namespace)
    for workload in workloads:
        if meant.fits(workload):
            for container in workload.containers:
                if not container.init and (not meant.container or container.name == meant.container):
                    return workload, container
    return None


_NAMESPACE = ("-n", "--namespace")
_CONTAINER = ("-c", "--container")


class _ExecTarget(Struct, frozen=True):
    """What ``kubectl exec`` names. ``kind`` is empty where the name stands alone, which then is a pod's."""

    namespace: str
    kind: str
    name: str
    container: str

    def fits(self, workload: Workload) -> bool:
        if workload.namespace != self.namespace:
            return False
        if self.kind and self.kind != "Pod" and workload.kind != self.kind:
            return False
        # The pods of a StatefulSet have its name and a number.
        numbered = self.kind in ("", "Pod") and re.fullmatch(re.escape(workload.name) + r"-\d+", self.name)
        return workload.name == self.name or bool(numbered)


def _exec_target(words: Sequence[str], namespace: str) -> _ExecTarget:
    """``words`` are kubectl's own, those before ``--``; ``namespace`` is the one where none is named."""
    name = container = ""
    behind = words.index("exec") + 1
    for position, word in enumerate(words):
        before = words[position - 1] if position else ""
        if before in _NAMESPACE:
            namespace = word
        elif before in _CONTAINER:
            container = word
        elif word.startswith(("--namespace=", "-n=")):
            namespace = word.partition("=")[2]
        elif position >= behind and not word.startswith("-"):
            name = name or word
    kind, slash, rest = name.partition("/")
    if not slash:
        return _ExecTarget(namespace, "", name, container)
    return _ExecTarget(namespace, _KIND_NAMES.get(kind.split(".")[0].lower(), ""), rest, container)


def _hidden(script: Script, workload: Workload, container: Container, program: Program, files: frozenset[str]) -> str:
    if container.open or workload.open:
        return container.open or workload.open
    if script.language == "python":
        return "a Python program, read only in part"
    if program.broken:
        return "parts of the program are not shell that can be read"
    for command in program.commands:
        first = command.words[0].parts[0] if command.words and command.words[0].parts else None
        if first is not None and first.kind == "unknown":
            return "a command is decided outside of the repository"
        literal = command.words[0].literal if command.words else None
        if (
            literal is not None
            and literal not in files
            and _is_script(literal)
            and not literal.startswith(_KNOWN_FOLDERS)
        ):
            return f"it also runs {literal}, which is not in the repository"
        if command.name in ("sh", "bash", "ash", ".", "source") and command.arguments:
            held = command.arguments[0].literal
            if held and held not in files and not held.startswith("-") and _is_script(held):
                return f"it also runs {held}, which is not in the repository"
    return ""


def _is_script(word: str) -> bool:
    return word.startswith(("/", "./")) and (word.endswith((".sh", ".py", ".bash", ".pl")) or "script" in word)
