"""``shoreup report``: one file about an estate, made of what the audit, the wiring and the fixes say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shoreup.cli.main import run

ESTATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki, namespace: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      containers:
        - name: wiki
          image: nginx:latest
          env: [{name: DB_HOST, value: db.data.svc}]
          ports: [{containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: 80}}
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
      containers:
        - name: db
          image: postgres:17.2
          env: [{name: POSTGRES_PASSWORD, value: open-sesame-1234}]
          ports: [{containerPort: 5432}]
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / "all.yaml").write_text(ESTATE, encoding="utf-8")
    return tmp_path / "estate"


def data(page: str) -> Any:
    """What the page was given."""
    found = re.search(r'<script type="application/json" id="dossier">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_page_holds_readiness_wiring_fixes_and_no_secret(estate: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    assert run(["report", str(estate), "--output", str(target)]) == 0
    page = target.read_text(encoding="utf-8")
    assert "open-sesame-1234" not in page
    told = data(page)
    cells = {one["name"]: {name: cell["standing"] for name, cell in one["cells"].items()} for one in told["services"]}
    assert cells["db"]["backed-up"] == "trouble"
    assert cells["db"]["restored"] == "trouble"
    assert cells["wiki"]["backed-up"] == "none"
    assert cells["wiki"]["pinned"] == "trouble"
    assert cells["wiki"]["budgeted"] == "trouble"
    assert any(one["how"] == "calls" for one in told["graph"]["links"])
    assert any("PodDisruptionBudget" in one["diff"] for one in told["fixes"]["diffs"])
    assert {one["fingerprint"] for one in told["first"]} <= {one["fingerprint"] for one in told["account"]["findings"]}
    assert (estate / "all.yaml").read_text(encoding="utf-8") == ESTATE


def test_an_audit_writes_the_same_page_of_what_it_was_asked_for(estate: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    asked = ["audit", str(estate), "--no-cache", "--select", "backup-missing", "--format", "html"]
    assert run([*asked, "--output", str(target)]) == 1
    found = data(target.read_text(encoding="utf-8"))["account"]["findings"]
    assert [one["concern"] for one in found] == ["backup-missing"]


def test_the_browser_is_asked_to_show_the_page(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(ESTATE)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    browser.chmod(0o755)
    page = tmp_path / "out.html"
    command = [sys.executable, "-m", "shoreup", "report", str(tmp_path), "-o", str(page), "--open"]
    done = subprocess.run(
        command, env={**os.environ, "BROWSER": f"{browser} %s"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text() == f"{page.as_uri()}\n"


def test_a_browser_cannot_show_what_goes_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--open", "-o", "-"]) == 2
    assert "A browser opens a file" in capsys.readouterr().err
