"""``retention``: 400 days of each backup's job in a sandbox, and of Shoreup's own policies; each run is judged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.rotating.own_retention import PolicySpec, try_policy
from shoreup.drills.rotating.specs import retention_spec
from shoreup.drills.rotating.trial import rotate
from shoreup.facts.backups.own import scheduled
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, backup_inputs, backup_subject
from shoreup.operations.backup.retention import policy_of


class Retention(Experiment):
    """A year and a bit of each backup's job, with failing dumps, in a sandbox that keeps made-up copies."""

    drill = Drill.RETENTION
    title = "each backup's job runs for 400 days in a sandbox, and what it keeps is judged after every run"
    proves = frozenset(
        {"backup-retention-missing", "backup-retention-age-only", "backup-retention-inverted", "comment-contradicted"}
    )
    nothing = "The estate has no job that makes backups again and again, and there is no [backup.NAME] in shoreup.toml."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for together in once(running(estate)):
            backup = together[0]
            # What an operator keeps is decided in its own code.
            if backup.workload is not None:
                yield Trial(
                    subject=backup_subject(backup),
                    name=f"{backup.namespace}/{backup.name}",
                    prepare=partial(_prepared, estate, together),
                    inputs=backup_inputs(estate, backup),
                )
        schedules = estate.settings.schedule.values()
        for name, own in sorted(estate.settings.backup.items()):
            spec = PolicySpec(name, policy_of(own.keep), *scheduled(name, schedules))
            yield Trial(subject=spec.subject, name=name, prepare=partial(_ready, spec), inputs=spec.inputs)


def _ready(spec: PolicySpec) -> Go:
    return lambda run, now: try_policy(spec, run=run, now=now)


def _prepared(estate: Estate, together: tuple[Backup, ...]) -> Go | str:
    spec = retention_spec(estate, together)
    return spec if isinstance(spec, str) else lambda run, now: rotate(spec, run=run, now=now)
