"""What a chart makes is changed in its values, in the words of the chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from editing_estates import Estate
from shoreup.formats.edits import CannotWrite
from shoreup.model.location import Route
from shoreup.model.value import Value

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
spec:
  chart:
    spec:
      chart: app-template
      version: 3.7.3
      sourceRef: {kind: HelmRepository, name: bjw-s}
  values:
    controllers:
      web:
        containers:
          app:
            image:
              repository: nginx
              tag: 1.0.0@sha256:1111111111111111111111111111111111111111111111111111111111111111
            env:
              PORT: &port 80
            probes:
              liveness: &probe
                enabled: true
                custom: true
                spec:
                  httpGet: {path: /, port: *port}
    service:
      app:
        controller: web
        ports:
          http:
            port: *port
"""
POD = ("spec", "template", "spec")
APP = (*POD, "containers", 0)
PROBE: Value = {"httpGet": {"path": "/ready", "port": 80}}


@pytest.mark.parametrize(
    ("route", "value", "added", "gone"),
    [
        (
            (*APP, "readinessProbe"),
            PROBE,
            """\
              readiness:
                enabled: true
                custom: true
                spec:
                  httpGet:
                    path: /ready
                    port: 80
""",
            "",
        ),
        ((*APP, "resources", "limits", "memory"), "1Gi", "              limits:\n                memory: 1Gi\n", ""),
        (("spec", "replicas"), 2, "        replicas: 2\n", ""),
        (("spec", "strategy"), {"type": "RollingUpdate"}, "        strategy: RollingUpdate\n", ""),
        (
            (*POD, "tolerations"),
            [{"operator": "Exists"}],
            "        pod:\n          tolerations:\n            - operator: Exists\n",
            "",
        ),
        ((*APP, "livenessProbe", "httpGet", "path"), "/live", "{path: /live, port: *port}", "{path: /, port: *port}"),
        ((*APP, "livenessProbe", "periodSeconds"), 30, "                  periodSeconds: 30\n", ""),
        (("metadata", "annotations", "a"), "b", "        annotations:\n          a: b\n", ""),
    ],
)
def test_a_field_becomes_a_value(tmp_path: Path, route: Route, value: Value, added: str, gone: str) -> None:
    estate = Estate(tmp_path, {"web.yaml": RELEASE})
    _, editor = estate.editor("Deployment", "web")
    estate.change(lambda tree: editor.put(route, value, tree.read))
    assert added in estate.text("web.yaml")
    if not gone:
        assert len(estate.text("web.yaml")) >= len(RELEASE) + len(added)
    assert estate.value("Deployment", "web", *route) == value
    _, editor = estate.editor("Deployment", "web")
    assert editor.put(route, value, estate.tree.read) == ()


def test_a_port_is_named_as_its_owner_names_it(tmp_path: Path) -> None:
    text = RELEASE.replace(
        "            env:", "            ports:\n              - containerPort: *port\n            env:"
    )
    text = text.replace("PORT: &port 80", "PORT: *port").replace("containerPort: *port", "containerPort: &port 80")
    estate = Estate(tmp_path, {"web.yaml": text})
    _, editor = estate.editor("Deployment", "web")
    like = ((("httpGet", "port"), (*APP, "ports", 0, "containerPort")),)
    estate.change(lambda tree: editor.put((*APP, "readinessProbe"), PROBE, tree.read, like=like))
    assert "                    path: /ready\n                    port: *port\n" in estate.text("web.yaml")
    assert estate.value("Deployment", "web", *APP, "readinessProbe") == PROBE


def test_an_image_changes_in_its_tag(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"web.yaml": RELEASE})
    _, editor = estate.editor("Deployment", "web")
    image = "nginx:1.0.1@sha256:" + "2" * 64
    estate.change(lambda tree: editor.put((*APP, "image"), image, tree.read))
    assert estate.text("web.yaml") == RELEASE.replace("1.0.0@", "1.0.1@").replace("1" * 64, "2" * 64)
    assert estate.value("Deployment", "web", *APP, "image") == image


def test_a_variable_is_added_as_the_values_hold_variables(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"web.yaml": RELEASE})
    _, editor = estate.editor("Deployment", "web")
    variable: Value = {"name": "ZONE", "value": "on"}
    estate.change(lambda tree: editor.append((*APP, "env"), variable, tree.read))
    assert '              PORT: &port 80\n              ZONE: "on"\n' in estate.text("web.yaml")
    assert variable in (estate.value("Deployment", "web", *APP, "env") or [])  # type: ignore[operator] # a list


def test_a_budget_is_the_charts_own_and_other_objects_stand_beside_the_release(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {"app/helmrelease.yaml": RELEASE, "app/kustomization.yaml": "resources:\n  - ./helmrelease.yaml\n"},
    )
    found, editor = estate.editor("Deployment", "web")
    selector = found.resource.body["spec"]["selector"]  # type: ignore[index,call-overload] # a Deployment's
    budget: dict[str, Value] = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"maxUnavailable": 1, "selector": selector},
    }
    assert estate.change(lambda tree: editor.add(budget, tree.read)) == ["app/helmrelease.yaml"]
    assert "        podDisruptionBudget:\n          maxUnavailable: 1\n" in estate.text("app/helmrelease.yaml")
    assert estate.value("PodDisruptionBudget", "web", "spec") == budget["spec"]
    _, editor = estate.editor("Deployment", "web")
    policy: dict[str, Value] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "web"},
        "spec": {"podSelector": {}},
    }
    touched = estate.change(lambda tree: editor.add(policy, tree.read))
    assert touched == ["app/kustomization.yaml", "app/networkpolicy.yaml"]
    assert estate.value("NetworkPolicy", "web") == policy


@pytest.mark.parametrize(
    ("route", "value", "reason"),
    [
        ((*POD, "volumes"), [], "of other values"),
        ((*APP, "volumeMounts"), [], "no value for volumeMounts"),
        (("spec", "minReadySeconds"), 5, "no value for minReadySeconds"),
        (("spec", "strategy"), {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}}, "a step of 0"),
    ],
)
def test_what_the_chart_cannot_be_told_is_refused(tmp_path: Path, route: Route, value: Value, reason: str) -> None:
    estate = Estate(tmp_path, {"web.yaml": RELEASE})
    _, editor = estate.editor("Deployment", "web")
    with pytest.raises(CannotWrite, match=reason):
        editor.put(route, value, estate.tree.read)


OTHER = (
    RELEASE.replace("chart: app-template", "chart: shop").split("  values:\n")[0]
    + """\
  values:
    server:
      image: {repository: shop, tag: "1"}
      resources:
        requests: {cpu: 10m}
"""
)


def test_other_charts_are_told_what_their_values_say_already(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"web.yaml": OTHER})
    _, editor = estate.editor("ChartValues", "web")
    route: Route = ("components", 0, "resources", "limits")
    estate.change(lambda tree: editor.put(route, {"memory": "1Gi"}, tree.read))
    assert estate.value("ChartValues", "web", *route) == {"memory": "1Gi"}
    _, editor = estate.editor("ChartValues", "web")
    with pytest.raises(CannotWrite, match="not known"):
        editor.put(("components", 0, "readinessProbe"), PROBE, estate.tree.read)


VALUES = """\
controllers:
  web:
    containers:
      app:
        image: {repository: nginx, tag: "1.0"} # the web server
"""


@pytest.mark.parametrize(
    ("files", "file", "line"),
    [
        (
            {
                "main.tf": 'resource "helm_release" "web" {\n  name = "web"\n  repository = "https://bjw-s"\n'
                '  chart = "app-template"\n  version = "3.7.3"\n  values = [<<-EOT\n'
                + "".join(f"    {line}\n" for line in VALUES.splitlines())
                + "  EOT\n  ]\n}\n"
            },
            "main.tf",
            "            probes:\n              readiness:\n                enabled: true\n",
        ),
        (
            {
                "main.tf": 'resource "helm_release" "web" {\n  name = "web"\n  repository = "https://bjw-s"\n'
                '  chart = "app-template"\n  version = "3.7.3"\n  values = [file("values.yaml")]\n}\n',
                "values.yaml": VALUES,
            },
            "values.yaml",
            "        probes:\n          readiness:\n            enabled: true\n",
        ),
        (
            {
                "main.tf": 'resource "helm_release" "web" {\n  name = "web"\n  repository = "https://bjw-s"\n'
                '  chart = "app-template"\n  version = "3.7.3"\n  values = [yamlencode({\n    controllers = {\n'
                "      web = {\n        containers = {\n          app = {\n"
                '            image = { repository = "nginx", tag = "1.0" } # the web server\n'
                "          }\n        }\n      }\n    }\n  })]\n}\n"
            },
            "main.tf",
            "            probes = {\n              readiness = {\n                enabled = true\n",
        ),
        (
            {
                "app.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec:\n"
                "  source:\n    repoURL: https://bjw-s\n    chart: app-template\n    targetRevision: 3.7.3\n"
                "    helm:\n      values: |\n" + "".join(f"        {line}\n" for line in VALUES.splitlines())
            },
            "app.yaml",
            "                probes:\n                  readiness:\n                    enabled: true\n",
        ),
        (
            {
                "web.yaml": RELEASE.split("  values:\n")[0]
                + "  valuesFrom:\n    - kind: ConfigMap\n      name: values\n",
                "values.yaml": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata:\n  values.yaml: "'
                + VALUES.replace('"', '\\"').replace("\n", "\\n")
                + '"\n',
            },
            "values.yaml",
            "        probes:\\n          readiness:\\n            enabled: true\\n",
        ),
    ],
)
def test_values_are_written_wherever_their_text_stands(
    tmp_path: Path, files: dict[str, str], file: str, line: str
) -> None:
    estate = Estate(tmp_path, files)
    _, editor = estate.editor("Deployment", "web")
    assert estate.change(lambda tree: editor.put((*APP, "readinessProbe"), PROBE, tree.read)) == [file]
    assert line in estate.text(file)
    assert "# the web server" in estate.text(file)
    assert estate.value("Deployment", "web", *APP, "readinessProbe") == PROBE
    _, editor = estate.editor("Deployment", "web")
    estate.change(lambda tree: editor.put((*APP, "image"), "nginx:1.1", tree.read))
    assert estate.value("Deployment", "web", *APP, "image") == "nginx:1.1"
