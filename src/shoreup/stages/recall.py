"""What is remembered of an estate: each claim that a drill could prove, how it stands today, and how its numbers went.

The claims are those that the drills derive from the repository as it is now, so one that was never tried is among them,
and one whose image or command changed stands as changed; the rest is what the ledger and the repository keep of things
that are no longer there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct

from shoreup.drills.base import NO_WISHES
from shoreup.drills.registry import experiments
from shoreup.facts.backups.own import own_backups
from shoreup.facts.backups.recurring import running
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import Drill, Standing, about, backup_subject, standing
from shoreup.model.finding import ReadError
from shoreup.model.proof import Proof, ProofSubject
from shoreup.model.settings import Objective
from shoreup.model.track_record import Stands, TrackRecord
from shoreup.stages.auditing.examination import Asked, Progress, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened


class Recalled(Struct, frozen=True):
    """Every claim with what is remembered of it, of the estate at ``root``.

    ``ledger`` names where, empty where there is none yet. ``errors`` say what could not be read of the ledger or of the
    proofs in the repository.
    """

    root: Path
    ledger: str
    claims: tuple[TrackRecord, ...]
    errors: tuple[ReadError, ...]


def recall(
    paths: Sequence[Path], say: Progress, *, config: Path | None = None, ledger: str = "", today: date | None = None
) -> Recalled:
    """What is remembered of the estate at ``paths``. Raises :class:`UserError`."""
    found = opened(paths, config=config, ledger=ledger, empty=True)
    before = len(found.tree.errors)
    proven = found.proven()
    errors = (*proven.errors, *found.tree.errors[before:])
    asked = Asked((), today or datetime.now(UTC).date(), proven=proven, given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    where = found.ledger
    return Recalled(found.root, where.shown if where else "", tuple(claims(estate)), errors)


def claims(estate: Estate) -> Iterator[TrackRecord]:
    """What drills could prove, in their order, and then what is remembered of other things."""
    objectives = {one.key: objective for one, objective in _objectives(estate)}
    told: set[str] = set()
    for experiment in experiments():
        for trial in experiment.trials(estate, NO_WISHES):
            proofs = [one for one in about(estate, trial.subject) if one.drill == experiment.drill]
            if experiment.asked_only and not proofs:
                continue
            told.update(one.id for one in proofs)
            stands = standing(estate, trial.subject, experiment.drill, trial.inputs)
            objective = (
                objectives.get(trial.subject.key, Objective()) if experiment.drill is Drill.RESTORE else Objective()
            )
            yield _record(experiment.drill.value, trial.subject, stands, proofs, objective)
    for own in own_backups(estate):
        proofs = [one for one in about(estate, own.subject) if one.drill == Drill.RESTORE]
        told.update(one.id for one in proofs)
        yield _record(
            Drill.RESTORE.value, own.subject, standing(estate, own.subject, Drill.RESTORE), proofs, Objective()
        )
    others: dict[tuple[str, ProofSubject], list[Proof]] = {}
    for proof in estate.proofs:
        if proof.id not in told:
            others.setdefault((proof.drill, proof.subject), []).append(proof)
    for (drill, subject), proofs in sorted(others.items(), key=lambda one: (one[0][0], str(one[0][1]))):
        known = drill in set(Drill) and _there(estate, subject) and drill not in _derived()
        last = standing(estate, subject, Drill(drill)) if known else None
        yield _record(drill, subject, last, proofs, Objective())


def _record(
    drill: str, subject: ProofSubject, stands: Standing | None, proofs: Sequence[Proof], objective: Objective
) -> TrackRecord:
    return TrackRecord(
        drill=drill,
        subject=subject,
        stands=Stands.GONE if stands is None else Stands(stands.state.value),
        proofs=tuple(sorted(proofs, key=lambda one: one.taken)),
        decides=None if stands is None else stands.proof,
        changed=() if stands is None else stands.changed,
        recovery_time=objective.rto.total_seconds() if objective.rto is not None else None,
        recovery_point=objective.rpo.total_seconds() if objective.rpo is not None else None,
    )


def _derived() -> frozenset[str]:
    """Drills whose trials follow from the estate: a proof that is of none of them is of something that is gone."""
    return frozenset(one.drill.value for one in experiments())


def _there(estate: Estate, subject: ProofSubject) -> bool:
    return not subject.name or any(
        one.name == subject.name and (one.namespace or "") == subject.namespace
        for one in estate.by_kind.get(subject.kind, ())
    )


def _objectives(estate: Estate) -> Iterator[tuple[ProofSubject, Objective]]:
    """What each backup has to reach: the strictest word for any of its databases."""
    for backup in running(estate):
        said = [estate.settings.objective(f"{one.namespace}/{one.name}") for one in backup.protects_databases]
        yield (
            backup_subject(backup),
            Objective(
                rpo=min((one.rpo for one in said if one.rpo is not None), default=None),
                rto=min((one.rto for one in said if one.rto is not None), default=None),
            ),
        )
