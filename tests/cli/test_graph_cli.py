"""``shoreup graph`` on a small estate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoreup.cli.main import run

ESTATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki, namespace: web}
spec:
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      containers:
        - name: wiki
          image: ghcr.io/example/wiki:1.0
          env: [{name: DB_HOST, value: db.data.svc}]
          ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: wiki, namespace: web}
spec: {selector: {app: wiki}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: wiki, namespace: web}
spec:
  rules:
    - host: wiki.example.org
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: wiki, port: {number: 80}}}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "postgres:17.2", ports: [{containerPort: 5432}]}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "all.yaml").write_text(ESTATE, encoding="utf-8")
    return tmp_path


def test_what_stops_with_a_database_down_to_the_way_in(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", str(estate), "--without", "data/db", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = {one["id"]: one["name"] for one in told["things"]}
    assert {names[one] for one in told["loss"]["things"]} == {"StatefulSet data/db", "Service data/db"}
    stopped = [names[one["thing"]] for one in told["loss"]["stopped"]]
    assert stopped == ["Deployment web/wiki", "Service web/wiki", "wiki.example.org"]
    call = next(one for one in told["links"] if one["how"] == "calls")
    assert (call["file"], call["line"]) == ("all.yaml", 12)


def test_a_name_that_nothing_has_is_answered_with_near_ones(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", str(estate), "--without", "Deployment web/wikki"]) == 2
    assert "Deployment web/wiki" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "dot", "mermaid"])
def test_every_form_goes_into_a_file(estate: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / "wiring"
    assert run(["graph", str(estate), "--format", form, "--output", str(target)]) == 0
    assert "wiki.example.org" in target.read_text(encoding="utf-8")
