"""An object changes in the file that says it, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from editing_estates import Estate
from shoreup.formats.edits import CannotWrite
from shoreup.model.value import Value
from shoreup.sources.additions import Home, added
from shoreup.sources.editing import Editor
from yaml_estates import write

DEPLOYMENT = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      template:
        spec:
          containers:
            - name: web
              image: nginx:1.0
              ports:
                - containerPort: &port 80
    """
POD = ("spec", "template", "spec")
WEB = (*POD, "containers", 0)
PROBE: Value = {"httpGet": {"path": "/", "port": 80}}


def test_a_manifest_is_changed_where_it_stands(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"web.yaml": DEPLOYMENT})
    _, editor = estate.editor("Deployment", "web")
    like = (((("httpGet", "port")), (*WEB, "ports", 0, "containerPort")),)
    estate.change(lambda tree: editor.put((*WEB, "readinessProbe"), PROBE, tree.read, like=like))
    added = "          readinessProbe:\n            httpGet:\n              path: /\n              port: *port\n"
    assert estate.text("web.yaml") == dedent(DEPLOYMENT) + added
    assert estate.value("Deployment", "web", *WEB, "readinessProbe") == PROBE
    _, editor = estate.editor("Deployment", "web")
    estate.change(lambda tree: editor.remove((*WEB, "readinessProbe"), tree.read))
    assert estate.text("web.yaml") == dedent(DEPLOYMENT)
    _, editor = estate.editor("Deployment", "web")
    estate.change(lambda tree: editor.append((*WEB, "env"), {"name": "A", "value": "1"}, tree.read))
    assert estate.value("Deployment", "web", *WEB, "env") == [{"name": "A", "value": "1"}]


def test_changes_of_one_place_come_in_the_order_of_what_ends_there(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"web.yaml": DEPLOYMENT})
    _, editor = estate.editor("Deployment", "web")
    estate.change(
        lambda tree: (
            *editor.put((*POD, "tolerations"), [{"operator": "Exists"}], tree.read),
            *editor.put((*WEB, "readinessProbe"), PROBE, tree.read),
            *editor.append((*WEB, "ports"), {"containerPort": 90}, tree.read),
        )
    )
    assert estate.value("Deployment", "web", *POD, "tolerations") == [{"operator": "Exists"}]
    assert estate.value("Deployment", "web", *WEB, "readinessProbe") == PROBE
    assert estate.value("Deployment", "web", *WEB, "ports") == [{"containerPort": 80}, {"containerPort": 90}]


BUDGET: dict[str, Value] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}


@pytest.mark.parametrize(
    ("files", "new", "listing"),
    [
        ({"apps/web.yaml": DEPLOYMENT}, "apps/web-poddisruptionbudget.yaml", ""),
        (
            {
                "apps/deployment.yaml": DEPLOYMENT,
                "apps/kustomization.yaml": "resources:\n  - ./deployment.yaml\n  - ./service.yaml\nnamespace: shop\n",
                "apps/service.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n",
            },
            "apps/poddisruptionbudget.yaml",
            "resources:\n  - ./deployment.yaml\n  - ./poddisruptionbudget.yaml\n  - ./service.yaml\nnamespace: shop\n",
        ),
        (
            {
                "apps/web-deployment.yaml": "---\n" + dedent(DEPLOYMENT),
                "apps/kustomization.yaml": "namePrefix: my-\nresources:\n- web-deployment.yaml\n",
            },
            "apps/web-poddisruptionbudget.yaml",
            "namePrefix: my-\nresources:\n- web-deployment.yaml\n- web-poddisruptionbudget.yaml\n",
        ),
    ],
)
def test_a_new_object_comes_in_the_manner_of_the_folder(
    tmp_path: Path, files: dict[str, str], new: str, listing: str
) -> None:
    estate = Estate(tmp_path, files)
    found, editor = next(
        (one, one.tracer)
        for one in estate.reading.found
        if one.resource.kind == "Deployment" and isinstance(one.tracer, Editor)
    )
    metadata: dict[str, Value] = {"name": found.resource.name}
    if "shop" in listing:
        metadata["namespace"] = "shop"
    body: dict[str, Value] = {**BUDGET, "metadata": metadata}
    touched = estate.change(lambda tree: editor.add(body, tree.read))
    assert new in touched
    if listing:
        assert estate.text("apps/kustomization.yaml") == listing
    made = next(one for one in estate.reading.found if one.resource.kind == "PodDisruptionBudget")
    assert made.resource.body == body
    assert "namespace" not in estate.text(new)
    assert estate.text(new).startswith("---") == ("---" in files.get("apps/web-deployment.yaml", ""))


def test_a_folder_of_several_workloads_names_the_new_file_by_its_own(tmp_path: Path) -> None:
    other = dedent(DEPLOYMENT).replace("name: web", "name: side")
    estate = Estate(tmp_path, {"deployment.yaml": DEPLOYMENT, "side.yaml": other})
    _, editor = estate.editor("Deployment", "web")
    assert estate.change(lambda tree: editor.add(BUDGET, tree.read)) == ["web-poddisruptionbudget.yaml"]


def test_a_new_file_that_nothing_would_apply_is_refused(tmp_path: Path) -> None:
    files = {"web.yaml": DEPLOYMENT, "kustomization.yaml": "resources: []\npatches:\n  - path: web.yaml\n"}
    tree = write(tmp_path, files)
    with pytest.raises(CannotWrite, match=r"does not list web\.yaml"):
        added(tree, Home("web.yaml", 0, ()), BUDGET, tree.read)


def test_an_object_of_a_list_gets_a_neighbour_in_the_list(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Service\n    metadata: {name: web}\n"
    estate = Estate(tmp_path, {"all.yaml": text})
    _, editor = estate.editor("Service", "web")
    estate.change(lambda tree: editor.add(BUDGET, tree.read))
    assert estate.text("all.yaml").startswith(text + "  - apiVersion: policy/v1\n    kind: PodDisruptionBudget\n")
    assert estate.value("PodDisruptionBudget", "web") == BUDGET


def test_a_new_object_comes_behind_where_a_file_holds_several(tmp_path: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
    estate = Estate(tmp_path, {"web.yaml": dedent(DEPLOYMENT) + "---\n" + service})
    _, editor = estate.editor("Deployment", "web")
    assert estate.change(lambda tree: editor.add(BUDGET, tree.read)) == ["web.yaml"]
    assert estate.text("web.yaml").startswith(dedent(DEPLOYMENT) + "---\n" + service + "---\napiVersion: policy/v1\n")
    assert estate.value("PodDisruptionBudget", "web") == BUDGET


OVERLAYS = {
    "base/deployment.yaml": DEPLOYMENT,
    "base/kustomization.yaml": "resources:\n  - deployment.yaml\n",
    "prod/kustomization.yaml": """\
        resources:
          - ../base
        images:
          - name: nginx
            newTag: "2.0"
        replicas:
          - name: web
            count: 3
        commonAnnotations:
          owner: me
        patches:
          - patch: |-
              apiVersion: apps/v1
              kind: Deployment
              metadata:
                name: web
              spec:
                template:
                  spec:
                    nodeSelector:
                      disk: ssd
                    containers:
                      - name: web
                        resources:
                          limits:
                            memory: 1Gi
        """,
}


@pytest.mark.parametrize(
    ("route", "value", "file", "line"),
    [
        ((*WEB, "image"), "nginx:2.1", "prod/kustomization.yaml", '    newTag: "2.1"\n'),
        (("spec", "replicas"), 2, "prod/kustomization.yaml", "    count: 2\n"),
        ((*WEB, "resources", "limits", "memory"), "2Gi", "prod/kustomization.yaml", "memory: 2Gi\n"),
        (
            (*WEB, "resources", "requests"),
            {"memory": "1Gi"},
            "prod/kustomization.yaml",
            "                  requests:\n                    memory: 1Gi\n",
        ),
        ((*POD, "tolerations"), [{"operator": "Exists"}], "base/deployment.yaml", "      tolerations:\n"),
        ((*WEB, "readinessProbe"), PROBE, "base/deployment.yaml", "          readinessProbe:\n"),
        (("metadata", "annotations", "more"), "x", "base/deployment.yaml", "  annotations:\n    more: x\n"),
        (("metadata", "annotations", "owner"), "you", "prod/kustomization.yaml", "  owner: you\n"),
    ],
)
def test_a_built_object_is_changed_where_the_field_is_decided(
    tmp_path: Path, route: tuple[str | int, ...], value: Value, file: str, line: str
) -> None:
    estate = Estate(tmp_path, OVERLAYS)
    _, editor = estate.editor("Deployment", "web")
    assert estate.change(lambda tree: editor.put(route, value, tree.read)) == [file]
    assert line in estate.text(file)
    assert estate.value("Deployment", "web", *route) == value


SHARED = {**OVERLAYS, "test/kustomization.yaml": "namePrefix: my-\nresources:\n  - ../base\n"}


def test_a_base_that_others_use_is_not_changed_for_one(tmp_path: Path) -> None:
    estate = Estate(tmp_path, SHARED)
    before = estate.value("Deployment", "web", root="prod")
    _, editor = estate.editor("Deployment", "my-web", "test")
    touched = estate.change(lambda tree: editor.put((*WEB, "readinessProbe"), PROBE, tree.read, alone=True))
    assert touched == ["test/kustomization.yaml"]
    assert estate.text("test/kustomization.yaml").startswith(
        "namePrefix: my-\nresources:\n  - ../base\npatches:\n  - patch: |\n      apiVersion: apps/v1\n"
    )
    assert estate.value("Deployment", "my-web", *WEB, "readinessProbe") == PROBE
    assert estate.value("Deployment", "my-web", *WEB, "image") == "nginx:1.0"
    assert estate.value("Deployment", "web", root="prod") == before
    _, editor = estate.editor("Deployment", "my-web", "test")
    env: Value = {"name": "A", "value": "1"}
    estate.change(lambda tree: editor.append((*WEB, "env"), env, tree.read, alone=True))
    _, editor = estate.editor("Deployment", "my-web", "test")
    estate.change(lambda tree: editor.append((*WEB, "ports"), {"containerPort": 90}, tree.read, alone=True))
    assert estate.value("Deployment", "my-web", *WEB, "env") == [env]
    ports = estate.value("Deployment", "my-web", *WEB, "ports")
    assert isinstance(ports, list)
    assert {"containerPort": 90} in ports
    assert estate.value("Deployment", "web", root="prod") == before


def test_a_change_for_all_goes_into_the_base(tmp_path: Path) -> None:
    estate = Estate(tmp_path, SHARED)
    _, editor = estate.editor("Deployment", "my-web", "test")
    assert estate.change(lambda tree: editor.put((*WEB, "readinessProbe"), PROBE, tree.read)) == [
        "base/deployment.yaml"
    ]
    assert estate.value("Deployment", "web", *WEB, "readinessProbe", root="prod") == PROBE


COMPOSE = """\
    services:
      web:
        image: nginx:${TAG}
        command: ["a"]
      db:
        image: postgres:17
    """


@pytest.mark.parametrize(
    ("name", "route", "value", "file", "line"),
    [
        ("web", ("image",), "nginx:2", ".env", "TAG=2\n"),
        ("db", ("image",), "postgres:18", "compose.yaml", "    image: postgres:18\n"),
        ("web", ("healthcheck",), {"test": ["CMD", "x", "$Y"]}, "compose.yaml", '      test: ["CMD", "x", "$$Y"]\n'),
        ("db", ("restart",), "always", "compose.override.yaml", "    restart: always\n"),
    ],
)
def test_a_service_is_changed_in_its_file(
    tmp_path: Path, name: str, route: tuple[str, ...], value: Value, file: str, line: str
) -> None:
    files = {
        "compose.yaml": COMPOSE,
        ".env": "TAG=1\n",
        "compose.override.yaml": "services:\n  db:\n    restart: never\n",
    }
    estate = Estate(tmp_path, files)
    _, editor = estate.editor("service", name)
    assert estate.change(lambda tree: editor.put(route, value, tree.read)) == [file]
    assert line in estate.text(file)
    assert estate.value("service", name, *route) == value


def test_an_object_in_a_text_of_terraform_is_changed_in_the_text(tmp_path: Path) -> None:
    manifest = "".join(f"    {line}\n" for line in dedent(DEPLOYMENT).splitlines())
    text = f'resource "kubectl_manifest" "web" {{\n  yaml_body = <<-EOT\n{manifest}  EOT\n}}\n'
    estate = Estate(tmp_path, {"main.tf": text})
    _, editor = estate.editor("Deployment", "web")
    estate.change(lambda tree: editor.put((*WEB, "readinessProbe"), PROBE, tree.read))
    added = "readinessProbe:\n  httpGet:\n    path: /\n    port: 80\n"
    indented = "".join(f"              {line}\n" for line in added.splitlines())
    assert estate.text("main.tf") == text.replace("  EOT\n", f"{indented}  EOT\n")
    assert estate.value("Deployment", "web", *WEB, "readinessProbe") == PROBE
