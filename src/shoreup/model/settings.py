"""What the owner says of the estate in ``shoreup.toml``: what the repository cannot know, and what is wanted of it.

Every key of the file is a field here, written with hyphens there (``accepted-downtime``). Whoever adds a setting adds
a field with a docstring; the schema, the reference and the errors follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeAlias

from msgspec import Struct, field

from shoreup.model.backup_settings import BackupSettings, Smoke, StoreSettings
from shoreup.model.grades import FailOn, Persona, Severity

TomlValue: TypeAlias = str | int | float | bool | date | list["TomlValue"] | dict[str, "TomlValue"]


class Cover(StrEnum):
    """What a protection outside the repository does for what it protects."""

    BACKUP = "backup"
    """There is a copy to restore from."""
    RETENTION = "retention"
    """Old copies are kept and removed by a rule."""
    OFF_SITE = "off-site"
    """The copy survives the loss of the machine that holds the data."""
    ALERT = "alert"
    """A person hears of it when it fails."""
    RATE_LIMIT = "rate-limit"
    """Requests from the internet are limited before they arrive."""


class Selection(Struct, frozen=True):
    """What is reported. The command line outranks each of these; ``ignore`` adds up."""

    select: tuple[str, ...] = ()
    """Only these concerns: ids, or patterns such as 'backup-*'."""
    ignore: tuple[str, ...] = ()
    """All but these concerns."""
    min_severity: Severity = Severity.LOW
    """Leave out what is less severe."""
    fail_on: FailOn = FailOn.HIGH
    """The exit code is 1 when a finding is at least this bad; 'never' for never."""
    persona: Persona = Persona.REGULAR
    """incident: data loss and takeover alone; regular; strict: everything, also what is seldom worth a change."""
    baseline: str = ""
    """A file of known findings, relative to this one ('shoreup audit --write-baseline FILE')."""


class Owner(Struct, frozen=True):
    """What is the owner's own."""

    images: tuple[str, ...] = ()
    """Where images lie that the owner builds: 'ghcr.io/me/*'."""


class Reach(Struct, frozen=True):
    """Signs by which a way in is told to be of one side."""

    hosts: tuple[str, ...] = ()
    """Host names: 'photos.example.org', '*.example.org'."""
    entry_points: tuple[str, ...] = ()
    """Entry points of a proxy: 'websecure'."""
    gateways: tuple[str, ...] = ()
    """Gateways and classes of Ingress: 'external', 'nginx-internal'."""
    networks: tuple[str, ...] = ()
    """Ranges of addresses: '203.0.113.0/24'."""


class Exposure(Struct, frozen=True):
    """Who reaches what. What is named here outranks what the estate seems to say; hosts outrank the rest."""

    internet: Reach = field(default_factory=Reach)
    """What the internet reaches."""
    lan: Reach = field(default_factory=Reach)
    """What only the owner's own network reaches."""


class Objective(Struct, frozen=True):
    """What a restore must reach."""

    rpo: timedelta | None = None
    """How much of the newest data may be lost: '24h'. A backup that runs less often is a finding."""
    rto: timedelta | None = None
    """How long until it works again: '4h'. Explanations show it."""


class Tier(Struct, frozen=True):
    """Services that matter alike."""

    services: tuple[str, ...] = ()
    """Which they are: 'namespace/name', '*' allowed."""
    accepted_downtime: timedelta | None = None
    """How long they may be away while something restarts: '5m'. Under five minutes, slow rescheduling is a finding."""


class Protection(Struct, frozen=True):
    """Something outside the repository that protects the estate."""

    what: str
    """What is protected: 'namespace/name', a volume's or server's name, a host; '*' allowed."""
    by: str
    """What does it, for people: 'snapshots of the NAS, hourly'."""
    covers: tuple[Cover, ...]
    """What that amounts to."""
    expires: date
    """From this day on it does not count, until the owner has looked again."""


class Suppression(Struct, frozen=True):
    """Findings that the owner accepts. It needs a path or a resource, so that it does not hide what comes later."""

    ids: tuple[str, ...]
    """The concerns."""
    reason: str = ""
    """Why it is accepted. Without a reason nothing is suppressed."""
    path: str = ""
    """Files, relative to the estate: 'apps/legacy/**'."""
    resource: str = ""
    """The resource's address or name: 'module.db.*', 'Deployment/web/shop', 'web/shop', 'shop'."""
    until: date | None = None
    """The last day on which it holds."""


class Thresholds(Struct, frozen=True):
    """Numbers from which on something is a finding."""

    module_lines: int = 450
    """module-oversized: a Terraform file with more lines."""
    support_ends_days: int = 180
    """version-end-near: support that ends within so many days."""


class Ledger(Struct, frozen=True):
    """Where proofs are remembered."""

    url: str = ""
    """The address of the ledger's database; empty for a file in your state directory."""


class Operations(Struct, frozen=True):
    """Where runs of operations are remembered, so that what was killed goes on."""

    url: str = ""
    """The address of their database; empty for a file in your state directory. On PostgreSQL, workers share a queue."""
    folder: str = ""
    """Where runs keep files until they end; empty for your state directory. Machines that share it go on with each
    other's runs."""
    slots: int = 4
    """How many runs a worker executes at a time."""


class Schedule(Struct, frozen=True):
    """Something that runs again and again, under 'shoreup serve' or as a CronJob that 'shoreup schedule' writes."""

    run: str
    """The command without 'shoreup': 'backup run photos', 'drill --due'."""
    when: str
    """When, as cron says it: '30 2 * * *'."""
    time_zone: str = "UTC"
    """Whose clock that is: 'Europe/Berlin'. What falls into an hour that is left out runs at its end, and what falls
    into an hour that comes twice runs once."""


class Prometheus(Struct, frozen=True):
    """Where what containers use is recorded. Credentials come from the environment, never from this file."""

    url: str = ""
    """Its address. 'fix' asks it when these settings are named (--config), or with --prometheus URL."""
    window: timedelta = timedelta(days=7)
    """How far it is asked back: '7d'."""


class SupportDate(Struct, frozen=True):
    """Until when a release is supported, where the owner knows better than the bundled dates."""

    product: str
    """The product's id, such as 'postgresql'."""
    release: str
    """The line of releases: '16', '9.2'."""
    ends: date
    """The last day with fixes."""
    long_term: bool = False
    """Whether it is meant for lasting data."""


class Settings(Struct, frozen=True):
    """The whole of ``shoreup.toml``. ``Settings()`` is what holds without one."""

    selection: Selection = field(default_factory=Selection)
    """What is reported, and what decides the exit code."""
    owner: Owner = field(default_factory=Owner)
    """What is your own."""
    exposure: Exposure = field(default_factory=Exposure)
    """What the internet reaches and what it does not."""
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    """What a restore must reach, by tier, by service ('namespace/name'), or for everything ('default')."""
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    """Services by how much they matter."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """Numbers from which on something is a finding."""
    ledger: Ledger = field(default_factory=Ledger)
    """Where proofs are remembered."""
    operations: Operations = field(default_factory=Operations)
    """Where runs of operations are remembered."""
    schedule: Mapping[str, Schedule] = field(default_factory=dict)
    """What runs when, by a name of yours."""
    prometheus: Prometheus = field(default_factory=Prometheus)
    """Where what containers use is recorded."""
    backup: Mapping[str, BackupSettings] = field(default_factory=dict)
    """Backups that Shoreup itself takes."""
    store: Mapping[str, StoreSettings] = field(default_factory=dict)
    """Places that backups lie in."""
    smoke: tuple[Smoke, ...] = ()
    """Questions of your own that restored copies must answer."""
    storage: Mapping[str, str] = field(default_factory=dict)
    """Where the estate's storage is mounted on this machine: '192.0.2.5:/volume1/backups' = '/mnt/backups'. Also a
    claim ('namespace/name'), a node's folder, or a bucket that lies in a folder here ('s3://bucket/path'). A name that
    no volume leads to is remarked on."""
    protection: tuple[Protection, ...] = ()
    """What protects the estate and is not in the repository."""
    suppress: tuple[Suppression, ...] = ()
    """Findings that you accept."""
    product: tuple[Mapping[str, TomlValue], ...] = ()
    """Images that Shoreup does not know, or knows wrongly."""
    support: tuple[SupportDate, ...] = ()
    """Support dates that you know better."""

    def tier_of(self, service: str) -> str:
        """The first tier that names a service (``namespace/name``), ``""`` where none does."""
        return next((name for name, tier in self.tiers.items() if _named(service, tier.services)), "")

    def accepted_downtime(self, service: str) -> timedelta | None:
        """How long a service may be away, ``None`` where nobody said so."""
        tier = self.tiers.get(self.tier_of(service))
        return tier.accepted_downtime if tier else None

    def objective(self, service: str) -> Objective:
        """What a restore of a service (``namespace/name``) must reach: its own word first, then its tier's."""
        own = [self.objectives[key] for key in self.objectives if "/" in key and fnmatchcase(service, key)]
        said = [*own, *(self.objectives[key] for key in (self.tier_of(service), "default") if key in self.objectives)]
        return Objective(
            rpo=next((one.rpo for one in said if one.rpo is not None), None),
            rto=next((one.rto for one in said if one.rto is not None), None),
        )

    def protected(self, name: str, cover: Cover, today: date) -> Protection | None:
        """What protects something in this way and has not expired. ``name`` as in :attr:`Protection.what`."""
        return next(
            (
                one
                for one in self.protection
                if cover in one.covers and today < one.expires and fnmatchcase(name, one.what)
            ),
            None,
        )


def _named(service: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(service, pattern) for pattern in patterns)
