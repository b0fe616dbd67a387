"""Rules that go off when they should and only then, by Prometheus' own tool, and that close what the audit finds."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from shoreup.stages.alerts import Dialect, alerts
from shoreup.stages.audit import AuditOptions, audit

ESTATE = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: data}
spec:
  schedule: "0 */6 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: postgres:17.2
              command: [sh, -c, "pg_dump -h bank bank > /copies/bank-$(date +%F).sql"]
              volumeMounts: [{name: copies, mountPath: /copies}]
          volumes: [{name: copies, nfs: {server: 192.0.2.5, path: /volume1/copies}}]
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: letsencrypt}
spec: {acme: {email: a@example.org}}
---
apiVersion: v1
kind: Prometheus
metadata: {name: k8s, namespace: watch}
"""
WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: web}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: {image}
          resources: {{limits: {limits}}}
          volumeMounts: [{{name: data, mountPath: /data}}]
      volumes: [{{name: data, nfs: {{server: 192.0.2.5, path: /volume1/{name}}}}}]
"""
RUN = (
    ("wiki", "ghcr.io/example/wiki:1.0", "{}"),
    ("blog", "ghcr.io/example/blog:1.0", "{}"),
    ("shop", "ghcr.io/example/shop:1.0", "{}"),
    ("pool", "docker.io/edoburu/pgbouncer:v1.23.1", "{}"),
    ("models", "docker.io/ollama/ollama:0.5.1", '{"nvidia.com/gpu": 1}'),
    ("kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.14.0", "{}"),
    ("node-exporter", "quay.io/prometheus/node-exporter:v1.8.2", "{}"),
    ("dcgm-exporter", "nvcr.io/nvidia/k8s/dcgm-exporter:3.3.9", "{}"),
    ("pgbouncer-exporter", "quay.io/prometheuscommunity/pgbouncer-exporter:v0.10.2", "{}"),
    ("cert-manager", "quay.io/jetstack/cert-manager-controller:v1.16.2", "{}"),
)
LATE = 'kube_cronjob_status_last_successful_time{namespace="data", cronjob="dump"}'
MADE = 'kube_cronjob_created{namespace="data", cronjob="dump"}'
DEVICE = 'node_filesystem_device_error{fstype="nfs4", device="192.0.2.5:/volume1/wiki"}'
CERTIFICATE = 'certmanager_certificate_expiration_timestamp_seconds{namespace="web", name="wiki"}'
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="not run: Debian's prometheus is missing")


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    root = tmp_path / "estate"
    root.mkdir()
    text = ESTATE.replace("apiVersion: v1\nkind: Prometheus", "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus")
    text += "".join(WORKLOAD.format(name=name, image=image, limits=limits) for name, image, limits in RUN)
    (root / "all.yaml").write_text(text, encoding="utf-8")
    return root


# By alert: series that make it go off, and series of a healthy day, by the minute from 0 on. The clock starts at 1970.
SERIES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "BackupLate": ({LATE: "0x1500"}, {LATE: "0x300 20000x1200"}),
    "StorageUnreachable": ({DEVICE: "1x1500"}, {DEVICE: "0x1500"}),
    "StorageFilling": (
        {"kubelet_volume_stats_available_bytes": "10x1500", "kubelet_volume_stats_capacity_bytes": "100x1500"},
        {"kubelet_volume_stats_available_bytes": "40x1500", "kubelet_volume_stats_capacity_bytes": "100x1500"},
    ),
    "CertificateEnding": ({CERTIFICATE: "600000x1500"}, {CERTIFICATE: "7000000x1500"}),
    "PoolFilling": (
        {"pgbouncer_databases_current_connections": "18x1500", "pgbouncer_databases_pool_size": "20x1500"},
        {"pgbouncer_databases_current_connections": "3x1500", "pgbouncer_databases_pool_size": "20x1500"},
    ),
    "PoolFull": (
        {"pgbouncer_pools_client_waiting_connections": "4x1500"},
        {"pgbouncer_pools_client_waiting_connections": "0x1500"},
    ),
    "CardSaturated": ({"DCGM_FI_DEV_GPU_UTIL": "99x1500"}, {"DCGM_FI_DEV_GPU_UTIL": "30x1500"}),
    "CardMemoryFull": (
        {"DCGM_FI_DEV_FB_USED": "99x1500", "DCGM_FI_DEV_FB_FREE": "1x1500"},
        {"DCGM_FI_DEV_FB_USED": "20x1500", "DCGM_FI_DEV_FB_FREE": "80x1500"},
    ),
}


def went_off(rules: Path, series: dict[str, str], alert: str, folder: Path) -> bool:
    """Whether an alert goes off on the series within 500 minutes, as promtool sees it."""
    test: dict[str, Any] = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                # No alert is expected; promtool fails where there is one, and shows it.
                "alert_rule_test": [{"eval_time": "500m", "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "got:[" in done.stderr.replace(" ", "").replace("\n", ""), done.stderr
    return done.returncode != 0


@needs_promtool
def test_every_rule_goes_off_when_it_should_and_only_then(estate: Path, tmp_path: Path) -> None:
    found = alerts([estate], Dialect.RULE_FILE, None, quiet)
    rules = tmp_path / "rules.yaml"
    rules.write_text(found.text, encoding="utf-8")
    subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, check=True)
    assert {one.name for one in found.rules} == set(SERIES)
    assert found.unwritten == ()
    for alert, (bad, good) in SERIES.items():
        assert went_off(rules, bad, alert, tmp_path), alert
        assert not went_off(rules, good, alert, tmp_path), alert
    # A job that was made long ago and never succeeded has no last success at all.
    assert went_off(rules, {MADE: "0x1500"}, "BackupLate", tmp_path)


def test_they_close_what_the_audit_finds(estate: Path) -> None:
    asked = AuditOptions(select=("alert-missing", "storage-unwatched"), cache=False, today=date(2026, 11, 23))
    assert len(audit([estate], asked).findings) == 6
    found = alerts([estate], None, None, quiet)
    assert found.dialect is Dialect.PROMETHEUS_RULE
    (estate / "alerts.yaml").write_text(found.text, encoding="utf-8")
    assert audit([estate], asked).findings == ()


def test_what_nothing_exports_gets_no_rule_and_is_named(estate: Path) -> None:
    text = (estate / "all.yaml").read_text(encoding="utf-8")
    (estate / "all.yaml").write_text(
        text.replace("nvcr.io/nvidia/k8s/dcgm-exporter", "example/other"), encoding="utf-8"
    )
    found = alerts([estate], None, None, quiet)
    assert [one.subject for one in found.unwritten] == ["gpu-saturated"]
    assert "DCGM" not in found.text


def test_rules_carry_the_labels_by_which_the_estates_own_are_found(estate: Path) -> None:
    own = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "own",
            "namespace": "obs",
            "labels": {"prometheus": "k8s", "app.kubernetes.io/name": "own"},
        },
        "spec": {"groups": []},
    }
    (estate / "own.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    metadata = yaml.safe_load(alerts([estate], None, None, quiet).text)["metadata"]
    assert metadata == {"name": "shoreup", "namespace": "obs", "labels": {"prometheus": "k8s"}}


@pytest.mark.parametrize(
    ("dialect", "way"),
    [
        (Dialect.RULE_FILE, ["groups"]),
        (Dialect.PROMETHEUS_RULE, ["spec", "groups"]),
        (Dialect.VM_RULE, ["spec", "groups"]),
        (Dialect.HELM_VALUES, ["additionalPrometheusRulesMap", "shoreup", "groups"]),
    ],
)
def test_every_dialect_holds_the_same_rules(estate: Path, dialect: Dialect, way: list[str]) -> None:
    held = yaml.safe_load(alerts([estate], dialect, None, quiet).text)
    for key in way:
        held = held[key]
    assert len(held[0]["rules"]) == len(SERIES)
