"""What came since a revision: the estate is audited as it was then, and what was found then is known.

Comparing audits, not changed lines, catches what a change causes elsewhere: a Service that no longer selects anything
is found although its own file did not change.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.model.account import Account
from shoreup.model.errors import UserError
from shoreup.model.finding import Notice
from shoreup.sources.snapshot import Snapshot, commit_of, copy_out


class Before(Struct, frozen=True):
    """What was found at a revision. ``notices`` say what could not be compared."""

    fingerprints: frozenset[str]
    source: str
    notices: tuple[Notice, ...]


def before(root: Path, only: tuple[str, ...], revision: str, examine: Callable[[FileTree, str], Account]) -> Before:
    """Audit the estate at ``root`` as it was at ``revision``. ``examine`` gets its files and its commit.

    Raises :class:`UserError`.
    """
    with at_revision(root, only, revision) as then:
        account = examine(then.tree, then.commit)
        marks = frozenset(one.fingerprint for one in (*account.findings, *account.unproven))
        return Before(marks, f"the revision {revision} ({then.commit[:12]})", tuple(_notices(then.snapshot, revision)))


class Then(Struct, frozen=True):
    """The estate's files at a revision, for as long as they lie there."""

    tree: FileTree
    commit: str
    snapshot: Snapshot


@contextmanager
def at_revision(root: Path, only: tuple[str, ...], revision: str) -> Iterator[Then]:
    """The files of the estate at ``root`` as they were at ``revision``. Raises :class:`UserError`."""
    commit = commit_of(root, revision)
    if commit is None:
        raise UserError(
            f"There is no commit {revision!r} to compare {root} with. Name a revision of its git repository; a shallow "
            "clone may have to be deepened (git fetch --unshallow)."
        )
    with tempfile.TemporaryDirectory(prefix="shoreup-since-") as folder:
        target = Path(folder)
        snapshot = copy_out(root, commit, target)
        if snapshot is None:
            raise UserError(f"git could not give the files of {root} at {revision!r}.")
        yield Then(FileTree(target, only), commit, snapshot)


def _notices(snapshot: Snapshot, revision: str) -> list[Notice]:
    found: list[Notice] = []
    for paths, why in (
        (snapshot.encrypted, "encrypted in git, so what is found in them may be older than it seems"),
        (snapshot.missing, "not in this clone, so what is found in them may be older than it seems"),
    ):
        if paths:
            rest = len(paths) - 1
            which = f"This file and {rest} more are" if rest else "This file is"
            found.append(Notice(paths[0], 0, f"{which} {why} ({revision})."))
    return found
