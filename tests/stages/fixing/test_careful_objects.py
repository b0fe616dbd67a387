"""Workloads for which the usual cure would do harm: it is made otherwise, or it is said why it is not made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.model.amendment import Amendment
from shoreup.stages.fix import FixOptions, fix

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: main, namespace: home}
spec:
  selector: {app: main}
  ports: [{port: PORT}]
"""
MAIN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: main, namespace: home}
spec:
  replicas: 1
SPEC  selector: {matchLabels: {app: main}}
  template:
    metadata: {labels: {app: main}}
    spec:
POD      containers:
        - name: main
          image: IMAGE
MORE"""


def repaired(
    root: Path, concern: str, image: str, port: int, *, spec: str = "", pod: str = "", more: str = "", beside: str = ""
) -> Amendment:
    filled = {"SPEC": (2, spec), "POD": (6, pod), "MORE": (10, more)}
    body = MAIN.replace("IMAGE", image)
    for mark, (depth, text) in filled.items():
        body = body.replace(mark, "".join(f"{'':{depth}}{line}\n" for line in text.splitlines()))
    content = body + SERVICE.replace("PORT", str(port)) + beside
    (root / "main.yaml").write_text(content, encoding="utf-8")
    options = FixOptions(select=(concern,), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    return amendment


def written(amendment: Amendment) -> str:
    (change,) = amendment.changes
    return change.after.decode()


def test_a_slow_starter_gets_time_for_its_start_with_the_liveness_probe(tmp_path: Path) -> None:
    made = written(repaired(tmp_path, "probe-liveness-missing", "postgres:17.2", 5432))

    assert "livenessProbe:" in made
    assert "startupProbe:" in made
    assert "failureThreshold: 60" in made


@pytest.mark.parametrize(
    "more",
    [
        "args: [redis-server, --port, '0', --tls-port, '6379']",
        "env: [{name: REDIS_TLS_ENABLED, value: 'yes'}]",
    ],
)
def test_a_tool_that_would_not_reach_the_server_is_no_probe(tmp_path: Path, more: str) -> None:
    made = written(repaired(tmp_path, "probe-liveness-missing", "redis:7.4.1", 6379, more=more))

    assert "redis-cli" not in made
    assert "tcpSocket:" in made


def test_a_server_on_another_port_is_asked_there(tmp_path: Path) -> None:
    made = written(repaired(tmp_path, "probe-readiness-missing", "postgres:17.2", 5433))

    assert "pg_isready" not in made
    assert "port: 5433" in made.split("readinessProbe:")[1]


QUOTA = """\
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: home}
spec: {hard: {limits.cpu: "8"}}
"""


def test_a_limit_that_a_quota_asks_for_stays(tmp_path: Path) -> None:
    limit = "resources: {limits: {cpu: 100m, memory: 1Gi}}"
    made = repaired(tmp_path, "cpu-limit-throttling", "postgres:17.2", 5432, more=limit, beside=QUOTA)

    assert made.applied == ()
    assert "refuses pods without one" in made.not_fixed[0].reason


def test_work_does_not_leave_the_node_that_has_its_files(tmp_path: Path) -> None:
    pod = "nodeSelector: {kubernetes.io/hostname: one}\nvolumes: [{name: data, hostPath: {path: /srv/models}}]"
    more = "resources: {limits: {nvidia.com/gpu: 1}}\nvolumeMounts: [{name: data, mountPath: /models}]"
    made = repaired(tmp_path, "gpu-pinned", "ollama/ollama:0.5.1", 11434, pod=pod, more=more)

    assert made.applied == ()
    assert "without its data" in made.not_fixed[0].reason


BUDGET = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guard, namespace: home}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: main}}}
"""
CLIENTS = "".join(
    f"""\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: client-{number}, namespace: home}}
spec:
  selector: {{matchLabels: {{app: client-{number}}}}}
  template:
    metadata: {{labels: {{app: client-{number}}}}}
    spec:
      containers:
        - name: main
          image: example.org/client:1.0.0
          env: [{{name: BACKEND, value: "http://main.home.svc:80"}}]
"""
    for number in range(4)
)


def test_two_replicas_under_a_budget_get_no_second_budget(tmp_path: Path) -> None:
    made = repaired(tmp_path, "replica-single", "nginx:1.27.3", 80, beside=CLIENTS + BUDGET)

    assert "replicas: 2" in written(made)
    assert written(made).count("PodDisruptionBudget") == 1


@pytest.mark.parametrize(
    ("spec", "pod", "more", "reason"),
    [
        ("strategy: {type: Recreate}", "", "", "two must not run at a time"),
        ("", "hostNetwork: true", "", "a port of its node"),
        ("", "", "ports: [{containerPort: 80, hostPort: 80}]", "a port of its node"),
        ("", "nodeName: one", "", "names the one node"),
    ],
)
def test_one_replica_stays_where_a_second_could_not_run(
    tmp_path: Path, spec: str, pod: str, more: str, reason: str
) -> None:
    made = repaired(tmp_path, "replica-single", "nginx:1.27.3", 80, spec=spec, pod=pod, more=more, beside=CLIENTS)

    assert made.applied == ()
    assert reason in made.not_fixed[0].reason
