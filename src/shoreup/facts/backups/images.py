"""Backups made by images that are backup tools: what their environment asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from shoreup.facts.backups.commands.copies import host_of
from shoreup.facts.backups.commands.images import BackupImage, backup_image
from shoreup.facts.backups.results import TELLING_NAMES
from shoreup.facts.databases.hosts import Hosts
from shoreup.facts.estate import Backup, Container, Reporting, Retention, Volume, Workload
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.programs.jobs import Spot, same_place, spot
from shoreup.model.finding import Place

_LASTING = frozenset({"claim", "nfs", "host-path", "csi"})


def image_backups(workloads: Sequence[Workload], hosts: Hosts) -> Iterator[Backup]:
    """The backups of containers whose image is a known backup tool."""
    for workload in workloads:
        for container in workload.containers:
            known = backup_image(container.image)
            if known is None or (container.command and text(container.command[0]) not in known.commands):
                continue
            yield _by_image(workload, container, known, hosts, workloads)


def _by_image(
    workload: Workload, container: Container, known: BackupImage, hosts: Hosts, workloads: Sequence[Workload]
) -> Backup:
    env = {name: known_text(value) for name, value in container.env.items()}
    declared = {text(mapping(item).get("name")) for item in items(container.body.get("env"))} | set(env)
    host = next((env[name] for name in known.hosts if env.get(name)), "")
    folder = env.get(known.folder_variable, "") or known.folder
    target = spot(workload, container, folder) if folder else None
    remote = next((name for name in known.remote if name in declared), "")
    open_env = bool(items(container.body.get("envFrom"))) or bool(container.open)
    return Backup(
        workload=workload,
        resource=workload.resource,
        name=workload.name,
        namespace=workload.namespace,
        tool=known.title,
        place=container.image.place,
        protects_databases=hosts.find(host_of(host), workload.namespace) if host else (),
        protects_volumes=_read(workload, container, known, env, workloads),
        target_volume=target.volume if target is not None else None,
        target_path=folder,
        target_remote=remote,
        writes_new_file=not known.stamped_by or env.get(known.stamped_by, "").lower() == "true",
        retention=tuple(_image_retention(workload, container, known, env, declared)),
        consistent=None,
        consistency_note="",
        schedule=workload.schedule or next((env[name] for name in known.schedule if env.get(name)), None),
        undecided="its environment comes from elsewhere (envFrom)" if open_env else "",
        recurs=workload.kind != "Job",
        path_place=container.image.place,
        container=container,
        reporting=Reporting(heartbeat=open_env or any(TELLING_NAMES.search(name.upper()) for name in declared)),
    )


def _read(
    workload: Workload,
    container: Container,
    known: BackupImage,
    env: Mapping[str, str],
    workloads: Sequence[Workload],
) -> tuple[tuple[Workload, Volume], ...]:
    """The volumes of other workloads that are mounted where the tool looks for what to copy."""
    folders = (env[known.reads_variable],) if env.get(known.reads_variable) else known.reads
    read = [
        found
        for mount in container.mounts
        if any(mount.path.rstrip("/") == folder or mount.path.startswith(f"{folder}/") for folder in folders)
        if (found := spot(workload, container, mount.path)) is not None
    ]
    return tuple(
        (other, volume)
        for other in workloads
        if read and other is not workload and other.kind not in ("CronJob", "Job")
        for volume in other.volumes
        if volume.kind in _LASTING and any(same_place(one, Spot(other, volume, "")) for one in read)
    )


def _image_retention(
    workload: Workload, container: Container, known: BackupImage, env: Mapping[str, str], declared: set[str]
) -> Iterator[Retention]:
    least = 1 if known.keeps_one else None

    def place(name: str) -> Place:
        for index, item in enumerate(items(container.body.get("env"))):
            if text(mapping(item).get("name")) == name:
                return Place(workload.resource.key, (*container.route, "env", index), container=container.name)
        return container.image.place

    set_any = False
    for name, factor in known.age:
        if name in declared and env.get(name, "?") not in known.off:
            set_any = True
            value = env.get(name, "")
            age = float(value) * factor if re.fullmatch(r"\d+(\.\d+)?", value) else None
            yield Retention(place(name), "age", name, age, least)
    for name in known.count:
        if name in declared and env.get(name, "?") not in known.off:
            set_any = True
            value = env.get(name, "")
            yield Retention(place(name), "count", name, None, int(value) if value.isdigit() else 1)
    if not set_any and known.default_age is not None:
        yield Retention(container.image.place, "age", known.title, known.default_age, least)
    if not set_any and known.default_count is not None:
        yield Retention(container.image.place, "count", known.title, None, known.default_count)
