"""Programs for backup and restore that the estate brings and that nothing in it starts.

A script in a ConfigMap that a person runs by hand. That nothing starts it is only said where its name stands nowhere
else in the estate, beside the places that mount it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.backups.commands.copies import copies
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.backups.commands.outputs import RESTORING
from shoreup.facts.estate import Estate, Script, Workload
from shoreup.facts.fields import every_text
from shoreup.facts.programs.scripts import mounted_in, program
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_NAMED_BACKUP = re.compile(r"back-?up|dump|snapshot|(?<![a-z])bak(?![a-z])", re.IGNORECASE)
_NAMED_RESTORE = re.compile(r"restor|recover", re.IGNORECASE)
_STARTED_BY_FOLDER = re.compile(
    r"/etc/cron|/etc/periodic|/var/spool/cron|initdb\.d|/etc/services\.d|/hooks?(?:/|$)|\.d(?:/|$)|custom-cont-init|"
    r"/etc/s6|entrypoint"
)
_STARTING = ("CronJob", "Job", "Workflow", "CronWorkflow")


class IdleScripts(Struct, frozen=True, eq=False):
    """The scripts of one ConfigMap that nothing starts. ``backups`` and ``restores`` are their names."""

    resource: Resource
    script: Script
    backups: tuple[str, ...]
    restores: tuple[str, ...]
    mounted_by: tuple[Workload, ...]


def idle_scripts(estate: Estate) -> Iterator[IdleScripts]:
    """The ConfigMaps with a backup script that nothing starts."""
    found: dict[int, list[tuple[Script, str]]] = {}
    for script in estate.scripts:
        name = str(script.place.route[-1]) if script.place.route else ""
        if script.workload is None and script.language == "shell" and name and _about(script, name):
            found.setdefault(script.place.resource, []).append((script, name))
    for key, held in found.items():
        resource = estate.by_key[key]
        backups = [(script, name) for script, name in held if _backs_up(script, name)]
        if not backups or resource.kind != "ConfigMap":
            continue
        if any(_started(estate, resource, name) for _, name in backups):
            continue
        mounting = tuple(_mounting(estate, resource))
        if any(workload.kind in _STARTING for workload, _ in mounting):
            continue
        if any(_STARTED_BY_FOLDER.search(path) for _, paths in mounting for path in paths):
            continue
        restores = tuple(name for _, name in held if _NAMED_RESTORE.search(name))
        yield IdleScripts(
            resource,
            backups[0][0],
            tuple(name for _, name in backups),
            restores,
            tuple(workload for workload, _ in mounting),
        )


def _about(script: Script, name: str) -> bool:
    return bool(_NAMED_RESTORE.search(name)) or _backs_up(script, name)


def _backs_up(script: Script, name: str) -> bool:
    if _NAMED_RESTORE.search(name):
        return False
    for copy in copies(program(script), {}):
        if copy.lost:
            continue
        if copy.tool in DUMP_TOOLS or copy.tool in REPOSITORIES or copy.tool == "sqlite3" or _NAMED_BACKUP.search(name):
            return copy.tool not in RESTORING or copy.tool == "sqlite3"
    return False


def _mounting(estate: Estate, resource: Resource) -> Iterator[tuple[Workload, Sequence[str]]]:
    for workload in estate.workloads:
        if workload.namespace != (resource.namespace or "default"):
            continue
        paths = mounted_in(workload, resource.name)
        if paths:
            yield workload, paths


def _started(estate: Estate, holder: Resource, name: str) -> bool:
    """Whether the script's name stands anywhere else, so that something may start it."""
    for resource in estate.resources:
        body: Value = dict(resource.body)
        if resource is holder:
            continue
        if any(name in text for text in every_text(body, _names_alone)):
            return True
    return any(
        name in entry.value
        for entry in estate.config
        if entry.resource is holder and entry.key != name and isinstance(entry.value, str)
    )


def _names_alone(key: str, inner: Value) -> bool:
    """Whether an entry only says where something is mounted: a script's name stands there too and starts nothing."""
    return key in ("items", "subPath") or (key == "mountPath" and isinstance(inner, str))
