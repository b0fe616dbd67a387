"""From resources to facts: the one way in.

Everything here is linear in the number of resources: each kind is read once, and whatever refers to something
else by name finds it through an index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct, field

from shoreup.facts.backups.copying import backups
from shoreup.facts.databases.servers import operator_images, read_databases
from shoreup.facts.estate import Aside, Backup, CodeFile, Comment, Estate, IgnoredChange, Image, StateBackend, Workload
from shoreup.facts.network.services import read_services
from shoreup.facts.products import Product, with_products
from shoreup.facts.programs.scripts import scripts
from shoreup.facts.rights.grants import read_grants
from shoreup.facts.roots import LooseFile, TerraformRoot
from shoreup.facts.scheduling.nodes import read_node_pools
from shoreup.facts.storage.volumes import read_storage
from shoreup.facts.versions.releases import read_releases
from shoreup.facts.ways_in.middlewares import read_middlewares
from shoreup.facts.ways_in.routes import read_ways_in
from shoreup.facts.wiring.config import read_config
from shoreup.facts.workloads import (
    is_workload,
    read_chart_values,
    read_compose_service,
    read_workload,
    with_autoscalers,
)
from shoreup.model.access import LearnedRights
from shoreup.model.location import Route
from shoreup.model.measured import Measured
from shoreup.model.pin import ChartPin, ImagePin
from shoreup.model.proof import Proof
from shoreup.model.resource import Resource
from shoreup.model.settings import Settings
from shoreup.sources.releases.reading import ReleaseReading
from shoreup.sources.repository import RepositoryFile


class Extras(Struct, frozen=True, eq=False):
    """What readers know beside the resources.

    ``source_paths`` maps a resource's key and a route to the file that the value there is read from. ``products`` are
    the owner's own entries of product knowledge. ``today`` is the day to judge by, the machine's own when it is
    ``None``. ``settings`` are the owner's word on the estate.
    """

    code_files: tuple[CodeFile, ...] = ()
    comments: tuple[Comment, ...] = ()
    terraform_roots: tuple[TerraformRoot, ...] = ()
    loose_files: tuple[LooseFile, ...] = ()
    aside: Aside | None = None
    ignored_changes: tuple[IgnoredChange, ...] = ()
    backends: tuple[StateBackend, ...] = ()
    source_paths: Mapping[tuple[int, Route], str] = field(default_factory=dict)
    products: tuple[Product, ...] = ()
    releases: tuple[ReleaseReading, ...] = ()
    today: date | None = None
    settings: Settings = field(default_factory=Settings)
    repository: tuple[RepositoryFile, ...] = ()
    part_of_more: bool = False
    origin: str = ""
    """The host and owner that the repository was cloned from, as ``github.com/me``."""
    last_changes: Mapping[str, date] = field(default_factory=dict)
    pins: Mapping[str, ImagePin] = field(default_factory=dict)
    chart_pins: Mapping[tuple[str, str], ChartPin] = field(default_factory=dict)
    learned_rights: Mapping[tuple[str, str], LearnedRights] = field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()
    """What drills have seen."""
    measured: Measured | None = None
    """What containers used."""
    into_modules: bool = False


NO_EXTRAS = Extras()


def build(resources: Sequence[Resource], extras: Extras = NO_EXTRAS) -> Estate:
    """Every fact of an estate."""
    products = with_products(extras.products)
    by_kind = _by_kind(resources)
    releases = read_releases(extras.releases)
    storage = read_storage(by_kind, releases)
    workloads = list[Workload]()
    for resource in resources:
        if is_workload(resource):
            workloads.append(read_workload(resource, products, storage))
        elif resource.kind == "ChartValues":
            partial = read_chart_values(resource, products)
            if partial is not None:
                workloads.append(partial)
        elif resource.api_version == "compose" and not resource.body.keys().isdisjoint({"image", "build"}):
            workloads.append(read_compose_service(resource, products))
    scalers = (*by_kind.get("HorizontalPodAutoscaler", ()), *by_kind.get("ScaledObject", ()))
    known = with_autoscalers(workloads, scalers)
    services = read_services(by_kind.get("Service", ()), known)
    middlewares = read_middlewares(by_kind)
    databases = read_databases(known, by_kind, products)
    config = read_config(by_kind, extras.source_paths)
    return Estate(
        resources=tuple(resources),
        workloads=known,
        services=services,
        images=tuple(_images(known, operator_images(by_kind, products))),
        databases=databases,
        scripts=scripts(known, config),
        middlewares=middlewares,
        ways_in=read_ways_in(by_kind, services, middlewares, releases, products, extras.settings.exposure),
        grants=read_grants(by_kind),
        config=config,
        releases=releases,
        node_pools=read_node_pools(by_kind),
        code_files=extras.code_files,
        comments=extras.comments,
        terraform_roots=extras.terraform_roots,
        loose_files=extras.loose_files,
        aside=extras.aside,
        ignored_changes=extras.ignored_changes,
        backends=extras.backends,
        budgets=by_kind.get("PodDisruptionBudget", ()),
        products=products,
        today=extras.today or date.today(),  # noqa: DTZ011 (support ends on a day, wherever one is)
        settings=extras.settings,
        repository=extras.repository,
        part_of_more=extras.part_of_more,
        origin=extras.origin,
        last_changes=extras.last_changes,
        proofs=extras.proofs,
        pins=extras.pins,
        chart_pins=extras.chart_pins,
        learned_rights=extras.learned_rights,
        measured=extras.measured,
        into_modules=extras.into_modules,
        by_kind=by_kind,
        by_key={resource.key: resource for resource in resources},
        find_backups=_backups,
    )


def _backups(estate: Estate) -> tuple[Backup, ...]:
    return backups(
        estate.workloads, estate.services, estate.databases, estate.config, estate.scripts, estate.resources,
        estate.releases,
    )  # fmt: skip


def _by_kind(resources: Sequence[Resource]) -> Mapping[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        found[resource.kind].append(resource)
    return {kind: tuple(members) for kind, members in found.items()}


def _images(workloads: Sequence[Workload], more: Sequence[Image]) -> Iterator[Image]:
    for workload in workloads:
        for container in workload.containers:
            yield container.image
    yield from more
