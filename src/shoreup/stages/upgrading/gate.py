"""The gate of a pipeline: another image under data goes through only with a proof that is fresh.

What runs and what is proposed are two states of one repository. A database that goes to another major needs a rehearsal
of exactly that step on the data as it was; everything else that keeps data and moves needs a restore that was seen to
work, because when a migration fails half way, that is the way back. What is new has no data yet, and what goes needs no
gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from shoreup.drills.upgrading.specs import CARRIED, DUMPED
from shoreup.engines.catalogue import numbers
from shoreup.facts.estate import Database, Estate, Workload
from shoreup.facts.naming import named
from shoreup.facts.proofs import (
    UPGRADED_TO,
    Drill,
    Standing,
    State,
    backup_inputs,
    backup_subject,
    database_inputs,
    last_day,
    standing,
    subject_of,
)
from shoreup.facts.storage.state import kept
from shoreup.facts.versions.movers import MovedData, keeping
from shoreup.model.proof import ProofSubject, Verdict
from shoreup.model.upgrade import GatedChange
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.auditing.since import at_revision
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
_RANK = {Verdict.PASS: 0, Verdict.COULD_NOT_VERIFY: 1, Verdict.FAIL: 2}


class Gated(Struct, frozen=True):
    """Every change of an image under data since a revision."""

    since: str
    changes: tuple[GatedChange, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them; a pass where nothing changed."""
        return max((one.verdict for one in self.changes), key=_RANK.__getitem__, default=Verdict.PASS)


class _Kept(Struct, frozen=True):
    """Something that keeps data, as one state of the repository has it."""

    subject: ProofSubject
    name: str
    images: tuple[str, ...]
    version: str
    database: Database | None
    data: MovedData


def gate(paths: Sequence[Path], since: str, say: Progress, *, config: Path | None = None, ledger: str = "") -> Gated:
    """Hold what is there now against what was there at a revision. Raises :class:`UserError`."""
    found = opened(paths, config=config, ledger=ledger, empty=True)
    asked = Asked((), datetime.now(UTC).date(), proven=found.proven(), given=found.given, whole=found.whole)
    now = {one.subject: one for one in _kept(understood(read(found.tree, None, say), asked))}
    with at_revision(found.root, found.only, since) as then:
        estate = understood(read(then.tree, None, say), asked)
        changes = [
            _judged(estate, one, now[one.subject])
            for one in _kept(estate)
            if one.subject in now and _moved(one, now[one.subject])
        ]
    return Gated(since, tuple(sorted(changes, key=lambda one: one.subject)))


def _kept(estate: Estate) -> Iterator[_Kept]:
    databases = {one.resource.key: one for one in estate.databases}
    for workload, data in keeping(estate):
        database = databases.get(data.resource.key)
        version = database.version if database is not None else ""
        images = _images(estate, workload, database)
        yield _Kept(
            subject=subject_of(data.resource),
            name=named(data.resource),
            images=images,
            version=version,
            database=database,
            data=data,
        )


def _images(estate: Estate, workload: Workload | None, database: Database | None) -> tuple[str, ...]:
    """The images that stand on the data. A sidecar beside them may change as it likes."""
    if workload is None:
        return ()
    holding = {one.container.name for one in kept(workload, estate.products)}
    place = database.place if database is not None else None
    return tuple(one.image.text for one in workload.containers if one.name in holding or one.image.place == place)


def _moved(was: _Kept, now: _Kept) -> bool:
    return was.images != now.images or (not was.images and was.version != now.version)


def _judged(then: Estate, was: _Kept, now: _Kept) -> GatedChange:
    database = was.database
    if database is None or now.database is None or database.product != now.database.product:
        return _by_restore(then, was, now)
    before, after = _series(database, was.version), _series(database, now.version)
    if before == after:
        return _by_restore(then, was, now)
    if not before or not after:
        return _told(was, now, Drill.UPGRADE, Verdict.COULD_NOT_VERIFY, "which version it is is not known", _PIN)
    if after < before:
        says = f"version {now.version} does not open the files of {was.version}"
        return _told(was, now, Drill.UPGRADE, Verdict.FAIL, says, "restore a dump into the older version instead")
    if database.product in CARRIED | DUMPED:
        return _by_rehearsal(then, was, now, database)
    return _by_restore(then, was, now)


_PIN = "name a version in the image's tag"


def _series(database: Database, version: str) -> tuple[int, ...]:
    return numbers(version)[: 2 if database.product in DUMPED else 1]


def _by_rehearsal(then: Estate, was: _Kept, now: _Kept, database: Database) -> GatedChange:
    stands = standing(then, was.subject, Drill.UPGRADE, database_inputs(database))
    family = "mysql" if database.product in DUMPED else "postgres"
    do = f"shoreup upgrade {family} rehearse --subject {database.namespace}/{database.name} --to {now.version}"
    proof = stands.proof
    if stands.proven and proof is not None and database.product in CARRIED:
        to = next((one.value for one in proof.measurements if one.name == UPGRADED_TO), None)
        if to is None or (int(to),) != numbers(now.version)[:1]:
            went = "another version" if to is None else f"{to:g}"
            says = f"the rehearsal of {proof.day} went to {went}"
            return _told(was, now, Drill.UPGRADE, Verdict.COULD_NOT_VERIFY, says, do)
    return _standing(was, now, Drill.UPGRADE, stands, do)


def _by_restore(then: Estate, was: _Kept, now: _Kept) -> GatedChange:
    do = "shoreup drill restore, and let its proof into the ledger or into .shoreup/proofs"
    if was.data.guarded:
        return _told(was, now, Drill.RESTORE, Verdict.PASS, "a restore of its data is on record and counts today")
    own = [
        standing(then, backup_subject(backup), Drill.RESTORE, backup_inputs(then, backup))
        for backup in then.backups
        if any(one.resource.key == was.data.resource.key for one in backup.protects_databases)
        or any(one.resource.key == was.data.resource.key for one, _ in backup.protects_volumes)
    ]
    if not own:
        says = "no backup in the repository is of its data, and no restore is on record"
        return _told(was, now, Drill.RESTORE, Verdict.COULD_NOT_VERIFY, says, do)
    known = sorted(own, key=lambda one: one.proof is not None)
    return _standing(was, now, Drill.RESTORE, known[-1], do)


def _standing(was: _Kept, now: _Kept, drill: Drill, stands: Standing, do: str) -> GatedChange:
    proof, what = stands.proof, "rehearsal" if drill is Drill.UPGRADE else "restore"
    if proof is None:
        return _told(was, now, drill, Verdict.COULD_NOT_VERIFY, f"no {what} is on record", do)
    if stands.proven:
        return _told(was, now, drill, Verdict.PASS, f"the {what} of {proof.day} counts until {last_day(proof)}")
    if stands.state is State.FAILED:
        return _told(was, now, drill, Verdict.FAIL, f"the {what} of {proof.day} failed: {proof.after}", do)
    why = {
        State.EXPIRED: f"the {what} of {proof.day} counted until {last_day(proof)}",
        State.CHANGED: f"the {what} of {proof.day} was of another {' and '.join(stands.changed)}",
    }
    says = why.get(stands.state, f"the {what} of {proof.day} could not be carried through")
    return _told(was, now, drill, Verdict.COULD_NOT_VERIFY, says, do)


def _told(was: _Kept, now: _Kept, drill: Drill, verdict: Verdict, says: str, do: str = "") -> GatedChange:
    before, after = (", ".join(one.images) or one.version for one in (was, now))
    return GatedChange(subject=was.name, was=before, now=after, needs=drill.value, verdict=verdict, says=says, do=do)
