"""What the settings say of the thing that a finding is about, for its explanation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shoreup.facts.estate import Database, Estate, Workload
from shoreup.facts.programs.schedules import spoken
from shoreup.facts.storage.mounts import mounted
from shoreup.model.finding import Consequence, Draft


def owners_word(draft: Draft, estate: Estate) -> Iterator[str]:
    """One sentence for each setting that bears on the finding."""
    key = draft.at.resource
    backups = [one for one in estate.backups if one.resource.key == key]
    data: list[Database | Workload] = [*estate.databases, *estate.workloads]
    names = dict.fromkeys(f"{one.namespace}/{one.name}" for one in data if one.resource.key == key)
    for backup in backups:
        names |= dict.fromkeys(f"{one.namespace}/{one.name}" for one in backup.protects_databases)
        names |= dict.fromkeys(f"{one.namespace}/{one.name}" for one, _ in backup.protects_volumes)
    if draft.consequence_class is Consequence.DATA_LOSS:
        yield from _objectives(names, estate)
    if draft.consequence_class is Consequence.OUTAGE:
        for name in names:
            allowed = estate.settings.accepted_downtime(name)
            if allowed is not None:
                yield f"{name} is of the tier {estate.settings.tier_of(name)}, which may be away for {spoken(allowed)}."
    for folder in dict.fromkeys(
        mounted(estate, one.namespace, one.target_volume) for one in backups if one.target_volume is not None
    ):
        if folder:
            yield f"What it writes to is mounted at {folder} on your machine."


def _objectives(names: Iterable[str], estate: Estate) -> Iterator[str]:
    for name in names:
        objective = estate.settings.objective(name)
        if objective.rpo is not None:
            yield f"Of {name}, {spoken(objective.rpo)} of the newest data may be lost."
        if objective.rto is not None:
            yield f"{name} must work again {spoken(objective.rto)} after it was lost."
