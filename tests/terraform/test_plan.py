"""A plan in JSON knows what the source does not: its values win, what it leaves open stays open, origins stay."""

from __future__ import annotations

import json

import pytest

from shoreup.model.value import Unknown
from shoreup.terraform.plan import Plan, PlanError, read_plan
from terraform_reading import terraform

MAIN = """
variable "image" {}
variable "names" {}
resource "kubernetes_deployment" "x" {
  for_each = var.names
  metadata {
    name = each.key
  }
  spec {
    template {
      spec {
        container {
          name  = "fixed"
          image = var.image
        }
      }
    }
  }
}
module "m" {
  source = "./m"
  count  = var.image == "" ? 0 : 1
}
"""


def plan(*resources: tuple[str, dict[str, object], dict[str, object]]) -> Plan:
    planned = []
    changes = []
    for address, values, unknown in resources:
        kind, name = address.split("[")[0].rsplit(".", 2)[-2:]
        planned.append({"address": address, "mode": "managed", "type": kind, "name": name, "values": values})
        changes.append({"address": address, "change": {"after_unknown": unknown}})
    return read_plan(
        json.dumps({"planned_values": {"root_module": {"resources": planned}}, "resource_changes": changes}).encode()
    )


def container(image: str) -> dict[str, object]:
    inner = {"container": [{"name": "planned", "image": image}]}
    return {"metadata": [{"name": "a"}], "spec": [{"template": [{"spec": [inner]}]}]}


def test_instances_and_values_come_from_the_plan() -> None:
    given = plan(('kubernetes_deployment.x["a"]', container("nginx:1"), {}), ("module.m[0].example.y", {"v": 5}, {}))
    with terraform({"main.tf": MAIN, "m/m.tf": 'resource "example" "y" {\n  v = 1\n}\n'}, given) as read:
        assert list(read.resources) == ['kubernetes_deployment.x["a"]', "module.m[0].example.y"]
        route = ("spec", "template", "spec", "containers", 0, "image")
        assert read.value('kubernetes_deployment.x["a"]', *route) == "nginx:1"
        assert read.value('kubernetes_deployment.x["a"]', "metadata", "name") == "a"
        assert read.value("module.m[0].example.y", "v") == 5


def test_what_the_plan_leaves_to_the_apply_is_unknown() -> None:
    given = plan(("example.x", {"a": None, "b": "p"}, {"a": True}))
    with terraform({"main.tf": 'resource "example" "x" {\n  a = "s"\n  b = "s"\n  c = "s"\n}\n'}, given) as read:
        body = read.resources["example.x"].body
        assert isinstance(body["a"], Unknown)
        assert (body["b"], body["c"]) == ("p", "s")


def test_origins_still_come_from_the_source() -> None:
    given = plan(("example.x", {"a": "planned"}, {}))
    with terraform({"main.tf": 'resource "example" "x" {\n  a = "written"\n}\n'}, given) as read:
        origin = read.reading.found[0].tracer.trace(("a",))
        assert origin is not None
        content = read.tree.read("main.tf")
        assert content is not None
        assert content[origin.site.start : origin.site.end] == b'a = "written"'


def test_references_see_the_plans_values() -> None:
    given = plan(("example.x", {"a": "planned"}, {}))
    text = 'resource "example" "x" {\n  a = var.z\n}\nvariable "z" {}\nresource "example" "y" {\n  b = example.x.a\n}\n'
    with terraform({"main.tf": text}, given) as read:
        assert read.value("example.y", "b") == "planned"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"planned_values": []}', b"\xff", b"[" * 100_000])
def test_what_is_no_plan_is_refused_with_what_to_do(content: bytes) -> None:
    with pytest.raises(PlanError, match="terraform show -json"):
        read_plan(content)


@pytest.mark.parametrize(
    "resource",
    [
        {},
        [],
        None,
        {"address": 5, "values": {}},
        {"address": 'x.y["', "values": {}},
        {"address": "x[]", "values": []},
    ],
)
def test_strange_entries_of_a_plan_crash_nothing(resource: object) -> None:
    document = {
        "planned_values": {
            "root_module": {"resources": [resource], "child_modules": [None, {"resources": None}, {"resources": 5}]}
        },
        "resource_changes": [None, {"address": "x.y", "change": None}, {"address": [], "change": 5}],
    }
    given = read_plan(json.dumps(document).encode())
    with terraform({"main.tf": 'resource "x" "y" {\n}\n'}, given) as read:
        assert list(read.resources) == ["x.y"]
