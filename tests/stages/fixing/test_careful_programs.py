"""Programs of jobs in which the usual cure would do harm: it is made otherwise, or it is said why it is not made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.model.amendment import Amendment
from shoreup.model.finding import Safety
from shoreup.stages.fix import FixOptions, fix

JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: dump, namespace: data}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: job
              image: {image}
              command:
                - bash
                - -c
                - |
{program}
              volumeMounts:
                - {{name: copies, mountPath: /backup}}
          volumes:
            - name: copies
              nfs: {{server: 10.0.0.5, path: /export/backups}}
"""


SERVER = """\
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: mysql, namespace: data}
spec:
  serviceName: mysql
  selector: {matchLabels: {app: mysql}}
  template:
    metadata: {labels: {app: mysql}}
    spec:
      containers:
        - name: mysql
          image: mysql:8.4.3
          volumeMounts:
            - {name: data, mountPath: /var/lib/mysql}
      volumes:
        - name: data
          nfs: {server: 10.0.0.9, path: /tank/mysql}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec:
  selector: {app: mysql}
  ports: [{port: 3306}]
"""


def repaired(root: Path, concern: str, *lines: str, image: str = "postgres:17.2", beside: str = "") -> Amendment:
    program = "\n".join(f"{'':18}{line}" for line in lines)
    (root / "job.yaml").write_text(JOB.format(program=program, image=image) + beside, encoding="utf-8")
    options = FixOptions(select=(concern,), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    return amendment


def written(amendment: Amendment) -> str:
    (change,) = amendment.changes
    return change.after.decode()


@pytest.mark.parametrize(
    "again",
    [
        "kubectl scale deployment app --replicas=1",
        "php occ maintenance:mode --off",
        "docker start app",
    ],
)
def test_what_was_stopped_for_the_copy_is_not_left_stopped(tmp_path: Path, again: str) -> None:
    dump = "pg_dump -h db -f /backup/app-$(date +%F).sql app"
    made = repaired(tmp_path, "backup-result-ignored", dump, again)

    assert made.applied == ()
    (left,) = made.not_fixed
    assert "would leave it standing" in left.reason


def test_a_command_that_may_answer_no_makes_the_fix_unsafe(tmp_path: Path) -> None:
    dump = "pg_dump -h db -f /backup/app-$(date +%F).sql app"
    made = repaired(tmp_path, "backup-result-ignored", dump, "grep -c INSERT /backup/app-*.sql", "echo done")

    (one,) = made.applied
    assert one.safety is Safety.UNSAFE
    assert "grep" in one.reason


def test_without_such_a_command_it_is_safe(tmp_path: Path) -> None:
    dump = "pg_dump -h db -f /backup/app-$(date +%F).sql app"
    made = repaired(tmp_path, "backup-result-ignored", dump, "echo done")

    (one,) = made.applied
    assert one.safety is Safety.SAFE


def test_options_that_come_first_stay_first(tmp_path: Path) -> None:
    dump = "mysqldump --no-defaults -h db --all-databases > /backup/all.sql"
    made = repaired(tmp_path, "backup-inconsistent", dump, image="mysql:8.4.3", beside=SERVER)

    assert "mysqldump --no-defaults --single-transaction -h db" in written(made)


def test_the_folder_itself_and_empty_files_are_no_young_copies(tmp_path: Path) -> None:
    dump = 'pg_dump -h db app | gzip > "/backup/app-$(date +%F).sql.gz"'
    made = repaired(tmp_path, "backup-retention-age-only", dump, "find /backup -mtime +7 -delete")

    assert 'if [ "$(find /backup -mtime -7 -type f -size +0 | wc -l)" -gt 0 ]; then' in written(made)


def test_old_copies_are_removed_only_behind_a_copy_that_succeeded(tmp_path: Path) -> None:
    dump = 'pg_dump app | gzip > "/backup/app-$(date +%F).sql.gz"'
    made = repaired(tmp_path, "backup-retention-missing", "echo dumping", dump)

    lines = [line.strip() for line in written(made).splitlines()]
    first = lines.index("set -eo pipefail")
    assert lines[first + 1 : first + 4] == [
        "echo dumping",
        dump,
        "ls -1t /backup/app-*.sql.gz | tail -n +15 | xargs -r rm --",
    ]


@pytest.mark.parametrize("name", ["$(date +%F).sql", "app $(date +%F).sql"])
def test_names_that_others_may_have_are_not_removed(tmp_path: Path, name: str) -> None:
    made = repaired(tmp_path, "backup-retention-missing", "set -e", f'pg_dump -f "/backup/{name}" app')

    assert made.applied == ()
    assert "is not certain" in made.not_fixed[0].reason


def test_a_pattern_that_takes_another_jobs_copies_is_not_used(tmp_path: Path) -> None:
    other = JOB.format(program=f'{"":18}pg_dump -f "/backup/app-users-$(date +%F).sql" users', image="postgres:17.2")
    beside = "---\n" + other.replace("name: dump", "name: users")
    dump = 'pg_dump -f "/backup/app-$(date +%F).sql" app'
    made = repaired(tmp_path, "backup-retention-missing", "set -e", dump, beside=beside)

    left = {one.finding.resource.name: one.reason for one in made.not_fixed if one.finding.resource}
    assert "takes the copies of" in left["dump"]
    assert "users" not in left


def test_every_excuse_of_a_job_becomes_an_end(tmp_path: Path) -> None:
    dumps = [f"pg_dump -h db -f /backup/{name}-$(date +%F).sql {name} || true" for name in ("app", "users")]
    made = repaired(tmp_path, "backup-result-ignored", "set -e", *dumps, "echo done")

    assert len(made.applied) == 1
    assert written(made).count("|| exit 1") == 2
    assert "|| true" not in written(made)


def test_what_is_copied_if_it_is_there_may_be_missing(tmp_path: Path) -> None:
    copies = [f"cp -a /data/{name} /backup/$(date +%F)/ 2>/dev/null || true" for name in ("keys", "sends")]
    made = repaired(tmp_path, "backup-result-ignored", "set -e", *copies, "echo done")

    assert made.applied == ()
    assert [one.reason for one in made.not_fixed] == [
        "what cp copies may be missing in a good run, for what it says of that is thrown away too"
    ]
