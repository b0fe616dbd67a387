"""Where the output of a command ends up, and whether each run makes a new file there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.backups.commands.uploads import upload
from shoreup.formats.shell import Command, Part, Program, Word

_OUTPUT_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "gpg": ("-o", "--output"),
    "gpg2": ("-o", "--output"),
    "openssl": ("-out",),
    "age": ("-o", "--output"),
    "zstd": ("-o",),
    "pv": ("-o", "--output"),
    "mbuffer": ("-o",),
}
RESTORING = frozenset({"psql", "pg_restore", "mysql", "mariadb", "mongorestore", "redis-cli", "valkey-cli", "sqlite3"})
_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "-"})
_ALWAYS_NEW = frozenset({"RANDOM", "SRANDOM", "EPOCHSECONDS", "EPOCHREALTIME", "BASHPID", "$"})
_STAYING = frozenset({"hostname", "basename", "dirname", "uname", "whoami", "pwd", "realpath", "echo", "printf", "cat"})
_EVER_NEW_FORMATS = frozenset("YyGgCsFDcx+N")
"""The conversions of ``date`` that do not come round again within a year or are unique at once."""


class Target(Struct, frozen=True):
    """Where output goes: a ``path``, or a ``remote``. ``lost`` says that another program swallows it.

    ``outside`` says that a command which runs elsewhere (``kubectl exec``) is kept by the machine that started it.
    """

    path: Word | None = None
    remote: str = ""
    append: bool = False
    lost: bool = False
    outside: bool = False


Expand = Callable[[Word], Word]


def output_target(program: Program, command: Command, expand: Expand) -> Target | None:
    """Where the command's standard output is kept; ``None`` when nothing keeps it."""
    remote = command.frame("remote") is not None
    own = _redirected(command, expand)
    if own is not None:
        # The words of ``kubectl exec POD -- dump > file`` run there; the redirection is done here.
        inner = command.frame("nested", "wrapped")
        return replace(own, outside=remote and inner is not None and inner.kind == "wrapped")
    for following in program.downstream(command):
        target = _kept_by(following, expand)
        if target is not None:
            return replace(target, outside=remote and following.frame("remote") is None)
    for frame in reversed(command.context):
        if frame.kind == "nested" and frame.parent >= 0:
            target = _redirected(program.commands[frame.parent], expand)
            if target is not None:
                return replace(target, outside=remote)
    return None


def _redirected(command: Command, expand: Expand) -> Target | None:
    for redirect in reversed(command.redirects):
        if redirect.writes and redirect.target is not None and redirect.target.literal not in _NOWHERE:
            return Target(expand(redirect.target), append=redirect.operator.endswith(">>"))
    return None


def _kept_by(command: Command, expand: Expand) -> Target | None:
    remote = upload(command)
    if remote:
        return Target(remote=remote)
    written = _written_by(command) or _named_by_option(command)
    if written is not None:
        return Target(expand(written), append=command.name == "tee" and any(w.text == "-a" for w in command.words))
    if command.name in RESTORING:
        return Target(lost=True)
    return _redirected(command, expand)


def _written_by(command: Command) -> Word | None:
    """The plain word by which a filter names the file that it writes."""
    plain = [word for word in command.arguments if not word.text.startswith("-")]
    match command.name:
        case "dd":
            named = next((word for word in command.arguments if word.prefix.startswith("of=")), None)
            return named.drop(len("of=")) if named is not None else None
        case "tee" | "zip" if plain:
            return plain[0]
        case "7z" | "7za" if plain:
            return plain[1] if len(plain) > 1 else plain[0]  # ``7z a FILE``
        case "split" if plain and command.words[-1].text != "-":
            return plain[-1]
    return None


def _named_by_option(command: Command) -> Word | None:
    for option in _OUTPUT_OPTIONS.get(command.name, ()):
        for index, word in enumerate(command.arguments):
            if word.text == option and index + 1 < len(command.arguments):
                return command.arguments[index + 1]
            if option.startswith("--") and word.prefix.startswith(f"{option}="):
                return word.drop(len(option) + 1)
    return None


def varies(program: Program, word: Word, append: bool = False) -> bool | None:
    """Whether this path is another one on each run. Names that come round (``%u``, ``%d``) do not count."""
    if append:
        return False
    return _any_varies(_part_varies(program, part, ()) for part in word.parts)


def _any_varies(answers: Iterable[bool | None]) -> bool | None:
    """One part that is another on each run makes the whole so; else one that is not known leaves it open."""
    known = set(answers)
    if True in known:
        return True
    return None if None in known else False


def _part_varies(program: Program, part: Part, within: tuple[str, ...]) -> bool | None:
    if part.kind == "literal":
        return False
    if part.kind == "substitution":
        return _substitution_varies(program, part)
    if part.kind != "variable":
        return None
    if part.text in _ALWAYS_NEW:
        return True
    if part.text in within or part.text.isdigit() or part.text in ("@", "*", "HOSTNAME"):
        return None
    if part.text in program.loop_variables:
        return False
    held = [item for item in program.assignments if item.name == part.text and item.command < 0]
    if not held:
        return False  # from the container's environment, the same for each run
    answer = _any_varies(
        _part_varies(program, inner, (*within, part.text))
        for item in held
        for inner in (item.value.parts if item.value is not None else (Part("unknown", "", 0, 0),))
    )
    # Of several assignments it is not known which one counts, so one that varies decides nothing.
    return answer if len(held) == 1 or answer is False else None


def _substitution_varies(program: Program, part: Part) -> bool | None:
    commands = [program.commands[index] for index in part.commands if index < len(program.commands)]
    dates = [command for command in commands if command.name == "date"]
    if dates:
        return any(_date_is_new(command) for command in dates)
    if any(command.name in ("uuidgen", "mktemp") for command in commands):
        return True
    return False if commands and all(command.name in _STAYING for command in commands) else None


def _date_is_new(command: Command) -> bool:
    for word in command.arguments:
        if word.text.startswith("+"):
            return bool(_EVER_NEW_FORMATS & set(re.findall(r"%[-_0^#E]*([A-Za-z+])", word.text)))
    return True


def working_folder(program: Program, command: Command, expand: Expand) -> Word | None:
    """Where a ``cd`` before the command leaves it; ``None`` when none is certain."""
    found: Word | None = None
    outer = tuple(frame.id for frame in command.context)
    for earlier in program.commands:
        if earlier.start >= command.start:
            break
        if earlier.name in ("cd", "pushd") and earlier.arguments:
            frames = [frame.id for frame in earlier.context if frame.kind not in ("and", "or")]
            if all(number in outer for number in frames):
                found = expand(earlier.arguments[-1])
    return found


def joined(folder: Word | None, path: Word) -> Word:
    """A relative path inside a folder; an absolute one as it is."""
    if folder is None or path.text.startswith(("/", "~", "*")) or "://" in path.text or not path.parts:
        return path
    if path.literal in (".", "./"):
        return folder
    if path.prefix.startswith("./"):
        path = path.drop(2)
    between = Part("literal", "/", path.start, path.start, positions=())
    return Word((*folder.parts, between, *path.parts), path.start, path.end)
