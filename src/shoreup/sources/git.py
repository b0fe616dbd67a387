"""What git knows of an estate, learned without running anything that the repository's owner put there.

A repository's own configuration can name programs: a file system monitor, hooks, filters, text converters, pagers, ssh
commands, signature checkers, helpers that fetch missing objects. So only commands that read objects and the index
are used, never one that looks into the work tree's contents; every program that these could start is
switched off on the command line, which outranks all configuration; and no transport is allowed. Everything here is
``None`` or empty where git is missing, the folder is no work tree, or git takes too long.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from difflib import SequenceMatcher
from pathlib import Path

TIMEOUT = 20.0
"""Seconds for one run."""

_LARGEST_COMPARED = 20_000
"""Lines of a changed file beyond which its lines are not matched with the committed ones."""

_OFF = (
    "core.fsmonitor=",
    "core.untrackedCache=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "core.quotePath=false",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=false",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "diff.external=",
    "log.showSignature=false",
    "log.follow=false",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "blame.ignoreRevsFile=",
    "protocol.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",
)

_ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "LC_ALL": "C",
}

_IDENTITY = frozenset(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE"))
"""Who commits, and when: what a person may say in the environment."""

_RENAMES = ("--find-renames", "--diff-filter=AR", "--name-status", "--relative", "-z", "--no-ext-diff", "--no-textconv")

_ADDRESS = re.compile(
    r"^(?:(?:https?|ssh|git)://(?:[^@/]*@)?|[^@/:]+@)(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+)?[:/](?P<owner>[\w.-]+)/",
    re.IGNORECASE,
)


def listed(root: Path) -> frozenset[str] | None:
    """The files below ``root`` that git does not ignore: tracked ones and new ones.

    A folder that is a repository of its own is listed as itself, with a slash at its end where it is not a submodule.
    ``None`` also for a folder that is ignored as a whole: whoever asks about it means what is in it.
    """
    found = _paths(ask(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"))
    return found or None


def head(root: Path) -> str | None:
    """The commit that is checked out, as its full hash."""
    output = ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return None if output is None else output.decode("ascii", "replace").strip() or None


def stamp(root: Path) -> str:
    """What changes whenever something is staged or committed; empty without git. Starts no program: for caches."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        with suppress(OSError, UnicodeDecodeError):
            if git.is_file():  # a work tree beside its repository
                git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            if git.is_dir():
                return " ".join(_changed(git / name) for name in ("HEAD", "index", "logs/HEAD"))
    return ""


def _changed(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "-"
    return f"{status.st_mtime_ns}.{status.st_size}"


def origin_url(root: Path) -> str | None:
    """The address that the repository was cloned from, as its configuration has it. It may hold a password."""
    output = ask(root, "config", "--get", "remote.origin.url")
    return None if output is None else output.decode("utf-8", "replace").strip() or None


def owner_of(url: str) -> str:
    """The host and owner in a repository's address (``github.com/me``), without anything secret; empty for a path."""
    match = _ADDRESS.match(url)
    return f"{match['host']}/{match['owner']}".lower() if match else ""


def first_commit(root: Path) -> str | None:
    """The commit that the history begins with; of several the one that sorts first."""
    output = ask(root, "rev-list", "--max-parents=0", "HEAD")
    return None if output is None else min(output.decode("ascii", "replace").split(), default=None)


def last_change(root: Path, file: str) -> date | None:
    """The day (UTC) of the last commit that changed a file."""
    output = ask(root, "log", "-1", "--format=%at", "--no-show-signature", "HEAD", "--", file)
    try:
        return None if not output else datetime.fromtimestamp(int(output), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def top(root: Path) -> Path | None:
    """The folder of the work tree that ``root`` lies in."""
    output = ask(root, "rev-parse", "--show-toplevel")
    return None if output is None else Path(os.fsdecode(output.rstrip(b"\n")))


def line_ages(root: Path, file: str, lines: Sequence[int]) -> dict[int, date]:
    """The day (UTC) on which each of these lines was written; lines are 1-based, as the file stands in the work tree.

    Lines that are not committed, or that git cannot date, are left out.
    """
    committed = ask(root, "cat-file", "blob", f"HEAD:./{file}")
    if committed is None:
        return {}
    where = _committed_lines(root / file, committed, lines)
    if not where:
        return {}
    ranges = [f"-L{line},{line}" for line in sorted(set(where.values()))]
    output = ask(root, "blame", "--porcelain", "--no-textconv", "--no-progress", *ranges, "HEAD", "--", file)
    ages = {} if output is None else _dates(output)
    return {line: ages[there] for line, there in where.items() if there in ages}


def first_names(root: Path, files: Collection[str], revision: str = "HEAD") -> dict[str, str]:
    """The names under which files came into the history, for those that were renamed since; relative to ``root``.

    Renames that are staged count where ``revision`` is what is checked out. A file that was renamed and changed in one
    commit is followed as far as git finds it similar.
    """
    if not files or revision.startswith("-"):
        return {}
    events: list[bytes] = []
    if revision == "HEAD":
        events.append(ask(root, "diff-index", "--cached", *_RENAMES, "HEAD") or b"")
    # Commits that change nothing below ``root`` are passed over; of those that do, none is left out as redundant.
    below = ("--full-history", revision, "--", ".")
    events.append(ask(root, "log", "--format=", "--no-show-signature", "--no-color", *_RENAMES, *below) or b"")
    names = {file: file for file in files}
    growing = dict(names)
    """From a name at the time that is looked at to the name today, for files that are not yet born there."""
    for status, paths in _events(b"\0".join(events)):
        if status == "A":
            growing.pop(paths[0], None)
        elif (today := growing.pop(paths[1], None)) is not None:
            growing[paths[0]] = today
            names[today] = paths[0]
    return {today: first for today, first in names.items() if first != today}


def _events(output: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Files that came and files that were renamed (old name, new name), as git lists them, the latest first."""
    fields = iter([os.fsdecode(field).lstrip("\n") for field in output.split(b"\0")])
    for status in fields:
        if status == "A":
            yield "A", (next(fields, ""),)
        elif status[:1] == "R" and status[1:].isdigit():
            yield "R", (next(fields, ""), next(fields, ""))


def ask(
    root: Path, *arguments: str, sent: bytes | None = None, environment: Mapping[str, str] | None = None
) -> bytes | None:
    """What one git command prints, run in ``root`` with everything switched off that could start a program.

    ``sent`` goes to its standard input, ``environment`` adds to what git is told. Only commands on objects, indexes and
    the configuration belong here, none that looks into the work tree's contents.
    """
    program = shutil.which("git") if _may_be_in_repository(root.resolve()) else None
    if program is None or not Path(program).is_absolute():
        return None
    command = [program, "--no-pager"]
    for setting in _OFF:
        command += ["-c", setting]
    command += ["-C", str(root.absolute()), *arguments]
    known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _IDENTITY}
    known.update(_ENVIRONMENT)
    known.update(environment or {})
    try:
        done = subprocess.run(  # noqa: S603 - an absolute path, arguments that are no shell's
            command,
            input=sent or b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=known,
            cwd="/",
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _may_be_in_repository(root: Path) -> bool:
    """A cheap look before git is started: a folder on the way up that is a repository or has one."""
    return any((folder / ".git").exists() or (folder / "HEAD").exists() for folder in (root, *root.parents))


def _paths(output: bytes | None) -> frozenset[str] | None:
    if output is None:
        return None
    return frozenset(os.fsdecode(path) for path in output.split(b"\0") if path)


def _committed_lines(path: Path, committed: bytes, lines: Sequence[int]) -> dict[int, int]:
    """Which committed line each line of the file is. Read here and not by git, which would run filters on it."""
    before = committed.splitlines()
    try:
        now = path.read_bytes().splitlines() if path.is_file() else before
    except OSError:
        return {}
    wanted = [line for line in lines if 1 <= line <= len(now)]
    if now == before:
        return {line: line for line in wanted}
    if len(now) > _LARGEST_COMPARED or len(before) > _LARGEST_COMPARED:
        return {}
    blocks = SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    found: dict[int, int] = {}
    for line in wanted:
        for block in blocks:
            if block.b <= line - 1 < block.b + block.size:
                found[line] = block.a + line - block.b
    return found


def _dates(porcelain: bytes) -> dict[int, date]:
    times: dict[bytes, date] = {}
    ages: dict[int, date] = {}
    commit, line = b"", 0
    for row in porcelain.split(b"\n"):
        if row.startswith(b"\t"):
            if commit in times:
                ages[line] = times[commit]
            continue
        words = row.split(b" ")
        if len(words) >= 3 and len(words[0]) in (40, 64):
            commit, line = words[0], int(words[2])
        elif words[0] == b"author-time" and len(words) == 2:
            try:
                times[commit] = datetime.fromtimestamp(int(words[1]), UTC).date()
            except (ValueError, OverflowError, OSError):
                continue
    return ages
