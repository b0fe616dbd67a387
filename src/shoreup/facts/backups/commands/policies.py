"""Tools that remove old copies by a policy of their own, and object stores that are told to delete.

What each keeps is read from its manual (2026-11): restic (restic.readthedocs.io, forget), borg
(borgbackup.readthedocs.io, prune), kopia (kopia.io), rclone (rclone.org, delete), MinIO client (min.io), duplicity
(duplicity.us), WAL-G, pgBackRest, Barman.
"""

from __future__ import annotations

import re

from shoreup.facts.backups.commands.outputs import Expand
from shoreup.facts.backups.commands.removal import Removal, days
from shoreup.facts.programs.arguments import read_arguments
from shoreup.formats.shell import Command, Word


def policy(command: Command, expand: Expand) -> Removal | None:
    """What a command with a policy of its own removes."""
    reader = POLICY_TOOLS.get(command.name)
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
        return Removal(
            command=removal.command,
            by=removal.by,
            paths=(where,),
            remote="",
            age_days=removal.age_days,
            keeps_at_least=removal.keeps_at_least,
        )
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


POLICY_TOOLS = {
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
