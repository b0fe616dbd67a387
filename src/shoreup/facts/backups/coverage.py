"""What keeps data that must not be lost, and whether anything in the estate copies it.

A database counts when its files outlive its pod, an application when the product data say that its folder holds what
cannot be made again. Anything that could cover it counts for it: a dump, a copy of its files, an operator, an agent
that mounts the same place, the owner's word. Where a backup system is there whose choice is made in the cluster, the
question is open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.estate import Backup, Database, Estate, Volume, Workload
from shoreup.facts.fields import items, mapping, text, truth
from shoreup.facts.naming import named
from shoreup.facts.programs.jobs import ByPlace, Spot, same_place
from shoreup.facts.storage.state import kept, lasting, outer_database
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.resource import Resource
from shoreup.model.settings import Cover
from shoreup.model.value import Unknown, Value
from shoreup.sources.repository import Role

COUNTED = frozenset({"app", "auth", "secrets", "dns", "vpn", "network", "ingress"})
"""Kinds of product, beside databases, whose lasting data are a person's work and not a record of what happened."""
_PASSING = frozenset({"CronJob", "Job"})
_AGENT = re.compile(
    r"duplicati|kopia|restic|borg|duplicacy|urbackup|rclone|litestream|backrest|zerobyte|back-?up|syncthing|resilio|"
    r"bareos|bacula|kanister|volsync|sanoid|syncoid|snapraid|rsync"
)
_SYSTEMS = frozenset(
    {"velero", "k10", "stash", "stash-enterprise", "kubestash", "cloudcasa", "trilio", "kanister-operator"}
)
"""Charts of systems whose choice is made by objects in the cluster or by their own console."""
_TEMPLATES = ("ResourceSet", "ClusterPolicy", "Policy", "ApplicationSet", "Composition", "ResourceGraphDefinition")
"""Objects that make others from a text that is not followed."""
_MADE_BACKUPS = re.compile(
    r"ReplicationSource|SnapshotPolicy|ScheduledBackup|velero\.io|k8up\.io|volsync\.backube|recurring-job|RecurringJob"
)
_CLAIMS = re.compile(
    r"\bpvcs?\b|persistent[ _-]?volume|/var/lib/kubelet|/var/lib/rancher/k3s/storage|local-path", re.IGNORECASE
)
"""Words of a script that copies the claims of a cluster, whichever there are."""
_BACKUP_KINDS = re.compile(r"backup_(?:plan|job|policy|selection|schedule)|_dlm_|snapshot_(?:schedule|policy)|_backup$")
"""Types of Terraform resources by which a provider makes backups."""
_OWN_BACKUPS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("postgres-operator.crunchydata.com", "PostgresCluster"): ("backups",),
    ("acid.zalan.do", "postgresql"): ("enableLogicalBackup",),
    ("pgv2.percona.com", "PerconaPGCluster"): ("backups",),
    ("pxc.percona.com", "PerconaXtraDBCluster"): ("backup",),
    ("psmdb.percona.com", "PerconaServerMongoDB"): ("backup",),
    ("postgresql.cnpg.io", "Cluster"): ("backup", "plugins"),
}
"""Where a database operator's own object speaks of backups (the operators' references, 2026-11)."""


class Keeper(Struct, frozen=True, eq=False):
    """Something that keeps lasting data. ``database`` is ``None`` for an application with files."""

    resource: Resource
    namespace: str
    name: str
    what: str
    volumes: tuple[Volume, ...]
    workload: Workload | None
    database: Database | None = None
    kind: str = ""
    likely: bool = False


def keepers(estate: Estate) -> Iterator[Keeper]:
    """Everything of the estate that keeps data which must not be lost, each once."""
    seen: set[tuple[str, str, str]] = set()
    engines: set[int] = set()
    for database in estate.databases:
        product = estate.products.get(database.product)
        workload = database.workload
        if workload is not None:
            engines.add(id(workload))
        if product is None or product.kind != "database" or not product.lasting:
            continue
        if workload is not None and (not workload.enabled or workload.kind in _PASSING):
            continue
        volumes = _files(estate, database)
        if (volumes or workload is None) and _new(seen, database.resource):
            where = database.namespace
            yield Keeper(
                resource=database.resource,
                namespace=where,
                name=database.name,
                what=product.title,
                volumes=volumes,
                workload=workload,
                database=database,
                kind="database",
                likely=database.likely,
            )
    for workload in estate.workloads:
        if workload.kind not in LONG_RUNNING or not workload.enabled or workload.partial or id(workload) in engines:
            continue
        held = [
            one
            for one in kept(workload, estate.products)
            if one.product is not None and one.product.lasting and one.product.kind in COUNTED
        ]
        if held and held[0].product is not None and _new(seen, workload.resource):
            volumes = tuple({id(one.volume): one.volume for one in held}.values())
            product = held[0].product
            elsewhere = bool(outer_database(estate, workload, held[0].container))
            yield Keeper(
                resource=workload.resource,
                namespace=workload.namespace,
                name=workload.name,
                what=product.title,
                volumes=volumes,
                workload=workload,
                database=None,
                kind=product.kind,
                likely=elsewhere,
            )


def _files(estate: Estate, database: Database) -> tuple[Volume, ...]:
    """The lasting volumes that hold the files of a database: those at the engine's folder, where any is."""
    held = tuple(volume for volume in database.volumes if lasting(volume) and not volume.read_only)
    if database.workload is None:
        return held
    home = {id(one.volume) for one in kept(database.workload, estate.products) if one.product is not None}
    return tuple(volume for volume in held if id(volume) in home) or held


def _new(seen: set[tuple[str, str, str]], resource: Resource) -> bool:
    key = (resource.kind, resource.namespace or "default", resource.name)
    if key in seen:
        return False
    seen.add(key)
    return True


def uncovered(estate: Estate) -> tuple[tuple[Keeper, str], ...]:
    """What no backup of the estate covers; with the reason why that is open, empty where it is certain."""
    return estate.once(_uncovered)


def _uncovered(estate: Estate) -> tuple[tuple[Keeper, str], ...]:
    coverage = _Coverage(estate)
    answers = ((keeper, coverage.of(keeper)) for keeper in keepers(estate))
    return tuple((keeper, answer) for keeper, answer in answers if answer is not None)


def copied(estate: Estate) -> Iterator[tuple[Keeper, tuple[Backup, ...]]]:
    """What backups of the estate cover, with those that do. What the owner says is covered elsewhere is left out."""
    coverage = _Coverage(estate)
    for keeper in keepers(estate):
        found = coverage.backups(keeper)
        if found and not coverage.owner_says(keeper):
            yield keeper, found


def continuous(keeper: Keeper, backups: Sequence[Backup]) -> bool:
    """Whether every change is carried away as it happens, so that a schedule only says when a copy begins anew.

    CloudNativePG archives the log of a cluster that names an object store, and of one whose plugin is told to
    (cloudnative-pg.io/documentation/current/wal_archiving, 2026-11).
    """
    if any(backup.tool == "volsync syncthing" for backup in backups):
        return True
    if not keeper.resource.api_version.startswith("postgresql.cnpg.io/"):
        return False
    spec = mapping(keeper.resource.body.get("spec"))
    archivers = [truth(mapping(plugin).get("isWALArchiver")) for plugin in items(spec.get("plugins"))]
    return bool(mapping(mapping(spec.get("backup")).get("barmanObjectStore"))) or True in archivers


class _Coverage:
    """The backups of an estate by what they may cover."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        running = [one for one in estate.backups if one.recurs and (one.workload is None or one.workload.enabled)]
        self._databases: dict[int, list[Backup]] = defaultdict(list)
        self._volumes: dict[int, list[Backup]] = defaultdict(list)
        for one in running:
            for database in one.protects_databases:
                self._databases[id(database)].append(one)
            for _, volume in one.protects_volumes:
                self._volumes[id(volume)].append(one)
        self._claims = [(pattern, one) for one in running for pattern in one.covers]
        started_otherwise = [one for one in estate.backups if one.tool == "velero" and not one.recurs]
        self._unsure = [one for one in (*running, *started_otherwise) if one.may_cover]
        self._blind = [one for one in running if _sees_nothing(one)]
        self._beside = ByPlace(
            (workload, workload.namespace, workload.volumes) for workload in estate.workloads if _may_copy(workload)
        )
        self._somewhere = _somewhere(estate)

    def of(self, keeper: Keeper) -> str | None:
        """``None`` for what is covered; else why it is open, or an empty text."""
        return None if self.backups(keeper) or self.owner_says(keeper) else self._open(keeper)

    def backups(self, keeper: Keeper) -> tuple[Backup, ...]:
        """The backups that cover it, each once."""
        found = list(self._databases.get(id(keeper.database), ())) if keeper.database is not None else []
        for volume in keeper.volumes:
            found += self._volumes.get(id(volume), ())
        claims = [volume.claim for volume in keeper.volumes if volume.claim]
        found += [
            backup
            for (namespace, name), backup in self._claims
            if fnmatchcase(keeper.namespace, namespace) and any(fnmatchcase(claim, name) for claim in claims)
        ]
        return tuple({id(one): one for one in found}.values())

    def owner_says(self, keeper: Keeper) -> bool:
        """Whether the owner says that something outside the repository copies it."""
        names = [f"{keeper.namespace}/{keeper.name}"]
        for volume in keeper.volumes:
            names.extend((volume.name, volume.claim, f"{keeper.namespace}/{volume.claim}", volume.storage_class))
            names.extend((volume.server, f"{volume.server}:{volume.path}"))
        settings, today = self._estate.settings, self._estate.today
        return any(name and settings.protected(name, Cover.BACKUP, today) is not None for name in names)

    def _open(self, keeper: Keeper) -> str:
        for volume in keeper.volumes:
            if keeper.workload is None:
                break
            here = Spot(keeper.workload, volume, "")
            for other in self._beside.near(here):
                if other is keeper.workload or any(same_place(here, Spot(other, item, "")) for item in other.volumes):
                    return f"{named(other.resource)} has the same place mounted and may copy it"
        for backup in self._unsure:
            # What a storage system copies are its own volumes, never an export or a folder of a node.
            if not keeper.volumes or any(volume.kind in ("claim", "csi") for volume in keeper.volumes):
                return backup.may_cover
        for backup in self._blind:
            tool = DUMP_TOOLS.get(backup.tool)
            if keeper.database is not None and (tool is None or keeper.database.product in tool.products):
                return backup.undecided or f"which server {named(backup.resource)} dumps is not decided"
            if tool is None and backup.namespace == keeper.namespace:
                return backup.undecided or f"what {named(backup.resource)} copies is not decided"
        return _own_backups(self._estate, keeper) or self._longhorn(keeper) or self._scripted(keeper) or self._somewhere

    def _longhorn(self, keeper: Keeper) -> str:
        targets = [
            one for one in self._estate.by_kind.get("BackupTarget", ()) if one.api_version.startswith("longhorn.io/")
        ]
        if targets and any(volume.kind == "claim" for volume in keeper.volumes):
            return f"{named(targets[0])} is set, and Longhorn's recurring jobs may be made in its console"
        return ""

    def _scripted(self, keeper: Keeper) -> str:
        """A script for backups beside the estate, run by a machine that is not in it, that speaks of the keeper."""
        words = {keeper.name.lower(), keeper.what.lower(), *(volume.claim.lower() for volume in keeper.volumes)} - {""}
        if keeper.database is not None:
            words.add(keeper.database.product)
        claimed = any(volume.kind in ("claim", "csi") for volume in keeper.volumes)
        for file in self._estate.repository:
            if file.role is Role.BACKUP_SCRIPT:
                if claimed and _CLAIMS.search(file.text):
                    return f"the script {file.path} copies volumes of the cluster, and what runs it is not read here"
                written = file.text.lower()
                if any(re.search(rf"(?<![a-z0-9]){re.escape(word)}", written) for word in words):
                    return f"the script {file.path} speaks of it, and what runs it is not read here"
        return ""


def _sees_nothing(backup: Backup) -> bool:
    """Whether a job copies something that is not found in the estate."""
    if backup.workload is None or backup.protects_databases or backup.protects_volumes:
        return False
    return not backup.tool or backup.tool in DUMP_TOOLS


def _may_copy(workload: Workload) -> bool:
    """Whether a workload may copy what it has mounted: a job, or an agent for backups."""
    if workload.kind == "CronJob":
        return workload.enabled
    return any(_AGENT.search(container.image.repository.lower()) for container in workload.containers)


def _own_backups(estate: Estate, keeper: Keeper) -> str:
    """Why the object or the release that makes the database may see to its backups itself."""
    resource = keeper.resource
    spec = mapping(resource.body.get("spec"))
    for field in _OWN_BACKUPS.get((resource.api_version.partition("/")[0], resource.kind), ()):
        if spec.get(field) and spec.get(field) is not False:
            return f"its own spec.{field} speaks of backups that no schedule in the repository makes"
    for release in estate.releases:
        if release.resource.key in (resource.key, resource.parent) and _asks_for_backups(dict(release.values)):
            return f"the values of the release {release.name} ask for backups, which its chart makes"
    if keeper.workload is not None:
        for container in keeper.workload.containers:
            for name in container.env:
                if re.search(r"WAL_S3|WALG_|WALE_|PGBACKREST|BACKUP_SCHEDULE|BARMAN|LITESTREAM", name):
                    return f"{name} asks the container for backups of its own"
    return ""


def _asks_for_backups(values: Value) -> bool:
    waiting: list[Value] = [values]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict):
            for key, inner in held.items():
                if re.search(r"back-?ups?", key, re.IGNORECASE):
                    body = mapping(inner)
                    asked = truth(body.get("enabled"))
                    if asked is True or (
                        asked is None and (body or isinstance(inner, (list, Unknown)) or inner is True)
                    ):
                        return True
                waiting.append(inner)
        elif isinstance(held, list):
            waiting.extend(held)
    return False


def _somewhere(estate: Estate) -> str:
    """Why backups may be made by something whose choice is not in the repository; empty where there is nothing."""
    schedules = {resource.api_version.partition("/")[0] for resource in estate.by_kind.get("Schedule", ())}
    for release in estate.releases:
        chart = release.chart.rpartition("/")[2]
        if chart in _SYSTEMS and not (
            chart == "velero" and "velero.io" in schedules and not release.values.get("schedules")
        ):
            return f"what {chart} of the release {release.name} copies is not decided in the repository"
    for resource in estate.resources:
        if resource.api_version == "terraform" and _BACKUP_KINDS.search(resource.kind):
            return f"{resource.kind} {resource.name} makes backups of what it is given"
    for kind in _TEMPLATES:
        for resource in estate.by_kind.get(kind, ()):
            written = list(_texts(dict(resource.body)))
            copies = "CronJob" in written and any(_AGENT.search(one.lower()) for one in written)
            if copies or any(_MADE_BACKUPS.search(one) for one in written):
                return f"{named(resource)} makes backup objects for what it is given when it runs"
    return ""


def _texts(value: Value) -> Iterator[str]:
    waiting: list[Value] = [value]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict):
            waiting.extend(held.values())
        elif isinstance(held, list):
            waiting.extend(held)
        elif held is not None:
            yield text(held)
