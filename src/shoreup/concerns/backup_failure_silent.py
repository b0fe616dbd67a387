"""Backups whose failure nobody sees."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import covered, protected, subject
from shoreup.facts.alerting.watching import jobs_watched, read_elsewhere, success_watched
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_under_load import TriedBackup, tried_backup
from shoreup.facts.estate import Backup, Estate, Workload
from shoreup.facts.fields import mapping, number
from shoreup.facts.naming import named
from shoreup.facts.programs.located import knows_pipefail, located, opening, with_safety
from shoreup.model.edit import Edit, NoRepair, Put, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.settings import Cover
from shoreup.model.value import Value

_LEAST_DEADLINE = 10
"""Seconds: the controller looks every ten, so a shorter deadline may pass unseen (Kubernetes, CronJob limitations)."""
_LEAST_TTL = 300
"""Seconds for which a failed job must stand for an alert or a person to see it."""
_PIPEFAIL = Fix("Set pipefail before the pipe", Safety.SAFE, "a run that works does the same as before")
_KEEP = Fix("Keep failed jobs for a day and let missed runs start late", Safety.SAFE, "no pod restarts; old jobs stay")
_TELL = Fix(
    "Tell a heartbeat after each good run, or alert on failed jobs",
    Safety.SHOWN,
    "where such a message should go only the owner knows",
)
_KEPT: dict[str | int, int] = {
    "startingDeadlineSeconds": 3600,
    "ttlSecondsAfterFinished": 86_400,
    "failedJobsHistoryLimit": 3,
}
"""What the settings become: an hour to start late, a day to look at what has failed, three failed jobs."""
_HEARTBEAT = """# at the end of the job, where only a good run arrives; a monitor that expects it raises the alarm
curl -fsS -m 10 --retry 5 "$HEARTBEAT_URL\""""


class _Silence(Struct, frozen=True):
    """One way in which a failure goes unseen. ``what`` goes on after the subject of a sentence.

    ``gone`` is whether only the failed job cannot be seen: who waits for a run that ends well still notices.
    """

    at: Place
    what: str
    fix: Fix
    gone: bool = False


class BackupFailureSilent(Concern):
    """A run of a backup can fail without anyone hearing of it.

    **What**

    The dump stands before a pipe without `pipefail`, so that the compressor's success is the job's; the CronJob's
    `startingDeadlineSeconds` is under 10, so that the controller may pass over a run; the job is removed seconds after
    it ends, or no failed job is kept, and nothing waits for a run that ends well; or nothing in the repository is told
    of a failed run: no heartbeat, no rule over jobs. Where something is declared for an operator of Prometheus that was
    not found in the repository, it is undecided whether that one brings such rules. Whether a pipe hides a failure is
    decided by `shoreup drill backup-under-load`, which breaks the dump, as long as its proof counts.

    **Why**

    Backups fail after a password is rotated, a disk is full, a version is new. Found within a day it costs a day;
    found at the restore it costs the data.

    **Example**

    `pg_dump app | gzip > file` without `set -o pipefail` is found.

    **Fix safety**

    Safe for `pipefail` and for the fields of the CronJob. Shown for a heartbeat or an alert.
    """

    id = "backup-failure-silent"
    title = "A failing backup goes unseen"
    severity = Severity.MEDIUM
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Bash: set -e and pipefail", "https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html"),
        Source("Kubernetes: CronJobs", "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"),
        Source(
            "Site Reliability Engineering: monitoring", "https://sre.google/sre-book/monitoring-distributed-systems/"
        ),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at each job that copies data away."""
        seen: set[Place] = set()
        for group in once(running(estate)):
            backup = group[0]
            if backup.workload is None or backup.reporting is None:
                continue
            told = any(one.reporting and one.reporting.heartbeat for one in group)
            heard = told or success_watched(estate, backup.workload.namespace, backup.workload.name)
            tried = tried_backup(estate, backup)
            # A job that was seen to fail with its dump hides no failure, whatever its pipe looks like.
            pipes = [] if tried is not None and tried.passed else list(_pipes(group))
            silences = [*pipes, *_schedule(backup.workload)]
            if heard and all(one.gone for one in silences):
                silences = []
            if not silences and not heard:
                silences.extend(_untold(estate, backup))
                reader = read_elsewhere(estate)
                if silences and reader is not None:
                    reason = f"what reads {named(reader)} was not found here, and may bring rules over failed jobs"
                    yield self.undecided(silences[0].at, unknown="who hears of a failed run", reason=reason)
                    continue
            if silences and silences[0].at not in seen:
                seen.add(silences[0].at)
                yield self._silent(backup, silences, tried if pipes else None)

    def _silent(self, backup: Backup, silences: list[_Silence], tried: TriedBackup | None) -> Outcome:
        who = subject(backup)
        certain = silences[0].fix is not _TELL
        return self.found(
            silences[0].at,
            field="failure" if certain else "report",
            subject=who,
            message=f"{who} {'; it '.join(one.what for one in silences)}.{_seen(tried)}",
            consequence="When the backup fails, nobody hears of it before a restore is needed.",
            related=(*((one.at, f"it {one.what}") for one in silences[1:]), *protected(backup)),
            fixes=tuple(dict.fromkeys(one.fix for one in silences)),
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The pipe's failure counts, and the job's traces stay. Whom to tell remains the owner's to say."""
        if _TELL in draft.fixes:
            return self.unrepaired(draft, text=_HEARTBEAT)
        edits: list[Edit] = []
        fix = draft.fixes[0]
        for at in (draft.at, *(at for at, _ in draft.related)):
            setting = _KEPT.get(at.route[-1]) if at.route and at.chars is None else None
            if setting is not None:
                edits.append(Put(at.resource, at.route, setting))
        if _PIPEFAIL in draft.fixes:
            found = located(estate, draft.at)
            if found is None:
                return self.unrepaired(draft)
            if not knows_pipefail(found.script):
                reason = "whether the image's shell knows pipefail is not known; one that does not ends the job there"
                return self.unrepaired(draft, reason, "set -o pipefail   # with a shell that knows it: bash, BusyBox")
            first = opening(found.script, "set -o pipefail")
            if first is None:
                return self.unrepaired(draft, "the program is a list of words without a shell's first line")
            edits.append(first)
            fix = with_safety(found.script, _PIPEFAIL)
        cost = "a job that was green and wrong turns red" if _PIPEFAIL in draft.fixes else ""
        return Repair(fix, tuple(edits), cost, frozenset({self.id}))


def _seen(tried: TriedBackup | None) -> str:
    if tried is None or not tried.unnoticed:
        return ""
    return f" The drill of {tried.day} broke the dump: {tried.said}."


def _pipes(group: tuple[Backup, ...]) -> Iterator[_Silence]:
    for backup in group:
        reporting = backup.reporting
        if reporting is not None and reporting.swallowed_at is not None:
            what = f"pipes {backup.tool} into {reporting.swallowed} without pipefail, so a failed {backup.tool} passes"
            yield _Silence(backup.place, what, _PIPEFAIL)
            return


def _schedule(workload: Workload) -> Iterator[_Silence]:
    if workload.kind != "CronJob":
        return
    key = workload.resource.key
    spec = mapping(workload.resource.body.get("spec"))
    deadline = number(spec.get("startingDeadlineSeconds"))
    if deadline is not None and deadline < _LEAST_DEADLINE:
        what = f"skips a run that starts {deadline} s late, while the controller looks every {_LEAST_DEADLINE} s"
        yield _Silence(Place(key, ("spec", "startingDeadlineSeconds")), what, _KEEP)
    held: Value = mapping(mapping(spec.get("jobTemplate")).get("spec")).get("ttlSecondsAfterFinished")
    ttl = number(held)
    if ttl is not None and ttl < _LEAST_TTL:
        where = Place(key, ("spec", "jobTemplate", "spec", "ttlSecondsAfterFinished"))
        yield _Silence(where, f"is removed with its log {ttl} s after it ends, also when it failed", _KEEP, True)
    if number(spec.get("failedJobsHistoryLimit")) == 0:
        yield _Silence(Place(key, ("spec", "failedJobsHistoryLimit")), "keeps no failed job to be seen", _KEEP, True)


def _untold(estate: Estate, backup: Backup) -> Iterator[_Silence]:
    if backup.undecided or not backup.tool or jobs_watched(estate):
        return
    if covered(estate, backup, Cover.ALERT):
        return
    what = "tells nobody how a run went, and no rule in this repository looks at failed jobs"
    yield _Silence(backup.place, what, _TELL)
