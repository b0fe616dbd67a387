"""What a rehearsal of an upgrade needs to know: from which version to which, and on which copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.drills.asking import Question
from shoreup.drills.base import Wishes
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.newest_copies import newest_copies
from shoreup.drills.restoring.specs import questions_about, restore_spec, superuser
from shoreup.drills.restoring.trial import RestoreSpec
from shoreup.drills.upgrading.postgresql import PRODUCT, RehearsalSpec
from shoreup.engines.choosing import Wanted
from shoreup.engines.providers import Installation, lying_in
from shoreup.facts.backups.recurring import running
from shoreup.facts.estate import Backup, Database, Estate
from shoreup.facts.products import Product
from shoreup.facts.proofs import database_inputs, subject_of
from shoreup.facts.versions.support import Cycle, Support, majors, own_cycles, support

CARRIED = frozenset({PRODUCT})
"""Products whose files are carried over."""
DUMPED = frozenset({"mysql", "mariadb"})
"""Products that go by a dump in SQL: their files never go back, and not from every line to every other."""


class Way(Struct, frozen=True):
    """Where a database can go. ``lines`` are the supported majors, the nearest first; ``known`` what it runs now.

    ``unknown`` says why nobody can tell.
    """

    database: Database
    product: Product
    known: Support | None
    lines: tuple[Cycle, ...]
    unknown: str = ""

    def target(self, wished: str) -> str:
        """The major version to go to: the wished one, else the one that is supported longest; empty for none."""
        return wished or (self.lines[-1].name if self.lines else "")


def ways(estate: Estate, product: str = "") -> Iterator[Way]:
    """Every database that a rehearsal may be of, with where it can go. ``product`` names one product or family."""
    wanted = DUMPED if product in DUMPED else {product} if product else CARRIED | DUMPED
    for database in estate.databases:
        entry = estate.products.get(database.product)
        if entry is None or database.product not in wanted or not entry.lasting:
            continue
        if database.workload is not None and not database.workload.enabled:
            continue
        if not database.version:
            yield Way(database, entry, None, (), "the image names no version")
            continue
        known = support(entry, database.version, estate.today, own_cycles(entry, estate.settings.support))
        if known is None:
            yield Way(database, entry, None, (), "the support dates do not list its version")
        else:
            yield Way(database, entry, known, majors(known))


def rehearsal_spec(estate: Estate, way: Way, wishes: Wishes) -> RehearsalSpec | str:
    """The rehearsal of an upgrade of PostgreSQL, or why there is none, with what to do."""
    target = way.target(wishes.to)
    if not target:
        return f"there is no supported version to go to ({way.unknown or 'it runs the newest'}); name one with --to"
    programs = _programs(wishes)
    if isinstance(programs, str):
        return programs
    found = wishes.copy or copy_of(estate, way.database)
    if isinstance(found, str):
        return found
    database = way.database
    return RehearsalSpec(
        subject=subject_of(database.resource),
        wanted=Wanted(database.product, database.version),
        target=target,
        copy=Copy(found, superuser=superuser(database)),
        programs=programs,
        questions=questions_of(estate, database),
        inputs=dict(database_inputs(database).digests),
    )


def questions_of(estate: Estate, database: Database) -> tuple[Question, ...]:
    """What the owner asks of a database, by its own name or by that of a job that copies it."""
    jobs = [f"{one.namespace}/{one.name}" for one in _of(estate, database)]
    return questions_about(estate.settings, f"{database.namespace}/{database.name}", *jobs)


def dump_spec(estate: Estate, way: Way, wishes: Wishes) -> RestoreSpec | str:
    """The restore of a dump into the version to go to, or why there is none, with what to do."""
    target = way.target(wishes.to)
    if not target:
        return f"there is no supported version to go to ({way.unknown or 'it runs the newest'}); name one with --to"
    backups = _of(estate, way.database)
    if not backups:
        if wishes.copy is None:
            return "no job of the repository makes a dump of it; name one with --from"
        return _alone(estate, way, wishes.copy, target)
    specs = [restore_spec(estate, (backup,), wishes) for backup in backups]
    ready = [one for one in specs if isinstance(one, RestoreSpec)]
    return _aimed(estate, way, ready[0], target) if ready else str(specs[0])


def copy_of(estate: Estate, database: Database) -> Path | str:
    """The newest copy of a database, or why none is known."""
    found = [newest_copies(estate, backup, None) for backup in _of(estate, database)]
    paths = [path for one in found if isinstance(one, tuple) for path in one]
    if paths:
        return max(paths, key=lambda one: one.stat().st_mtime)
    return next(
        (one for one in found if isinstance(one, str)),
        "no job of the repository makes a copy of it that can be restored; name one by --from",
    )


def _of(estate: Estate, database: Database) -> list[Backup]:
    return [
        backup for backup in running(estate) if any(one.place == database.place for one in backup.protects_databases)
    ]


def _programs(wishes: Wishes) -> Installation | str | None:
    if wishes.programs is None:
        return None
    return lying_in(PRODUCT, wishes.programs) or f"{wishes.programs} holds no programs of PostgreSQL that run"


def _alone(estate: Estate, way: Way, copy: Path, target: str) -> RestoreSpec:
    wanted = Wanted(way.database.product, target)
    inputs = dict(database_inputs(way.database).digests)
    questions = questions_of(estate, way.database)
    return RestoreSpec(subject_of(way.database.resource), wanted, Copy(copy), inputs=inputs, questions=questions)


def _aimed(estate: Estate, way: Way, spec: RestoreSpec, target: str) -> RestoreSpec:
    one = _alone(estate, way, spec.copy.path, target)
    return replace(one, copy=spec.copy, manifest=spec.manifest, made=spec.made)
