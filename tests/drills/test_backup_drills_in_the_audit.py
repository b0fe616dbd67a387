"""What the audit makes of drills of backup jobs: they decide what reading left open, as long as they count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from proving import proof
from shoreup.concerns.backup_inconsistent import BackupInconsistent
from shoreup.concerns.backup_result_ignored import BackupResultIgnored
from shoreup.concerns.backup_retention_age_only import BackupRetentionAgeOnly
from shoreup.concerns.backup_retention_inverted import BackupRetentionInverted
from shoreup.concerns.backup_retention_missing import BackupRetentionMissing
from shoreup.concerns.base import Concern
from shoreup.facts.backups.tried_retention import GROWS, NEWEST_REMOVED, NOTHING_LEFT
from shoreup.facts.backups.tried_under_load import UNNOTICED, WRONG_BY
from shoreup.facts.build import Extras
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import backup_inputs, backup_subject
from shoreup.model.finding import Doubt
from shoreup.model.proof import Measurement, Proof, Verdict
from small_estates import estate

TODAY = date(2026, 11, 23)
UNDECIDED_AGE = '[ "$(ls /copies | wc -l)" -gt 7 ] && find /copies -mtime +14 -delete'
UNDECIDED_ORDER = "ls /copies | sort -k2 | tail -n +8 | xargs -r rm"
UNSEEN_NAME = 'pg_dump app >"/copies/$(next-name)"'


def job(script: str, *proofs: Proof) -> Estate:
    """An estate with one job, and what drills have seen."""
    return estate(
        f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: dump, namespace: data}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: dump
              image: postgres:17.2
              command: [/bin/sh, -c, {script!r}]
              volumeMounts: [{{name: copies, mountPath: /copies}}]
          volumes: [{{name: copies, nfs: {{server: nas, path: /copies}}}}]
""",
        extras=Extras(today=TODAY, proofs=proofs),
    )


def drilled(
    script: str, verdict: Verdict, *seen: str, inputs: dict[str, str] | None = None, drill: str = "retention"
) -> Proof:
    """A proof about the job with this script. ``seen`` is what went wrong."""
    [backup] = job(script).backups
    one = proof(drill, verdict=verdict, taken=datetime(2026, 11, 20, tzinfo=UTC))
    return replace(
        one,
        subject=backup_subject(backup),
        inputs=inputs or dict(backup_inputs(job(script), backup).digests),
        measurements=tuple(Measurement(name, 1, "runs") for name in seen),
        after="what it saw",
    )


def said(concern: type[Concern], found: Estate) -> Iterator[str]:
    """``open`` for a doubt, a finding's message else."""
    for outcome in concern().check(found):
        yield "open" if isinstance(outcome, Doubt) else outcome.message


@pytest.mark.parametrize(
    ("concern", "script", "seen"),
    [
        (BackupRetentionAgeOnly, f"pg_dump app >/copies/app-$(date +%F); {UNDECIDED_AGE}", NOTHING_LEFT),
        (BackupRetentionMissing, UNSEEN_NAME, GROWS),
    ],
)
def test_what_reading_leaves_open_a_drill_decides(concern: type[Concern], script: str, seen: str) -> None:
    assert list(said(concern, job(script))) == ["open"]
    failed = job(script, drilled(script, Verdict.FAIL, seen))
    assert list(said(concern, failed)) == ["The drill of 2026-11-20 ran CronJob data/dump for 400 days: what it saw."]
    assert list(said(concern, job(script, drilled(script, Verdict.PASS)))) == []
    assert list(said(concern, job(script, drilled(script, Verdict.COULD_NOT_VERIFY)))) == ["open"]
    other = drilled(script, Verdict.FAIL, seen, inputs={"command": "another"})
    assert list(said(concern, job(script, other))) == ["open"]


@pytest.mark.parametrize(
    ("concern", "seen"), [(BackupRetentionInverted, NEWEST_REMOVED), (BackupRetentionMissing, GROWS)]
)
def test_a_drill_finds_what_reading_did_not(concern: type[Concern], seen: str) -> None:
    script = f"pg_dump app >/copies/app-$(date +%F); {UNDECIDED_ORDER}"
    assert list(said(concern, job(script))) == []
    assert list(said(concern, job(script, drilled(script, Verdict.FAIL, seen)))) == [
        "The drill of 2026-11-20 ran CronJob data/dump for 400 days: what it saw."
    ]
    assert list(said(concern, job(script, drilled(script, Verdict.FAIL, NOTHING_LEFT)))) == []


@pytest.mark.parametrize(
    ("concern", "seen", "begins"),
    [
        (BackupInconsistent, WRONG_BY, "The drill of 2026-11-20 ran CronJob data/dump while money moved"),
        (BackupResultIgnored, UNNOTICED, "The drill of 2026-11-20 broke the dump of CronJob data/dump"),
    ],
)
def test_a_dump_that_failed_under_load_is_a_finding(concern: type[Concern], seen: str, begins: str) -> None:
    script = "if pg_dump app >/copies/app-$(date +%F); then :; fi"
    assert list(said(concern, job(script))) == []
    failed = job(script, drilled(script, Verdict.FAIL, seen, drill="backup-under-load"))
    assert [one.partition(":")[0] for one in said(concern, failed)] == [begins]
    assert list(said(concern, job(script, drilled(script, Verdict.PASS, drill="backup-under-load")))) == []
