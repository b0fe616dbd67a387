"""A branch with commits of our own, made of objects alone: no hook, no filter and no editor of the repository runs.

The commits are built beside the work tree, from an index of their own, so that a run that dies leaves at most objects
that nothing names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.sources.git import ask


class Commit(Struct, frozen=True):
    """One commit: its message, and the whole content of every file that it changes, by path from the estate."""

    message: str
    contents: Mapping[str, bytes]


class Branch(Struct, frozen=True):
    """A branch that was made: its name and its last commit."""

    name: str
    commit: str


def refuse_branch(root: Path, name: str) -> None:
    """Raise :class:`UserError` where no branch of this name can be made of a clean work tree."""
    if ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        raise UserError(f"{root} is no git repository with a commit, so there is nothing to branch from.")
    if ask(root, "check-ref-format", "--branch", name) is None:
        raise UserError(f"{name!r} is no name that git takes for a branch.")
    if ask(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}") is not None:
        raise UserError(f"There is a branch {name} already. Choose another name, or delete it.")
    dirty = [
        *_names(ask(root, "diff-index", "--cached", "--name-only", "-z", "HEAD")),
        *(path for path in _names(ask(root, "diff-files", "--name-only", "--relative", "-z")) if _differs(root, path)),
        *_names(ask(root, "ls-files", "--others", "--exclude-standard", "-z")),
    ]
    if dirty:
        raise UserError(
            f"The work tree is not clean: {dirty[0]}{f' and {len(dirty) - 1} more' if len(dirty) > 1 else ''}. "
            "Commit or stash it first, so that the branch holds the fixes alone."
        )


def make_branch(root: Path, name: str, commits: Sequence[Commit]) -> Branch:
    """Commit on top of what is checked out, under a new branch. The work tree and its index stay as they are."""
    parent = _must(ask(root, "rev-parse", "HEAD"), "the commit that is checked out could not be read")
    prefix = _must(ask(root, "rev-parse", "--show-prefix"), "the work tree could not be read")
    with TemporaryDirectory(prefix="shoreup-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _must(ask(root, "read-tree", "HEAD", environment=index), "the commit could not be read")
        for commit in commits:
            for path, content in commit.contents.items():
                _stage(root, f"{prefix}{path}", content, index)
            tree = _must(ask(root, "write-tree", environment=index), "the changed files could not be put together")
            made = ask(root, "commit-tree", tree, "-p", parent, sent=commit.message.encode())
            parent = _must(made, "git made no commit; does it know you? git config user.name, git config user.email")
    _must(ask(root, "update-ref", f"refs/heads/{name}", parent, "0" * len(parent)), f"{name} could not be made")
    return Branch(name, parent)


def check_out(root: Path, branch: Branch) -> None:
    """Say that the branch is what is checked out. The files must be what its last commit holds already."""
    _must(ask(root, "symbolic-ref", "HEAD", f"refs/heads/{branch.name}"), f"{branch.name} could not be checked out")
    _must(ask(root, "read-tree", "HEAD"), "git's index could not be brought up to date; run 'git reset'")


def _stage(root: Path, path: str, content: bytes, index: Mapping[str, str]) -> None:
    entry = (ask(root, "ls-tree", "--full-tree", "HEAD", "--", path) or b"").split()
    mode = entry[0].decode() if entry else "100644"
    if entry:
        committed = ask(root, "cat-file", "blob", entry[2].decode()) or b""
        if b"\r\n" not in committed and b"\r\n" in content:
            content = content.replace(b"\r\n", b"\n")  # git keeps it so, and turns it at check-out
    blob = _must(
        ask(root, "hash-object", "-w", "--stdin", "--no-filters", sent=content), f"{path} could not be put into git"
    )
    _must(
        ask(root, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", environment=index),
        f"{path} could not be staged",
    )


def _differs(root: Path, path: str) -> bool:
    """Whether a file that looks changed is. Compared here and not by git, which would run filters on it."""
    committed = ask(root, "cat-file", "blob", f":./{path}")
    try:
        now = (root / path).read_bytes()
    except OSError:
        return True
    return committed is None or now.replace(b"\r\n", b"\n") != committed.replace(b"\r\n", b"\n")


def _names(output: bytes | None) -> list[str]:
    return [os.fsdecode(path) for path in (output or b"").split(b"\0") if path]


def _must(output: bytes | None, problem: str) -> str:
    if output is None:
        raise UserError(f"{problem[0].upper()}{problem[1:]}. Nothing was changed.")
    return output.decode("utf-8", "surrogateescape").strip()
