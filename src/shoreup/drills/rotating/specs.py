"""What a drill of retention needs to know of a backup's job: what it starts, what it reads, where its copies lie.

All of it is in the estate, or the drill is not made and says which part is missing. The data of the job is made up: a
file where the job reads one, a folder with files where it reads a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.drills.sandboxed_jobs.borg import BORG
from shoreup.drills.sandboxed_jobs.repositories import VOLUME, RepositoryTool
from shoreup.drills.sandboxed_jobs.restic import RESTIC
from shoreup.engines.sandbox_ground import VOLUMES, Mounted
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.comments.kept import KeptClaim, kept_claims
from shoreup.facts.estate import Backup, Estate, Retention
from shoreup.facts.programs.image_commands import ImageCommands, image_commands
from shoreup.facts.programs.job_runs import JobRun, Seen, job_run, paths_below
from shoreup.facts.proofs import backup_inputs, backup_subject
from shoreup.formats.shell import Program, Word
from shoreup.model.proof import ProofSubject
from shoreup.model.value import pattern

_TRIED = (RESTIC, BORG)
_TRIED_NAMES = frozenset(one.name for one in _TRIED)
"""The tools with a repository that a drill runs."""
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\s+([^;\n$`]+)")
_PLAIN_WORD = re.compile(r"[\w./-]+")
_FILES_ONLY = frozenset({"sqlite3", "sqlite"})


class Place(Struct, frozen=True):
    """A file or folder on a volume of the sandbox."""

    volume: str
    path: str


class RetentionSpec(Struct, frozen=True):
    """One job as it is run for 400 days.

    ``shelves`` are the volumes with its copies, ``data`` those that it only reads, ``passing`` those that are empty at
    each start. ``sources`` are the made-up files that it copies. ``age`` (days) and ``copies`` are what it seems to
    keep, ``None`` where that is not told. ``makes_new`` is whether each run makes a new file. ``repository`` is the
    tool whose snapshots are the copies; its repository is the one shelf then.
    """

    subject: ProofSubject
    run: JobRun
    commands: ImageCommands
    image: str
    schedule: str
    mounts: tuple[Mounted, ...]
    shelves: tuple[str, ...]
    data: tuple[str, ...]
    passing: tuple[str, ...]
    folders: tuple[str, ...]
    sources: tuple[Place, ...]
    made_up: tuple[str, ...]
    copiers: tuple[str, ...]
    age: float | None
    copies: int | None
    claims: tuple[KeptClaim, ...]
    makes_new: bool
    inputs: dict[str, str]
    repository: RepositoryTool | None = None
    foreign: str = ""
    """A command of another job that may remove the same copies."""
    pods: str = ""
    """What the names of the pods begin with where each run is a new pod; empty where the name stays."""

    @property
    def dumps(self) -> bool:
        """Whether the job calls a dump tool, so that a day of trouble is that tool's."""
        return any(command.name in DUMP_TOOLS for job in self.run.jobs for command in job.program.commands)


def retention_spec(estate: Estate, group: Sequence[Backup], *, alone: bool = True) -> RetentionSpec | str:
    """What is known of the job that makes these copies, or why it cannot be run.

    With ``alone`` nothing but this job may remove its copies.
    """
    run = job_run(estate, group[0])
    if isinstance(run, str):
        return run
    foreign = _removed_elsewhere(group)
    called = {command.name for job in run.jobs for command in job.program.commands}
    # Which jobs share a repository is seldom told, so that each one that removes is tried with its own snapshots.
    removes = bool(_TRIED_NAMES & called) and any(_is_own(group[0], one) for one in group[0].retention)
    if foreign and alone and not removes:
        return f"another job removes its copies too ({foreign}), and a drill runs one"
    names: dict[int, str] = {}
    for one in run.seen:
        names.setdefault(id(one.volume), f"volume{len(names)}")
    targets: dict[str, tuple[Seen, str]] = {}
    for backup in group:
        found = _on_volume(run, backup.target_path)
        if found is not None and found.lasts:
            targets[backup.target_path] = (found, backup.target_path)
    tool = next((backup.tool for backup in group if backup.tool in REPOSITORIES), "")
    repository = next((one for one in _TRIED if one.name in called), None) if alone and not targets else None
    if not targets and repository is None:
        where = group[0].target_remote or group[0].target_path or "a place that its program does not name"
        return f"its copies go to {tool or where}, of which a sandbox has none"
    shelves = tuple(dict.fromkeys(names[id(one.volume)] for one, _ in targets.values())) or (VOLUME,)
    plain = [one for one in run.seen if one.volume.kind not in ("config-map", "secret", "projected")]
    lasting = [one for one in plain if one.lasts]
    ages = [one.age_days for backup in group for one in backup.retention if one.age_days is not None]
    counts = [
        one.keeps_at_least for backup in group for one in backup.retention if one.by == "count" and one.keeps_at_least
    ]
    text = "\n".join(job.script.text for job in run.jobs)
    claims = tuple(claim for job in run.jobs for claim in kept_claims(job.program))
    return RetentionSpec(
        subject=backup_subject(group[0]),
        run=run,
        commands=image_commands(run.starts[-1].image, text),
        image=run.starts[-1].image.text,
        schedule=_schedule(group[0]),
        mounts=tuple(Mounted(names[id(one.volume)], one.path, one.part, one.read_only) for one in plain),
        shelves=shelves,
        data=tuple(dict.fromkeys(names[id(one.volume)] for one in lasting if names[id(one.volume)] not in shelves)),
        passing=tuple(dict.fromkeys(names[id(one.volume)] for one in plain if not one.lasts)),
        folders=tuple(dict.fromkeys(_folders(run, targets, names))),
        sources=tuple(dict.fromkeys(_sources(run, lasting, shelves, names))),
        made_up=tuple(dict.fromkeys(_secret_files(run))),
        copiers=tuple(sorted({copy.tool for job in run.jobs for copy in job.copies})),
        age=max(ages, default=None),
        copies=max(counts, default=None),
        claims=claims,
        makes_new=any(backup.writes_new_file for backup in group),
        inputs=dict(backup_inputs(estate, group[0]).digests),
        repository=repository,
        pods=_new_pods(group[0]),
        foreign=foreign,
    )  # fmt: skip


def _secret_files(run: JobRun) -> Iterator[str]:
    for one in run.seen:
        if one.volume.kind in ("secret", "projected"):
            yield from (path for path in paths_below(run, one) if path != one.path)


def _new_pods(backup: Backup) -> str:
    """What pods begin with that are named anew on each run: a Job's, unless their host has a name of its own."""
    workload = backup.workload
    if workload is None or workload.kind not in ("CronJob", "Job"):
        return ""
    return "" if workload.pod.get("hostname") or workload.pod.get("hostNetwork") else workload.name


def _schedule(backup: Backup) -> str:
    held = backup.schedule
    return "" if isinstance(held, (dict, list)) else pattern(held)


def _removed_elsewhere(group: Sequence[Backup]) -> str:
    return next((one.command for backup in group for one in backup.retention if not _is_own(backup, one)), "")


def _is_own(backup: Backup, one: Retention) -> bool:
    """Whether what removes copies belongs to the job that makes them."""
    beside = backup.workload is not None and one.place.container in {c.name for c in backup.workload.containers}
    return one.place.resource == backup.place.resource or beside


def _on_volume(run: JobRun, path: str) -> Seen | None:
    """The mount that a path lies on: the innermost."""
    known = path.split("*", 1)[0]
    found = [one for one in run.seen if f"{known}/".startswith(f"{one.path}/") and known.startswith("/")]
    return max(found, key=lambda one: len(one.path), default=None)


def _inside(one: Seen, path: str) -> str:
    return f"{one.part}/{path[len(one.path) :].strip('/')}".strip("/")


def _folders(run: JobRun, targets: dict[str, tuple[Seen, str]], names: dict[int, str]) -> Iterator[str]:
    """The folders that are there in an estate that runs: where copies are written, and where the program goes."""
    for one, path in targets.values():
        folder = path.split("*", 1)[0].rpartition("/")[0]
        yield f"{VOLUMES}/{names[id(one.volume)]}/{_inside(one, folder)}".rstrip("/")
    for job in run.jobs:
        for command in job.program.commands:
            if command.name in ("cd", "find") and command.arguments:
                literal = job.program.expand(command.arguments[0]).literal or ""
                found = _on_volume(run, literal)
                if found is not None and found.lasts:
                    yield f"{VOLUMES}/{names[id(found.volume)]}/{_inside(found, literal)}".rstrip("/")


def _paths(program: Program, word: Word) -> list[str]:
    """The paths that a word names: one for each turn of a loop over plain words, else the part that is known."""
    known = program.expand(word)
    written = program.text[word.start : word.end].strip("\"'")
    for name, turns in _LOOP.findall(program.text) if known.literal is None else ():
        variable = re.compile(rf"\$(?:{name}\b|\{{{name}\}})")
        paths = [variable.sub(turn, written) for turn in turns.split() if _PLAIN_WORD.fullmatch(turn)]
        if variable.search(written) and paths and not any("$" in path for path in paths):
            return paths
    return [known.prefix or word.prefix]


def _sources(run: JobRun, lasting: Sequence[Seen], shelves: Sequence[str], names: dict[int, str]) -> Iterator[Place]:
    """The made-up files that the job finds where it reads."""
    covered: set[str] = set()
    for job in run.jobs:
        for copy in job.copies:
            for word in copy.sources:
                for path in _paths(job.program, word):
                    found = _on_volume(run, path)
                    if found is None or not found.lasts or ".." in path.split("/"):
                        continue
                    plain = path.rstrip("/").removesuffix("/.")
                    inside, volume = _inside(found, plain), names[id(found.volume)]
                    last = plain.rpartition("/")[2]
                    covered.add(found.path)
                    if plain != found.path and not path.endswith("/") and (copy.tool in _FILES_ONLY or "." in last):
                        yield Place(volume, inside)
                    else:
                        yield Place(volume, f"{inside}/content".strip("/"))
                        yield Place(volume, f"{inside}/more/content".strip("/"))
    for one in lasting:
        if names[id(one.volume)] not in shelves and one.path not in covered:
            yield Place(names[id(one.volume)], f"{one.part}/content".strip("/"))
