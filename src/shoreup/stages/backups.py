"""Backups as a command asks for them: from the settings under a name to an operation, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from msgspec import Struct

from shoreup.ledger.location import Location, default_location
from shoreup.model.backup_settings import StoreSettings
from shoreup.model.errors import UserError
from shoreup.operations.backup.plan import GIVEN, Plan, Spec, StoreSpec
from shoreup.operations.backup.pruning import decisions
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.restoring import CHOOSE, COMPARE, PLACE, WISH, Wish
from shoreup.operations.backup.retention import Decision, policy_of
from shoreup.operations.backup.running import SEAL, record_of
from shoreup.operations.backup.shelf import BackupTrouble, Kept
from shoreup.operations.backup.sources import address
from shoreup.operations.backup.verifying import Looked, look, look_by_drill
from shoreup.operations.steps import Plain
from shoreup.stages import proofs
from shoreup.stages.opening import opened
from shoreup.stages.running.operating import operate, place_of
from shoreup.stages.settings import GivenSettings, read_settings
from shoreup.stores.base import StoreTrouble

Progress = Callable[[str, int, int], None]


class Where(Struct, frozen=True):
    """Where the settings of backups are: in the folder ``root``, or in the file ``config``."""

    root: Path = Path()
    config: Path | None = None
    ledger: str = ""

    def settings(self) -> GivenSettings:
        """The settings. Raises :class:`UserError`."""
        if not self.root.is_dir():
            raise UserError(f"There is no folder {self.root}. Name the one that holds shoreup.toml.")
        return read_settings(self.root.resolve(), self.config)

    def plan(self, name: str) -> Plan:
        """The backup of a name. Raises :class:`UserError`."""
        return plan_of(self.settings(), name, self.root.resolve())

    def location(self, given: GivenSettings) -> Location:
        """Where proofs are kept."""
        root = self.root.resolve()
        found = proofs.find(root, self.ledger or given.settings.ledger.url, asked=bool(self.ledger or self.config))
        return found if found is not None and not found.closed else default_location(root)


class Shown(Struct, frozen=True):
    """The backups of one name. ``trouble`` says why they are not known."""

    name: str
    store: str
    kept: tuple[Kept, ...] = ()
    trouble: str = ""


class Restored(Struct, frozen=True):
    """A backup that came back: which, to where, and how it was compared."""

    id: str
    place: str
    compared: str


def plan_of(given: GivenSettings, name: str, root: Path) -> Plan:
    """The backup that the settings of the estate at ``root`` call ``name``. Raises :class:`UserError`."""
    known = given.settings.backup
    if name not in known:
        there = f"There are {', '.join(sorted(known))}." if known else "docs/backups.md says how one is written."
        raise UserError(f"There is no [backup.{name}] in {given.name or 'shoreup.toml'}. {there}")
    asked = known[name]
    try:
        address(asked.of)
    except BackupTrouble as trouble:
        raise given.wrong(f"of: {trouble}.", ("backup", name, "of")) from None
    # Files are named from the settings' own folder, which need not be the estate's.
    from_here = "" if given.folder.resolve() == root else f"{given.folder.resolve()}/"

    def file(text: str) -> str:
        return f"{from_here}{text}" if text and not text.startswith(("/", "~")) else text

    spec = Spec(
        name=name,
        of=asked.of,
        store=_store(given, name, asked.store, file),
        password_env=asked.password_env,
        password_file=file(asked.password_file),
        policy=policy_of(asked.keep),
        recipients=asked.encrypt_to,
        identity_file=file(asked.identity_file),
        hashes=asked.hashes,
        exclude=asked.exclude,
    )
    return Plan(spec, root)


def run_backup(where: Where, name: str, say: Progress) -> Record:
    """Take a backup. Raises :class:`UserError`; nothing of it is listed then."""
    taken = record_of(_operated(where, name, "backup run", say)[SEAL])
    with _said_well():
        return where.plan(name).shelf().find(taken.id).record or taken


def list_backups(where: Where, name: str = "") -> tuple[Shown, ...]:
    """Every backup of a name, or of all names. A store that does not answer is told and stops nothing."""
    given = where.settings()
    names = [name] if name else sorted(given.settings.backup)
    if not names:
        where.plan("NAME")
    found: list[Shown] = []
    for one in names:
        plan = where.plan(one)
        with _said_well():
            shelf = plan.shelf()
        try:
            found.append(Shown(one, shelf.store.shown, shelf.kept()))
        except StoreTrouble as trouble:
            found.append(Shown(one, shelf.store.shown, trouble=str(trouble)))
    return tuple(found)


def store_of(where: Where, name: str) -> str:
    """The store of a backup, for people."""
    with _said_well():
        return where.plan(name).open_store().shown


def verify_backups(
    where: Where, name: str, id_: str = "", *, every: bool = False, drill: bool = False, say: Progress
) -> tuple[Looked, ...]:
    """Look at a backup again: the newest, the one of an id, or all. Raises :class:`UserError`."""
    given, plan = where.settings(), where.plan(name)
    run, looked = uuid4().hex, list[Looked]()
    with _said_well(), _folder() as folder:
        kept: Sequence[Kept] = plan.shelf().kept() if every else [plan.shelf().find(id_)]
        if not kept:
            plan.shelf().find()
        for number, one in enumerate(kept):
            say(f"verifying {one.id}", number, len(kept))
            now = datetime.now(UTC)
            if drill:
                looked.append(look_by_drill(plan, one, where.location(given), folder, run=run, now=now))
            else:
                looked.append(look(plan, one, now=now))
    return tuple(looked)


def prune_backups(where: Where, name: str, say: Progress, *, dry_run: bool) -> tuple[Decision, ...]:
    """Remove what the policy does not keep; the decisions with their reasons, the newest first.

    Raises :class:`UserError`.
    """
    with _said_well():
        decided = decisions(where.plan(name), datetime.now(UTC))
    if not dry_run:
        _operated(where, name, "backup prune", say)
    return decided


def restore_backup(where: Where, name: str, wish: Wish, say: Progress) -> Restored:
    """Bring a backup back. Raises :class:`UserError`; what was there before is there still then."""
    if sum((bool(wish.folder), bool(wish.database), wish.over)) != 1:
        raise UserError("Name one place: --to FOLDER, --into DATABASE, or --over.")
    results = _operated(where, name, "backup restore", say, {WISH: wish.plain()})
    return Restored(str(results[CHOOSE]), str(results[PLACE]), str(results[COMPARE]))


def _operated(
    where: Where, name: str, operation: str, say: Progress, more: Mapping[str, Plain] | None = None
) -> Mapping[str, Plain]:
    found = opened([where.root], config=where.config, ledger=where.ledger, empty=True)
    plan = plan_of(found.given, name, found.root)
    place = place_of(found, asked=where.config is not None)
    done = operate(operation, {GIVEN: plan.spec.plain(), **(more or {})}, place, subject=f"backup {name}", say=say)
    return done.results


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="shoreup-") as folder:
        yield Path(folder)


@contextmanager
def _said_well() -> Iterator[None]:
    """Troubles that a person can put right, as the command line says them."""
    try:
        yield
    except (BackupTrouble, StoreTrouble) as trouble:
        text = str(trouble)
        raise UserError(f"{text[:1].upper()}{text[1:].rstrip('.')}.") from None


def _store(given: GivenSettings, name: str, store: str, file: Callable[[str], str]) -> StoreSpec:
    named = given.settings.store.get(store)
    if named is None:
        if "/" not in store and ":" not in store:
            message = f"there is no [store.{store}]; a folder is written ./{store}."
            raise given.wrong(message, ("backup", name, "store"))
        named = StoreSettings(store)
    url = file(named.url) if named.url.startswith(("./", "../")) else named.url
    return StoreSpec(
        url=url,
        endpoint=named.endpoint,
        region=named.region,
        key_id_env=named.key_id_env,
        secret_env=named.secret_env,
        secret_file=file(named.secret_file),
        identity_file=file(named.identity_file),
        known_hosts=file(named.known_hosts),
    )
