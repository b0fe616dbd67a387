"""The way into an estate that every command takes: its folder, its files, its owner's settings, its ledger.

What must hold for each of them is decided here once: what git ignores is left alone, and a ledger on a server counts
only where the user named it. One that only the audited tree names may be a stranger's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.ledger.location import Location
from shoreup.model.errors import NothingToAudit, UserError
from shoreup.sources.git import listed
from shoreup.stages import proofs
from shoreup.stages.auditing.formats import format_of
from shoreup.stages.settings import GivenSettings, read_settings


class Opened(Struct, frozen=True):
    """An estate that may be read. ``only`` are the parts of it that were named, none for the whole.

    ``ledger`` is ``None`` where there is none yet.
    """

    root: Path
    only: tuple[str, ...]
    tree: FileTree
    given: GivenSettings
    ledger: Location | None

    @property
    def whole(self) -> bool:
        """Whether all of the estate was named."""
        return not self.only

    def proven(self) -> proofs.Proven:
        """What drills have proven of it."""
        return proofs.proven(self.tree, self.ledger)


def opened(paths: Sequence[Path], *, config: Path | None = None, ledger: str = "", empty: bool = False) -> Opened:
    """The estate at ``paths``. ``config`` is a settings file other than its own, ``ledger`` the user's word for one.

    Raises :class:`UserError` for a path that is not there or settings that are wrong, and unless it may be ``empty``
    :class:`NothingToAudit` where no file is one that Shoreup reads.
    """
    root, only = estate_root(paths)
    tree = FileTree(root, only, listed(root))
    if not empty:
        refuse_nothing(tree)
    given = read_settings(root, config)
    where = proofs.find(root, ledger or given.settings.ledger.url, asked=bool(ledger or config))
    return Opened(root, only, tree, given, where)


def refuse_nothing(tree: FileTree) -> None:
    """Raise :class:`NothingToAudit` where no file is one that Shoreup reads."""
    if not any(format_of(path) for path in tree.files):
        raise NothingToAudit(f"{tree.root} holds no Terraform and no YAML. Name the folder of your repository.")


def estate_root(paths: Sequence[Path]) -> tuple[Path, tuple[str, ...]]:
    """The folder that all paths lie in, and the parts of it that were named (none for the whole folder)."""
    full = [path.resolve() for path in paths or (Path(),)]
    for path, given in zip(full, paths or (Path(),), strict=True):
        if not path.exists():
            raise UserError(f"There is nothing at {given}. Name a folder or file of your repository.")
    if len(full) == 1 and full[0].is_dir():
        return full[0], ()
    common = Path(os.path.commonpath(full))
    root = common if common.is_dir() else common.parent
    if root in full:
        return root, ()
    return root, tuple(path.relative_to(root).as_posix() for path in full)
