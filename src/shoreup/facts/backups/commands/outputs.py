"""Where the output of a command ends up, and whether each run makes a new file there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

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
    name = command.name
    texts = [word.text for word in command.words]
    plain = [word for word in command.arguments if not word.text.startswith("-")]
    remote = upload(command)
    if remote:
        return Target(remote=remote)
    if name == "tee" and plain:
        return Target(expand(plain[0]), append="-a" in texts)
    if name == "split" and len(plain) >= 1 and texts[-1] != "-":
        return Target(expand(plain[-1]))
    if name == "dd":
        written = next((word for word in command.arguments if word.prefix.startswith("of=")), None)
        if written is not None:
            return Target(expand(written.drop(3)))
    if name in ("7z", "7za", "zip") and plain:
        return Target(expand(plain[1] if name != "zip" and len(plain) > 1 else plain[0]))
    for option in _OUTPUT_OPTIONS.get(name, ()):
        for index, word in enumerate(command.arguments):
            if word.text == option and index + 1 < len(command.arguments):
                return Target(expand(command.arguments[index + 1]))
            if option.startswith("--") and word.prefix.startswith(f"{option}="):
                return Target(expand(word.drop(len(option) + 1)))
    if name in RESTORING:
        return Target(lost=True)
    return _redirected(command, expand)


def upload(command: Command) -> str:
    """The remote that a command sends its input or files to; empty when it sends nothing."""
    name = command.name
    texts = [word.text for word in command.arguments]
    plain = [text for text in texts if not text.startswith("-") or text == "-"]
    last = plain[-1] if plain else ""
    if name == "aws" and "s3" in texts and {"cp", "sync", "mv"} & set(texts) and last.startswith("s3:"):
        return last
    if name == "rclone" and len(plain) > 1 and plain[0] in RCLONE_COPYING:
        return plain[1 if plain[0] == "rcat" else 2] if len(plain) > (1 if plain[0] == "rcat" else 2) else "rclone"
    if name in ("mc", "mcli") and len(plain) > 1 and plain[0] in ("pipe", "cp", "mirror", "mv", "put"):
        return last
    if name in ("gsutil", "gcloud") and last.startswith("gs:"):
        return last
    if name == "s3cmd" and plain and plain[0] in ("put", "sync") and last.startswith("s3:"):
        return last
    if name == "s5cmd" and last.startswith("s3:"):
        return last
    if name in ("restic", "rustic") and "backup" in plain:
        return "restic repository"
    if name == "borg" and "create" in plain:
        return next((text.partition("::")[0] for text in plain if "::" in text), "") or "borg repository"
    if name == "kopia" and "snapshot" in plain and "create" in plain:
        return "kopia repository"
    if name in ("scp", "rsync") and re.match(r"^[^/]*[^/:]:", last):
        return last
    if name == "rsync" and last.startswith("rsync://"):
        return last
    if name == "curl" and {"-T", "--upload-file", "-F", "--form", "--data-binary"} & set(texts):
        return next((text for text in texts if "://" in text), "an HTTP service")
    if name == "ssh" and plain:
        return f"ssh {plain[0]}"
    if name == "duplicity" and "://" in last:
        return last
    if name in ("b2", "azcopy", "lftp", "smbclient", "ftp", "sftp", "ncftpput"):
        return name
    return ""


RCLONE_COPYING = frozenset({"copy", "sync", "move", "copyto", "moveto", "rcat", "bisync"})


def varies(program: Program, word: Word, append: bool = False) -> bool | None:
    """Whether this path is another one on each run. Names that come round (``%u``, ``%d``) do not count."""
    if append:
        return False
    answers = [_part_varies(program, part, ()) for part in word.parts]
    if True in answers:
        return True
    return None if None in answers else False


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
    answers = [
        _part_varies(program, inner, (*within, part.text))
        for item in held
        for inner in (item.value.parts if item.value is not None else (Part("unknown", "", 0, 0),))
    ]
    if len(held) == 1:
        return True if True in answers else (None if None in answers else False)
    return None if None in answers or True in answers else False


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
