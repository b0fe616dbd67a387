"""From an address to a store. The library behind each is imported when its kind is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
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
    if colon and scheme in _KINDS:
        return _KINDS[scheme](place)
    if place.url.startswith(("/", "~/", "./", "../")):
        return _folder(place)
    known = ", ".join(f"{one}:" for one in _KINDS)
    raise StoreTrouble(f"{place.url!r} names no store: a folder begins with / or ./, and anything else with {known}")


def _folder(place: Place) -> Store:
    from shoreup.stores.folder import Folder

    path = unquote(urlsplit(place.url).path) if place.url.startswith("file:") else place.url
    return Folder(Path(path).expanduser())


def _objects(place: Place) -> Store:
    _need("obstore")
    from shoreup.stores.objects import Objects

    parts = urlsplit(place.url)
    return Objects(
        parts.netloc,
        unquote(parts.path),
        endpoint=place.endpoint,
        region=place.region,
        key_id=place.key_id(),
        secret=place.secret("AWS_SECRET_ACCESS_KEY"),
    )


def _sftp(place: Place) -> Store:
    _need("asyncssh")
    from shoreup.stores.sftp import Sftp

    return Sftp(
        urlsplit(place.url),
        secret=lambda: place.secret(""),
        identity=place.identity_file,
        known_hosts=place.known_hosts,
    )


def _restic(place: Place) -> Store:
    from shoreup.stores.restic import Restic

    return Restic(place.url.removeprefix("restic:"), secret=lambda: place.secret("RESTIC_PASSWORD"))


_KINDS: Mapping[str, Callable[[Place], Store]] = {"file": _folder, "s3": _objects, "sftp": _sftp, "restic": _restic}


def _need(module: str) -> None:
    if find_spec(module) is None:
        raise StoreTrouble(f"the library {module} is not installed: pip install 'shoreup[backup]'")
