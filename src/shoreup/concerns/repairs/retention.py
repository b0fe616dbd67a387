"""Retention in the words of the tool that keeps the copies: only where it certainly removes nobody else's.

How much is kept follows one rule everywhere: two weeks of days, eight weeks, a year of months. A tool that knows days
alone keeps thirty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shoreup.facts.programs.located import Located

KEPT = "--keep-daily 14 --keep-weekly 8 --keep-monthly 12"
_WHERE = frozenset({"-r", "--repo", "--repository-file", "-p", "--password-file", "--password-command"})
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9.]*(?:[_-][A-Za-z][A-Za-z0-9.]*)*[_-](?=[{$])")

SHOWN: Mapping[str, str] = {
    "restic": f"""# a pod's name is another one on each run: --host gives the copies one owner, whose old ones go
restic backup --host <name> <folder>
restic forget --host <name> {KEPT} --prune""",
    "borg": f"""# a name of its own for each kind of archive, so that only its old ones go
borg create <repository>::<name>-{{now}} <folder>
borg prune --glob-archives '<name>-*' {KEPT} <repository>""",
    "kopia": """# once, for what this job copies
kopia policy set --keep-daily 14 --keep-weekly 8 --keep-monthly 12 <user>@<host>:<folder>""",
    "rclone": """# only where nothing else lies there
rclone delete --min-age <days>d <remote>:<folder of these copies alone>""",
}
"""What a person completes, by tool (restic 0.18, borg 1.4, kopia 0.21, rclone 1.71: their manuals, 2026-11)."""


def forgetting(found: Located) -> str:
    """The command that removes what this one has made before; empty where that is not certain."""
    if found.command.context or found.program.broken:
        return ""
    if found.command.name == "restic":
        return _restic(found)
    return _borg(found) if found.command.name == "borg" else ""


def _restic(found: Located) -> str:
    words = [found.program.text[word.start : word.end] for word in found.command.arguments]
    if "backup" not in words:
        return ""
    named, given = "", list[str]()
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        following = words[index + 1] if index + 1 < len(words) else ""
        if name in ("-H", "--host"):
            named = value if equals else following
        elif name in _WHERE:
            given += [word] if equals else [word, following]
    if not named or not re.fullmatch(r"[A-Za-z0-9.-]+", named):
        return ""
    return " ".join(("restic", *given, "forget", "--host", named, KEPT, "--prune"))


def _borg(found: Located) -> str:
    words = [found.program.text[word.start : word.end] for word in found.command.arguments]
    archive = next((word for word in words if "::" in word), "")
    if "create" not in words or not archive:
        return ""
    repository, _, name = archive.strip("\"'").partition("::")
    prefix = _PREFIX.match(name)
    # A repository that stands in the command is told by a path or address; one in BORG_REPO serves both commands.
    return f"borg prune --glob-archives '{prefix.group()}*' {KEPT}" if prefix is not None and not repository else ""
