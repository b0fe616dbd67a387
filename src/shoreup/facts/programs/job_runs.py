"""What one run of a backup's job would start, as far as the repository says all of it: words, variables, files, mounts.

Reading a program asks what it means; running it asks for every word of it. So here nothing may be missing: where a
part of the command is decided elsewhere, the answer is why it cannot be run. Only what is secret is made up, because a
drill needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from shoreup.facts.estate import Backup, ConfigEntry, Container, Estate, Image, Volume, Workload
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.programs.jobs import Job, jobs
from shoreup.facts.programs.scripts import SHELLS, by_map, mounted_files
from shoreup.model.value import PartialText, Unknown, Value

MADE_UP = "made-up"
"""What every value begins with that stands in for a secret."""
_USED = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)")
_REFERENCE = re.compile(r"\$(\$?)\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_DECIDES = re.compile(r"KEEP|RETAIN|RETENTION|DAYS|WEEKS|MONTHS|COUNT|MAX|ROTAT|COPIES|PREFIX|SUFFIX|DIR|PATH|FOLDER")
"""Names of variables on which it hangs what is removed, so that none may be made up."""
_GUESSES: Sequence[tuple[str, str]] = (
    ("PORT", "5432"), ("PASS", MADE_UP), ("SECRET", MADE_UP), ("TOKEN", MADE_UP), ("KEY", MADE_UP),
    ("URL", "http://made-up.invalid/"), ("URI", "http://made-up.invalid/"), ("HOST", "database"),
    ("SERVER", "database"), ("USER", "app"), ("DATABASE", "app"), ("DB", "app"), ("NAME", "app"),
)  # fmt: skip
_SECRET_NAMES = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|AUTH")
_EPHEMERAL = frozenset({"empty-dir", "config-map", "secret", "projected"})


class Start(Struct, frozen=True, eq=False):
    """One container as it starts. ``program_at`` is the word that is a shell's program, if one is."""

    words: tuple[str, ...]
    program_at: int | None
    environment: Mapping[str, str]
    folder: str
    jobs: tuple[Job, ...]
    image: Image


class Seen(Struct, frozen=True, eq=False):
    """A volume as the pod sees it."""

    volume: Volume
    path: str
    part: str
    read_only: bool

    @property
    def lasts(self) -> bool:
        """Whether it is there again in the next run."""
        return self.volume.kind not in _EPHEMERAL


class JobRun(Struct, frozen=True, eq=False):
    """One run: its containers one after the other. ``files`` are ConfigMaps' texts by the path at which they are seen.

    ``secrets`` are the values that were made up for secrets, by the variable. ``loops`` says that the program does not
    end by itself but sleeps and begins again.
    """

    starts: tuple[Start, ...]
    seen: tuple[Seen, ...]
    files: Mapping[str, str]
    secrets: Mapping[str, str]
    loops: bool

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Every program of it, read."""
        return tuple(job for start in self.starts for job in start.jobs)


Runnable: TypeAlias = "JobRun | str"


def job_run(estate: Estate, backup: Backup) -> Runnable:
    """What a run of the backup's job starts, or why that is not known."""
    workload, container = backup.workload, backup.container
    if workload is None or container is None:
        return "an operator or another pod makes the copies, and what they run is not in the repository"
    programs = estate.once(_programs)
    index = estate.once(_index)
    chosen = [
        one
        for one in workload.containers
        if one is container or (one.init and not one.sidecar) or (container.init and not one.init)
    ]
    starts: list[Start] = []
    secrets: dict[str, str] = {}
    files: dict[str, str] = {}
    for one in chosen:
        own = tuple(job for job in programs if job.container is one and job.workload is workload)
        start = _start(one, own, index, workload, secrets)
        if isinstance(start, str):
            return start
        starts.append(start)
        for path, entry in mounted_files(workload, one, index):
            if isinstance(entry.value, str):
                files[path] = entry.value
    seen = _seen(workload, chosen)
    if isinstance(seen, str):
        return seen
    return JobRun(tuple(starts), seen, files, secrets, workload.kind not in ("CronJob", "Job"))


def _programs(estate: Estate) -> tuple[Job, ...]:
    return tuple(jobs(estate.scripts, estate.config))


def _index(estate: Estate) -> Mapping[tuple[str, str, str], Sequence[ConfigEntry]]:
    return by_map(estate.config)


def _start(
    container: Container,
    own: Sequence[Job],
    index: Mapping[tuple[str, str, str], Sequence[ConfigEntry]],
    workload: Workload,
    secrets: dict[str, str],
) -> Start | str:
    if not own:
        return f"what {container.image.text or 'the image'} runs is not in the repository"
    for job in own:
        if job.script.language != "shell":
            return "it is a Python program, and what it imports is not in the repository"
        if not job.script.complete:
            return "a part of its program is decided outside of the repository"
        if job.hidden:
            return job.hidden
    body = container.body
    words = _words(body)
    if isinstance(words, str):
        return words
    if not items(body.get("command")):
        # The image's entrypoint is one tool where the scripts know it; the text then begins with that tool.
        first = own[0].script.text.split(" ", 1)[0]
        if not first or (words and first == words[0]):
            return f"the entrypoint of {container.image.text} is not in the repository"
        words = [first, *words]
    given = _environment(container, own, index, workload, secrets)
    if isinstance(given, str):
        return given
    expanded = tuple(_expanded(word, given) for word in words)
    folder = known_text(body.get("workingDir")) or "/"
    return Start(
        words=expanded,
        program_at=_program_at(expanded),
        environment=given,
        folder=folder,
        jobs=tuple(own),
        image=container.image,
    )


def _words(body: Mapping[str, Value]) -> list[str] | str:
    words: list[str] = []
    for field in ("command", "args"):
        for value in items(body.get(field)):
            if isinstance(value, (PartialText, Unknown)):
                return "a part of its command is decided outside of the repository"
            words.append(text(value))
    return words


def _program_at(words: Sequence[str]) -> int | None:
    """The word behind ``sh -c``."""
    if not words or words[0].rsplit("/", 1)[-1] not in SHELLS:
        return None
    index = 1
    while index < len(words) and words[index].startswith(("-", "+")) and not words[index].startswith("--"):
        flags = words[index][1:]
        index += 2 if "o" in flags else 1
        if "c" in flags:
            return index if index < len(words) else None
    return None


def _environment(
    container: Container,
    own: Sequence[Job],
    index: Mapping[tuple[str, str, str], Sequence[ConfigEntry]],
    workload: Workload,
    secrets: dict[str, str],
) -> dict[str, str] | str:
    known: dict[str, str] = {}
    open_names: list[str] = []
    for source in items(container.body.get("envFrom")):
        name = text(mapping(mapping(source).get("configMapRef")).get("name"))
        for entry in index.get(("ConfigMap", workload.namespace, name), ()):
            if isinstance(entry.value, str):
                known[text(mapping(source).get("prefix")) + entry.key] = entry.value
    for item in items(container.body.get("env")):
        field = mapping(item)
        name, value = text(field.get("name")), field.get("value")
        origin = mapping(field.get("valueFrom"))
        reference = mapping(origin.get("configMapKeyRef"))
        if isinstance(value, str):
            known[name] = _expanded(value, known)
        elif reference:
            found = [
                entry.value
                for entry in index.get(("ConfigMap", workload.namespace, text(reference.get("name"))), ())
                if entry.key == text(reference.get("key")) and isinstance(entry.value, str)
            ]
            if found:
                known[name] = found[0]
            else:
                open_names.append(name)
        elif origin.get("fieldRef") is not None:
            known[name] = workload.namespace if "namespace" in str(origin) else workload.name
        elif name:
            open_names.append(name)
    if items(container.body.get("envFrom")):
        used = {name for job in own for name in _USED.findall(job.script.text) if not job.program.assigns(name)}
        open_names += sorted(used - set(known) - set(open_names))
    for name in open_names:
        if _DECIDES.search(name) and not _SECRET_NAMES.search(name):
            return f"the value of {name} is not in the repository"
        known[name] = _made_up(name)
        if _SECRET_NAMES.search(name):
            secrets[name] = known[name]
    return known


def _made_up(name: str) -> str:
    if _SECRET_NAMES.search(name.upper()):
        return f"{MADE_UP}-{name.lower()}"
    return next((value for part, value in _GUESSES if part in name.upper()), MADE_UP)


def _expanded(word: str, known: Mapping[str, str]) -> str:
    """The word with ``$(NAME)`` as Kubernetes puts it in: what it does not know stays, and two dollars are one."""

    def put(match: re.Match[str]) -> str:
        if match.group(1):
            return match.group()[1:]
        return known.get(match.group(2), match.group())

    return _REFERENCE.sub(put, word)


def _seen(workload: Workload, containers: Sequence[Container]) -> tuple[Seen, ...] | str:
    volumes = {volume.name: volume for volume in workload.volumes}
    found: dict[str, Seen] = {}
    for container in containers:
        for mount in container.mounts:
            volume = volumes.get(mount.volume)
            if volume is None or "*" in mount.path or "*" in mount.sub_path or not mount.path.startswith("/"):
                return f"what is mounted at {mount.path} is decided outside of the repository"
            path = mount.path.rstrip("/") or "/"
            if path == "/" or ".." in path.split("/") or ".." in mount.sub_path.split("/"):
                return f"a volume at {path} cannot be shown in a sandbox"
            before = found.get(path)
            if before is not None and before.volume is not volume:
                return f"two containers see different volumes at {path}"
            read_only = mount.read_only and (before is None or before.read_only)
            found[path] = Seen(volume, path, mount.sub_path.strip("/"), read_only)
    return tuple(found.values())


def paths_below(run: JobRun, seen: Seen) -> Iterator[str]:
    """The paths that the run's programs name below a mount, without patterns and variables in them."""
    before = f"{seen.path}/"
    for job in run.jobs:
        for command in job.program.commands:
            words = [*command.words, *(one.target for one in command.redirects if one.target is not None)]
            for word in words:
                literal = job.program.expand(word, start_environment(run, job)).literal
                if literal is not None and f"{literal}/".startswith(before) and ".." not in literal.split("/"):
                    yield literal


def start_environment(run: JobRun, job: Job) -> Mapping[str, str]:
    """The variables of the container that runs a program."""
    return next((start.environment for start in run.starts if job in start.jobs), {})
