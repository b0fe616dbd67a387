"""The backups that count as jobs: those that run again and again, and which of them are one trouble or one drill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shoreup.facts.estate import Backup, Estate


def running(estate: Estate) -> Iterator[Backup]:
    """The backups that are not switched off and run again and again."""
    for backup in estate.backups:
        if backup.recurs and (backup.workload is None or backup.workload.enabled):
            yield backup


def once(backups: Iterable[Backup]) -> Iterator[tuple[Backup, ...]]:
    """The backups that one container writes to one place, together: one trouble, however many dumps."""
    groups: dict[tuple[object, ...], list[Backup]] = {}
    for backup in backups:
        volume = backup.target_volume.name if backup.target_volume is not None else backup.target_remote
        key = (backup.resource.key, backup.workload and backup.workload.name, backup.place.container, volume)
        groups.setdefault(key, []).append(backup)
    yield from (tuple(group) for group in groups.values())
