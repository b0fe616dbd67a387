"""Where an operator's archive of base backups and WAL can be read from here: its store, or a folder that holds it.

What the estate says of the store is enough to write down what the owner has to add, line by line: the secret alone is
the owner's, and perhaps an address that leads into the cluster.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from shoreup.drills.base import Wishes
from shoreup.drills.restoring.barman_archives import BarmanSource
from shoreup.drills.restoring.store_secrets import store_of
from shoreup.facts.estate import Backup, Estate, ObjectArchive
from shoreup.facts.fields import text
from shoreup.facts.programs.schedules import longest_gap
from shoreup.facts.storage.mounts import remote_mounted
from shoreup.model.backup_settings import StoreSettings
from shoreup.model.settings import Settings
from shoreup.stores.base import StoreTrouble, Tree
from shoreup.stores.folder import Folder
from shoreup.stores.objects import Objects

_S3 = "s3://"
_AMAZON = "amazonaws.com"


def store_with(settings: Settings, job: str) -> StoreSettings | None:
    """The store that holds the copies of a job (``namespace/name``), where the settings name one."""
    return next((one for one in settings.store.values() if any(fnmatchcase(job, name) for name in one.copies_of)), None)


def archive_source(estate: Estate, backup: Backup, archive: ObjectArchive, wishes: Wishes) -> BarmanSource | str:
    """Where the archive comes from: what was asked for, a folder, a store; or what to write in the settings."""
    every = longest_gap(text(backup.schedule))
    if wishes.copy is not None:
        if not wishes.copy.is_dir():
            return f"{wishes.copy} is no folder: name the one with base and wals in it, or the one above"
        return BarmanSource(partial(Folder, wishes.copy.resolve()), archive.server, wishes.until, every=every)
    if archive.undecided:
        return f"{archive.undecided}; name a folder that holds the archive by --from"
    job = f"{backup.namespace}/{backup.name}"
    folder = remote_mounted(estate, archive.place)
    if folder:
        return BarmanSource(partial(Folder, wishes.home / Path(folder).expanduser()), "", wishes.until, every=every)
    store = store_with(estate.settings, job)
    if store is None:
        return _what_to_write(backup, archive, job)
    elsewhere = store.url.rstrip("/") != archive.destination
    limits = (f"that it lies in {archive.destination}: it was read from {store.url}",) if elsewhere else ()
    return BarmanSource(partial(archive_store, store, wishes.home), archive.server, wishes.until, limits, every)


def archive_store(store: StoreSettings, home: Path) -> Tree:
    """The store that the settings describe, for archives. Raises :class:`StoreTrouble` for one that holds none."""
    found = store_of(store, home)
    if isinstance(found, Folder | Objects):
        return found
    raise StoreTrouble(f"{store.url}: an archive of WAL is read from a folder or an S3 store; name one of these")


def _what_to_write(backup: Backup, archive: ObjectArchive, job: str) -> str:
    """The lines that are missing in the settings, with all that the estate knows of them."""
    reach = f'a copy of it in a folder, [storage] "{archive.destination}" = "/path"'
    if not archive.destination.startswith(_S3):
        return f"{archive.place} is no S3 store, and is read only from {reach} in shoreup.toml"
    name = f'"{backup.name}"' if "." in backup.name else backup.name
    lines = [f"[store.{name}]", f'url = "{archive.destination}"']
    if archive.endpoint and "*" not in archive.endpoint:
        lines.append(f'endpoint = "{archive.endpoint}"')
    lines += ['key-id-env = "AWS_ACCESS_KEY_ID"', 'secret-env = "AWS_SECRET_ACCESS_KEY"', f'copies-of = ["{job}"]']
    host = urlsplit(archive.endpoint).hostname or ""
    inside = host.endswith((".svc", ".svc.cluster.local")) or (host and "." not in host)
    hint = f" {host} is an address of the cluster: put one there that this machine reaches." if inside else ""
    if not archive.endpoint or _AMAZON in host:
        hint = ' Add region = "..." as well.'
    written = "\n".join(f"  {line}" for line in lines)
    return (
        f"what opens {archive.place} is not known here. In shoreup.toml say\n{written}\n"
        f"and set the two variables to a key that may read there.{hint} Or name {reach}."
    )
