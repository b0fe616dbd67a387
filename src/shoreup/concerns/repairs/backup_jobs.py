"""Jobs that copy data, drawn up so that only the schedule and the place of the copies are left to say.

They are shown and never made: nobody but the owner knows when a copy may be made and which other machine there is.
"""

from __future__ import annotations

from shoreup.facts.backups.coverage import Keeper
from shoreup.facts.backups.dump_commands import DumpCommand, dump_command
from shoreup.facts.estate import Database, Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.model.edit import Add
from shoreup.model.value import Value, unknowns

KEEP = 14
"""Two weeks of daily copies: long enough to notice what was lost."""
WHEN = "<when, such as 15 3 * * *>"
_MACHINE: dict[str, Value] = {"server": "<another machine>", "path": "<its folder for copies>"}
AFTERWARDS = (
    """# The copies belong on a machine that does not hold the data. Restore one of them before you rely on it{how}."""
)


def copying(estate: Estate, keeper: Keeper) -> Add:
    """The job that copies what a keeper keeps: a dump by the engine's own tool and version, or its files."""
    database = keeper.database
    known = dump_command(database.product) if database is not None else None
    if database is not None and known is not None:
        return _dump(estate, database, keeper, known)
    return _files(keeper)


def restoring(keeper: Keeper) -> str:
    """What to do afterwards, with the command that restores where it is known."""
    known = dump_command(keeper.database.product) if keeper.database is not None else None
    return AFTERWARDS.format(how=f": {known.restore}" if known is not None else "")


def scheduled(beside: int, namespace: str, name: str, config_map: str, script: str, workload: Workload | None) -> Add:
    """The job that runs a script of a ConfigMap, in the image that has the script mounted where there is one."""
    image = workload.containers[0].image.text if workload is not None and workload.containers else "<image>:<version>"
    container: dict[str, Value] = {
        "name": name,
        "image": image if "*" not in image else "<image>:<version>",
        "command": ["sh", f"/scripts/{script}"],
        "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}, {"name": "copies", "mountPath": "<its folder>"}],
    }
    volumes: list[Value] = [
        {"name": "scripts", "configMap": {"name": config_map}},
        {"name": "copies", "nfs": dict(_MACHINE)},
    ]
    return Add(beside, _cron_job(namespace, name, container, volumes))


def _dump(estate: Estate, database: Database, keeper: Keeper, known: DumpCommand) -> Add:
    name = f"{keeper.name}-backup"
    host = _host(estate, database)
    lines = (
        "set -eu",
        f"copy=/copies/{keeper.name}-$(date +%Y%m%d-%H%M).{known.ending}",
        known.command,
        f"ls -1t /copies/{keeper.name}-*.{known.ending} | tail -n +{KEEP + 1} | xargs -r rm --",
    )
    env: list[Value] = [
        {"name": variable, "value": value.replace("{host}", host)} for variable, value in known.environment.items()
    ]
    if known.password:
        env.append({"name": known.password, "valueFrom": {"secretKeyRef": _secret(keeper.workload)}})
    container: dict[str, Value] = {
        "name": "backup",
        "image": _image(database),
        "command": ["sh", "-c"],
        "args": ["\n".join(lines) + "\n"],
        **({"env": env} if env else {}),
        "volumeMounts": [{"name": "copies", "mountPath": "/copies"}],
    }
    volumes: list[Value] = [{"name": "copies", "nfs": dict(_MACHINE)}]
    return Add(keeper.resource.key, _cron_job(keeper.namespace, name, container, volumes))


def _files(keeper: Keeper) -> Add:
    claim = next((volume.claim for volume in keeper.volumes if volume.claim), "<claim>")
    container: dict[str, Value] = {
        "name": "backup",
        "image": "<image with restic>:<version>",
        "command": ["sh", "-c"],
        "args": [f"set -eu\nrestic backup /data\nrestic forget --keep-daily {KEEP} --prune\n"],
        "env": [
            {"name": "RESTIC_REPOSITORY", "value": "<another machine, such as sftp:backup@host:/path>"},
            {"name": "RESTIC_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "<Secret>", "key": "<key>"}}},
        ],
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
    }
    volumes: list[Value] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}]
    return Add(keeper.resource.key, _cron_job(keeper.namespace, f"{keeper.name}-backup", container, volumes))


def _cron_job(namespace: str, name: str, container: dict[str, Value], volumes: list[Value]) -> dict[str, Value]:
    pod: dict[str, Value] = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name[:52], "namespace": namespace},
        "spec": {
            "schedule": WHEN,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": {"spec": pod}}},
        },
    }


def _image(database: Database) -> str:
    """The database's own image: its tools are of the server's version."""
    workload = database.workload
    for container in workload.containers if workload is not None else ():
        if container.image.product == database.product and "*" not in container.image.text:
            return container.image.text
    return "<image with the tools of the server's version>"


def _host(estate: Estate, database: Database) -> str:
    for service in estate.services:
        if database.workload is not None and any(one is database.workload for one in service.workloads):
            return service.name
    return "<its Service>"


def _secret(workload: Workload | None) -> dict[str, Value]:
    """The Secret that the server has its password from."""
    for container in workload.containers if workload is not None else ():
        for entry in map(mapping, items(container.body.get("env"))):
            held = mapping(mapping(entry.get("valueFrom")).get("secretKeyRef"))
            if "PASSWORD" in text(entry.get("name")).upper() and held and next(unknowns(dict(held)), None) is None:
                return {"name": held.get("name"), "key": held.get("key")}
    return {"name": "<Secret>", "key": "<key>"}
