"""Backups that an operator makes: the resource says what is copied, where to and what is kept.

What each kind of resource keeps when it says nothing is read from its own documentation (2026-11): Velero
(velero.io/docs, Schedule), CloudNativePG (cloudnative-pg.io, backup; the plugin's ObjectStore), K8up (docs.k8up.io,
Schedule), Longhorn (longhorn.io, RecurringJob), VolSync (github.com/backube/volsync,
internal/controller/mover/restic/mover.go), mariadb-operator (its docs/api_reference.md: thirty days, both kinds),
snapscheduler (backube.github.io/snapscheduler), Gemini (github.com/FairwindsOps/gemini), Kasten K10, Stash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from shoreup.facts.backups.commands.removal import days
from shoreup.facts.backups.object_archives import archive_in, plugin_parameter
from shoreup.facts.estate import Backup, Database, ObjectArchive, PolicyField, Release, Retention
from shoreup.facts.fields import filled, items, mapping, text, texts, truth
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, at

_KEEP: Value = {"keepDaily": 14, "keepWeekly": 8, "keepMonthly": 12}
"""What K8up's prune is told where it is told nothing (k8up.io, Schedule, 2026-11)."""
VELERO_DEFAULT_DAYS = 30.0
"""Velero's ``ttl`` when neither a Schedule nor the server's ``defaultBackupTTL`` names one (720 h)."""
_KEEPING = (
    "keepLast",
    "keepHourly",
    "keepDaily",
    "keepWeekly",
    "keepMonthly",
    "keepYearly",
    "keepTags",
    "keepLatest",
    "keepAnnual",
)
_RESTIC_KEEPING = ("last", "hourly", "daily", "weekly", "monthly", "yearly", "within", "latest")


def declared_backups(
    resources: Sequence[Resource], databases: Sequence[Database], releases: Sequence[Release] = ()
) -> Iterator[Backup]:
    """The backups that resources of operators declare."""
    context = _Context(resources, databases, releases)
    for resource in resources:
        group = resource.api_version.partition("/")[0]
        reader = _READERS.get((group, resource.kind))
        if reader is not None:
            yield from reader(resource, context)


class _Context:
    """The other resources that a declaration refers to."""

    def __init__(
        self, resources: Sequence[Resource], databases: Sequence[Database], releases: Sequence[Release]
    ) -> None:
        self.databases = databases
        self.velero_days = _velero_days(releases)
        self._by_kind: dict[tuple[str, str], list[Resource]] = {}
        for item in resources:
            self._by_kind.setdefault((item.kind, item.name), []).append(item)
        self._kinds: dict[str, list[Resource]] = {}
        for item in resources:
            self._kinds.setdefault(item.kind, []).append(item)
        self.k8up = [item for item in resources if item.api_version.startswith("k8up.io/")]

    def find(self, kind: str, namespace: str | None, name: str) -> Resource | None:
        """A resource by its name; where a namespace is only set when it is applied, the one that there is."""
        found = self._by_kind.get((kind, name), [])
        near = [item for item in found if (item.namespace or "default") == (namespace or "default")]
        return near[0] if near else found[0] if len(found) == 1 else None

    def of_kind(self, kind: str) -> list[Resource]:
        """Every resource of a kind."""
        return self._kinds.get(kind, [])

    def database(self, resource: Resource | None) -> tuple[Database, ...]:
        """The databases that a resource declares."""
        if resource is None:
            return ()
        return tuple(item for item in self.databases if item.resource.key == resource.key)


def _velero_days(releases: Sequence[Release]) -> float | None:
    """How long Velero keeps a backup that says nothing; ``None`` where the estate does not decide it."""
    for release in releases:
        if release.chart.rstrip("/").rpartition("/")[2] == "velero":
            told = mapping(release.values.get("configuration")).get("defaultBackupTTL")
            if told is not None:
                return days(text(told))
            return None if release.open else VELERO_DEFAULT_DAYS
    return None


def _spec(resource: Resource) -> Mapping[str, Value]:
    return mapping(resource.body.get("spec"))


def _kept(
    resource: Resource, route: Route, by: str, command: str, age: float | None = None, least: int | None = 1
) -> Retention:
    return Retention(Place(resource.key, route), by, command, age, least)


def _made(
    resource: Resource,
    tool: str,
    *,
    retention: tuple[Retention, ...] = (),
    route: Route = ("spec",),
    databases: tuple[Database, ...] = (),
    remote: str = "",
    schedule: Value = None,
    undecided: str = "",
    new_file: bool | None = True,
    recurring: bool = True,
    covers: tuple[tuple[str, str], ...] = (),
    may_cover: str = "",
    policy: PolicyField | None = None,
    archive: ObjectArchive | None = None,
) -> Backup:
    return Backup(
        workload=None,
        resource=resource,
        name=resource.name,
        namespace=resource.namespace or "default",
        tool=tool,
        place=Place(resource.key, route),
        protects_databases=databases,
        protects_volumes=(),
        target_volume=None,
        target_path="",
        target_remote=remote,
        writes_new_file=new_file,
        retention=retention,
        consistent=None,
        consistency_note="",
        schedule=schedule,
        undecided=undecided,
        recurs=recurring,
        covers=covers,
        may_cover=may_cover,
        policy=policy,
        archive=archive,
    )


def _claim(resource: Resource, name: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """A claim by name in the resource's own namespace, or why it is not decided which one."""
    if not name or "*" in name or "$" in name:
        return (), f"which claim {resource.kind} {resource.name} copies is not decided"
    return ((resource.namespace or "default", name),), ""


def _velero(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    ttl = at(resource.body.get("spec"), "template", "ttl")
    route: Route = ("spec", "template", "ttl") if ttl is not None else ("spec",)
    age = context.velero_days if ttl is None else days(text(ttl))
    # Velero's garbage collection removes what has expired whether or not newer backups succeeded.
    kept = _kept(resource, route, "age", "ttl", age, None)
    paused = truth(spec.get("paused")) is True
    template = mapping(spec.get("template"))
    chosen = any(template.get(name) for name in ("labelSelector", "orLabelSelectors", "excludedNamespaces"))
    names = texts(template.get("includedNamespaces")) or ("*",)
    sure = not chosen and not any("*" in name and name != "*" for name in names) and not paused
    called = resource.address if resource.name == "*" else resource.name
    unsure = f"what Velero's Schedule {called} chooses is decided by labels and exclusions"
    if paused:
        unsure = f"Velero's Schedule {called} is paused; whether something else starts it is not read here"
    yield _made(
        resource,
        "velero",
        covers=tuple((name, "*") for name in names) if sure else (),
        may_cover="" if sure else unsure,
        retention=(kept,),
        remote="velero storage location",
        schedule=spec.get("schedule"),
        recurring=not paused,
    )


def _cloudnative_pg(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    name = text(at(resource.body.get("spec"), "cluster", "name"))
    cluster = context.find("Cluster", resource.namespace, name)
    method = text(spec.get("method")) or "barmanObjectStore"
    suspended = spec.get("suspend") is True
    databases = context.database(cluster)
    if method == "volumeSnapshot":
        yield _made(
            resource,
            "volume snapshot",
            databases=databases,
            schedule=spec.get("schedule"),
            new_file=None,
            recurring=not suspended,
            remote="volume snapshots",
        )
        return
    holder = cluster
    route: Route = ("spec", "backup", "retentionPolicy")
    inside: tuple[str, ...] = ("spec", "backup", "barmanObjectStore")
    server = ""
    if method == "plugin":
        store = plugin_parameter("barmanObjectName", resource, cluster)
        holder = context.find("ObjectStore", resource.namespace, store)
        route, inside = ("spec", "retentionPolicy"), ("spec", "configuration")
        server = plugin_parameter("serverName", resource, cluster)
    archive: ObjectArchive | None = None
    retention: tuple[Retention, ...] = ()
    undecided = ""
    if holder is None:
        undecided = "the store that it writes to is not in the repository"
    else:
        policy = at(dict(holder.body), *route)
        if isinstance(policy, Unknown):
            undecided = policy.reason
        elif policy is not None:
            # A recovery window: the last copy before it is kept too.
            retention = (_kept(holder, route, "policy", "retentionPolicy", days(text(policy))),)
        if cluster is not None and mapping(at(dict(holder.body), *inside)):
            archive = archive_in(holder, inside, cluster, server, text(policy), context.of_kind("Database"))
    stands = holder is not None and (method == "plugin" or bool(mapping(_spec(holder).get("backup"))))
    yield _made(
        resource,
        "cloudnative-pg",
        policy=PolicyField(Place(holder.key, route), "30d") if holder is not None and stands else None,
        retention=retention,
        databases=databases,
        remote=archive.place if archive is not None and not archive.undecided else "object store",
        schedule=spec.get("schedule"),
        undecided=undecided,
        recurring=not suspended,
        archive=archive,
    )


def _k8up(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    if not mapping(spec.get("backup")):
        return
    retention: tuple[Retention, ...] = ()
    for other in context.k8up:
        if other.kind in ("Schedule", "Prune") and other.namespace == resource.namespace:
            where: Route = ("spec", "prune", "retention") if other.kind == "Schedule" else ("spec", "retention")
            policy = mapping(at(dict(other.body), *where))
            if any(policy.get(key) is not None for key in _KEEPING):
                retention = (*retention, _kept(other, where, "policy", "prune"))
    yield _made(
        resource,
        "k8up",
        policy=PolicyField(Place(resource.key, ("spec", "prune")), {"schedule": "@weekly-random", "retention": _KEEP})
        if spec.get("prune") is None
        else None,
        retention=retention,
        route=("spec", "backup"),
        remote="restic repository",
        schedule=at(spec.get("backup"), "schedule"),
        covers=((resource.namespace or "default", "*"),),
    )


def _longhorn(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    task = text(spec.get("task"))
    if not task.startswith("backup"):
        return
    # ``retain`` has a default of one copy.
    kept = _kept(resource, ("spec", "retain") if spec.get("retain") is not None else ("spec",), "count", "retain")
    yield _made(
        resource,
        "longhorn",
        retention=(kept,),
        remote="longhorn backup target",
        schedule=spec.get("cron"),
        may_cover=f"which volumes Longhorn's RecurringJob {resource.name} takes is decided by their labels and groups",
    )


def _volsync(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    schedule = at(resource.body.get("spec"), "trigger", "schedule")
    covers, may_cover = _claim(resource, filled(spec.get("sourcePVC")))
    for mover in ("restic", "kopia"):
        body = mapping(spec.get(mover))
        if body:
            policy = mapping(body.get("retain"))
            route: Route = ("spec", mover, "retain") if policy else ("spec", mover)
            # Without a policy the restic mover keeps the last copy alone (its ``--keep-last 1``), and none keeps all.
            kept = _kept(resource, route, "policy", "retain")
            yield _made(
                resource,
                f"volsync {mover}",
                retention=(kept,),
                route=("spec", mover),
                remote=f"{mover} repository",
                schedule=schedule,
                covers=covers,
                may_cover=may_cover,
            )
    for mover in ("rclone", "rsync", "rsyncTLS", "syncthing"):
        if mapping(spec.get(mover)):
            yield _made(
                resource,
                f"volsync {mover}",
                route=("spec", mover),
                remote=mover,
                schedule=schedule,
                new_file=False,
                covers=covers,
                may_cover=may_cover,
            )


def _mariadb(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    if not mapping(spec.get("schedule")):
        return
    route: Route = ("spec", "maxRetention") if spec.get("maxRetention") is not None else ("spec",)
    # The operator removes by age after a new copy was made; 30 days unless said otherwise.
    kept = _kept(resource, route, "age", "maxRetention", days(text(spec.get("maxRetention"))) or 30.0)
    name = text(at(resource.body.get("spec"), "mariaDbRef", "name"))
    database = context.database(context.find("MariaDB", resource.namespace, name))
    storage = mapping(spec.get("storage"))
    yield _made(
        resource,
        "mariadb-operator",
        retention=(kept,),
        databases=database,
        remote="object store" if storage.get("s3") else "volume",
        schedule=at(spec.get("schedule"), "cron"),
    )


def _kopiur(resource: Resource, context: _Context) -> Iterator[Backup]:
    spec = _spec(resource)
    policy = mapping(spec.get("retention"))
    retention = (_kept(resource, ("spec", "retention"), "policy", "retention"),) if policy else ()
    undecided = "" if policy else "what it keeps when it names no retention is not known"
    claims: list[tuple[str, str]] = []
    may_cover = ""
    for source in items(spec.get("sources")):
        covered, unsure = _claim(resource, filled(mapping(mapping(source).get("pvc")).get("name")))
        claims.extend(covered)
        may_cover = may_cover or unsure
    schedules = (
        one
        for one in context.of_kind("SnapshotSchedule")
        if (one.namespace or "default") == (resource.namespace or "default")
        and text(mapping(_spec(one).get("policyRef")).get("name")) == resource.name
    )
    yield _made(
        resource,
        "kopiur",
        schedule=next((at(_spec(one).get("schedule"), "cron") for one in schedules), None),
        retention=retention,
        remote="kopia repository",
        undecided=undecided,
        covers=tuple(claims),
        may_cover=may_cover,
    )


def _snapshots(resource: Resource, context: _Context) -> Iterator[Backup]:
    """Snapshots of claims in a namespace, by a selector (snapscheduler)."""
    spec = _spec(resource)
    selector = mapping(spec.get("claimSelector"))
    everything = not selector.get("matchLabels") and not selector.get("matchExpressions")
    yield _made(
        resource,
        "snapscheduler",
        remote="volume snapshots",
        schedule=spec.get("schedule"),
        new_file=None,
        recurring=spec.get("disabled") is not True,
        covers=((resource.namespace or "default", "*"),) if everything else (),
        may_cover="" if everything else f"SnapshotSchedule {resource.name} chooses claims by their labels",
    )


def _snapshot_group(resource: Resource, context: _Context) -> Iterator[Backup]:
    """Snapshots of one claim (Gemini)."""
    claim = filled(mapping(_spec(resource).get("persistentVolumeClaim")).get("claimName")) or resource.name
    covers, may_cover = _claim(resource, claim)
    yield _made(resource, "gemini", remote="volume snapshots", new_file=None, covers=covers, may_cover=may_cover)


def _elsewhere(resource: Resource, context: _Context) -> Iterator[Backup]:
    """Systems whose objects choose by rules that are not read here."""
    yield _made(
        resource,
        resource.api_version.partition("/")[0],
        new_file=None,
        may_cover=f"what {resource.kind} {resource.name} chooses is not read here",
    )


Reader = Callable[[Resource, _Context], Iterator[Backup]]

_READERS: Mapping[tuple[str, str], Reader] = {
    ("velero.io", "Schedule"): _velero,
    ("postgresql.cnpg.io", "ScheduledBackup"): _cloudnative_pg,
    ("k8up.io", "Schedule"): _k8up,
    ("longhorn.io", "RecurringJob"): _longhorn,
    ("volsync.backube", "ReplicationSource"): _volsync,
    ("k8s.mariadb.com", "Backup"): _mariadb,
    ("k8s.mariadb.com", "PhysicalBackup"): _mariadb,
    ("kopiur.home-operations.com", "SnapshotPolicy"): _kopiur,
    ("snapscheduler.backube", "SnapshotSchedule"): _snapshots,
    ("gemini.fairwinds.com", "SnapshotGroup"): _snapshot_group,
    ("config.kio.kasten.io", "Policy"): _elsewhere,
    ("stash.appscode.com", "BackupConfiguration"): _elsewhere,
    ("core.kubestash.com", "BackupConfiguration"): _elsewhere,
}
