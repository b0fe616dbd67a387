"""Jobs that copy data away: what they protect, where to, what removes old copies.

A dump is joined to its database by the host that it names, a copy of files by the volume that it reads. Retention
counts wherever it runs: in the job itself or in anything else that mounts the place where the copies lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shoreup.facts.backup_resources import declared_backups
from shoreup.facts.estate import (
    Backup,
    ConfigEntry,
    Container,
    Database,
    Retention,
    Script,
    Service,
    Volume,
    Workload,
)
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.jobs import (
    Job,
    Spot,
    covers,
    hidden,
    jobs,
    pause,
    recurs,
    remote_host,
    same_place,
    spot,
    spot_of,
)
from shoreup.facts.programs.copies import Copy, host_of
from shoreup.facts.programs.file_tools import REPOSITORIES
from shoreup.facts.programs.images import BackupImage, backup_image
from shoreup.facts.programs.removal import Removal
from shoreup.facts.programs.removals import guarded_by_success
from shoreup.facts.scripts import environment, place_in, python_program
from shoreup.formats.shell import Word
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value

LASTING_VOLUMES = frozenset({"claim", "nfs", "host-path", "csi"})
TORN_WHEN_COPIED = frozenset(
    [
        "postgresql",
        "mysql",
        "mariadb",
        "percona-server",
        "mongodb",
        "cockroachdb",
        "clickhouse",
        "influxdb",
        "elasticsearch",
    ]
    + ["opensearch", "neo4j", "cassandra", "couchdb", "arangodb", "timescaledb", "etcd", "rethinkdb", "scylladb"]
)
"""Engines whose files are not whole while they run (their manuals say: stop it, or use its own tool); read 2026-11."""
_SQLITE_FILE = re.compile(r"\.(sqlite3?|sqlitedb|db3)\b")
_SPEAKS_OF_BACKUP = re.compile(r"backup|(?<![a-z])(bak|dump|snapshot|bkp)(?![a-z])|-dump|dumps", re.IGNORECASE)
_STOPPING = re.compile(
    r"\bscale\b.*--replicas[= ]0|pg_backup_start|pg_start_backup|fsfreeze|flush tables with read lock|"
    r"\bdocker (?:stop|pause)\b|\bzfs snapshot\b|\blvcreate\b.*\b(?:-s|--snapshot)\b|btrfs subvolume snapshot|fsyncLock",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A backup with what it takes to join it to the others."""

    backup: Backup
    job: Job
    copy: Copy
    target: Spot | None
    sources: tuple[Spot, ...]
    only_carries: bool = False
    """A copy of files that is no backup by itself, but may carry one further."""


def backups(
    workloads: Sequence[Workload],
    services: Sequence[Service],
    databases: Sequence[Database],
    config: Sequence[ConfigEntry],
    scripts: Sequence[Script],
    resources: Sequence[Resource],
) -> tuple[Backup, ...]:
    """Every backup of the estate that its source shows."""
    all_jobs = tuple(jobs(scripts, config))
    names = _Hosts(services, databases)
    found = [item for job in all_jobs for item in _of_job(job, workloads, databases, names)]
    joined = [_with_retention(item, all_jobs) for item in found]
    carried = [_with_carriers(item, joined) for item in joined]
    made = [item.backup for item in carried if not item.only_carries]
    made.extend(_by_images(workloads, names))
    seen = {(backup.resource.key, backup.place.container) for backup in made}
    made.extend(_unseen(workloads, all_jobs, seen))
    made.extend(declared_backups(resources, databases))
    return tuple(made)


# Who is meant by a host


class _Hosts:
    """Databases by the names under which a client reaches them."""

    def __init__(self, services: Sequence[Service], databases: Sequence[Database]) -> None:
        self.databases = databases
        self._by_workload: dict[int, list[Database]] = {}
        for database in databases:
            if database.workload is not None:
                self._by_workload.setdefault(id(database.workload), []).append(database)
        self._services = {(service.namespace, service.name): service for service in services}

    def of(self, workload: Workload) -> tuple[Database, ...]:
        """The databases that a workload runs."""
        return tuple(self._by_workload.get(id(workload), ()))

    def find(self, host: str, namespace: str) -> tuple[Database, ...]:
        """The databases behind a host's name as seen from a namespace."""
        labels = host.strip().rstrip(".").lower().split(".")
        if not labels[0]:
            return ()
        where = labels[1] if len(labels) > 1 and (len(labels) < 3 or labels[2] == "svc") else namespace
        if len(labels) > 2 and labels[2] != "svc":
            if len(labels) > 3 and labels[3] == "svc":  # POD.SERVICE.NAMESPACE.svc
                labels, where = labels[1:], labels[2]
            else:
                return ()
        service = self._services.get((where, labels[0]))
        if service is not None:
            return tuple(database for workload in service.workloads for database in self.of(workload))
        return tuple(
            database
            for database in self.databases
            if database.namespace == where
            and (
                (database.workload is None and labels[0] in _operator_hosts(database.name))
                or (database.workload is not None and re.fullmatch(re.escape(database.name) + r"-\d+", labels[0]))
            )
        )


def _operator_hosts(name: str) -> frozenset[str]:
    """The services that database operators make for a cluster (CloudNativePG, MariaDB, Percona, Zalando)."""
    endings = ("", "-rw", "-ro", "-r", "-primary", "-secondary", "-repl", "-ha", "-pgbouncer", "-haproxy", "-proxysql")
    return frozenset(name + ending for ending in endings)


# From commands to backups


def _of_job(job: Job, workloads: Sequence[Workload], databases: Sequence[Database], hosts: _Hosts) -> Iterator[_Found]:
    for copy in job.copies:
        if copy.lost:
            continue
        there = remote_host(job, copy.command, workloads)
        sources = tuple(found for word in copy.sources if (found := spot_of(job, word, there)) is not None)
        target = spot_of(job, copy.path, None if copy.outside else there) if copy.path is not None else None
        files = not copy.products
        carrying = files and not _is_backup(job, copy, sources, target)
        if carrying and not recurs(job, copy.command):
            continue
        protected, doubt = _databases(job, copy, there, hosts) if not files else (_under(sources, databases), "")
        volumes = _volumes(job, sources, workloads)
        consistent, note = copy.consistent, copy.note
        if files:
            consistent, note = _whole(job, copy, sources, databases, volumes)
        backup = Backup(
            workload=job.workload,
            resource=job.workload.resource,
            name=job.workload.name,
            namespace=job.workload.namespace,
            tool=copy.tool,
            place=place_in(job.script, copy.command.start, copy.command.end),
            protects_databases=protected,
            protects_volumes=volumes,
            target_volume=target.volume if target is not None else None,
            target_path=copy.path.text if copy.path is not None else "",
            target_remote=copy.remote or ("" if target or there is None or copy.path is None else "another pod"),
            writes_new_file=copy.new_file,
            retention=(),
            consistent=consistent,
            consistency_note=note,
            schedule=job.workload.schedule if job.workload.kind == "CronJob" else pause(job, copy.command) or None,
            undecided=doubt,
            recurs=recurs(job, copy.command),
            path_place=place_in(job.script, copy.path.start, copy.path.end) if copy.path is not None else None,
            reads_paths=tuple(word.text for word in copy.sources),
        )
        yield _Found(backup, job, copy, target, sources, carrying)


def _is_backup(job: Job, copy: Copy, sources: Sequence[Spot], target: Spot | None) -> bool:
    """Whether a copy of files is made to be kept: it recurs, and it is dated, kept as snapshots or called a backup."""
    if job.container.init or not recurs(job, copy.command):
        return False
    if copy.tool in REPOSITORIES or copy.new_file:
        return True
    names = [job.workload.name, job.container.name, copy.path.text if copy.path is not None else "", copy.remote]
    if target is not None:
        names.extend((target.volume.name, target.volume.claim, target.volume.path))
    return any(_SPEAKS_OF_BACKUP.search(name) for name in names)


def _databases(
    job: Job, copy: Copy, there: tuple[Workload, Container] | None, hosts: _Hosts
) -> tuple[tuple[Database, ...], str]:
    """The databases that a dump reads, and why that is not known when it is not."""
    if copy.tool == "sqlite3":
        return (), ""
    if there is not None:
        return _speaking(copy, hosts.of(there[0])), ""
    host = copy.host.text if copy.host is not None else ""
    if not host:
        known = environment(job.script)
        for name in copy.host_variables:
            host = host or known.get(name, "")
            if not host and _declares(job.container, name):
                return (), ""
    name = host_of(host)
    if "*" in name:
        return (), ""
    if name in ("", "localhost", "127.0.0.1", "::1"):
        return _speaking(copy, hosts.of(job.workload)), ""
    return _speaking(copy, hosts.find(name, job.workload.namespace)), ""


def _speaking(copy: Copy, databases: Sequence[Database]) -> tuple[Database, ...]:
    """Those of the databases that the tool can read at all."""
    return tuple(item for item in databases if not item.product or item.product in copy.products)


def _declares(container: Container, name: str) -> bool:
    return any(text(mapping(item).get("name")) == name for item in items(container.body.get("env")))


def _under(sources: Sequence[Spot], databases: Sequence[Database]) -> tuple[Database, ...]:
    """The databases whose files lie in what is copied."""
    found: list[Database] = []
    for database in databases:
        for lies in data_spots(database):
            if any(covers(source, lies) or covers(lies, source) for source in sources):
                found.append(database)
                break
    return tuple(found)


def data_spots(database: Database) -> Iterator[Spot]:
    """Where the files of a database lie."""
    workload = database.workload
    if workload is None:
        return
    names = {volume.name for volume in database.volumes}
    for container in workload.containers:
        for mount in container.mounts:
            found = spot(workload, container, mount.path)
            if found is not None and mount.volume in names and found.volume.kind in LASTING_VOLUMES:
                yield found


def _volumes(job: Job, sources: Sequence[Spot], workloads: Sequence[Workload]) -> tuple[tuple[Workload, Volume], ...]:
    """The volumes of other workloads that are copied."""
    found: list[tuple[Workload, Volume]] = []
    for workload in workloads:
        if workload is job.workload or workload.kind in ("CronJob", "Job"):
            continue
        for volume in workload.volumes:
            if volume.kind in LASTING_VOLUMES and any(
                same_place(source, Spot(workload, volume, "")) for source in sources
            ):
                found.append((workload, volume))
    return tuple(found)


def _whole(
    job: Job,
    copy: Copy,
    sources: Sequence[Spot],
    databases: Sequence[Database],
    volumes: Sequence[tuple[Workload, Volume]],
) -> tuple[bool | None, str]:
    """Whether a copy of files is whole: the files of a running engine are not."""
    torn = [
        database
        for database in _under(sources, databases)
        if database.product in TORN_WHEN_COPIED
        and database.workload is not None
        and database.workload.enabled
        and _reaches_data(sources, database)
    ]
    sqlite = [word.text for word in copy.sources if _SQLITE_FILE.search(word.text)]
    others = any(workload.enabled for workload, _ in volumes) or len(job.workload.containers) > 1
    if not torn and not (sqlite and others):
        return None, ""
    if _STOPPING.search(job.script.text):
        return None, "the program stops or freezes something first"
    if torn:
        return False, f"copies the files of {torn[0].name} while it runs"
    return False, "copies a SQLite file while another program has it open"


def _reaches_data(sources: Sequence[Spot], database: Database) -> bool:
    """Whether the files themselves are copied, not a folder of dumps beside them on the same export."""
    return any(covers(source, lies) for source in sources for lies in data_spots(database))


# Retention


def _with_retention(found: _Found, all_jobs: Sequence[Job]) -> _Found:
    kept: list[Retention] = []
    doubt = found.backup.undecided
    for job in all_jobs:
        own = job is found.job
        for removal in job.removals:
            if _removes_from(found, job, removal):
                kept.append(_retention(found, job, removal))
        if (
            own
            or (job.container is found.job.container and job.workload is found.job.workload)
            or (found.target is not None and job.workload.kind in ("CronJob", "Job") and _mounts(job, found.target))
        ):
            doubt = doubt or hidden(job)
        if job.script.language == "python" and _python_removes(job) and (own or _mounts(job, found.target)):
            kept.append(_python_removes_as(job))
    return replace(found, backup=replace(found.backup, retention=tuple(kept), undecided=doubt))


def _python_removes(job: Job) -> bool:
    read = python_program(job.script)
    return read is not None and bool(read.removals)


def _python_removes_as(job: Job) -> Retention:
    read = python_program(job.script)
    assert read is not None
    start, end = read.removals[0]
    return Retention(place_in(job.script, start, end), "unclear", "Python", None, None, "what it removes")


def _retention(found: _Found, job: Job, removal: Removal) -> Retention:
    keeps = removal.keeps_at_least
    same = job.program is found.job.program
    guarded = guarded_by_success(job.program, removal.command, (found.copy,)) if keeps is None and same else False
    doubt = removal.undecided or (hidden(job) if keeps is None and not same else "")
    if guarded:
        keeps, doubt = 1, ""
    elif guarded is None:
        doubt = doubt or "the program looks at the result of the copy first"
    return Retention(
        place_in(job.script, removal.command.start, removal.command.end),
        removal.by,
        removal.command.name,
        removal.age_days,
        keeps,
        doubt,
    )


def _mounts(job: Job, target: Spot | None) -> bool:
    return target is not None and any(
        same_place(target, Spot(job.workload, volume, "")) for volume in job.workload.volumes
    )


def _removes_from(found: _Found, job: Job, removal: Removal) -> bool:
    """Whether a removal reaches the place where the copies lie; in doubt it does."""
    if removal.remote:
        if found.copy.tool in REPOSITORIES:
            return removal.remote == found.copy.tool or {removal.remote, found.copy.tool} <= {"restic", "rustic"}
        if not found.copy.remote:
            return False
        return _same_store(removal.remote, found.copy.remote)
    near = job.container is found.job.container or _mounts(job, found.target)
    if not near:
        return False
    if found.target is None:
        return job.container is found.job.container
    spots = [spot_of(job, word, None) for word in removal.paths]
    if not spots or any(item is None for item in spots):
        own_texts = [word.prefix for word in removal.paths]
        if own_texts and found.copy.path is not None and job.container is found.job.container:
            return any(not known or _same_folder(known, found.copy.path) for known in own_texts)
        return not spots or job.container is not found.job.container
    return any(
        item is not None and _reaches(item, word, found.target) for item, word in zip(spots, removal.paths, strict=True)
    )


def _same_folder(known: str, path: Word) -> bool:
    return path.prefix.startswith(known.rstrip("/")) or known.startswith(path.prefix.rpartition("/")[0] or "/")


def _reaches(removed: Spot, word: Word, target: Spot) -> bool:
    """Whether what is removed lies where the copies do. A pattern of names means their folder."""
    if word.literal is None:
        removed = replace(removed, path=removed.path.rpartition("/")[0])
    folder = replace(target, path=target.path.rpartition("/")[0])
    return covers(removed, target) or covers(removed, folder)


def _same_store(one: str, other: str) -> bool:
    first, second = (re.split(r"[*?]", item)[0].rstrip("/") for item in (one, other))
    return not first or not second or first.startswith(second) or second.startswith(first) or "://" not in one


# Copies of copies


def _with_carriers(found: _Found, every: Sequence[_Found]) -> _Found:
    target = found.target
    if target is None:
        return found
    carriers = tuple(
        other.backup
        for other in every
        if other is not found
        and any(covers(source, target) or covers(target, source) for source in other.sources)
        and (other.backup.target_remote or (other.target is not None and not same_place(other.target, target)))
    )
    return replace(found, backup=replace(found.backup, copied_on=carriers)) if carriers else found


# Images that are backup tools


def _by_images(workloads: Sequence[Workload], hosts: _Hosts) -> Iterator[Backup]:
    for workload in workloads:
        for container in workload.containers:
            known = backup_image(container.image)
            if known is None or (container.command and text(container.command[0]) not in known.commands):
                continue
            yield _by_image(workload, container, known, hosts)


def _by_image(workload: Workload, container: Container, known: BackupImage, hosts: _Hosts) -> Backup:
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
        protects_volumes=(),
        target_volume=target.volume if target is not None else None,
        target_path=folder,
        target_remote=remote,
        writes_new_file=True,
        retention=tuple(_image_retention(workload, container, known, env, declared)),
        consistent=None,
        consistency_note="",
        schedule=workload.schedule or next((env[name] for name in known.schedule if env.get(name)), None),
        undecided="its environment comes from elsewhere (envFrom)" if open_env else "",
        recurs=workload.kind != "Job",
        path_place=container.image.place,
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


# Jobs that say they are backups and show nothing


def _unseen(workloads: Sequence[Workload], all_jobs: Sequence[Job], seen: set[tuple[int, str]]) -> Iterator[Backup]:
    read = {(job.workload.resource.key, job.container.name) for job in all_jobs if not _opaque(job)}
    for workload in workloads:
        if workload.kind != "CronJob" or not _SPEAKS_OF_BACKUP.search(workload.name):
            continue
        for container in workload.containers:
            key = (workload.resource.key, container.name)
            if container.init or key in seen or key in read:
                continue
            what = f"what {container.image.text or 'the image'} does is not in the repository"
            yield _undecided(workload, container, what)


def _opaque(job: Job) -> bool:
    """Whether nothing is learnt from the program: a script of the image, a tool that is not known."""
    return bool(hidden(job)) or (len(job.program.commands) <= 1 and not job.copies and not job.removals)


def _undecided(workload: Workload, container: Container, reason: str) -> Backup:
    schedule: Value = workload.schedule
    return Backup(
        workload=workload,
        resource=workload.resource,
        name=workload.name,
        namespace=workload.namespace,
        tool="",
        place=Place(workload.resource.key, container.route, container=container.name),
        protects_databases=(),
        protects_volumes=(),
        target_volume=None,
        target_path="",
        target_remote="",
        writes_new_file=None,
        retention=(),
        consistent=None,
        consistency_note="",
        schedule=schedule,
        undecided=reason,
        recurs=True,
    )
