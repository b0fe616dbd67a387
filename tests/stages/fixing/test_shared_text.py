"""One text that feeds several: all are cured by one edit, or only the one that is meant, or it is said why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from shoreup.model.amendment import Amendment
from shoreup.stages.fix import FixOptions, fix

DEPLOYMENT = """\
resource "kubernetes_deployment_v1" "this" {
FIRST  metadata {
    name      = NAME
    namespace = "home"
  }
  spec {
    replicas = 2
    strategy {
      type = "RollingUpdate"
    }
    selector {
      match_labels = { app = NAME }
    }
    template {
      metadata {
        labels = { app = NAME }
      }
      spec {
        container {
          name  = "main"
          image = "vaultwarden/server:1.32.0"
          resources {
            limits = { cpu = CPU }
          }
        }
      }
    }
  }
}
"""
CALL = 'module "{name}" {{\n  source = "../modules/app"\n  name   = "{name}"\n{more}}}\n'


def code(name: str, *, first: str = "", cpu: str = '"100m"') -> str:
    return DEPLOYMENT.replace("FIRST", first).replace("NAME", name).replace("CPU", cpu)


def fixed(root: Path, files: Mapping[str, str], concern: str) -> Amendment:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    options = FixOptions(select=(concern,), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    return amendment


def difference(amendment: Amendment) -> list[str]:
    """The lines that change, with their file."""
    from shoreup.report.patch import lines

    said = [line.decode().rstrip() for change in amendment.changes for line in lines(change)]
    return [line for line in said if line[:1] in "+-" and line[:3] not in ("+++", "---")]


VARIABLES = 'variable "name" {\n  type = string\n}\n\nvariable "cpu" {\n  type    = string\n  default = "100m"\n}\n\n'


def called(*calls: str) -> dict[str, str]:
    return {
        "modules/app/main.tf": VARIABLES + code("var.name", cpu="var.cpu"),
        "stack/main.tf": "\n".join(calls),
    }


def test_all_calls_are_sick_and_one_edit_cures_them(tmp_path: Path) -> None:
    calls = [CALL.format(name=name, more="") for name in ("left", "right", "third")]
    amendment = fixed(tmp_path, called(*calls), "replicas-colocated")
    assert len(amendment.applied) == 3
    assert [change.path for change in amendment.changes] == ["modules/app/main.tf"]
    assert sum("topology_spread_constraint" in line for line in difference(amendment)) == 1


def test_what_some_calls_need_and_the_module_says_itself_is_left_with_the_reason(tmp_path: Path) -> None:
    files = called(*(CALL.format(name=name, more="") for name in ("left", "right")))
    files["modules/app/main.tf"] = files["modules/app/main.tf"].replace("replicas = 2", "replicas = var.replicas")
    files["modules/app/main.tf"] += '\nvariable "replicas" {\n  type    = number\n  default = 1\n}\n'
    files["stack/main.tf"] = files["stack/main.tf"].replace('"right"\n}', '"right"\n  replicas = 2\n}')
    amendment = fixed(tmp_path, files, "replicas-colocated")
    assert amendment.applied == ()
    assert amendment.changes == ()
    (left,) = amendment.not_fixed
    assert "the module modules/app is called 2 times" in left.reason


def test_instances_of_one_map_are_cured_by_one_edit(tmp_path: Path) -> None:
    loop = '  for_each = toset(["left", "right"])\n\n'
    amendment = fixed(tmp_path, {"stack/main.tf": code("each.key", first=loop)}, "replicas-colocated")
    assert len(amendment.applied) == 2
    assert sum("topology_spread_constraint" in line for line in difference(amendment)) == 1


def test_two_of_a_base_with_two_overlays(tmp_path: Path) -> None:
    base = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:1.29.3
"""
    overlay = "kind: Kustomization\nnamespace: {}\nresources: [../../base]\n"
    files = {
        "base/web.yaml": base,
        "base/kustomization.yaml": "kind: Kustomization\nresources: [web.yaml]\n",
        "overlays/here/kustomization.yaml": overlay.format("here"),
        "overlays/there/kustomization.yaml": overlay.format("there"),
    }
    amendment = fixed(tmp_path, files, "replicas-colocated")
    assert {one.finding.resource.namespace for one in amendment.applied if one.finding.resource} == {"here", "there"}
    assert [change.path for change in amendment.changes] == ["base/web.yaml"]
    assert sum("topologySpreadConstraints" in line for line in difference(amendment)) == 1


def test_two_findings_on_one_value(tmp_path: Path) -> None:
    files = {"stack/main.tf": code('"web"').replace('"vaultwarden/server:1.32.0"', '"nginx:1.29.3"')}
    files["stack/main.tf"] += """
resource "kubernetes_service_v1" "this" {
  metadata {
    name      = "web"
    namespace = "home"
  }
  spec {
    selector = { app = "web" }
    port {
      port = 80
    }
  }
}
"""
    root = tmp_path
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    names = ("probe-liveness-missing", "probe-readiness-missing", "replicas-colocated", "cpu-limit-throttling")
    amendment = fix([root], FixOptions(select=names, unsafe=True, today=date(2026, 11, 23)), lambda *_: None).amendment
    assert amendment.dropped == ()
    assert {one.finding.concern for one in amendment.applied} >= {"probe-liveness-missing", "probe-readiness-missing"}
    text = amendment.changes[0].after.decode()
    assert text.count("liveness_probe {") == text.count("readiness_probe {") == 1
