"""Terraform, edited: the value is written where it comes from, and nothing else comes out otherwise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashicorp import formatted, needs_hashicorp, refusal
from shoreup.formats.edits import CannotWrite, Replacement, replaced
from shoreup.formats.files import Reader
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.editing import Editor, Like
from terraform_reading import terraform

Files = Mapping[str, str]
POD: Route = ("spec", "template", "spec")
CONTAINER: Route = (*POD, "containers", 0)

DEPLOYMENT = """\
resource "kubernetes_deployment" "web" {
  metadata {
    name      = "web"
    namespace = kubernetes_namespace.apps.metadata[0].name
  }

  spec {
    replicas = 1

    selector {
      match_labels = local.labels
    }

    template {
      metadata {
        labels = local.labels
      }

      spec {
        container {
          name  = "web"
          image = "docker.io/web:${local.tag}" # watched

          port {
            container_port = var.port
          }

          # what it may use
          resources {
            limits = {
              memory = "64Mi"
            }
          }
        }

        volume {
          name = "data"
          empty_dir {}
        }
      }
    }
  }
}

resource "kubernetes_namespace" "apps" {
  metadata {
    name = "apps"
  }
}

locals {
  labels = { app = "web" }
  tag    = "1.2"
}

variable "port" {
  default = 8080
}
"""
WEB = "kubernetes_deployment.web"
ONE = {"main.tf": DEPLOYMENT}


def bodies(files: Files) -> dict[str, Value]:
    """The objects by address."""
    with terraform(files) as read:
        return {address: copy.deepcopy(dict(resource.body)) for address, resource in read.resources.items()}


def written(files: Files, address: str, edit: Callable[[Editor, Reader], tuple[Replacement, ...]]) -> dict[str, str]:
    """The files after an edit of one resource."""
    with terraform(files) as read:
        tracer = next(found.tracer for found in read.reading.found if found.resource.address == address)
        assert isinstance(tracer, Editor)
        made = edit(tracer, read.tree.read)
        result = dict(files)
        for path in {one.file for one in made}:
            content = read.tree.read(path) or b""
            result[path] = replaced(content, [one for one in made if one.file == path]).decode()
        return result


def put(
    files: Files, route: Route, value: Value, *, of: str = WEB, like: Like = (), alone: bool = False
) -> dict[str, str]:
    return written(files, of, lambda editor, read: editor.put(route, value, read, like=like, alone=alone))


def append(files: Files, route: Route, value: Value, *, of: str = WEB, alone: bool = False) -> dict[str, str]:
    return written(files, of, lambda editor, read: editor.append(route, value, read, alone=alone))


def remove(files: Files, route: Route, *, of: str = WEB, alone: bool = False) -> dict[str, str]:
    return written(files, of, lambda editor, read: editor.remove(route, read, alone=alone))


def add(files: Files, body: Mapping[str, Value], *, beside: str = WEB, like: Like = ()) -> dict[str, str]:
    return written(files, beside, lambda editor, read: editor.add(body, read, like=like))


def placed(body: Value, route: Route, value: Value) -> Value:
    """A body with another value at a route."""
    if not route:
        return value
    step, rest = route[0], route[1:]
    if isinstance(step, int):
        items = list(body) if isinstance(body, list) else []
        inner = placed(items[step] if step < len(items) else None, rest, value)
        return [*items[:step], inner, *items[step + 1 :]]
    held = dict(body) if isinstance(body, dict) else {}
    return {**held, step: placed(held.get(step), rest, value)}


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are gone and the lines that are new, without those around them."""
    old, new = before.split("\n"), after.split("\n")
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


# Fields that are missing


def test_a_probe_stands_behind_the_resources_and_its_port_is_the_variable() -> None:
    probe: Value = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 5}
    like: Like = ((("httpGet", "port"), (*CONTAINER, "ports", 0, "containerPort")),)
    after = put(ONE, (*CONTAINER, "readinessProbe"), probe, like=like)["main.tf"]
    assert lines(DEPLOYMENT, after)[0] == []
    assert "          readiness_probe {\n            period_seconds = 5\n\n            http_get {\n" in after
    assert '              path = "/"\n              port = var.port\n' in after
    assert after.index("readiness_probe") > after.index("resources {")
    assert bodies({"main.tf": after})[WEB] == placed(bodies(ONE)[WEB], (*CONTAINER, "readinessProbe"), probe)


def test_arguments_are_in_line_with_their_neighbours() -> None:
    after = put(ONE, (*CONTAINER, "imagePullPolicy"), "Always")["main.tf"]
    assert (
        '          name              = "web"\n          image             = "docker.io/web:${local.tag}" # watched\n'
        in after
    )
    assert '          image_pull_policy = "Always"\n' in after


def test_blocks_on_the_way_are_made() -> None:
    route = (*POD, "affinity", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    value: Value = [{"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}}]
    after = put(ONE, route, value)
    assert "pod_anti_affinity {" in after["main.tf"]
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], route, value)


def test_types_are_those_of_terraform() -> None:
    route = (*POD, "volumes", 1)
    value: Value = {"name": "c", "configMap": {"name": "c", "defaultMode": 420, "items": [{"key": "a", "path": "b"}]}}
    after = put(ONE, route, value)
    assert 'default_mode = "0644"' in after["main.tf"]
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], route, value)
    after = put(ONE, (*CONTAINER, "resources", "requests"), {"cpu": 1, "memory": "1Gi"})
    assert '              cpu    = "1"\n' in after["main.tf"]


def test_sources_of_a_projected_volume_are_a_block_each() -> None:
    route = (*POD, "volumes", 1)
    value: Value = {
        "name": "p",
        "projected": {"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}], "defaultMode": 256},
    }
    after = put(ONE, route, value)
    assert after["main.tf"].count(" sources {") == 2
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], route, value)


def test_a_value_that_the_provider_drops_is_refused() -> None:
    scaler: dict[str, Value] = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"minReplicas": 0, "maxReplicas": 2},
    }
    with pytest.raises(CannotWrite, match="takes 0 for min_replicas as no value at all"):
        add(ONE, scaler)


def test_a_field_that_the_provider_lacks_is_refused_by_name() -> None:
    with pytest.raises(CannotWrite, match="kubernetes_deployment has no noSuchField"):
        put(ONE, (*CONTAINER, "noSuchField"), 1)


def test_an_item_goes_behind_the_others() -> None:
    after = append(ONE, (*CONTAINER, "ports"), {"containerPort": 9090, "name": "metrics"})
    assert after["main.tf"].count("port {") == 2
    ports: Value = [{"containerPort": 8080}, {"containerPort": 9090, "name": "metrics"}]
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], (*CONTAINER, "ports"), ports)
    after = append(ONE, (*CONTAINER, "args"), "--verbose")
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], (*CONTAINER, "args"), ["--verbose"])


# Fields that are there


def test_a_value_is_written_where_it_comes_from() -> None:
    after = put(ONE, (*CONTAINER, "image"), "docker.io/web:1.3")["main.tf"]
    assert lines(DEPLOYMENT, after) == (['  tag    = "1.2"'], ['  tag    = "1.3"'])
    after = put(ONE, (*CONTAINER, "image"), "ghcr.io/web:1.2")["main.tf"]
    assert '"ghcr.io/web:${local.tag}" # watched' in after
    after = put(ONE, (*CONTAINER, "ports", 0, "containerPort"), 9090)["main.tf"]
    assert lines(DEPLOYMENT, after) == (["  default = 8080"], ["  default = 9090"])


def test_an_expression_takes_the_place_of_what_is_written_not_of_what_it_refers_to() -> None:
    text = DEPLOYMENT.replace("replicas = 1\n", "replicas = local.count\n").replace(
        "  tag    =", "  count  = 1\n  tag    ="
    )
    like: Like = (((), (*CONTAINER, "ports", 0, "containerPort")),)
    after = put({"main.tf": text}, ("spec", "replicas"), 8080, like=like)
    assert after["main.tf"] == text.replace("local.count", "var.port")
    assert put(after, ("spec", "replicas"), 8080, like=like) == after


def test_what_is_not_known_can_be_written_as_what_stands_for_it() -> None:
    text = DEPLOYMENT.replace("  default = 8080\n", "")
    with terraform({"main.tf": text}) as read:
        port = read.value(WEB, *CONTAINER, "ports", 0, "containerPort")
    like: Like = ((("tcpSocket", "port"), (*CONTAINER, "ports", 0, "containerPort")),)
    after = put({"main.tf": text}, (*CONTAINER, "readinessProbe"), {"tcpSocket": {"port": port}}, like=like)
    assert "tcp_socket {\n              port = var.port\n" in after["main.tf"]


def test_a_block_gets_another_inside() -> None:
    value: Value = {"limits": {"memory": "128Mi"}, "requests": {"memory": "128Mi"}}
    after = put(ONE, (*CONTAINER, "resources"), value)
    assert bodies(after)[WEB] == placed(bodies(ONE)[WEB], (*CONTAINER, "resources"), value)
    assert "# what it may use" in after["main.tf"]


def test_what_is_so_already_is_left_alone() -> None:
    assert put(ONE, (*CONTAINER, "image"), "docker.io/web:1.2") == ONE
    assert put(ONE, (*CONTAINER, "resources", "limits"), {"memory": "64Mi"}) == ONE
    assert remove(ONE, (*CONTAINER, "livenessProbe")) == ONE


def test_a_block_goes_with_its_comment() -> None:
    after = remove(ONE, (*CONTAINER, "resources"))["main.tf"]
    assert "what it may use" not in after
    assert "resources" not in after


def test_text_in_a_heredoc_is_changed_line_by_line() -> None:
    text = (
        'resource "kubernetes_config_map" "c" {\n  metadata {\n    name = "c"\n  }\n\n  data = {\n'
        '    "a.conf" = <<-EOT\n      one = ${1}\n      two\n\n      three\n    EOT\n  }\n}\n'
    )
    after = put(
        {"main.tf": text}, ("data", "a.conf"), "one = 1\ntwo = ${2}\nmore\n\nthree\n", of="kubernetes_config_map.c"
    )
    assert after["main.tf"] == text.replace("      two\n", "      two = $${2}\n      more\n")


# For one resource alone


def module(*calls: str) -> dict[str, str]:
    app = (
        'variable "name" {}\n\nvariable "replicas" {\n  default = 1\n}\n\n'
        'resource "kubernetes_deployment" "app" {\n  metadata {\n    name = var.name\n  }\n  spec {\n'
        "    replicas = var.replicas\n    template {\n      spec {\n        container {\n"
        '          name = "app"\n        }\n      }\n    }\n  }\n}\n'
    )
    return {"main.tf": "\n".join(calls), "app/main.tf": app}


CALL_A = 'module "a" {\n  source = "./app"\n  name   = "a"\n}\n'
CALL_B = 'module "b" {\n  source   = "./app"\n  name     = "b"\n  replicas = 1\n}\n'
IN_A, IN_B = "module.a.kubernetes_deployment.app", "module.b.kubernetes_deployment.app"


def test_a_default_is_changed_for_all_and_an_argument_for_one() -> None:
    files = module(CALL_A, CALL_B)
    route = ("spec", "replicas")
    after = put(files, route, 2, of=IN_A)
    assert "default = 2" in after["app/main.tf"]
    after = put(files, route, 2, of=IN_A, alone=True)
    assert after["app/main.tf"] == files["app/main.tf"]
    assert after["main.tf"] == files["main.tf"].replace(
        'source = "./app"\n  name   = "a"', 'source   = "./app"\n  name     = "a"\n  replicas = 2'
    )
    after = put(files, route, 2, of=IN_B, alone=True)
    assert lines(files["main.tf"], after["main.tf"]) == (["  replicas = 1"], ["  replicas = 2"])


def test_what_a_module_says_itself_cannot_be_said_for_one_call() -> None:
    with pytest.raises(CannotWrite, match="the module app is called 2 times"):
        put(module(CALL_A, CALL_B), (*CONTAINER, "imagePullPolicy"), "Always", of=IN_A, alone=True)
    after = put(module(CALL_A), (*CONTAINER, "imagePullPolicy"), "Always", of=IN_A, alone=True)
    assert "image_pull_policy" in after["app/main.tf"]


def test_one_of_several_calls_in_a_loop_cannot_be_given_an_argument() -> None:
    call = 'module "a" {\n  source   = "./app"\n  for_each = toset(["x", "y"])\n  name     = each.key\n}\n'
    with pytest.raises(CannotWrite, match="calls the module 2 times"):
        put(module(call), ("spec", "replicas"), 2, of='module.a["x"].kubernetes_deployment.app', alone=True)


EACH = """\
locals {
  apps = {
    one = { image = "one:1", replicas = 1 }
    two = { image = "two:1", replicas = 1 }
  }
}

resource "kubernetes_deployment" "app" {
  for_each = local.apps

  metadata {
    name   = each.key
    labels = local.labels
  }

  spec {
    replicas = each.value.replicas

    template {
      spec {
        container {
          name  = "app"
          image = "docker.io/${each.value.image}"
        }
      }
    }
  }
}

locals {
  labels = {
    a = "b"
  }
}

resource "kubernetes_namespace" "other" {
  metadata {
    name   = "other"
    labels = local.labels
  }
}
"""
ONE_OF = 'kubernetes_deployment.app["one"]'


def test_the_entry_of_a_map_is_one_instance_s_own() -> None:
    files = {"main.tf": EACH}
    after = put(files, ("spec", "replicas"), 2, of=ONE_OF, alone=True)["main.tf"]
    assert after == EACH.replace('image = "one:1", replicas = 1', 'image = "one:1", replicas = 2')
    after = put(files, (*CONTAINER, "image"), "docker.io/one:2", of=ONE_OF, alone=True)["main.tf"]
    assert after == EACH.replace("one:1", "one:2")


def test_code_of_a_loop_is_everyone_s() -> None:
    for route, value in (((*CONTAINER, "imagePullPolicy"), "Always"), ((*CONTAINER, "name"), "x")):
        with pytest.raises(CannotWrite, match=r"for_each in line 9 of main\.tf makes several of it"):
            put({"main.tf": EACH}, route, value, of=ONE_OF, alone=True)
        assert put({"main.tf": EACH}, route, value, of=ONE_OF) != {"main.tf": EACH}


def test_a_local_that_others_use_is_left_and_added_to() -> None:
    namespace = "kubernetes_namespace.other"
    after = put({"main.tf": EACH}, ("metadata", "labels", "c"), "d", of=namespace, alone=True)
    assert '    labels = merge(local.labels, { c = "d" })\n' in after["main.tf"]
    assert bodies(after)[namespace] == placed(bodies({"main.tf": EACH})[namespace], ("metadata", "labels", "c"), "d")
    after = put({"main.tf": EACH}, ("metadata", "labels", "a"), "c", of=namespace)
    assert 'a = "c"' in after["main.tf"]


def test_a_reference_to_what_others_use_gives_way_to_the_value() -> None:
    text = 'locals {\n  a = "x"\n}\n'
    for name in ("one", "two"):
        text += f'\nresource "kubernetes_namespace" "{name}" {{\n  metadata {{\n    name = local.a\n  }}\n}}\n'
    after = put({"main.tf": text}, ("metadata", "name"), "y", of="kubernetes_namespace.two", alone=True)["main.tf"]
    assert lines(text, after) == (["    name = local.a"], ['    name = "y"'])


def test_a_dynamic_block_is_changed_inside_for_all_of_its_blocks() -> None:
    text = DEPLOYMENT.replace(
        "          port {\n            container_port = var.port\n          }\n",
        '          dynamic "port" {\n            for_each = [1, 2]\n            content {\n'
        "              container_port = port.value\n            }\n          }\n",
    )
    files = {"main.tf": text}
    after = put(files, (*CONTAINER, "ports", 0, "protocol"), "UDP")
    ports: Value = [{"containerPort": 1, "protocol": "UDP"}, {"containerPort": 2, "protocol": "UDP"}]
    assert bodies(after)[WEB] == placed(bodies(files)[WEB], (*CONTAINER, "ports"), ports)
    with pytest.raises(CannotWrite, match="the dynamic block port makes several of it"):
        put(files, (*CONTAINER, "ports", 0, "protocol"), "UDP", alone=True)
    with pytest.raises(CannotWrite, match="a dynamic block in line 24"):
        remove(files, (*CONTAINER, "ports", 0))
    after = put(files, (*CONTAINER, "ports", 0, "containerPort"), 7)
    assert "for_each = [7, 2]" in after["main.tf"]


def test_what_a_function_makes_is_said_by_name_and_line() -> None:
    text = DEPLOYMENT.replace("replicas = 1", "replicas = max(1, 2)")
    with pytest.raises(CannotWrite, match=r"max\(\) in line 8 of main\.tf"):
        put({"main.tf": text}, ("spec", "replicas"), 3)


# Other ways to write an object


MANIFEST = """\
resource "kubernetes_manifest" "m" {
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name = "m"
    }
    data = {
      a = "1"
    }
  }
}
"""


def test_a_manifest_is_an_object_of_hcl() -> None:
    files = {"main.tf": MANIFEST}
    after = put(files, ("metadata", "labels", "app.kubernetes.io/name"), "m", of="kubernetes_manifest.m")
    assert '      name = "m"\n      labels = {\n        "app.kubernetes.io/name" = "m"\n      }\n' in after["main.tf"]
    after = put(files, ("data", "longer"), "2", of="kubernetes_manifest.m")
    assert after["main.tf"] == MANIFEST.replace('      a = "1"\n', '      a      = "1"\n      longer = "2"\n')
    assert remove(files, ("data", "a"), of="kubernetes_manifest.m")["main.tf"] == MANIFEST.replace(
        '{\n      a = "1"\n    }', "{}"
    )


YAML = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m # its name\ndata:\n  a: '1'\n"


def test_yaml_that_is_decoded_stays_yaml() -> None:
    files = {
        "main.tf": 'resource "kubernetes_manifest" "m" {\n  manifest = yamldecode(file("m.yaml"))\n}\n',
        "m.yaml": YAML,
    }
    after = put(files, ("metadata", "labels"), {"app": "m"}, of="kubernetes_manifest.m")
    assert after["main.tf"] == files["main.tf"]
    assert after["m.yaml"] == YAML.replace("its name\n", "its name\n  labels:\n    app: m\n")
    after = put(files, ("data", "a"), "2", of="kubernetes_manifest.m")
    assert after["m.yaml"] == YAML.replace("'1'", "'2'")


def test_yaml_in_an_attribute_is_written_as_yaml_or_as_code() -> None:
    heredoc = "".join(f"    {line}\n" for line in YAML.splitlines())
    text = f'resource "kubectl_manifest" "m" {{\n  yaml_body = <<-YAML\n{heredoc}  YAML\n}}\n'
    after = put({"main.tf": text}, ("data", "b"), "2", of="kubectl_manifest.m")
    assert after["main.tf"] == text.replace("    a: '1'\n", "    a: '1'\n      b: '2'\n")
    assert bodies(after)["kubectl_manifest.m"] == placed(
        bodies({"main.tf": text})["kubectl_manifest.m"], ("data", "b"), "2"
    )
    code = MANIFEST.replace("kubernetes_manifest", "kubectl_manifest").replace(
        "manifest = {", "yaml_body = yamlencode({"
    )
    code = code.removesuffix("  }\n}\n") + "  })\n}\n"
    after = put({"main.tf": code}, ("data", "b"), "2", of="kubectl_manifest.m")
    assert after["main.tf"] == code.replace('      a = "1"\n', '      a = "1"\n      b = "2"\n')


RELEASE = """\
resource "helm_release" "r" {
  name  = "r"
  chart = "chart"

  values = [yamlencode({
    replicas = 1
  })]

  set {
    name  = "a"
    value = "1"
  }

  depends_on = [kubernetes_namespace.n]
}
"""


def test_a_release_has_the_shape_of_terraform() -> None:
    files = {"main.tf": RELEASE}
    after = put(files, ("version",), "1.2.3", of="helm_release.r")["main.tf"]
    assert after == RELEASE.replace(
        '  name  = "r"\n  chart = "chart"\n', '  name    = "r"\n  chart   = "chart"\n  version = "1.2.3"\n'
    )
    after = append(files, ("set",), {"name": "b", "value": "2"}, of="helm_release.r")["main.tf"]
    assert after == RELEASE.replace('"1"\n  }\n', '"1"\n  }\n\n  set {\n    name  = "b"\n    value = "2"\n  }\n')
    after = put(files, ("values", 0, "resources", "cpu"), 1, of="helm_release.r")["main.tf"]
    assert after == RELEASE.replace("replicas = 1\n", "replicas = 1\n    resources = {\n      cpu = 1\n    }\n")
    after = put(files, ("set", 0, "value"), "2", of="helm_release.r")["main.tf"]
    assert after == RELEASE.replace('value = "1"', 'value = "2"')


# New objects


def budget(name: str) -> dict[str, Value]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "apps"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }


def test_a_new_object_stands_behind_its_neighbour_and_takes_its_references() -> None:
    selector: Route = ("spec", "selector", "matchLabels")
    after = add(ONE, budget("web"), like=((selector, selector),))
    new = """\
resource "kubernetes_pod_disruption_budget_v1" "web" {
  metadata {
    name      = "web"
    namespace = kubernetes_namespace.apps.metadata[0].name
  }

  spec {
    max_unavailable = 1

    selector {
      match_labels = local.labels
    }
  }
}
"""
    assert after["main.tf"] == DEPLOYMENT.replace(
        '\nresource "kubernetes_namespace"', f'\n{new}\nresource "kubernetes_namespace"'
    )
    assert bodies(after)["kubernetes_pod_disruption_budget_v1.web"] == budget("web")


def test_a_name_in_terraform_is_given_once() -> None:
    after = add(add(ONE, budget("web")), budget("web-2"))
    assert "kubernetes_pod_disruption_budget_v1.web_2" in bodies(after)


def test_a_neighbour_that_is_called_after_its_kind_does_not_give_its_name() -> None:
    text = DEPLOYMENT.replace('"web" {', '"deployment" {')
    after = add({"main.tf": text}, budget("web"), beside="kubernetes_deployment.deployment")
    assert "kubernetes_pod_disruption_budget_v1.pod_disruption_budget" in bodies(after)


def test_a_name_is_put_together_as_the_neighbour_s() -> None:
    after = add({"main.tf": EACH}, budget("one-budget"), beside=ONE_OF)
    made = bodies(after)
    assert 'name      = "${each.key}-budget"' in after["main.tf"]
    assert {address for address in made if "budget" in address} == {
        'kubernetes_pod_disruption_budget_v1.app["one"]',
        'kubernetes_pod_disruption_budget_v1.app["two"]',
    }


def test_a_kind_without_a_type_is_a_manifest() -> None:
    monitor: dict[str, Value] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "web"},
    }
    after = add(ONE, monitor)
    assert bodies(after)["kubernetes_manifest.web"] == monitor


# Files that are not edited


JSON = """\
{
  "resource": {
    "kubernetes_deployment": {
      "web": {
        "metadata": {"name": "web"},
        "spec": {
          "template": [{
            "spec": {
              "container": {
                "name": "web",
                "image": "${var.image}"
              }
            }
          }]
        }
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("route", "value"),
    [
        (("metadata", "labels"), {"app": "a ${b}"}),
        (("spec", "replicas"), 2),
        (("spec", "strategy"), {"type": "Recreate"}),
        ((*CONTAINER, "resources", "limits", "memory"), "1Gi"),
        ((*CONTAINER, "readinessProbe"), {"httpGet": {"path": "/", "port": 80}}),
        ((*CONTAINER, "ports"), [{"containerPort": 80}, {"containerPort": 81, "name": "b"}]),
        ((*POD, "containers", 0, "args"), ["a", "b"]),
        ((*POD, "tolerations"), [{"key": "a", "operator": "Exists"}]),
    ],
)
def test_the_json_syntax_is_written_too(route: Route, value: Value) -> None:
    files = {"main.tf.json": JSON}
    after = put(files, route, value)
    assert bodies(after)[WEB] == placed(bodies(files)[WEB], route, value)
    gone = remove(after, route)
    assert at(bodies(gone)[WEB], *route) is None


def test_items_and_expressions_of_the_json_syntax() -> None:
    files = {"main.tf.json": JSON}
    after = append(append(files, (*CONTAINER, "env"), {"name": "A", "value": "1"}), (*CONTAINER, "args"), "x")
    assert bodies(after)[WEB] == placed(
        placed(bodies(files)[WEB], (*CONTAINER, "env"), [{"name": "A", "value": "1"}]), (*CONTAINER, "args"), ["x"]
    )
    after = append(files, (*POD, "containers"), {"name": "b", "image": "c"})
    containers: Value = [at(bodies(files)[WEB], *CONTAINER), {"name": "b", "image": "c"}]
    assert bodies(after)[WEB] == placed(bodies(files)[WEB], (*POD, "containers"), containers)
    with pytest.raises(CannotWrite, match="put together by an expression"):
        put(files, (*CONTAINER, "image"), "x")


def test_a_new_object_in_the_json_syntax_is_as_its_neighbour() -> None:
    after = add({"main.tf.json": JSON}, budget("web"))
    assert bodies(after)["kubernetes_pod_disruption_budget_v1.web"] == budget("web")
    assert bodies(after)[WEB] == bodies({"main.tf.json": JSON})[WEB]

    looped = '"for_each": "${toset(var.names)}", "metadata": {"name": "${each.key}-web", "namespace": "${var.space}"},'
    variables = 'variable "space" {\n  default = "apps"\n}\n\nvariable "names" {\n  default = ["one", "two"]\n}\n'
    files = {"main.tf.json": JSON.replace('"metadata": {"name": "web"},', looped), "more.tf": variables}
    body = budget("one-web-budget")
    after = written(files, f'{WEB}["one"]', lambda editor, read: editor.add(body, read))
    made = json.loads(after["main.tf.json"])["resource"]["kubernetes_pod_disruption_budget_v1"]["web"]
    assert made["for_each"] == "${toset(var.names)}"
    assert made["metadata"] == {"name": "${each.key}-web-budget", "namespace": "${var.space}"}
    assert bodies(after)['kubernetes_pod_disruption_budget_v1.web["two"]'] == budget("two-web-budget")


def test_code_in_a_text_of_terragrunt_is_not_mistaken_for_the_file_s_own() -> None:
    generate = 'generate "n" {\n  path      = "n.tf"\n  if_exists = "overwrite"\n  contents  = <<-EOF\n'
    code = '    resource "kubernetes_namespace" "n" {\n      metadata {\n        name = "n"\n      }\n    }\n'
    files = {"live/terragrunt.hcl": f"{generate}{code}  EOF\n}}\n", "live/main.tf": 'variable "unused" {}\n'}
    with pytest.raises(CannotWrite, match="that becomes a file of its own"):
        put(files, ("metadata", "labels"), {"a": "b"}, of="kubernetes_namespace.n")


def test_an_override_file_is_left_where_the_block_itself_is_meant() -> None:
    files = {
        **ONE,
        "main_override.tf": 'resource "kubernetes_namespace" "apps" {\n  wait_for_default_service_account = true\n}\n',
    }
    after = put(files, ("metadata", "labels"), {"a": "b"}, of="kubernetes_namespace.apps")
    assert after["main_override.tf"] == files["main_override.tf"]
    assert bodies(after)["kubernetes_namespace.apps"] == placed(
        bodies(files)["kubernetes_namespace.apps"], ("metadata", "labels"), {"a": "b"}
    )


def test_a_file_that_has_changed_is_refused() -> None:
    with pytest.raises(CannotWrite, match="has changed since it was read"):
        written(ONE, WEB, lambda editor, _: editor.put(("spec", "replicas"), 2, lambda path: b"# new\n"))


# Whatever is put wherever


NAMES = st.sampled_from(["a", "b", "longer-name"])
VALUES: dict[Route, st.SearchStrategy[Value]] = {
    ("spec", "replicas"): st.integers(0, 9),
    ("spec", "strategy"): st.just({"type": "Recreate"}),
    ("spec", "minReadySeconds"): st.integers(1, 9),
    ("metadata", "labels"): st.dictionaries(NAMES, NAMES, min_size=1, max_size=3),
    ("metadata", "annotations", "example.com/note"): st.sampled_from(["x", "${y}", 'a "b"', "line\nline\n"]),
    (*POD, "tolerations"): st.lists(
        st.fixed_dictionaries({"key": NAMES, "operator": st.just("Exists")}), min_size=1, max_size=2
    ),
    (*POD, "nodeSelector"): st.dictionaries(NAMES, NAMES, min_size=1, max_size=2),
    (*POD, "terminationGracePeriodSeconds"): st.integers(1, 99),
    (*CONTAINER, "image"): st.sampled_from(["web:2", "docker.io/web:1.9", "ghcr.io/web:1.2", "x/y@sha256:0"]),
    (*CONTAINER, "args"): st.lists(st.sampled_from(["a", "--b=${c}", "d\ne"]), min_size=1, max_size=3),
    (*CONTAINER, "resources"): st.just({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "10m"}}),
    (*CONTAINER, "livenessProbe"): st.just({"exec": {"command": ["a", "b"]}, "timeoutSeconds": 3}),
    (*CONTAINER, "ports", 0, "containerPort"): st.integers(1, 65535),
    (*CONTAINER, "ports", 1): st.just({"containerPort": 1, "name": "more"}),
    (*CONTAINER, "env"): st.lists(st.fixed_dictionaries({"name": NAMES, "value": NAMES}), min_size=1, max_size=2),
    (*CONTAINER, "securityContext"): st.just({"readOnlyRootFilesystem": True, "runAsNonRoot": True}),
    (*POD, "volumes", 0, "emptyDir"): st.just({"medium": "Memory"}),
}


@st.composite
def puts(draw: st.DrawFn) -> list[tuple[Route, Value]]:
    routes = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4, unique=True))
    return [(route, draw(VALUES[route])) for route in routes]


@settings(max_examples=60)
@given(puts(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["  ", "\t", "    "]))
def test_only_what_was_put_is_other(chosen: list[tuple[Route, Value]], newline: str, unit: str) -> None:
    text = "\n".join(line.replace("  ", unit) if line.startswith(" ") else line for line in DEPLOYMENT.split("\n"))
    files = {"main.tf": text.replace(newline, "\n").replace("\n", newline)}
    expected = bodies(files)
    for route, value in chosen:
        after = put(files, route, value)
        expected[WEB] = placed(expected[WEB], route, value)
        assert bodies(after) == expected
        assert put(after, route, value) == after
        files = after


@needs_hashicorp
@settings(max_examples=40)
@given(puts())
def test_formatted_code_stays_formatted_and_readable(chosen: list[tuple[Route, Value]]) -> None:
    files = {"main.tf": formatted(DEPLOYMENT)}
    for route, value in chosen:
        files = put(files, route, value)
        assert formatted(files["main.tf"]) == files["main.tf"]
    assert refusal(files["main.tf"]) == ""
