"""What the concerns about backups share: how a job, its place and its rhythm are said."""

from __future__ import annotations

from shoreup.facts.backups.copying import LASTING_VOLUMES
from shoreup.facts.backups.own import OwnBackup
from shoreup.facts.backups.tried_retention import TriedRetention
from shoreup.facts.estate import Backup, Database, Estate, Volume
from shoreup.facts.naming import named
from shoreup.model.finding import Place
from shoreup.model.settings import Cover
from shoreup.model.value import pattern


def subject(backup: Backup) -> str:
    """How the job is called."""
    container = backup.place.container
    several = backup.workload is not None and len([item for item in backup.workload.containers if not item.init]) > 1
    return named(backup.resource, container if several else "")


def lasting(volume: Volume | None) -> bool:
    """Whether what is written there outlives the pod."""
    return volume is not None and volume.kind in LASTING_VOLUMES


def lies_on(volume: Volume) -> str:
    """Where a volume's bytes lie, as part of a sentence."""
    if volume.server:
        return f"NFS {volume.server}:{volume.path}" if volume.path else f"NFS server {volume.server}"
    if volume.kind == "host-path" and volume.path:
        return f"the node's folder {volume.path}"
    if volume.claim:
        return f"the claim {volume.claim}"
    return f"the volume {volume.name}"


def target(backup: Backup) -> str:
    """Where the copies go, as part of a sentence."""
    if backup.target_volume is not None and lasting(backup.target_volume):
        return lies_on(backup.target_volume)
    return backup.target_remote or backup.target_path


def rhythm(backup: Backup) -> str:
    """How often it runs, in brackets; empty when it is not known."""
    schedule = pattern(backup.schedule) if not isinstance(backup.schedule, (dict, list)) else ""
    return f" ({schedule})" if schedule and schedule != "*" else ""


def protected(backup: Backup) -> tuple[tuple[Place, str], ...]:
    """The data behind the backup, as related places."""
    found = [
        (database.place, f"the data that it protects: {called(database)}") for database in backup.protects_databases
    ]
    for workload, volume in backup.protects_volumes:
        note = f"the data that it protects: volume {volume.name} of {named(workload.resource)}"
        found.append((Place(workload.resource.key, volume.route), note))
    return tuple(found)


def covered(estate: Estate, backup: Backup, cover: Cover) -> bool:
    """Whether the owner says that something outside the repository does this for the backup.

    It may be named by its job, by what it protects, or by the server or volume that it writes to.
    """
    names = [f"{backup.namespace}/{backup.name}", backup.target_remote]
    names += [f"{one.namespace}/{one.name}" for one in backup.protects_databases]
    names += [f"{one.namespace}/{one.name}" for one, _ in backup.protects_volumes]
    volume = backup.target_volume
    if volume is not None:
        names += [volume.server, volume.server and f"{volume.server}:{volume.path}", volume.claim]
    return any(name and estate.settings.protected(name, cover, estate.today) is not None for name in names)


def called(database: Database) -> str:
    """A database in a sentence."""
    return named(database.resource)


def seen_by_drill(who: str, tried: TriedRetention) -> str:
    """What a drill of retention saw of a job, as a sentence."""
    return f"The drill of {tried.day} ran {who} for 400 days: {tried.said}."


def lived_by_drill(own: OwnBackup, tried: TriedRetention) -> str:
    """What it saw of a policy of one's own."""
    return f"The drill of {tried.day} lived 400 days by the policy of {own.called}: {tried.said}."
