"""Commands that remove old copies: by age, by number, by a policy of a backup tool.

What matters is what is left when the job has failed for a long time. A removal by age leaves nothing then, unless it
only runs after a copy has been made in the same run; one by number always leaves that number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from shoreup.facts.backups.commands.copies import Copy
from shoreup.facts.backups.commands.order import takes_newest
from shoreup.facts.backups.commands.outputs import Expand, joined, working_folder
from shoreup.facts.backups.commands.policies import POLICY_TOOLS, policy
from shoreup.facts.backups.commands.removal import Removal
from shoreup.formats.shell import Command, Program, Word

_MINUTES_A_DAY = 1440
_REMOVERS = frozenset({"rm", "unlink", "shred", "rmdir", "trash"})
_FIND_AGES = frozenset({"-mtime", "-ctime", "-atime", "-mmin", "-cmin", "-amin", "-newermt", "-newerct", "-newer"})


def removals(program: Program, copied: tuple[Copy, ...], environment: Mapping[str, str]) -> Iterator[Removal]:
    """Every command of the program that removes old copies. ``copied`` is what the same program copies."""

    def expand(word: Word) -> Word:
        return program.expand(word, environment)

    for command in program.commands:
        if not program.runs(command):
            continue
        found = (
            _find(program, command, copied, expand)
            or _remove(program, command, copied, expand)
            or policy(command, expand)
        )
        if found is not None:
            yield found


# find


def _find(program: Program, command: Command, copied: tuple[Copy, ...], expand: Expand) -> Removal | None:
    if command.name != "find":
        return None
    texts = [expand(word).text for word in command.arguments]
    if not _find_removes(program, command, texts):
        return None
    ages = [text for text in texts if text in _FIND_AGES]
    if not ages:
        counted = _counted(program, program.downstream(command))
        if counted is not None:
            feeding = (command, *(item for item in program.downstream(command) if item.name not in _REMOVERS))
            newest = takes_newest(program, feeding, copied)
            roots = _find_roots(program, command, expand)
            return Removal(command, "count", roots, keeps_at_least=counted, takes_newest=newest)
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
        takes_newest=True if kept is None and _younger(texts) else None,
        names=_find_names(texts),
    )


def _find_names(texts: list[str]) -> tuple[str, ...]:
    """The patterns of names, where nothing but names chooses between them."""
    if {"!", "-not"} & set(texts):
        return ()
    named = tuple(value for option, value in pairwise(texts) if option == "-name")
    return named if len(named) < 2 or {"-o", "-or"} & set(texts) else ()


def _younger(texts: list[str]) -> bool:
    """Whether it looks for what is younger than an age, and for nothing else: ``-mtime -7``."""
    plain = not {"-o", "-or", "!", "-not"} & set(texts)
    return plain and any(
        option in ("-mtime", "-mmin", "-ctime", "-cmin") and re.fullmatch(r"-\d+", value) is not None
        for option, value in pairwise(texts)
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
    for option, value in pairwise(texts):
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
        return Removal(
            command, "count", paths, keeps_at_least=kept, takes_newest=takes_newest(program, feeding, copied)
        )
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
            if ends_the_run(program, made) or _chained(made, removal):
                return True
            if re.search(r"\$\?|\$\{\?\}", program.text[made.end : removal.start]):
                answer = None
        if re.search(r"PIPESTATUS|\[ -s |test -s |gzip -t|gunzip -t", program.text[made.end : removal.start]):
            answer = None
    return answer


_HARMLESS = frozenset(
    {"pipeline", "function", "group", "for", "while", "if", "case", "else", "nested", "wrapped", "remote", "and"}
)


def ends_the_run(program: Program, made: Command) -> bool:
    """Whether a failure of the copy ends the program: by ``set -e``, ``|| exit``, ``if ! dump; then exit; fi``."""
    if made.options.errexit and all(frame.kind in _HARMLESS for frame in made.context):
        return True
    for frame in made.context:
        tried = frame.kind == "tried" and frame.name == "||"
        asked = frame.kind == "if" and made.frame("condition") is not None and made.frame("not") is not None
        if tried or asked:
            kind = "or" if tried else "if"
            for other in program.commands:
                leaves = other.name in ("exit", "return") and other.frame("condition") is None
                if leaves and any(item.kind == kind and item.id == frame.id for item in other.context):
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


REMOVING = frozenset({*POLICY_TOOLS, *_REMOVERS, "find"})
"""The names of every command that may remove old copies."""
