"""The audit as a command asks for it: what to read, whether the last answer is still good, and if not, a new one.

Everything heavy is imported only when something has to be examined anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from shoreup.formats.files import FileTree
from shoreup.model.account import Account
from shoreup.model.errors import NothingToAudit, UserError
from shoreup.sources.git import listed
from shoreup.stages import proofs
from shoreup.stages.cache import Cache
from shoreup.stages.formats import format_of

if TYPE_CHECKING:
    from shoreup.terraform.plan import Plan

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What is asked for. ``select`` and ``ignore`` are concern ids; ``plan`` is a ``terraform show -json`` file.

    ``ledger`` is the address of the estate's ledger, empty for the one in the user's state directory.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    cache: bool = True
    plan: Path | None = None
    today: date | None = None
    ledger: str = ""


def audit(paths: Sequence[Path], options: AuditOptions, progress: Progress | None = None) -> Account:
    """Audit an estate.

    Raises :class:`UserError` for a path that is not there and :class:`NothingToAudit` where no file is one that
    Shoreup reads.
    """
    root, only = estate_root(paths)
    today = options.today or date.today()  # noqa: DTZ011  # support ends on a day, wherever one is
    tree = FileTree(root, only, listed(root))
    if not any(format_of(path) for path in tree.files):
        raise NothingToAudit(f"{root} holds no Terraform and no YAML. Name the folder of your repository.")
    plan = _read(options.plan) if options.plan else b""
    ledger = proofs.find(root, options.ledger)
    known = proofs.state(ledger) if options.cache else ""
    cache = Cache(_question(root, only, options, plan, today, known)) if options.cache else None
    account = cache.look(tree) if cache else None
    if account is None:
        proven = proofs.proven(tree, ledger)
        account = _examined(tree, options, plan, today, proven, progress or _silent)
        # A ledger that is locked now may be read in a minute, without a byte of it changed.
        if cache and not proven.errors:
            cache.keep(tree, account)
    return replace(account, estate=tuple(str(path) for path in paths))


def _examined(
    tree: FileTree, options: AuditOptions, plan: bytes, today: date, proven: proofs.Proven, say: Progress
) -> Account:
    from shoreup.stages.examination import chosen, examine

    concerns = chosen(options.select, options.ignore)
    return examine(tree, concerns, _plan(plan) if plan else None, today, say, proven)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UserError(f"The plan {path} cannot be read: {problem.strerror}.") from None


def _plan(content: bytes) -> Plan:
    from shoreup.terraform.plan import PlanError, read_plan

    try:
        return read_plan(content)
    except PlanError as problem:
        raise UserError(str(problem)) from None


def _question(
    root: Path, only: tuple[str, ...], options: AuditOptions, plan: bytes, today: date, known: str
) -> tuple[str, ...]:
    digest = blake2b(plan).hexdigest() if plan else ""
    return (str(root), *only, "|", *options.select, "|", *options.ignore, "|", digest, today.isoformat(), known)


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
    return root, tuple(path.relative_to(root).as_posix() for path in full if path != root)


def _silent(what: str, done: int, total: int) -> None:
    """Nobody waits for progress."""
