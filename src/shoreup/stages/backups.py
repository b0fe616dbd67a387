"""Backups as a command asks for them: from the settings under a name to an operation, and what came of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from shoreup.ledger.location import Location, default_location, state_folder
from shoreup.model.backup_settings import BackupSettings
from shoreup.model.errors import UserError
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.pruning import backup_prune, decisions
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.running import SEAL, backup_run, record_of
from shoreup.operations.backup.shelf import BackupTrouble, Kept
from shoreup.operations.backup.sources import address
from shoreup.operations.backup.verifying import Looked, look, look_by_drill
from shoreup.operations.retention import Decision, Policy
from shoreup.operations.steps import Operation, Plain, Run, Undone, carry_out
from shoreup.stages import proofs
from shoreup.stages.settings import GivenSettings, read_settings
from shoreup.stores.base import StoreTrouble
from shoreup.stores.opening import Place, open_store

Progress = Callable[[str, int, int], None]
_LARGEST_SECRET = 64 << 10


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


def plan_of(given: GivenSettings, name: str) -> Plan:
    """The backup that the settings call ``name``. Raises :class:`UserError`."""
    known = given.settings.backup
    if name not in known:
        there = f"There are {', '.join(sorted(known))}." if known else "docs/backups.md says how one is written."
        raise UserError(f"There is no [backup.{name}] in {given.name or 'shoreup.toml'}. {there}")
    asked = known[name]
    try:
        source = address(asked.of)
    except BackupTrouble as trouble:
        raise given.wrong(f"of: {trouble}.", ("backup", name, "of")) from None
    place = _place(given, asked.store)
    return Plan(
        name=name,
        address=source,
        open_store=lambda: open_store(place),
        secret=lambda: _secret(given, asked.password_env, asked.password_file),
        policy=_policy(asked),
        recipients=asked.encrypt_to,
        identity=_file(given, asked.identity_file) if asked.identity_file else None,
        hashes=asked.hashes,
        exclude=asked.exclude,
    )


def operation(given: Mapping[str, Plain]) -> Operation:
    """The operation that a run is of, from what the run was given. Raises :class:`UserError`."""
    config = given.get("config")
    where = Where(Path(str(given["root"])), Path(str(config)) if config else None)
    plan = plan_of(where.settings(), str(given["backup"]))
    made = {"backup run": backup_run, "backup prune": backup_prune}
    return made[str(given["operation"])](plan)


def run_backup(where: Where, name: str) -> Record:
    """Take a backup. Raises :class:`UserError`; nothing of it is listed then."""
    taken = record_of(_carried_out(where, name, "backup run")[SEAL])
    with _said_well():
        return plan_of(where.settings(), name).shelf().find(taken.id).record or taken


def list_backups(where: Where, name: str = "") -> tuple[Shown, ...]:
    """Every backup of a name, or of all names. A store that does not answer is told and stops nothing."""
    given = where.settings()
    names = [name] if name else sorted(given.settings.backup)
    if not names:
        plan_of(given, "NAME")
    found: list[Shown] = []
    for one in names:
        plan = plan_of(given, one)
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
        return plan_of(where.settings(), name).open_store().shown


def verify_backups(
    where: Where, name: str, id_: str = "", *, every: bool = False, drill: bool = False, say: Progress
) -> tuple[Looked, ...]:
    """Look at a backup again: the newest, the one of an id, or all. Raises :class:`UserError`."""
    given = where.settings()
    plan = plan_of(given, name)
    run, looked = uuid4().hex, []
    with _said_well(), _folder(run) as folder:
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


def prune_backups(where: Where, name: str, *, dry_run: bool) -> tuple[Decision, ...]:
    """Remove what the policy does not keep; the decisions with their reasons, the newest first.

    Raises :class:`UserError`.
    """
    with _said_well():
        decided = decisions(plan_of(where.settings(), name), datetime.now(UTC))
    if not dry_run:
        _carried_out(where, name, "backup prune")
    return decided


def _carried_out(where: Where, name: str, operation_name: str) -> Mapping[str, Plain]:
    given: dict[str, Plain] = {"operation": operation_name, "backup": name, "root": str(where.root.resolve())}
    if where.config is not None:
        given["config"] = str(where.config.resolve())
    asked = operation(given)
    run = uuid4().hex
    with _said_well(), _folder(run) as folder:
        return carry_out(asked, Run(run, given, folder))


@contextmanager
def _folder(run: str) -> Iterator[Path]:
    folder = state_folder() / "runs" / run
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _said_well() -> Iterator[None]:
    """Troubles that a person can put right, as the command line says them."""
    try:
        yield
    except Undone as undone:
        left = f" Not undone: {'; '.join(undone.left)}." if undone.left else " What was begun is undone."
        if not isinstance(undone.cause, (BackupTrouble, StoreTrouble)):
            raise undone.cause from None
        raise UserError(f"{_sentence(str(undone.cause))}{left}") from None
    except (BackupTrouble, StoreTrouble) as trouble:
        raise UserError(_sentence(str(trouble))) from None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _policy(asked: BackupSettings) -> Policy:
    keep = asked.keep
    return Policy(keep.at_least, keep.hourly, keep.daily, keep.weekly, keep.monthly, keep.yearly)


def _place(given: GivenSettings, store: str) -> Place:
    named = given.settings.store.get(store)
    if named is None:
        if "/" not in store:
            raise UserError(f"There is no [store.{store}] in {given.name}; a folder is written ./{store}.")
        return Place(
            _absolute(given, store), lambda custom: _environment(custom), lambda: _environment("AWS_ACCESS_KEY_ID")
        )
    return Place(
        _absolute(given, named.url),
        lambda custom: _secret(given, named.secret_env, named.secret_file) or _environment(custom),
        lambda: _environment(named.key_id_env),
        named.endpoint,
        named.region,
        _file(given, named.identity_file) if named.identity_file else None,
        _file(given, named.known_hosts),
    )


def _absolute(given: GivenSettings, url: str) -> str:
    return str(given.folder.resolve() / url) if url.startswith(("./", "../")) else url


def _secret(given: GivenSettings, variable: str, file: str) -> str:
    if file:
        path = _file(given, file)
        try:
            with path.open("rb") as opened:
                return opened.read(_LARGEST_SECRET).decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise BackupTrouble(f"the password file {path} cannot be read: {problem}") from None
    if variable and variable not in os.environ:
        raise BackupTrouble(f"the password is to come from the environment variable {variable}, which is not set")
    return _environment(variable)


def _environment(variable: str) -> str:
    return os.environ.get(variable, "") if variable else ""


def _file(given: GivenSettings, name: str) -> Path:
    return given.folder.resolve() / Path(name).expanduser()
