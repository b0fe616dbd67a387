"""What a person asked for under a backup's name: plain data that a run can keep, and what lets in, looked up anew.

A run goes on as it was begun, whatever becomes of the settings meanwhile, so everything but secrets is in what it was
given. Files are named from the estate's folder, which may be another on another machine.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct, field

from shoreup.operations.backup.retention import Policy
from shoreup.operations.backup.shelf import BackupTrouble, Shelf
from shoreup.operations.backup.sources import Address, address
from shoreup.operations.steps import Plain, Run
from shoreup.stores.base import Store
from shoreup.stores.opening import Place, open_store

GIVEN = "backup"
"""What a run of a backup's operation is given: a :class:`Spec`."""
_LARGEST_SECRET = 64 << 10


class StoreSpec(Struct, frozen=True):
    """A store; see :class:`~shoreup.model.backup_settings.StoreSettings`."""

    url: str
    endpoint: str = ""
    region: str = ""
    key_id_env: str = "AWS_ACCESS_KEY_ID"
    secret_env: str = ""
    secret_file: str = ""
    identity_file: str = ""
    known_hosts: str = "~/.ssh/known_hosts"


class Spec(Struct, frozen=True):
    """A backup; see :class:`~shoreup.model.backup_settings.BackupSettings`."""

    name: str
    of: str
    store: StoreSpec
    password_env: str = ""
    password_file: str = ""
    policy: Policy = field(default_factory=Policy)
    recipients: tuple[str, ...] = ()
    identity_file: str = ""
    hashes: bool = False
    exclude: tuple[str, ...] = ()

    def plain(self) -> Plain:
        """As a run keeps it."""
        kept: Plain = msgspec.to_builtins(self)
        return kept


class Plan(Struct, frozen=True):
    """A backup on this machine. ``root`` is the estate's folder."""

    spec: Spec
    root: Path

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self.spec.name

    @property
    def address(self) -> Address:
        """What it is of. Raises :class:`BackupTrouble`."""
        return address(self.spec.of)

    def secret(self) -> str:
        """The password of what it is of, ``""`` for none. Raises :class:`BackupTrouble`."""
        return self._secret(self.spec.password_env, self.spec.password_file)

    def open_store(self) -> Store:
        """Its store. Raises :class:`StoreTrouble` for an address that names none."""
        store = self.spec.store
        url = str(self.root / store.url) if store.url.startswith(("./", "../")) else store.url
        return open_store(
            Place(
                url=url,
                secret=lambda custom: self._secret(store.secret_env, store.secret_file) or os.environ.get(custom, ""),
                key_id=lambda: os.environ.get(store.key_id_env, ""),
                endpoint=store.endpoint,
                region=store.region,
                identity_file=self.file(store.identity_file) if store.identity_file else None,
                known_hosts=self.file(store.known_hosts),
            )
        )

    def shelf(self) -> Shelf:
        """Its backups."""
        return Shelf(self.open_store(), self.name)

    def key(self) -> Path:
        """The file with the private key. Raises :class:`BackupTrouble` where none is named."""
        if not self.spec.identity_file:
            raise BackupTrouble(f"the backup is encrypted: name its key with identity-file in [backup.{self.name}]")
        return self.file(self.spec.identity_file)

    def file(self, name: str) -> Path:
        """A file that the settings name."""
        return self.root / Path(name).expanduser()

    def _secret(self, variable: str, file: str) -> str:
        if file:
            path = self.file(file)
            try:
                with path.open("rb") as opened:
                    return opened.read(_LARGEST_SECRET).decode("utf-8").rstrip("\r\n")
            except OSError as problem:
                raise BackupTrouble(f"the password file {path} cannot be read: {problem.strerror}") from None
            except UnicodeDecodeError:
                raise BackupTrouble(f"the password file {path} is not UTF-8") from None
        if variable and variable not in os.environ:
            raise BackupTrouble(f"the password is to come from the variable {variable}, which is not set")
        return os.environ.get(variable, "") if variable else ""


def planned(run: Run) -> Plan:
    """What a run was given."""
    return Plan(msgspec.convert(run.given[GIVEN], Spec), Path(str(run.given["estate"])))
