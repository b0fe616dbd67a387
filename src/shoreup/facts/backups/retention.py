"""What removes the copies of a backup, wherever in the estate it runs.

A removal counts when it reaches the folder of the copies: in the same container, or in anything else that mounts the
same claim, export or folder. Where that is not certain, it counts, so that nothing is called missing which may be
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.backups.commands.copies import Copy
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.backups.commands.removal import Removal
from shoreup.facts.backups.commands.removals import guarded_by_success
from shoreup.facts.estate import Backup, Retention, Volume, Workload
from shoreup.facts.programs.jobs import ByPlace, Job, Spot, covers, same_place, spot_of
from shoreup.facts.programs.scripts import place_in, python_program
from shoreup.formats.shell import Word


class Found(Struct, frozen=True, eq=False):
    """A backup with what it takes to join it to the others."""

    backup: Backup
    job: Job
    copy: Copy
    target: Spot | None
    sources: tuple[Spot, ...]
    only_carries: bool = False
    """A copy of files that is no backup by itself, but may carry one further."""


_ENOUGH = 16
"""Programs that empty one folder, of which more would tell nothing new about what is kept there."""


class Removers:
    """The programs of an estate by what they may remove from: a container's files, a volume, a store elsewhere.

    A program of which every removed path is known is found by the folders that it empties; one that may remove anything
    on its volumes is found by these. So an export that a thousand jobs share is not compared a million times.
    """

    def __init__(self, all_jobs: Sequence[Job]) -> None:
        self._order = {id(job): number for number, job in enumerate(all_jobs)}
        self._remote = [job for job in all_jobs if any(removal.remote for removal in job.removals)]
        self._beside: dict[int, list[Job]] = {}
        self._emptying: dict[_Folder, list[Job]] = {}
        anywhere: list[Job] = []
        for job in all_jobs:
            self._beside.setdefault(id(job.container), []).append(job)
            folders = _emptied(job)
            if folders is None:
                anywhere.append(job)
            for folder in folders or ():
                self._emptying.setdefault(folder, []).append(job)
        self._places = ByPlace((job, job.workload.namespace, job.workload.volumes) for job in anywhere)

    def of(self, found: Found) -> list[Job]:
        """The programs that may remove the copies of a backup, in the estate's order."""
        near = list(self._beside.get(id(found.job.container), ()))
        if found.target is not None:
            near.extend(self._places.near(found.target))
            for folder in _around(found.target):
                near.extend(self._emptying.get(folder, ())[:_ENOUGH])
        if found.copy.remote:
            near.extend(self._remote)
        unique = {id(job): job for job in near}
        return sorted(unique.values(), key=lambda job: self._order[id(job)])


_Folder: TypeAlias = tuple[str, ...]


def _emptied(job: Job) -> list[_Folder] | None:
    """The folders that a job removes from; ``None`` when it may remove from anywhere on its volumes."""
    if job.script.language == "python" or _unseen(job):
        return None
    folders: list[_Folder] = []
    for removal in job.removals:
        if removal.remote:
            continue
        spots = [spot_of(job, word, None) for word in removal.paths]
        if not spots:
            return None
        for item, word in zip(spots, removal.paths, strict=True):
            if item is None:
                return None
            folders.extend(_names(item.workload, item.volume, _emptied_folder(item, word).path))
    return folders


def _names(workload: Workload, volume: Volume, path: str) -> Iterator[_Folder]:
    """What a folder on a volume is called: by the volume, by its claim, by its server."""
    inside = path.strip("/")
    yield "volume", str(id(volume)), inside
    if volume.claim:
        yield "claim", workload.namespace, volume.claim, inside
    if volume.path and (volume.server or volume.kind == "host-path"):
        yield "folder", volume.server, Spot(workload, volume, path).server_path


def _around(target: Spot) -> Iterator[_Folder]:
    """Every folder that holds a target, under each of its names."""
    for name in _names(target.workload, target.volume, target.path):
        path = name[-1].rstrip("/")
        yield (*name[:-1], path or ("/" if name[0] == "folder" else ""))
        while path:
            path = path.rpartition("/")[0]
            yield (*name[:-1], path or ("/" if name[0] == "folder" else ""))


def _unseen(job: Job) -> bool:
    """Whether the job may remove something that is not read."""
    return job.workload.kind in ("CronJob", "Job") and bool(job.hidden)


def with_retention(found: Found, removers: Removers) -> Found:
    """The backup with everything that removes its copies, and what may remove them unseen."""
    kept: list[Retention] = []
    doubt = found.backup.undecided
    for job in removers.of(found):
        own = job is found.job
        for removal in job.removals:
            if _removes_from(found, job, removal) and _may_fit(found, job, removal):
                kept.append(_retention(found, job, removal))
        if (
            own
            or (job.container is found.job.container and job.workload is found.job.workload)
            or (found.target is not None and job.workload.kind in ("CronJob", "Job") and _mounts(job, found.target))
        ):
            doubt = doubt or job.hidden
        if job.script.language == "python" and _python_removes(job) and (own or _mounts(job, found.target)):
            kept.append(_python_removes_as(job))
    return replace(found, backup=replace(found.backup, retention=tuple(kept), undecided=doubt))


def _python_removes(job: Job) -> bool:
    read = python_program(job.script)
    return read is not None and bool(read.removals)


def _python_removes_as(job: Job) -> Retention:
    read = python_program(job.script)
    assert read is not None
    start, end = read.removals[0]
    return Retention(
        place=place_in(job.script, start, end),
        by="unclear",
        command="Python",
        age_days=None,
        keeps_at_least=None,
        undecided="what it removes",
    )


def _retention(found: Found, job: Job, removal: Removal) -> Retention:
    keeps = removal.keeps_at_least
    same = job.program is found.job.program
    guarded = guarded_by_success(job.program, removal.command, (found.copy,)) if keeps is None and same else False
    doubt = removal.undecided or (job.hidden if keeps is None and not same else "")
    if keeps is None and _waits_for(job, found.job):
        doubt = doubt or "it runs only after the init container that makes the copy has ended well"
    if guarded:
        keeps, doubt = 1, ""
    elif guarded is None:
        doubt = doubt or "the program looks at the result of the copy first"
    return Retention(
        place=place_in(job.script, removal.command.start, removal.command.end),
        by=removal.by,
        command=removal.command.name,
        age_days=removal.age_days,
        keeps_at_least=keeps,
        undecided=doubt,
        takes_newest=removal.takes_newest,
    )


def _waits_for(job: Job, other: Job) -> bool:
    """Whether a program starts only after another one of its pod has ended well."""
    return job.workload is other.workload and other.container.init and job.container is not other.container


def _may_fit(found: Found, job: Job, removal: Removal) -> bool:
    """Whether the names that a removal of another program looks for may be those of the copies."""
    if job.program is found.job.program or found.copy.path is None:
        return True
    globs = [path for path in removal.paths if any(part.kind == "glob" for part in path.parts)]
    patterns = removal.names or [path.text.rpartition("/")[2] for path in globs if len(globs) == len(removal.paths)]
    if not patterns:
        return True
    name = found.copy.path.text.rpartition("/")[2]
    dated = _is_dated(found)
    return not name or any(_overlap(pattern, name, dated=dated) for pattern in patterns)


def _is_dated(found: Found) -> bool:
    """Whether the first open part of a copy's name is a date in digits."""
    path = found.copy.path
    part = next((one for one in path.parts if one.kind != "literal"), None) if path is not None else None
    commands = [found.job.program.commands[index] for index in part.commands] if part is not None else []
    words = [word.text for one in commands if one.name == "date" for word in one.words]
    return any(_DIGITS_FIRST.match(word) for word in words)


_DIGITS_FIRST = re.compile(r"\+%[FYysdmHGgjUVWC]")
"""Formats of ``date`` that begin with a digit."""


def _overlap(one: str, other: str, *, dated: bool = False) -> bool:
    """Whether one name may fit both patterns: what stands before the first and after the last open part agrees.

    ``dated`` says that the first open part of the other begins with a digit.
    """
    starts, ends = ([re.split(r"[*?\[\]]", pattern)[at] for pattern in (one, other)] for at in (0, -1))
    if dated and starts[0].startswith(starts[1]) and not (starts[0][len(starts[1]) :] or "0")[0].isdigit():
        return False
    return (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])) and (
        ends[0].endswith(ends[1]) or ends[1].endswith(ends[0])
    )


def _mounts(job: Job, target: Spot | None) -> bool:
    return target is not None and any(
        same_place(target, Spot(job.workload, volume, "")) for volume in job.workload.volumes
    )


def _removes_from(found: Found, job: Job, removal: Removal) -> bool:
    """Whether a removal reaches the place where the copies lie; in doubt it does."""
    if removal.remote:
        if found.copy.tool in REPOSITORIES:
            return removal.remote == found.copy.tool or {removal.remote, found.copy.tool} <= {"restic", "rustic"}
        if not found.copy.remote or removal.remote in REPOSITORIES:
            return False
        return _same_store(removal.remote, found.copy.remote)
    near = job.container is found.job.container or _mounts(job, found.target)
    if not near:
        return False
    if found.target is None:
        return job.container is found.job.container
    spots = [spot_of(job, word, None) for word in removal.paths]
    if not spots or any(item is None for item in spots):
        own_texts = [word.prefix for word in removal.paths]
        if own_texts and found.copy.path is not None and job.container is found.job.container:
            return any(not known or _same_folder(known, found.copy.path) for known in own_texts)
        return not spots or job.container is not found.job.container
    return any(
        item is not None and _reaches(item, word, found.target) for item, word in zip(spots, removal.paths, strict=True)
    )


def _same_folder(known: str, path: Word) -> bool:
    return path.prefix.startswith(known.rstrip("/")) or known.startswith(path.prefix.rpartition("/")[0] or "/")


def _reaches(removed: Spot, word: Word, target: Spot) -> bool:
    """Whether what is removed lies where the copies do. A pattern of names means their folder."""
    removed = _emptied_folder(removed, word)
    folder = replace(target, path=target.path.rpartition("/")[0])
    return covers(removed, target) or covers(removed, folder)


def _emptied_folder(removed: Spot, word: Word) -> Spot:
    if word.literal is None and not word.prefix.endswith("/"):
        return replace(removed, path=removed.path.rpartition("/")[0])
    return removed


def _same_store(one: str, other: str) -> bool:
    first, second = (re.split(r"[*?]", item)[0].rstrip("/") for item in (one, other))
    return not first or not second or first.startswith(second) or second.startswith(first) or "://" not in one
