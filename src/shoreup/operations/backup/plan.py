"""What a person asked for under a backup's name, whole and checked: what every operation on it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from shoreup.operations.backup.shelf import BackupTrouble, Shelf
from shoreup.operations.backup.sources import Address
from shoreup.operations.retention import Policy
from shoreup.stores.base import Store


class Plan(Struct, frozen=True):
    """One backup of the settings.

    ``open_store`` and ``secret`` look up what lets somebody in, each time anew. ``recipients`` are public keys;
    ``identity`` is the file with the private one, where the owner named it.
    """

    name: str
    address: Address
    open_store: Callable[[], Store]
    secret: Callable[[], str]
    policy: Policy
    recipients: tuple[str, ...] = ()
    identity: Path | None = None
    hashes: bool = False
    exclude: tuple[str, ...] = ()

    def shelf(self) -> Shelf:
        """Its backups."""
        return Shelf(self.open_store(), self.name)

    def key(self) -> Path:
        """The file with the private key. Raises :class:`BackupTrouble` where none is named."""
        if self.identity is None:
            raise BackupTrouble(f"the backup is encrypted: name its key with identity-file in [backup.{self.name}]")
        return self.identity
