"""What drills have proven, as Prometheus reads it: a text file for the node exporter, or the answer at ``/metrics``.

Moments are exported rather than ages, so that an alert goes off when nothing writes any more. Names and units follow
Prometheus' practices (base units, ``_total`` for what only grows); the rules that go with them are in
``alerts.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib import resources

from msgspec import Struct

from shoreup.model.proof import Verdict
from shoreup.model.track_record import COPY_SIZE, RECOVERY_POINT, RECOVERY_TIME, Stands, TrackRecord

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_FAMILIES = (
    ("shoreup_proof_standing", "gauge", "How a claim stands: 1 for the standing that holds today."),
    ("shoreup_proof_verdict", "gauge", "What the newest drill came to: 1 for its verdict."),
    ("shoreup_proofs_total", "counter", "Proofs that were taken, by verdict."),
    ("shoreup_drill_last_run_timestamp_seconds", "gauge", "When the newest drill was run."),
    ("shoreup_drill_last_success_timestamp_seconds", "gauge", "When a drill passed for the last time."),
    ("shoreup_proof_expires_timestamp_seconds", "gauge", "Until when the proof that decides today counts."),
    ("shoreup_recovery_time_seconds", "gauge", "Seconds from lost data to the first answer, as last measured."),
    ("shoreup_recovery_time_objective_seconds", "gauge", "Seconds that a recovery may take."),
    ("shoreup_recovery_point_seconds", "gauge", "Seconds of newest data that would have been lost, as last measured."),
    ("shoreup_recovery_point_objective_seconds", "gauge", "Seconds of newest data that may be lost."),
    ("shoreup_drilled_copy_timestamp_seconds", "gauge", "The moment that the copy of the newest drill is of."),
    ("shoreup_drilled_copy_size_bytes", "gauge", "The size of the copy of the newest drill."),
    ("shoreup_backup_timestamp_seconds", "gauge", "The moment that the newest good backup of shoreup backup is of."),
    ("shoreup_backup_size_bytes", "gauge", "Its size in the store."),
    ("shoreup_backups", "gauge", "Backups in the store, by state."),
    ("shoreup_backup_store_up", "gauge", "Whether the store of the backup answered."),
    ("shoreup_ledger_errors", "gauge", "What could not be read of the ledger and the exported proofs."),
    ("shoreup_metrics_timestamp_seconds", "gauge", "When these numbers were written."),
)


class Kept(Struct, frozen=True):
    """The backups of one name. ``moment`` and ``size`` are the newest good one's, ``None`` and 0 where there is none.

    ``states`` counts them by state. ``answered`` is false where the store could not be asked.
    """

    name: str
    moment: datetime | None = None
    size: int = 0
    states: Mapping[str, int] = {}
    answered: bool = True


def render(estate: str, claims: Sequence[TrackRecord], errors: int, now: datetime, backups: Sequence[Kept] = ()) -> str:
    """The text format, version 0.0.4. ``estate`` is the repository's name, ``now`` has a zone."""
    samples: dict[str, list[str]] = {name: [] for name, _, _ in _FAMILIES}
    for backup in backups:
        for name, labels, value in _of_backup(backup):
            samples[name].append(_sample(name, {"estate": estate, "backup": backup.name, **labels}, value))
    for claim in claims:
        for name, labels, value in _samples(claim):
            samples[name].append(_sample(name, {"estate": estate, **_about(claim), **labels}, value))
    samples["shoreup_ledger_errors"].append(_sample("shoreup_ledger_errors", {"estate": estate}, errors))
    written = _sample("shoreup_metrics_timestamp_seconds", {"estate": estate}, now.timestamp())
    samples["shoreup_metrics_timestamp_seconds"].append(written)
    lines: list[str] = []
    for name, kind, helps in _FAMILIES:
        if samples[name]:
            lines += [f"# HELP {name} {helps}", f"# TYPE {name} {kind}", *samples[name]]
    return "\n".join(lines) + "\n"


def alert_rules() -> str:
    """Alert rules for these metrics, as YAML that Prometheus loads."""
    return resources.files("shoreup.report").joinpath("alerts.yaml").read_text(encoding="utf-8")


def _samples(claim: TrackRecord) -> Iterator[tuple[str, dict[str, str], float]]:
    for stands in Stands:
        yield "shoreup_proof_standing", {"standing": stands.value}, float(claim.stands is stands)
    for verdict in Verdict:
        taken = [one for one in claim.proofs if one.verdict is verdict]
        yield "shoreup_proofs_total", {"verdict": verdict.value}, len(taken)
        if claim.newest is not None:
            yield "shoreup_proof_verdict", {"verdict": verdict.value}, float(claim.newest.verdict is verdict)
    moments = {
        "shoreup_drill_last_run_timestamp_seconds": claim.newest.taken if claim.newest is not None else None,
        "shoreup_drill_last_success_timestamp_seconds": claim.last_success,
        "shoreup_proof_expires_timestamp_seconds": claim.expires,
    }
    for name, moment in moments.items():
        if moment is not None:
            yield name, {}, moment.timestamp()
    for name, measurement, objective in (
        ("shoreup_recovery_time", RECOVERY_TIME, claim.recovery_time),
        ("shoreup_recovery_point", RECOVERY_POINT, claim.recovery_point),
    ):
        newest = claim.newest_of(measurement)
        if newest is not None:
            yield f"{name}_seconds", {}, newest[1]
        if objective is not None:
            yield f"{name}_objective_seconds", {}, objective
    point, size = claim.newest_of(RECOVERY_POINT), claim.newest_of(COPY_SIZE)
    if point is not None:
        yield "shoreup_drilled_copy_timestamp_seconds", {}, point[0].timestamp() - point[1]
    if size is not None:
        yield "shoreup_drilled_copy_size_bytes", {}, size[1]


def _of_backup(backup: Kept) -> Iterator[tuple[str, dict[str, str], float]]:
    yield "shoreup_backup_store_up", {}, float(backup.answered)
    for state, count in backup.states.items():
        yield "shoreup_backups", {"state": state}, count
    if backup.moment is not None:
        yield "shoreup_backup_timestamp_seconds", {}, backup.moment.timestamp()
        yield "shoreup_backup_size_bytes", {}, backup.size


def _about(claim: TrackRecord) -> dict[str, str]:
    one = claim.subject
    return {
        "drill": claim.drill,
        "kind": one.kind,
        "namespace": one.namespace,
        "name": one.name,
        "container": one.container,
        "root": one.root,
    }


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_label(held)}"' for key, held in labels.items())
    return f"{name}{{{inside}}} {value:.15g}"


def _label(text: str) -> str:
    return text.encode("utf-8", "replace").decode().translate(_ESCAPES)
