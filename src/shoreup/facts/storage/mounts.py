"""Where the estate's storage is on the owner's machine, by the settings (``[storage]``).

A name there is a server with a path (``192.0.2.5:/volume1/backups``), a claim (``namespace/name``) or
a folder of a node. What lies below a named path lies below the folder that it is mounted at.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import Estate, Volume


def mounted(estate: Estate, namespace: str, volume: Volume) -> str:
    """The folder on the owner's machine at which a volume's bytes are; empty where the settings name none."""
    for name in _names(namespace, volume):
        for key, folder in sorted(estate.settings.storage.items(), key=lambda pair: -len(pair[0])):
            if name == key:
                return folder
            if "/" in key and name.startswith(f"{key.rstrip('/')}/"):
                return f"{folder.rstrip('/')}/{name[len(key.rstrip('/')) + 1 :]}"
    return ""


def remote_mounted(estate: Estate, remote: str) -> str:
    """The folder on the owner's machine that holds what lies below a store's address; empty where none is named."""
    for key, folder in sorted(estate.settings.storage.items(), key=lambda pair: -len(pair[0])):
        if f"{remote}/".startswith(f"{key.rstrip('/')}/"):
            return f"{folder.rstrip('/')}/{remote[len(key.rstrip('/')) + 1 :]}".rstrip("/")
    return ""


def strangers(estate: Estate) -> Iterator[str]:
    """The names in the settings that are no storage of the estate; none where some of its storage is not decided."""
    if not estate.settings.storage:
        return
    names: set[str] = set()
    for workload in estate.workloads:
        for volume in workload.volumes:
            if volume.undecided or "*" in f"{volume.server}{volume.path}{volume.claim}":
                return
            names.update(_names(workload.namespace, volume))
    remotes = [backup.target_remote for backup in estate.backups]
    for key in estate.settings.storage:
        below = f"{key.rstrip('/')}/"
        near = any(
            f"{name}/".startswith((below, f"{key}:")) or below.startswith(f"{name.rstrip('/')}/")
            for name in names
            if name
        )
        if not near and not any(key in remote for remote in remotes):
            yield key


def _names(namespace: str, volume: Volume) -> Iterator[str]:
    if volume.server:
        yield f"{volume.server}:{volume.path}" if volume.path else volume.server
    if volume.claim:
        yield f"{namespace}/{volume.claim}"
    if volume.kind == "host-path" and volume.path:
        yield volume.path
