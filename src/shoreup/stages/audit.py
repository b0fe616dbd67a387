"""The audit as a command asks for it: what to read, whether the last answer is still good, and if not, a new one.

Everything heavy is imported only when something has to be examined anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.account import Account
from shoreup.model.errors import UserError
from shoreup.model.grades import Persona
from shoreup.sources.git import head, origin_url, owner_of, stamp
from shoreup.sources.helm import helm_stamp
from shoreup.stages import proofs
from shoreup.stages.auditing.baseline import Baseline, against, read_baseline, set_apart
from shoreup.stages.auditing.cache import Cache
from shoreup.stages.auditing.personas import heard_by
from shoreup.stages.opening import Opened, opened
from shoreup.stages.own_concerns import NO_OWN_CODE, OwnCode
from shoreup.stages.settings import GivenSettings

if TYPE_CHECKING:
    from shoreup.terraform.plan import Plan

Progress = Callable[[str, int, int], None]


class AuditOptions(Struct, frozen=True):
    """What is asked for. ``select`` and ``ignore`` are concern ids; ``plan`` is a ``terraform show -json`` file.

    ``ledger`` is the address of the estate's ledger, empty for the one that the settings name, or the one in the user's
    state directory. ``config`` is a settings file other than the estate's own. ``persona`` outranks the settings'.
    What ``baseline`` knows, and what was there at the revision ``since``, is known and no finding any more. ``own`` is
    the code of concerns beside Shoreup's own.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    cache: bool = True
    plan: Path | None = None
    today: date | None = None
    ledger: str = ""
    config: Path | None = None
    persona: Persona | None = None
    baseline: Path | None = None
    since: str = ""
    own: OwnCode = NO_OWN_CODE


def audit(paths: Sequence[Path], options: AuditOptions, progress: Progress | None = None) -> Account:
    """Audit an estate.

    Raises :class:`UserError` for a path that is not there or settings that are wrong, and :class:`NothingToAudit`
    where no file is one that Shoreup reads.
    """
    estate = opened(paths, config=options.config, ledger=options.ledger)
    tree, given = estate.tree, estate.given
    today = options.today or date.today()  # noqa: DTZ011  # support ends on a day, wherever one is
    baseline = _baseline(options, given)
    plan = _read(options.plan) if options.plan else b""
    cache = Cache(_question(estate, options, plan, today)) if options.cache else None
    account = cache.look(tree) if cache else None
    if account is None:
        proven = estate.proven()
        account = _examined(tree, options, plan, _Beside(today, proven, given, estate.whole), progress or _silent)
        # A ledger that is locked now may be read in a minute, without a byte of it changed.
        if cache and not proven.errors:
            cache.keep(tree, account)
    account = replace(
        account, estate=tuple(str(path) for path in paths), notices=(*account.notices, *options.own.notices)
    )
    if options.since:
        account = _since(account, estate, options, _Beside(today, estate.proven(), given, estate.whole))
    if baseline:
        account = against(account, baseline)
    return heard_by(account, options.persona or given.settings.selection.persona)


class _Beside(Struct, frozen=True):
    """What an examination needs beside files and options."""

    today: date
    proven: proofs.Proven
    given: GivenSettings
    whole: bool
    history: tuple[Path, str] | None = None


def _examined(tree: FileTree, options: AuditOptions, plan: bytes, beside: _Beside, say: Progress) -> Account:
    from shoreup.stages.auditing.examination import Asked, chosen, examine

    own = options.own.load()
    concerns = chosen(options.select, options.ignore, beside.given, own)
    read_plan = _plan(plan) if plan else None
    asked = Asked(
        concerns=concerns,
        today=beside.today,
        plan=read_plan,
        proven=beside.proven,
        given=beside.given,
        whole=beside.whole,
        own=own,
        history=beside.history,
    )
    return examine(tree, asked, say)


def _since(account: Account, estate: Opened, options: AuditOptions, beside: _Beside) -> Account:
    from shoreup.stages.auditing.since import before

    def examine(tree: FileTree, commit: str) -> Account:
        return _examined(tree, options, b"", replace(beside, history=(estate.root, commit)), _silent)

    then = before(estate.root, estate.only, options.since, examine)
    account = set_apart(account, then.fingerprints, then.source)
    return replace(account, notices=(*account.notices, *then.notices))


def _baseline(options: AuditOptions, given: GivenSettings) -> Baseline | None:
    named = options.baseline
    if named is None and given.settings.selection.baseline:
        named = given.folder / given.settings.selection.baseline
    return read_baseline(named) if named else None


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


def _question(estate: Opened, options: AuditOptions, plan: bytes, today: date) -> tuple[str, ...]:
    """All that an account depends on beside the files themselves and Shoreup's own code."""
    asked = ("|", *options.select, "|", *options.ignore, "|", options.own.digest)
    return (
        str(estate.root),
        *estate.only,
        *asked,
        blake2b(plan).hexdigest() if plan else "",
        today.isoformat(),
        proofs.state(estate.ledger),
        estate.given.name,
        estate.given.digest,
        _history(estate.root),
        stamp(estate.root),
        helm_stamp(),
    )


def _history(root: Path) -> str:
    """What an account says that only git knows: whose the repository is, and when its lines were written."""
    return f"{owner_of(origin_url(root) or '')} {head(root) or ''}"


def _silent(what: str, done: int, total: int) -> None:
    """Nobody waits for progress."""
