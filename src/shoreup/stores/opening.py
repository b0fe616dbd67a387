"""From an address to a store. The library behind each is imported when its kind is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from shoreup.stores.base import Store, StoreTrouble

Secret = Callable[[str], str]
"""Gives the store's secret; the variable that holds it by custom is named, and ``""`` is given where there is none."""


class Place(Struct, frozen=True):
    """Where a store is, and who may look up what lets in; see :class:`~shoreup.model.backup_settings.StoreSettings`."""

    url: str
    secret: Secret
    key_id: Callable[[], str]
    endpoint: str = ""
    region: str = ""
    identity_file: Path | None = None
    known_hosts: Path = Path("~/.ssh/known_hosts")


def open_store(place: Place) -> Store:
    """The store at a place. Raises :class:`StoreTrouble` for an address that names none, or without its library."""
    scheme, colon, _ = place.url.partition(":")
    kinds: Mapping[str, Callable[[Place], Store]] = {"file": _folder}
    if colon and scheme in kinds:
        return kinds[scheme](place)
    if place.url.startswith(("/", "~/", "./", "../")):
        return _folder(place)
    raise StoreTrouble(
        f"{place.url!r} names no store: a folder begins with / or ./, and else there are {', '.join(kinds)}"
    )


def _folder(place: Place) -> Store:
    from shoreup.stores.folder import Folder

    path = unquote(urlsplit(place.url).path) if place.url.startswith("file:") else place.url
    return Folder(Path(path).expanduser())
