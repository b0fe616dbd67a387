"""What lets a drill into a store that the settings name: looked up when it is needed, and kept nowhere."""

from __future__ import annotations

import os
from pathlib import Path

from shoreup.engines.base import EngineTrouble
from shoreup.model.backup_settings import StoreSettings
from shoreup.stores.base import Store
from shoreup.stores.opening import Place, open_store

_LARGEST = 64 << 10


def secret_of(store: StoreSettings, home: Path) -> str:
    """The secret of a store, ``""`` where none is named. Names of files start from ``home``.

    Raises :class:`EngineTrouble` where it is not to be found.
    """
    if store.secret_file:
        path = home / Path(store.secret_file).expanduser()
        try:
            with path.open("rb") as file:
                return file.read(_LARGEST).decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise EngineTrouble(f"the password file {path} cannot be read: {type(problem).__name__}") from None
    if store.secret_env and store.secret_env not in os.environ:
        raise EngineTrouble(f"the password is to come from the variable {store.secret_env}, which is not set")
    return os.environ.get(store.secret_env, "") if store.secret_env else ""


def store_of(store: StoreSettings, home: Path) -> Store:
    """The store that the settings describe. Names of files start from ``home``.

    Raises :class:`~shoreup.stores.base.StoreTrouble` for an address that names none, and :class:`EngineTrouble` where
    what lets in is not to be found.
    """
    url = str(home / store.url) if store.url.startswith(("./", "../")) else store.url
    return open_store(
        Place(
            url,
            lambda custom: secret_of(store, home) or os.environ.get(custom, ""),
            lambda: os.environ.get(store.key_id_env, ""),
            store.endpoint,
            store.region,
        )
    )
