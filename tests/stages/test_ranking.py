"""What comes first: what is lost, unless it is only half as bad as what stands next."""

from __future__ import annotations

from pathlib import Path

from shoreup.stages.audit import AuditOptions, audit

ESTATE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: web, namespace: web}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: web}
---
apiVersion: velero.io/v1
kind: Schedule
metadata: {name: nightly, namespace: velero}
spec: {schedule: "0 2 * * *", template: {includedNamespaces: ["*"], ttl: 336h}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers: [{name: web, image: "ghcr.io/example/web:latest"}]
"""


def test_a_medium_data_loss_gives_way_to_a_grave_takeover_and_to_nothing_less(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    asked = ("rbac-cluster-admin", "backup-retention-age-only", "image-tag-latest", "network-policy-missing")
    account = audit([tmp_path], AuditOptions(cache=False, select=asked))
    assert [one.concern for one in account.findings] == list(asked)
