"""What the owner says is protected elsewhere is believed until it expires."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.model.account import Account
from shoreup.stages.audit import AuditOptions, audit

TODAY = date(2026, 11, 23)
BACKUP = """apiVersion: v1
kind: PersistentVolume
metadata: {name: data}
spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce], nfs: {server: 10.0.0.5, path: /data}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: postgres:16.4
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
      volumes: [{name: data, nfs: {server: 10.0.0.5, path: /data}}]
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
          volumes: [{name: backup, nfs: {server: 10.0.0.5, path: /backup}}]
"""
PROTECTION = '[[protection]]\nwhat = "{what}"\nby = "the NAS"\ncovers = ["{cover}"]\nexpires = {expires}\n'


def look(root: Path, concern: str) -> Account:
    return audit([root], AuditOptions(select=(concern,), cache=False, today=TODAY))


@pytest.mark.parametrize("what", ["shop/db", "shop/dump", "10.0.0.5", "10.0.0.5:/backup", "shop/*"])
@pytest.mark.parametrize(
    ("concern", "cover"),
    [
        ("backup-same-failure-domain", "off-site"),
        ("backup-retention-missing", "retention"),
        ("backup-failure-silent", "alert"),
    ],
)
def test_a_protection_counts_until_it_expires(tmp_path: Path, concern: str, cover: str, what: str) -> None:
    (tmp_path / "shop.yaml").write_text(BACKUP)
    assert len(look(tmp_path, concern).findings) == 1
    settings = tmp_path / "shoreup.toml"
    settings.write_text(PROTECTION.format(what=what, cover=cover, expires="2026-11-24"))
    assert look(tmp_path, concern).findings == ()
    settings.write_text(PROTECTION.format(what=what, cover=cover, expires="2026-11-23"))
    account = look(tmp_path, concern)
    assert len(account.findings) == 1
    assert [(one.line, "set a new day" in one.message) for one in account.notices] == [(5, True)]


def test_a_protection_of_another_kind_or_thing_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(BACKUP)
    for what, cover in (("shop/db", "alert"), ("shop/other", "off-site")):
        (tmp_path / "shoreup.toml").write_text(PROTECTION.format(what=what, cover=cover, expires="2027-11-24"))
        assert len(look(tmp_path, "backup-same-failure-domain").findings) == 1
