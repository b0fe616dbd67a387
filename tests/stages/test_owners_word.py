"""What the owner says in the settings is seen: in an explanation, or as a remark where it fits nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from proving import bring, proof
from shoreup.model.proof import Verdict
from shoreup.report.explanation import render
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.explanation import Question, explain

TODAY = date(2026, 11, 23)
ESTATE = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: postgres:latest
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: shop}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: postgres:16.4
              command: [bash, -ec, 'pg_dump -h db shop > /backup/shop-$(date +%F).sql']
              volumeMounts: [{name: backup, mountPath: /backup}]
          volumes: [{name: backup, nfs: {server: 192.0.2.5, path: /volume1/backups/shop}}]
"""
SETTINGS = """[tiers.critical]
services = ["shop/*"]
accepted-downtime = "5m"
[objectives.critical]
rpo = "24h"
rto = "4h"
[storage]
"192.0.2.5:/volume1/backups" = "/mnt/nas"
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(ESTATE)
    (tmp_path / "shoreup.toml").write_text(SETTINGS)
    return tmp_path


def explained(estate: Path, concern: str) -> str:
    """The explanation of the estate's finding of a concern."""
    account = audit([estate], AuditOptions(select=(concern,), cache=False, today=TODAY))
    (finding, *_) = (*account.findings, *account.unproven)
    return render(explain(Question(finding.fingerprint, [estate], today=TODAY), lambda *_: None))


def test_a_finding_about_a_backup_shows_the_objective_and_where_the_copies_are(estate: Path) -> None:
    text = explained(estate, "backup-retention-missing")
    assert "Of shop/db, 24 hours of the newest data may be lost." in text
    assert "shop/db must work again 4 hours after it was lost." in text
    assert "What it writes to is mounted at /mnt/nas/shop on your machine." in text


def test_a_finding_about_an_outage_shows_the_tier(estate: Path) -> None:
    text = explained(estate, "image-tag-latest")
    assert "shop/db is of the tier critical, which may be away for 5 minutes." in text
    assert "newest data" not in text


def test_nothing_is_shown_where_the_owner_said_nothing(estate: Path) -> None:
    (estate / "shoreup.toml").unlink()
    assert "Your settings" not in explained(estate, "image-tag-latest")


@pytest.mark.parametrize(
    "name", ["192.0.2.5:/volume1", "192.0.2.5:/volume1/backups/shop/2026", "shop/data", "192.0.2.5"]
)
def test_storage_of_the_estate_is_known_by_its_names(estate: Path, name: str) -> None:
    (estate / "shoreup.toml").write_text(f'[storage]\n"{name}" = "/mnt/nas"\n')
    assert audit([estate], AuditOptions(cache=False, today=TODAY)).notices == ()


def test_storage_that_the_estate_does_not_have_is_said(estate: Path) -> None:
    (estate / "shoreup.toml").write_text('[storage]\n"192.0.2.6:/volume1/backups" = "/mnt/nas"\n')
    (notice,) = audit([estate], AuditOptions(cache=False, today=TODAY)).notices
    assert (notice.file, notice.line) == ("shoreup.toml", 2)
    assert notice.message.startswith("192.0.2.6:/volume1/backups is no storage of this estate")
    part = audit([estate / "shop.yaml"], AuditOptions(cache=False, today=TODAY, config=estate / "shoreup.toml"))
    assert part.notices == ()


def test_storage_is_not_judged_where_some_of_it_is_not_decided(estate: Path) -> None:
    (estate / "shoreup.toml").write_text('[storage]\n"192.0.2.6:/volume1/backups" = "/mnt/nas"\n')
    (estate / "main.tf").write_text(
        """variable "nas" {}
resource "kubernetes_pod_v1" "copy" {
  metadata { name = "copy" }
  spec {
    container {
      name  = "copy"
      image = "alpine:3.20.1"
    }
    volume {
      name = "nas"
      nfs {
        server = var.nas
        path   = "/volume1/backups"
      }
    }
  }
}
"""
    )
    assert audit([estate], AuditOptions(cache=False, today=TODAY)).notices == ()


def test_what_drills_have_seen_of_the_thing_is_shown(estate: Path) -> None:
    bring(estate, "old", proof("restore", "CronJob shop/dump", number=1, taken=datetime(2026, 10, 1, tzinfo=UTC)))
    bring(estate, "new", proof("restore", "CronJob shop/dump", number=2, verdict=Verdict.FAIL))
    bring(estate, "other", proof("restore", "CronJob shop/other", number=3))
    text = " ".join(explained(estate, "backup-retention-missing").split("Drills")[1].split())
    assert text.startswith("restore of 2026-11-20: fail. The newest copy restores whole. Seen: every table matched.")
    assert text.index("2026-11-20") < text.index("restore of 2026-10-01: pass.")
    assert text.count("restore of") == 2
