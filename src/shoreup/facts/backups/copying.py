"""Jobs that copy data away: what they protect, where to, what removes old copies.

A dump is joined to its database by the host that it names, a copy of files by the volume that it reads. Retention
counts wherever it runs: in the job itself or in anything else that mounts the place where the copies lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from shoreup.facts.backups.commands.copies import Copy, host_of
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.backups.declared import declared_backups
from shoreup.facts.backups.images import image_backups
from shoreup.facts.backups.results import reporting
from shoreup.facts.backups.retention import Found, Removers, with_retention
from shoreup.facts.databases.hosts import Hosts
from shoreup.facts.estate import (
    Backup,
    ConfigEntry,
    Container,
    Database,
    Release,
    Script,
    Service,
    Volume,
    Workload,
)
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.programs.jobs import (
    ByPlace,
    Job,
    Spot,
    covers,
    jobs,
    pause,
    recurs,
    remote_host,
    same_place,
    spot,
    spot_of,
)
from shoreup.facts.programs.scripts import environment, place_in
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value

LASTING_VOLUMES = frozenset({"claim", "nfs", "host-path", "csi"})
TORN_WHEN_COPIED = frozenset(
    {
        "postgresql",
        "mysql",
        "mariadb",
        "percona-server",
        "mongodb",
        "cockroachdb",
        "clickhouse",
        "influxdb",
        "elasticsearch",
        "opensearch",
        "neo4j",
        "cassandra",
        "couchdb",
        "arangodb",
        "timescaledb",
        "etcd",
        "rethinkdb",
        "scylladb",
    }
)
"""Engines whose files are not whole while they run (their manuals say: stop it, or use its own tool); read 2026-11."""
_SQLITE_FILE = re.compile(r"\.(sqlite3?|sqlitedb|db3)\b")
_SPEAKS_OF_BACKUP = re.compile(r"backup|(?<![a-z])(bak|dump|snapshot|bkp)(?![a-z])|-dump|dumps", re.IGNORECASE)
_STOPPING = re.compile(
    r"\bscale\b.*--replicas[= ]0|pg_backup_start|pg_start_backup|fsfreeze|flush tables with read lock|"
    r"\bdocker (?:stop|pause)\b|\bzfs snapshot\b|\blvcreate\b.*\s(?:-s|--snapshot)\b|"
    r"btrfs subvolume snapshot|fsyncLock",
    re.IGNORECASE,
)


def backups(
    workloads: Sequence[Workload],
    services: Sequence[Service],
    databases: Sequence[Database],
    config: Sequence[ConfigEntry],
    scripts: Sequence[Script],
    resources: Sequence[Resource],
    releases: Sequence[Release] = (),
) -> tuple[Backup, ...]:
    """Every backup of the estate that its source shows."""
    all_jobs = tuple(jobs(scripts, config))
    names = Hosts(services, databases)
    estate = _Around(workloads, databases)
    found = [item for job in all_jobs for item in _of_job(job, workloads, estate, names)]
    removers = Removers(all_jobs)
    joined = [with_retention(item, removers) for item in found]
    readers = ByPlace((item, spot.workload.namespace, (spot.volume,)) for item in joined for spot in item.sources)
    carried = [_with_carriers(item, readers) for item in joined]
    made = [item.backup for item in carried if not item.only_carries]
    made.extend(image_backups(workloads, names))
    seen = {(backup.resource.key, backup.place.container) for backup in made}
    made.extend(_unseen(workloads, all_jobs, seen))
    made.extend(declared_backups(resources, databases, releases))
    return tuple(made)


class _Around:
    """What lies on the estate's volumes: databases with their files, and the workloads that use them."""

    def __init__(self, workloads: Sequence[Workload], databases: Sequence[Database]) -> None:
        spots = [(database, tuple(data_spots(database))) for database in databases]
        self._files = ByPlace(
            ((database, lies), lies.workload.namespace, (lies.volume,)) for database, each in spots for lies in each
        )
        self._volumes = ByPlace(
            ((workload, volume), workload.namespace, (volume,))
            for workload in workloads
            if workload.kind not in ("CronJob", "Job")
            for volume in workload.volumes
            if volume.kind in LASTING_VOLUMES
        )

    def databases(self, sources: Sequence[Spot]) -> tuple[tuple[Database, Spot], ...]:
        """The databases with files in what is copied, or around it; each with the place of its files."""
        found: dict[int, tuple[Database, Spot]] = {}
        for source in sources:
            for database, lies in self._files.near(source):
                if covers(source, lies) or covers(lies, source):
                    found.setdefault(id(database), (database, lies))
        return tuple(found.values())

    def volumes(self, job: Job, sources: Sequence[Spot]) -> tuple[tuple[Workload, Volume], ...]:
        """The volumes of other workloads that are copied."""
        found: dict[int, tuple[Workload, Volume]] = {}
        for source in sources:
            for workload, volume in self._volumes.near(source):
                if workload is not job.workload and same_place(source, Spot(workload, volume, "")):
                    found.setdefault(id(volume), (workload, volume))
        return tuple(found.values())

    def within(
        self, sources: Sequence[Spot], target: Spot, protected: Sequence[Database]
    ) -> tuple[tuple[Workload, Volume], ...]:
        """The live data into whose own folder the copies are written."""
        found: dict[int, tuple[Workload, Volume]] = {}
        for database in protected:
            for lies in data_spots(database):
                if covers(lies, target):
                    found.setdefault(id(lies.volume), (lies.workload, lies.volume))
        for workload, volume in self._volumes.near(target):
            if not any(same_place(source, target) for source in sources):
                break
            for container in workload.containers:
                for mount in container.mounts:
                    lies = Spot(workload, volume, mount.sub_path.strip("/"))
                    holds = any(covers(lies, source) for source in sources) and covers(lies, target)
                    if (
                        mount.volume == volume.name
                        and not mount.read_only
                        and holds
                        and _is_own(volume, sources, target)
                    ):
                        found.setdefault(id(volume), (workload, volume))
        return tuple(found.values())


def _is_own(volume: Volume, sources: Sequence[Spot], target: Spot) -> bool:
    """Whether the folder is one application's: a claim, or a folder that is copied into itself."""
    return bool(volume.claim) or any(covers(source, target) for source in sources)


# From commands to backups


def _of_job(job: Job, workloads: Sequence[Workload], around: _Around, hosts: Hosts) -> Iterator[Found]:
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
        under = around.databases(sources) if files else ()
        protected = tuple(database for database, _ in under) if files else _databases(job, copy, there, hosts)
        volumes = around.volumes(job, sources)
        consistent, note = copy.consistent, copy.note
        if files:
            consistent, note = _whole(job, copy, sources, protected, volumes)
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
            recurs=recurs(job, copy.command),
            path_place=place_in(job.script, copy.path.start, copy.path.end) if copy.path is not None else None,
            reads_paths=tuple(word.text for word in copy.sources),
            within=around.within(sources, target, protected) if target is not None else (),
            container=job.container if there is None else None,
            reporting=reporting(job, copy),
        )
        yield Found(backup=backup, job=job, copy=copy, target=target, sources=sources, only_carries=carrying)


def _is_backup(job: Job, copy: Copy, sources: Sequence[Spot], target: Spot | None) -> bool:
    """Whether a copy of files is made to be kept: it recurs, and it is dated, kept as snapshots, sent away or
    called a backup.
    """
    if job.container.init or not recurs(job, copy.command):
        return False
    if copy.tool in REPOSITORIES or copy.new_file:
        return True
    if copy.remote and any(source.volume.kind in LASTING_VOLUMES for source in sources):
        return True
    names = [job.workload.name, job.container.name, copy.path.text if copy.path is not None else "", copy.remote]
    if target is not None:
        names.extend((target.volume.name, target.volume.claim, target.volume.path))
    return any(_SPEAKS_OF_BACKUP.search(name) for name in names)


def _databases(job: Job, copy: Copy, there: tuple[Workload, Container] | None, hosts: Hosts) -> tuple[Database, ...]:
    """The databases that a dump reads, as far as the host tells."""
    if copy.tool == "sqlite3":
        return ()
    if there is not None:
        return _speaking(copy, hosts.of(there[0]))
    host = copy.host.text if copy.host is not None else ""
    if not host:
        known = environment(job.script)
        for name in copy.host_variables:
            host = host or known.get(name, "")
            if not host and _declares(job.container, name):
                return ()
    name = host_of(host)
    if "*" in name:
        return ()
    if name in ("", "localhost", "127.0.0.1", "::1"):
        return _speaking(copy, hosts.of(job.workload))
    return _speaking(copy, hosts.find(name, job.workload.namespace))


def _speaking(copy: Copy, databases: Sequence[Database]) -> tuple[Database, ...]:
    """Those of the databases that the tool can read at all."""
    return tuple(item for item in databases if not item.product or item.product in copy.products)


def _declares(container: Container, name: str) -> bool:
    return any(text(mapping(item).get("name")) == name for item in items(container.body.get("env")))


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
        for database in databases
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


# Copies of copies


def _with_carriers(found: Found, readers: ByPlace[Found]) -> Found:
    target = found.target
    if target is None:
        return found
    carriers = tuple(
        other.backup
        for other in {id(item): item for item in readers.near(target)}.values()
        if other is not found
        and any(covers(source, target) or covers(target, source) for source in other.sources)
        and (other.backup.target_remote or (other.target is not None and not same_place(other.target, target)))
    )
    return replace(found, backup=replace(found.backup, copied_on=carriers)) if carriers else found


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
    return bool(job.hidden) or (len(job.program.commands) <= 1 and not job.copies and not job.removals)


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
