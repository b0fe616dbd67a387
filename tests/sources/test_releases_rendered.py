"""A chart in the repository is rendered by Helm, if there is one, and never by anything that the chart brings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bad_estates import write
from releasing import Estate, estate
from shoreup.report import contract
from shoreup.sources.releases import rendered
from shoreup.stages.audit import AuditOptions, audit

CHART = {
    "main.tf": """\
resource "helm_release" "web" {
  name      = "web"
  namespace = "apps"
  chart     = "./charts/web"
  values    = [yamlencode({ replicas = var.replicas })]
}
variable "replicas" { default = 3 }
""",
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "charts/web/values.yaml": "image: {repository: nginx, tag: 1.27.1}\n",
    "charts/web/templates/web.yaml": "kind: Deployment\nspec:\n  replicas: {{ .Values.replicas }}\n",
}
RENDERED = """\
---
# Source: web/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: elsewhere}
spec:
  replicas: 3
"""


def helm(root: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A Helm of our own, which writes down how it was called."""
    program = root / "helm"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("SHOREUP_HELM", str(program))


def says(text: str) -> str:
    return f"cat <<'END'\n{text}END"


def test_rendered_objects_lead_back_to_their_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm(tmp_path, monkeypatch, says(RENDERED))
    read = estate(tmp_path / "estate", CHART)
    made = read.made["Deployment/web"]
    assert (made.resource.namespace, made.resource.parent) == ("elsewhere", read.release.resource.key)
    assert read.text_at(made.tracer.trace(("spec", "replicas"))).strip() == "replicas: {{ .Values.replicas }}"
    assert made.tracer.trace(("spec", "strategy")) is None


def test_helm_sees_the_merged_values_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "record"
    helm(tmp_path, monkeypatch, f'/bin/cat values.json > {record}; echo "$HOME $SECRET $*" >> {record}')
    monkeypatch.setenv("SECRET", "hidden-from-helm")
    assert estate(tmp_path / "estate", CHART).made
    seen = record.read_text(encoding="utf-8")
    assert '"replicas": 3' in seen
    assert '"tag": "1.27.1"' in seen
    assert "hidden-from-helm" not in seen
    assert os.environ.get("HOME", "/root") not in seen.split()


def stated(read: Estate) -> bool:
    """The release fell back to what its values state."""
    return set(read.made) == {"ReleaseValues/web", "ChartValues/web"}


def test_without_helm_the_values_are_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOREUP_HELM", "")
    assert stated(estate(tmp_path, CHART))


def test_what_helm_refuses_is_an_error_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm(tmp_path, monkeypatch, "echo 'Error: no such function' >&2; exit 1")
    read = estate(tmp_path / "estate", CHART)
    assert stated(read)
    (error,) = read.tree.errors
    assert (error.file, error.skipped) == ("charts/web/Chart.yaml", "the chart's objects")
    assert "no such function" in error.cause


@pytest.mark.parametrize(
    "change",
    [
        {"main.tf": CHART["main.tf"].replace("default = 3", "type = number")},
        {"charts/web/Chart.yaml": CHART["charts/web/Chart.yaml"] + "dependencies: [{name: db, version: 1.0.0}]\n"},
    ],
    ids=["a value that only an apply knows", "a dependency that is not in the repository"],
)
def test_what_cannot_be_rendered_truly_is_not_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    helm(tmp_path, monkeypatch, says(RENDERED))
    read = estate(tmp_path / "estate", {**CHART, **change})
    assert stated(read)
    assert read.tree.errors == []


def test_what_helm_said_can_be_told_in_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm(tmp_path, monkeypatch, "echo 'Error: no such function' >&2; exit 1")
    write(tmp_path / "estate", CHART)
    account = audit([tmp_path / "estate"], AuditOptions(cache=False))
    assert "no such function" in contract.render(account)
    assert [one.cause for one in account.errors] == ["Helm refused the chart: Error: no such function"]


@pytest.mark.parametrize("script", ["exec /bin/sleep 60", "/usr/bin/yes"])
def test_a_chart_that_has_reached_a_limit_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    record = tmp_path / "record"
    helm(tmp_path, monkeypatch, f"echo tried >> {record}; {script}")
    monkeypatch.setattr(rendered, "SECONDS", 0.5)
    monkeypatch.setattr(rendered, "MAX_OUTPUT", 10_000)
    twice = CHART["main.tf"] + CHART["main.tf"].partition("variable")[0].replace('"web"', '"again"', 1)
    write(tmp_path / "estate", {**CHART, "main.tf": twice})
    account = audit([tmp_path / "estate"], AuditOptions(cache=False))
    assert record.read_text() == "tried\n"
    (error,) = account.errors
    assert error.cause.startswith("Helm came to a limit")


def test_a_flux_release_names_its_chart_from_the_top_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm(tmp_path, monkeypatch, says(RENDERED))
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: apps}\n"
        "spec:\n  chart: {spec: {chart: ./charts/web/, sourceRef: {kind: GitRepository, name: here}}}\n"
    )
    files = {path: text for path, text in CHART.items() if path != "main.tf"}
    assert "Deployment/web" in estate(tmp_path / "estate", {**files, "release.yaml": release}).made
    absent = estate(tmp_path / "other", {"release.yaml": release})
    assert set(absent.made) == {"ReleaseValues/web"}
    assert absent.tree.errors == []


def test_an_answer_from_before_helm_was_there_is_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SHOREUP_HELM", "")
    write(tmp_path / "estate", CHART)
    audit([tmp_path / "estate"], AuditOptions())
    assert audit([tmp_path / "estate"], AuditOptions()).cached
    helm(tmp_path, monkeypatch, says(RENDERED))
    assert not audit([tmp_path / "estate"], AuditOptions()).cached
