"""Tools that copy files: which words of theirs are read, and which is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from shoreup.facts.backups.commands.outputs import joined
from shoreup.facts.backups.commands.uploads import RCLONE_COPYING, upload
from shoreup.facts.programs.arguments import read_arguments
from shoreup.formats.shell import Command, Word

REPOSITORIES = frozenset({"restic", "rustic", "borg", "kopia", "duplicity", "rdiff-backup", "borgmatic", "duplicacy"})
"""Tools that keep every run as a snapshot in a store of their own."""
FILE_TOOLS = frozenset(
    {
        *("tar", "cp", "mv", "rsync", "zip", "7z", "7za", "scp", "rclone", "aws", "mc", "mcli", "gsutil", "s3cmd"),
        *("s5cmd", "restic", "rustic", "borg", "kopia", "duplicity", "rdiff-backup"),
    }
)

Reading = tuple[tuple[Word, ...], Word | None]
"""The words that are read, and the one that is written: ``None`` where the tool writes no path, or its output."""
_TAR_VALUED = tuple(
    """
    -f --file -C --directory -T -X --exclude --exclude-from -I --use-compress-program -g --listed-incremental
    --transform --owner --group -b
    """.split()
)
_RSYNC_VALUED = tuple(
    """
    -e --rsh --exclude --include --exclude-from --include-from --files-from --bwlimit --password-file --link-dest
    --backup-dir -f --filter --chown --log-file --port --timeout -T --temp-dir --max-size --min-size
    --compare-dest --copy-dest --suffix
    """.split()
)
_UPLOADING_VALUED = tuple(
    """
    --profile --endpoint-url --region --storage-class --sse --exclude --include --config -r --repo
    --repository-file -p --password-file --password-command --tag --host -H --exclude-file --stdin-filename -C
    --compression --transfers --cache-dir -o --bwlimit --log-file --config-file --checkers --log-level
    --override-source --stats -i -P
    """.split()
)
"""Options that take a value in one of the tools that upload."""
_VERBS = frozenset(
    """
    s3 cp sync mv copy move copyto moveto rcat mirror put pipe storage backup create snapshot rsync bisync snap
    """.split()
)


def _tar(command: Command) -> Reading | None:
    words = list(command.arguments)
    letters = ""
    if words and re.fullmatch(r"[A-Za-z]+", words[0].text):
        letters = words.pop(0).text  # the old style: ``tar czf FILE ...``
    arguments = read_arguments(words, _TAR_VALUED)
    if "c" not in letters and not arguments.has("-c", "--create", "-A", "-r", "-u"):
        return None
    plain = list(arguments.plain)
    file = arguments.value("-f", "--file")
    if "f" in letters and plain:
        file = plain.pop(0)
    folder = arguments.value("-C", "--directory")
    sources = tuple(joined(folder, word) if word.text not in (".", "*") or folder is None else folder for word in plain)
    return sources, None if file is None or file.literal == "-" else file


def _cp(command: Command) -> Reading | None:
    arguments = read_arguments(command.arguments, ("-t", "--target-directory", "-S", "--suffix"))
    folder = arguments.value("-t", "--target-directory")
    plain = arguments.plain
    if folder is not None:
        return plain, folder
    return (plain[:-1], plain[-1]) if len(plain) > 1 else None


def _rsync(command: Command) -> Reading | None:
    arguments = read_arguments(command.arguments, _RSYNC_VALUED)
    plain = arguments.plain
    return (plain[:-1], plain[-1]) if len(plain) > 1 else None


def _zip(command: Command) -> Reading | None:
    arguments = read_arguments(command.arguments, ("-P", "-x", "-i", "-t", "--password", "-o"))
    plain = arguments.plain
    if command.name != "zip":
        if not plain or plain[0].text not in ("a", "u"):
            return None
        plain = plain[1:]
    return (plain[1:], plain[0]) if len(plain) > 1 else None


def uploading(command: Command) -> Reading | None:
    """Tools with a command word: everything plain but the last is read, the last is the target."""
    if not upload(command):
        name, texts = command.name, [word.text for word in command.arguments if not word.text.startswith("-")]
        local = name == "rclone" and texts and texts[0] in RCLONE_COPYING
        if not local and not (name in ("duplicity", "rdiff-backup") and len(texts) > 1):
            return None
    arguments = read_arguments(command.arguments, _UPLOADING_VALUED)
    plain = list(arguments.plain)
    while plain and plain[0].text in _VERBS:
        plain.pop(0)
    name = command.name
    if name in ("restic", "rustic", "kopia"):
        return tuple(plain), None
    if name == "borg":
        return tuple(plain[1:]), None
    if name == "rclone" and len(plain) > 1 and ":" not in plain[-1].text and plain[-1].text.startswith("/"):
        return tuple(plain[:-1]), plain[-1]
    return tuple(plain[:-1]), None


FILE_READERS: Mapping[str, Callable[[Command], Reading | None]] = {
    "tar": _tar,
    "cp": _cp,
    "mv": _cp,
    "rsync": _rsync,
    "zip": _zip,
    "7z": _zip,
    "7za": _zip,
}
