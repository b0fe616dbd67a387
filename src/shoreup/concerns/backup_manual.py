"""Backup scripts that a person has to remember."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.backup_jobs import AFTERWARDS, scheduled
from shoreup.facts.backups.idle_scripts import IdleScripts, idle_scripts
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Run the script from a CronJob",
    Safety.SHOWN,
    "when it may run and what it needs to reach only the owner knows",
)


class BackupManual(Concern):
    """A script for backups is shipped, and nothing in the repository runs it.

    **What**

    A ConfigMap holds a program that copies data away. No CronJob, Job or container starts it, and its name stands
    nowhere else in the repository.

    **Why**

    A backup that is made by hand is as old as the last time somebody thought of it. It was made before the update that
    went well, not before the disk that died.

    **Example**

    `backup.sh` and `restore.sh` in a ConfigMap that is mounted at `/scripts`, "run by hand before an update".

    **Fix safety**

    Shown: a schedule and a place for the copies have to be chosen.
    """

    id = "backup-manual"
    title = "A backup script that nothing schedules"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.MISSING_FEATURES
    sources = (
        Source("Site Reliability Engineering: automation", "https://sre.google/sre-book/automation-at-google/"),
        Source("Kubernetes: CronJobs", "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at the scripts that nothing starts."""
        for held in idle_scripts(estate):
            if held.resource.body.get("data") is not None and not held.script.complete and not held.script.text.strip():
                continue
            yield self._idle(held)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The job is drawn up; when it runs and where the copies lie is left to say."""
        held = next((one for one in idle_scripts(estate) if one.script.place == draft.at), None)
        if held is None:
            return self.unrepaired(draft)
        script = held.backups[0]
        name = script.partition(".")[0].replace("_", "-").lower()
        workload = next(iter(held.mounted_by), None)
        namespace = held.resource.namespace or "default"
        job = scheduled(held.resource.key, namespace, name, held.resource.name, script, workload)
        return replace(self.unrepaired(draft, text=AFTERWARDS.format(how="")), sketch=(job,))

    def _idle(self, held: IdleScripts) -> Outcome:
        who = named(held.resource)
        names = " and ".join((*held.backups, *held.restores))
        where = f", mounted in {named(held.mounted_by[0].resource)}," if held.mounted_by else ""
        related: tuple[tuple[Place, str], ...] = tuple(
            (Place(workload.resource.key), "it is mounted here, and not run") for workload in held.mounted_by[:3]
        )
        return self.found(
            held.script.place,
            field="schedule",
            subject=who,
            message=f"{who} brings {names}{where} and nothing in this repository runs {held.backups[0]}.",
            consequence="The newest copy that it makes is as old as the last time somebody remembered to run it.",
            related=related,
            fixes=(_FIX,),
            confidence=Confidence.LIKELY,
        )
