"""Upgrades as a command asks for them: what is planned from what the repository, the ledger and a cluster say."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from shoreup.drills.upgrading.crossing import DOWNTIME
from shoreup.drills.upgrading.specs import DUMPED, Way, ways
from shoreup.engines.base import EngineTrouble
from shoreup.engines.catalogue import numbers, written
from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.cluster import OwnCluster, own_cluster
from shoreup.engines.postgresql.inventory import Cluster, inventory
from shoreup.engines.postgresql.upgrade import Mode
from shoreup.engines.providers import Installation, installed, lying_in
from shoreup.facts.estate import Database, Estate
from shoreup.facts.naming import named
from shoreup.facts.proofs import UPGRADED_TO, Drill, State, database_inputs, last_day, standing, subject_of
from shoreup.facts.versions.support import Support, majors, own_cycles, support
from shoreup.model.errors import UserError
from shoreup.model.upgrade import Made, Point, Room, SupportedLine, Tried, UpgradePlan, Weight
from shoreup.operations.upgrade.points import points
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
POSTGRESQL = "postgresql"
_NEVER = "no rehearsal is on record"
_CATALOGUE = 64 << 20
"""Bytes of an empty cluster with its first WAL files."""
_CATALOGUE_OF_ONE = 16 << 20
"""Bytes of one more database's catalogue."""


class PlanOptions(Struct, frozen=True):
    """What is asked for.

    ``product`` is ``postgresql``, ``mysql`` or ``mariadb``. ``subject`` is a pattern of ``namespace/name``. ``data`` is
    a data directory on this machine to look into, ``programs`` the folder of the new version's programs, ``old`` that
    of the old one's.
    """

    product: str
    subject: str = ""
    to: str = ""
    data: Path | None = None
    programs: Path | None = None
    old: Path | None = None
    config: Path | None = None
    ledger: str = ""
    today: date | None = None


def plan(paths: Sequence[Path], options: PlanOptions, say: Progress) -> tuple[UpgradePlan, ...]:
    """A plan for every database that is asked for. Raises :class:`UserError`."""
    found = opened(paths, config=options.config, ledger=options.ledger, empty=True)
    today = options.today or datetime.now(UTC).date()
    asked = Asked((), today, proven=found.proven(), given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    if options.data is not None:
        way = meant(estate, options.product, options.subject)
        try:
            return (_with_data(estate, way, options, options.data),)
        except EngineTrouble as trouble:
            raise UserError(f"{options.data} cannot be looked into: {trouble}.") from None
    named_ones = [way for way in ways(estate, options.product) if _meant(way.database, options.subject)]
    if not named_ones:
        title = estate.products.title(options.product)
        raise UserError(
            f"The repository has no {title} with lasting data"
            + (f" called {options.subject!r}" if options.subject else "")
            + ("; name a data directory with --data." if options.product == POSTGRESQL else ".")
        )
    return tuple(_of_estate(estate, way, options) for way in named_ones)


def meant(estate: Estate, product: str, subject: str) -> Way | None:
    """The estate's database that a cluster on this machine is; ``None`` where it knows none.

    Raises :class:`UserError` where it may be any of several.
    """
    found = [way for way in ways(estate, product) if _meant(way.database, subject)]
    if len(found) > 1:
        names = ", ".join(sorted(f"{way.database.namespace}/{way.database.name}" for way in found))
        raise UserError(f"--data is one cluster, and the repository has {names}; name one with --subject.")
    if subject and not found:
        raise UserError(f"The repository has no {estate.products.title(product)} called {subject!r}.")
    return found[0] if found else None


def _of_estate(estate: Estate, way: Way, options: PlanOptions) -> UpgradePlan:
    target, found = way.target(options.to), list[Point]()
    if way.unknown:
        found.append(Point(Weight.UNKNOWN, f"what runs: {way.unknown}", "name a version in the image's tag"))
    if target and way.database.product in DUMPED:
        found += _by_dump(way, target)
    elif target and (numbers(target) or (0,))[0] <= (numbers(way.database.version) or (0,))[0]:
        what = f"there is no way from version {way.database.version} to {target}: files are only carried to a newer one"
        found.append(Point(Weight.BLOCKS, what, "name a newer one with --to, or restore a dump into the older one"))
    elif target:
        found.append(
            Point(
                Weight.UNKNOWN,
                "what the cluster holds: extensions, types of columns, checksums, size",
                "name its data directory with --data, or rehearse on a copy",
            )
        )
    return UpgradePlan(
        subject=named(way.database.resource),
        product=way.product.title,
        version=way.database.version,
        ends=_ends(way.known),
        supported=way.known is None or way.known.supported,
        target=target,
        lines=_lines(way.known),
        points=tuple(found),
        tried=_tried(estate, way.database, target),
        by_dump=way.database.product in DUMPED,
        image=_image(way.database),
    )


def _with_data(estate: Estate, way: Way | None, options: PlanOptions, data: Path) -> UpgradePlan:
    """The plan for a cluster that lies on this machine; ``way`` is the estate's database that it is, if any."""
    cluster = own_cluster(data.resolve(), options.old)
    seen = inventory(cluster.ask) if cluster.pidfile() is not None else None
    version = seen.version.split()[0] if seen is not None else written(cluster.programs.version[:1])
    known = _known(estate, version)
    lines = _lines(known)
    target = options.to or (lines[-1].name if lines else "")
    source, wanted = numbers(version)[0], (numbers(target) or (0,))[0]
    if target and wanted <= source:
        raise UserError(f"The cluster is of version {version}, and there is no way from it to {target}.")
    found: list[Point] = []
    if seen is None:
        what, do = "what the cluster holds: no server runs on it", "start it and plan again, or rehearse on a copy"
        found.append(Point(Weight.UNKNOWN, what, do))
    elif target:
        programs = _programs(target, options.programs)
        found += points(seen, source, wanted, programs, own=options.programs is not None)
    return UpgradePlan(
        subject=named(way.database.resource) if way is not None else str(data),
        product=estate.products.title(POSTGRESQL),
        version=version,
        ends=_ends(known),
        supported=known is None or known.supported,
        target=target,
        lines=lines,
        points=tuple(found),
        tried=_tried(estate, way.database, target) if way is not None else Tried(False, _NEVER),
        image=_image(way.database) if way is not None else "",
        made=_made(seen) if seen is not None else None,
        rooms=_rooms(cluster, seen) if seen is not None else (),
    )


def _by_dump(way: Way, target: str) -> Iterator[Point]:
    """What has to be known of databases whose files are not carried over here."""
    yield Point(
        Weight.BEFORE,
        "it goes by a dump in SQL, into a new server beside the old one: files of one line are not for every other",
        "stop the writers, dump, restore, compare, and only then point the clients at the new one",
    )
    if way.known is not None and way.known.kind == "short-lived":
        yield Point(
            Weight.BEFORE,
            f"{way.product.title} {way.known.version} is an innovation release: its files never go to an older line",
            f"go by a dump to {target}; never start the other version on its files",
        )


def _tried(estate: Estate, database: Database, target: str) -> Tried:
    """How rehearsals of this database stand, and how long the newest one was away."""
    found = standing(estate, subject_of(database.resource), Drill.UPGRADE, database_inputs(database))
    proof = found.proof
    if proof is None:
        return Tried(False, _NEVER)
    measured = {one.name: one.value for one in proof.measurements}
    to = measured.get(UPGRADED_TO)
    went = f"{to:g}" if to is not None else ""
    downtimes = {mode.value: measured[name] for mode, name in DOWNTIME.items() if name in measured}
    if found.proven and went and target and numbers(target)[:1] != numbers(went)[:1]:
        return Tried(False, f"the rehearsal of {proof.day} went to {went}, and not to {target}", went, downtimes)
    if found.proven:
        return Tried(True, f"rehearsed on {proof.day}; that counts until {last_day(proof)}", went, downtimes)
    why = {
        State.EXPIRED: f"the rehearsal of {proof.day} counted until {last_day(proof)}",
        State.CHANGED: f"the rehearsal of {proof.day} was of another {' and '.join(found.changed)}",
        State.FAILED: f"the rehearsal of {proof.day} failed: {proof.after}",
        State.NOT_VERIFIED: f"the rehearsal of {proof.day} could not be carried through: {proof.after}",
    }
    return Tried(False, why.get(found.state, _NEVER), went, downtimes)


def _programs(target: str, folder: Path | None) -> Installation | None:
    """The target's programs on this machine, with whatever extensions they have."""
    if folder is not None:
        found = lying_in(POSTGRESQL, folder)
        if found is None:
            raise UserError(f"{folder} holds no programs of PostgreSQL that run.")
        return found
    choice = choose(Wanted(POSTGRESQL, target), installed(POSTGRESQL))
    return None if isinstance(choice, NoProvider) else choice.installation


def _rooms(cluster: OwnCluster, seen: Cluster) -> tuple[Room, ...]:
    free = shutil.disk_usage(cluster.data.parent).free
    catalogues = _CATALOGUE + _CATALOGUE_OF_ONE * len(seen.databases)
    return (Room(Mode.COPY.value, seen.size + catalogues, free), Room(Mode.LINK.value, catalogues, free))


def _made(seen: Cluster) -> Made:
    extensions: dict[str, str] = {}
    for inside in seen.inside.values():
        extensions |= inside.extensions
    shape = seen.shape
    return Made(
        encoding=shape.encoding,
        collate=shape.collate,
        provider=shape.provider,
        locale=shape.locale,
        checksums=shape.checksums,
        size=seen.size,
        databases=tuple(one.name for one in seen.databases if not one.template),
        extensions=extensions,
    )


def _known(estate: Estate, version: str) -> Support | None:
    entry = estate.products.get(POSTGRESQL)
    if entry is None:
        return None
    return support(entry, version, estate.today, own_cycles(entry, estate.settings.support))


def _ends(known: Support | None) -> date | None:
    return known.cycle.end if known is not None and known.cycle is not None else None


def _lines(known: Support | None) -> tuple[SupportedLine, ...]:
    return tuple(SupportedLine(one.name, one.end) for one in majors(known)) if known is not None else ()


def _image(database: Database) -> str:
    if database.workload is None:
        return ""
    return next((one.image.text for one in database.workload.containers if one.image.place == database.place), "")


def _meant(database: Database, pattern: str) -> bool:
    return (
        not pattern
        or fnmatchcase(f"{database.namespace}/{database.name}", pattern)
        or fnmatchcase(database.name, pattern)
    )
