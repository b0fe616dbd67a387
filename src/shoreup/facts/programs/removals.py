"""Commands that remove old copies: by age, by number, by a policy of a backup tool.

What matters is what is left when the job has failed for a long time. A removal by age leaves nothing then, unless it
only runs after a copy has been made in the same run; one by number always leaves that number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoreup.facts.programs.arguments import read_arguments
from shoreup.facts.programs.copies import Copy
from shoreup.facts.programs.outputs import Expand, joined, working_folder
from shoreup.formats.shell import Command, Frame, Program, Word

_MINUTES_A_DAY = 1440
_AGE_UNITS: Mapping[str, float] = {
    "": 1, "s": 1 / 86400, "sec": 1 / 86400, "m": 1 / 1440, "min": 1 / 1440, "h": 1 / 24, "d": 1, "day": 1, "days": 1, "w": 7, "week": 7,
    "weeks": 7, "M": 30, "month": 30, "months": 30, "y": 365, "Y": 365, "year": 365, "years": 365, "D": 1, "W": 7,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")

_REMOVERS = frozenset({"rm", "unlink", "shred", "rmdir", "trash"})
_FIND_AGES = frozenset({"-mtime", "-ctime", "-atime", "-mmin", "-cmin", "-amin", "-newermt", "-newerct", "-newer"})


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that removes old copies.

    ``by`` is ``age``, ``count``, ``policy`` or ``unclear``. ``paths`` are the folders in which it removes, empty when they
    are not certain; ``remote`` is the store for tools that have one. ``age_days`` and ``keeps_at_least`` as in
    :class:`shoreup.facts.estate.Retention`.
    """

    command: Command
    by: str
    paths: tuple[Word, ...] = ()
    remote: str = ""
    age_days: float | None = None
    keeps_at_least: int | None = None
    undecided: str = ""


def removals(program: Program, copied: tuple[Copy, ...], environment: Mapping[str, str]) -> Iterator[Removal]:
    """Every command of the program that removes old copies. ``copied`` is what the same program copies."""

    def expand(word: Word) -> Word:
        return program.expand(word, environment)

    for command in program.commands:
        if not program.runs(command):
            continue
        found = _find(program, command, expand) or _remove(program, command, copied, expand) or _tool(command, expand)
        if found is not None:
            yield found


def days(text: str) -> float | None:
    """An age such as ``7``, ``30d``, ``2w``, ``1D12h`` in days; ``None`` when it is none."""
    total = 0.0
    matched = _DURATION.findall(text.strip())
    if not matched or re.sub(r"[\s]", "", "".join(n + u for n, u in matched)) != re.sub(r"\s", "", text.strip()):
        return None
    for number, unit in matched:
        factor = _AGE_UNITS.get(unit)
        if factor is None:
            return None
        total += float(number) * factor
    return total


# find


def _find(program: Program, command: Command, expand: Expand) -> Removal | None:
    if command.name != "find":
        return None
    texts = [expand(word).text for word in command.arguments]
    if not _find_removes(program, command, texts):
        return None
    ages = [text for text in texts if text in _FIND_AGES]
    if not ages:
        counted = _counted(program, program.downstream(command))
        if counted is not None:
            return Removal(command, "count", _find_roots(program, command, expand), keeps_at_least=counted)
        # Without an age it empties a folder, which is no retention, unless it only looks for what is empty or broken.
        return (
            None
            if "-empty" in texts or "-delete" in texts
            else Removal(command, "unclear", _find_roots(program, command, expand))
        )
    kept = _counted(program, program.downstream(command))
    guard, doubt = _guard(program, command)
    return Removal(
        command,
        "age" if kept is None else "count",
        _find_roots(program, command, expand),
        age_days=_find_age(texts),
        keeps_at_least=kept if kept is not None else guard,
        undecided=doubt,
    )


def _find_removes(program: Program, command: Command, texts: list[str]) -> bool:
    if "-delete" in texts:
        return True
    for other in program.commands:
        frame = other.frame("wrapped", "nested")
        if other.name in _REMOVERS and frame is not None and frame.parent == command.index:
            return True
    return any(other.name in _REMOVERS for other in program.downstream(command)) or _feeds_removing_loop(
        program, command
    )


def _feeds_removing_loop(program: Program, command: Command) -> bool:
    for other in program.commands:
        if other.name in _REMOVERS:
            for frame in other.context:
                if frame.kind == "for" and any(
                    command.index in part.commands for word in frame.words for part in word.parts
                ):
                    return True
            if any(command.index in part.commands for word in other.words for part in word.parts):
                return True
    return False


def _find_roots(program: Program, command: Command, expand: Expand) -> tuple[Word, ...]:
    folder = working_folder(program, command, expand)
    roots: list[Word] = []
    for word in command.arguments:
        if word.text.startswith(("-", "(", "!")) and word.text not in ("-L", "-H", "-P"):
            break
        if word.text not in ("-L", "-H", "-P"):
            roots.append(joined(folder, expand(word)))
    return tuple(roots)


def _find_age(texts: list[str]) -> float | None:
    for option, value in zip(texts, texts[1:], strict=False):
        match = re.fullmatch(r"\+?(\d+)", value)
        if match and option in ("-mtime", "-ctime", "-atime"):
            return float(match.group(1))
        if match and option in ("-mmin", "-cmin", "-amin"):
            return int(match.group(1)) / _MINUTES_A_DAY
        if option in ("-newermt", "-newerct"):
            ago = re.search(r"(\d+)\s*(day|week|month|hour|minute)s?", value)
            factor = {"day": 1.0, "week": 7.0, "month": 30.0, "hour": 1 / 24, "minute": 1 / _MINUTES_A_DAY}
            return int(ago.group(1)) * factor[ago.group(2)] if ago else None
    return None


# rm fed by a list


def _remove(program: Program, command: Command, copied: tuple[Copy, ...], expand: Expand) -> Removal | None:
    if command.name not in _REMOVERS:
        return None
    feeding = _feeding(program, command)
    if any(item.name == "find" for item in feeding):
        return None  # told by the find itself
    frame = command.frame("wrapped", "nested")
    if frame is not None and frame.parent >= 0 and program.commands[frame.parent].name == "find":
        return None
    kept = _counted(program, feeding)
    listing = next((item for item in feeding if item.name in ("ls", "stat", "exa", "dir")), None)
    if kept is not None:
        paths = _listed(program, listing, expand) if listing is not None else ()
        return Removal(command, "count", paths, keeps_at_least=kept)
    folder = working_folder(program, command, expand)
    words = tuple(joined(folder, expand(word)) for word in command.arguments if not word.text.startswith("-"))
    if feeding or any(part.kind in ("variable", "substitution") for word in words for part in word.parts):
        own = {copy.path.text for copy in copied if copy.path is not None}
        if words and all(word.text in own or _is_temporary(word) for word in words):
            return None
        return Removal(
            command, "unclear", _listed(program, listing, expand) if listing else (), undecided="what it removes"
        )
    if any(part.kind == "glob" for word in words for part in word.parts):
        return Removal(command, "unclear", tuple(words), undecided="which files the pattern matches")
    return None


def _is_temporary(word: Word) -> bool:
    return word.text.startswith(("/tmp", "/var/tmp", "/dev/shm")) or bool(  # noqa: S108 (a name, nothing is written)
        re.search(r"\.(tmp|part|partial|lock|pid)\b|(^|/)\.?(tmp|temp)", word.text)
    )


def _feeding(program: Program, command: Command) -> tuple[Command, ...]:
    """The commands whose output names what is removed: through a pipe, a loop or a substitution."""
    found = list(program.upstream(command))
    for frame in command.context:
        if frame.kind == "for":
            found.extend(_substituted(program, frame.words))
    found.extend(_substituted(program, command.words))
    for word in command.words:
        for name in word.variables:
            value = program.value(name)
            if value is not None:
                found.extend(_substituted(program, (value,)))
    for frame in command.context:
        if frame.kind == "for":
            for name in (name for word in frame.words for name in word.variables):
                value = program.value(name)
                if value is not None:
                    found.extend(_substituted(program, (value,)))
    return tuple(found)


def _substituted(program: Program, words: tuple[Word, ...]) -> Iterator[Command]:
    for word in words:
        for part in word.parts:
            for index in part.commands:
                yield program.commands[index]


def _counted(program: Program, commands: tuple[Command, ...]) -> int | None:
    """How many copies a listing leaves out before they are removed; ``None`` when it counts nothing.

    Only the number is read here. Whether the list begins with the newest is for a trial run to show.
    """
    for command in commands:
        words = [program.expand(word).text for word in command.arguments]
        joined_words = " ".join(words)
        if command.name == "tail":
            match = re.search(r"(?:^|\s)(?:-n\s*|--lines=)?\+(\d+)\b", joined_words)
            if match:
                return max(int(match.group(1)) - 1, 0)
            if re.search(r"(?:^|\s)(?:-n\s*|--lines=)?\+(?:\*|$)", joined_words):
                return 1
        elif command.name == "head":
            match = re.search(r"(?:-n\s*|--lines=)-(\d+)\b", joined_words)
            if match:
                return int(match.group(1))
            if re.search(r"(?:-n\s*|--lines=)-\*", joined_words):
                return 1
        elif command.name in ("awk", "gawk"):
            match = re.search(r"NR\s*>\s*(=?)\s*(\d+)", joined_words)
            if match:
                return int(match.group(2)) - (1 if match.group(1) else 0)
        elif command.name == "sed":
            match = re.search(r"(?:^|\s)['\"]?1,(\d+)d|-e\s*1,(\d+)d", joined_words)
            if match:
                return int(match.group(1) or match.group(2))
    return None


def _listed(program: Program, listing: Command, expand: Expand) -> tuple[Word, ...]:
    folder = working_folder(program, listing, expand)
    words = tuple(joined(folder, expand(word)) for word in listing.arguments if not word.text.startswith("-"))
    return words or ((folder,) if folder is not None else ())


def _guard(program: Program, command: Command) -> tuple[int | None, str]:
    """Whether a count of files stands before the removal: ``[ $(ls | wc -l) -gt 7 ] && find ... -delete``."""
    conditions = [frame for frame in command.context if frame.kind in ("if", "and")]
    if not conditions:
        return None, ""
    ids = {frame.id for frame in conditions}
    for other in program.commands:
        near = any(frame.id in ids for frame in other.context) or other.end <= command.start
        if other.name == "wc" and near and other.frame("substitution") is not None:
            return None, "a count of files stands before it"
    if any(frame.kind == "if" for frame in conditions):
        return None, "it depends on a condition"
    return None, ""


def guarded_by_success(program: Program, removal: Command, copied: tuple[Copy, ...]) -> bool | None:
    """Whether the removal only runs in a run whose copy has succeeded, so that one good copy is always left.

    ``None`` where the program looks at the copy's result in a way that is not followed.
    """
    answer: bool | None = False
    for copy in copied:
        made = copy.command
        if made.start >= removal.start:
            continue
        if not program.downstream(made) or made.options.pipefail:
            if _ends_the_run(program, made) or _chained(made, removal):
                return True
            if re.search(r"\$\?|\$\{\?\}", program.text[made.end : removal.start]):
                answer = None
        if re.search(r"PIPESTATUS|\[ -s |test -s |gzip -t|gunzip -t", program.text[made.end : removal.start]):
            answer = None
    return answer


_HARMLESS = frozenset(
    {"pipeline", "function", "group", "for", "while", "if", "case", "else", "nested", "wrapped", "remote", "and"}
)


def _ends_the_run(program: Program, made: Command) -> bool:
    """Whether a failure of the copy ends the program: by ``set -e``, ``|| exit``, ``if ! dump; then exit; fi``."""
    if made.options.errexit and all(frame.kind in _HARMLESS for frame in made.context):
        return True
    for frame in made.context:
        tried = frame.kind == "tried" and frame.name == "||"
        asked = frame.kind == "if" and made.frame("condition") is not None and made.frame("not") is not None
        if tried or asked:
            kind = "or" if tried else "if"
            for other in program.commands:
                if other.name in ("exit", "return") and other.frame("condition") is None:
                    if any(item.kind == kind and item.id == frame.id for item in other.context):
                        return True
    return False


def _chained(made: Command, removal: Command) -> bool:
    """``dump && find ... -delete``, ``if dump; then find ...; fi``."""
    for frame in removal.context:
        for position, own in enumerate(made.context):
            if own.id != frame.id:
                continue
            inner = made.context[position + 1 :]
            plain = all(
                item.kind in ("pipeline", "and") or (item.kind == "tried" and item.name == "&&") for item in inner
            )
            if frame.kind == "and" and own.kind == "tried" and plain:
                return True
            asked = bool(inner) and inner[0].kind == "condition" and all(item.kind == "pipeline" for item in inner[1:])
            if frame.kind == own.kind == "if" and asked and removal.frame("condition", "else") is None:
                return True
    return False


# Tools with a policy


def _tool(command: Command, expand: Expand) -> Removal | None:
    reader = _TOOLS.get(command.name)
    return reader(command, expand) if reader is not None else None


_KEEPS = (
    "--keep-last",
    "--keep-hourly",
    "--keep-daily",
    "--keep-weekly",
    "--keep-monthly",
    "--keep-yearly",
    "--keep-latest",
    "--keep-annual",
    "--keep-13weekly",
    "--keep-3monthly",
    "--keep-secondly",
    "--keep-minutely",
)


def _restic(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word).text for word in command.arguments]
    # What restic keeps is counted from the newest snapshot, never from today: something is always left.
    return Removal(command, "policy", remote=command.name, keeps_at_least=1) if "forget" in words else None


def _borg(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word).text for word in command.arguments]
    if "prune" not in words:
        return None
    if any(word.startswith(_KEEPS) or word in ("-d", "-w", "-m", "-H", "-y") for word in words):
        return Removal(command, "policy", remote="borg", keeps_at_least=1)
    arguments = read_arguments(command.arguments, ("--keep-within", "--prefix", "-P", "--glob-archives", "-a"))
    within = arguments.value("--keep-within")
    if within is None:
        return Removal(command, "policy", remote="borg", undecided="what it keeps")
    match = re.fullmatch(r"(\d+)([HdwmyM])", expand(within).text)
    age = (
        int(match.group(1)) * {"H": 1 / 24, "d": 1, "w": 7, "m": 31, "M": 31, "y": 366}[match.group(2)]
        if match
        else None
    )
    return Removal(command, "age", remote="borg", age_days=age)


def _kopia(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word).text for word in command.arguments]
    if ("policy" in words and any(word.startswith("--keep-") for word in words)) or words[:2] == ["snapshot", "expire"]:
        return Removal(command, "policy", remote="kopia", keeps_at_least=1)
    # ``snapshot create`` applies the policy of the repository, which by default keeps a fixed number.
    return Removal(command, "policy", remote="kopia", keeps_at_least=1) if words[:2] == ["snapshot", "create"] else None


def _rclone(command: Command, expand: Expand) -> Removal | None:
    arguments = read_arguments(
        command.arguments, ("--min-age", "--max-age", "--config", "--include", "--exclude", "--log-level")
    )
    texts = [word.text for word in arguments.plain]
    if not texts or texts[0] not in ("delete", "deletefile", "purge"):
        return None
    age = arguments.value("--min-age")
    where = expand(arguments.plain[-1])
    if age is None:
        return Removal(command, "unclear", remote=where.text, undecided="what it removes")
    return _stored(Removal(command, "age", remote=where.text, age_days=days(expand(age).text)), where)


def _stored(removal: Removal, where: Word) -> Removal:
    """A tool for remotes that is given a local folder."""
    if where.text.startswith("/"):
        return Removal(removal.command, removal.by, (where,), "", removal.age_days, removal.keeps_at_least)
    return removal


def _mc(command: Command, expand: Expand) -> Removal | None:
    arguments = read_arguments(command.arguments, ("--older-than", "--newer-than", "--config-dir", "-C"))
    texts = [word.text for word in arguments.plain]
    if not texts:
        return None
    if texts[0] in ("ilm",):
        return Removal(command, "age", remote=texts[-1])
    if texts[0] not in ("rm", "find"):
        return None
    age = arguments.value("--older-than")
    remote = expand(arguments.plain[-1]).text
    if age is None:
        return Removal(command, "unclear", remote=remote, undecided="what it removes")
    return Removal(command, "age", remote=remote, age_days=days(expand(age).text))


def _remote_rm(command: Command, expand: Expand) -> Removal | None:
    """Object stores whose plain ``rm`` in a script can only be understood by reading what feeds it."""
    words = [expand(word).text for word in command.arguments]
    lifecycle = any("lifecycle" in word for word in words)
    if lifecycle:
        return Removal(command, "policy", remote=words[-1] if words else "", undecided="its rules")
    if any(word in ("rm", "del", "delete-object", "delete-objects", "delete-file-version") for word in words):
        return Removal(command, "unclear", remote=words[-1], undecided="what it removes")
    return None


def _duplicity(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word).text for word in command.arguments]
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in ("remove-older-than", "--remove-older-than"):
            return Removal(command, "age", remote=words[-1], age_days=days(following))
        if word in ("remove-all-but-n-full", "remove-all-inc-of-but-n-full"):
            return Removal(
                command, "count", remote=words[-1], keeps_at_least=int(following) if following.isdigit() else 1
            )
    return None


def _tmpreaper(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word) for word in command.arguments if not word.text.startswith("-")]
    if len(words) < 2:
        return None
    age = days(words[0].text)
    hours = words[0].text.isdigit()
    return Removal(command, "age", tuple(words[1:]), age_days=age / 24 if age is not None and hours else age)


def _logrotate(command: Command, expand: Expand) -> Removal | None:
    return Removal(command, "count", keeps_at_least=1)


def _archiver(command: Command, expand: Expand) -> Removal | None:
    words = [expand(word).text for word in command.arguments]
    name = command.name
    if name == "pgbackrest" and (
        "expire" in words or any(word.startswith("--repo") and "retention" in word for word in words)
    ):
        return Removal(command, "policy", remote=name, keeps_at_least=1)
    if name == "wal-g" and "delete" in words:
        retain = "retain" in words
        numbers = [int(word) for word in words if word.isdigit()]
        return Removal(
            command,
            "count" if retain else "unclear",
            remote=name,
            keeps_at_least=numbers[0] if retain and numbers else None,
            undecided="" if retain else "what it removes",
        )
    if name == "barman" and ("delete" in words or "cron" in words):
        return Removal(command, "policy", remote=name, keeps_at_least=1)
    if name in ("barman-cloud-backup-delete",):
        return Removal(command, "policy", remote=name, keeps_at_least=1)
    if name in ("rdiff-backup",) and any(word.startswith("--remove-older-than") or word == "remove" for word in words):
        return Removal(command, "age", remote=name, keeps_at_least=1)
    return None


def _keeps_itself(command: Command, expand: Expand) -> Removal | None:
    """Tools whose own configuration rotates: what it says is not read here."""
    return Removal(command, "policy", remote=command.name, keeps_at_least=1)


_TOOLS = {
    "restic": _restic,
    "rustic": _restic,
    "borg": _borg,
    "kopia": _kopia,
    "rclone": _rclone,
    "mc": _mc,
    "mcli": _mc,
    "aws": _remote_rm,
    "gsutil": _remote_rm,
    "gcloud": _remote_rm,
    "s3cmd": _remote_rm,
    "s5cmd": _remote_rm,
    "b2": _remote_rm,
    "az": _remote_rm,
    "azcopy": _remote_rm,
    "duplicity": _duplicity,
    "tmpreaper": _tmpreaper,
    "tmpwatch": _tmpreaper,
    "logrotate": _logrotate,
    "pgbackrest": _archiver,
    "wal-g": _archiver,
    "barman": _archiver,
    "barman-cloud-backup-delete": _archiver,
    "rdiff-backup": _archiver,
    "borgmatic": _keeps_itself,
    "resticprofile": _keeps_itself,
    "autorestic": _keeps_itself,
    "rsnapshot": _keeps_itself,
    "automysqlbackup": _keeps_itself,
    "autopostgresqlbackup": _keeps_itself,
    "backup-rotate": _keeps_itself,
    "rotate-backups": _keeps_itself,
}

REMOVING = frozenset({*_TOOLS, *_REMOVERS, "find"})
"""The names of every command that may remove old copies."""
