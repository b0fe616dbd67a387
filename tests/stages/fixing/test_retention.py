"""Retention in the words of each tool and operator, and only where nobody else's copies can go."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from case_files import TODAY
from shoreup.model.amendment import Amendment
from shoreup.stages.fix import FixOptions, fix

JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: save, namespace: data}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: job
              image: ghcr.io/example/tools:1.0.0
              command: [bash, -ec]
              args:
                - |
                  PROGRAM
              volumeMounts:
                - {name: files, mountPath: /files}
                - {name: copies, mountPath: /copies}
          volumes:
            - name: files
              persistentVolumeClaim: {claimName: files}
            - name: copies
              nfs: {server: 192.0.2.9, path: /export/copies}
"""
CLUSTER = """\
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: main, namespace: data}
spec:
  instances: 1
  storage: {size: 5Gi}
  backup:
    barmanObjectStore:
      destinationPath: s3://copies/main
---
apiVersion: postgresql.cnpg.io/v1
kind: ScheduledBackup
metadata: {name: main, namespace: data}
spec:
  schedule: "0 0 3 * * *"
  cluster: {name: main}
"""
K8UP = """\
apiVersion: k8up.io/v1
kind: Schedule
metadata: {name: all, namespace: data}
spec:
  backend:
    s3: {endpoint: https://s3.example.com, bucket: copies}
  backup:
    schedule: "0 3 * * *"
"""
KEPT = "--keep-daily 14 --keep-weekly 8 --keep-monthly 12"


def repaired(folder: Path, text: str) -> Amendment:
    (folder / "estate.yaml").write_text(text, encoding="utf-8")
    options = FixOptions(select=("backup-retention-missing",), unsafe=True, today=TODAY)
    return fix([folder], options, lambda *_: None).amendment


@pytest.mark.parametrize(
    ("program", "line"),
    [
        (
            "restic -r s3:https://s3.example.com/copies backup --host save /files",
            f"restic -r s3:https://s3.example.com/copies forget --host save {KEPT} --prune",
        ),
        ("borg create ::files-{now} /files", f"borg prune --glob-archives 'files-*' {KEPT}"),
    ],
)
def test_a_tool_forgets_its_own(tmp_path: Path, program: str, line: str) -> None:
    amendment = repaired(tmp_path, JOB.replace("PROGRAM", program))
    assert len(amendment.applied) == 1, (amendment.not_fixed, amendment.dropped)
    held = yaml.safe_load(amendment.changes[0].after)
    pod = held["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"] == [f"{program} && {line}\n"]


@pytest.mark.parametrize(
    "program",
    [
        "restic -r s3:https://s3.example.com/copies backup /files",
        'restic -r s3:https://s3.example.com/copies backup --host "$(hostname)" /files',
        "borg create ::{now} /files",
    ],
)
def test_whose_copies_are_not_known_stay(tmp_path: Path, program: str) -> None:
    amendment = repaired(tmp_path, JOB.replace("PROGRAM", program))
    assert [(one.reason, program.split()[0] in one.text) for one in amendment.not_fixed] == [
        ("whose copies the tool would remove is not certain", True)
    ]


@pytest.mark.parametrize(
    ("estate", "kind", "route", "value"),
    [
        (CLUSTER, "Cluster", ("backup", "retentionPolicy"), "30d"),
        (K8UP, "Schedule", ("prune", "retention"), {"keepDaily": 14, "keepWeekly": 8, "keepMonthly": 12}),
    ],
    ids=["cloudnative-pg", "k8up"],
)
def test_an_operator_is_told(tmp_path: Path, estate: str, kind: str, route: tuple[str, str], value: object) -> None:
    amendment = repaired(tmp_path, estate)
    assert len(amendment.applied) == 1, (amendment.not_fixed, amendment.dropped)
    held = next(one for one in yaml.safe_load_all(amendment.changes[0].after) if one["kind"] == kind)
    assert held["spec"][route[0]][route[1]] == value
