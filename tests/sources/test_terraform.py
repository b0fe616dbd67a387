"""Terraform's resources as Kubernetes objects, and the way from a field back to the characters that give it."""

from __future__ import annotations

import pytest

from shoreup.model.value import PartialText, Unknown
from terraform_reading import terraform


def written(expression: str, files: dict[str, str | bytes] | None = None, more: str = "") -> list[tuple[str, str]]:
    """Where the string that an expression gives is written."""
    main = f'resource "example" "x" {{\n  value = {expression}\n}}\n{more}'
    with terraform({"main.tf": main, **(files or {})}) as read:
        assert read.problems == []
        return read.written("example.x", "value")


def here(*texts: str) -> list[tuple[str, str]]:
    return [("main.tf", text) for text in texts]


LOCALS = 'locals {\n  name = "web"\n  map = { k = "v", l = "w" }\n  list = ["p", "q"]\n  on = true\n}\n'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"plain"', here("plain")),
        (r'"a\nb"', here("a", r"\n", "b")),
        ('"$${x}"', here("$${", "x}")),
        ("local.name", here("web")),
        ('"x-${local.name}"', here("x-", "web")),
        ('local.map["k"]', here("v")),
        ("local.list[1]", here("q")),
        ("local.on ? local.name : 1", here("web")),
        ("<<-EOT\n    a\n      ${local.name}\n    EOT", here("a\n", "  ", "web", "\n")),
        ('"%{ for k, v in local.map }${k}${v}%{ endfor }"', here("k", "v", "l", "w")),
        ('lookup(local.map, "k", "d")', here("v")),
        ('lookup(local.map, "z", "d")', here("d")),
        ('merge(local.map, { k = "n" }).k', here("n")),
        ('merge([local.map, { z = "n" }]...).l', here("w")),
        ('coalesce("", local.name)', here("web")),
        ("try(local.nope, local.name)", here("web")),
        ('format("%s:%s-%d", local.name, "t", 5)', here("web", ":", "t", "-", "5")),
        ('join("/", local.list)', here("p", "/", "q")),
        ('element(concat(local.list, ["r"]), 2)', here("r")),
        ('[for x in local.list : "${x}!"][1]', here("q", "!")),
        ("{ for k, v in local.map : v => k }.w", here("l")),
        ('{ for x in local.list : "g" => x... }.g[1]', here("q")),
        ("values(local.map)[1]", here("w")),
        ("keys(local.map)[1]", here("l")),
        ('([{ a = "z" }][*].a)[0]', here("z")),
        ('flatten([["a"], [["b"]]])[1]', here("b")),
        ("reverse(local.list)[0]", here("q")),
        ('zipmap(["a"], [local.name]).a', here("web")),
        ('trimspace("  t  ")', here("t")),
        ('trimprefix("v1.2", "v")', here("1.2")),
        ('split("/", "a/b")[1]', here("b")),
        ('replace("a-b", "-", "_")', here("a", "_", "b")),
        ('jsondecode("{\\"a\\": \\"b\\"}").a', here("b")),
        ("yamldecode(yamlencode({ a = local.name })).a", here("web")),
        ("tostring(5)", here("5")),
        ('one(toset(["s"]))', here("s")),
    ],
)
def test_a_string_is_followed_to_where_it_is_written(expression: str, expected: list[tuple[str, str]]) -> None:
    assert written(expression, more=LOCALS) == expected


def test_through_modules_variables_outputs_and_files() -> None:
    files: dict[str, str | bytes] = {
        "terraform.tfvars": 'tag = "1.2"\n',
        "m/m.tf": 'variable "image" {}\nvariable "opt" {\n  type = object({ tag = optional(string, "late") })\n}\n'
        'output "out" {\n  value = "${var.image}/${var.opt.tag}/${file("${path.module}/f.txt")}"\n}\n',
        "m/f.txt": "ü",
        "t.tftpl": "<${what}>\n",
        "y.yaml": "a:\n  - 'b'\n",
    }
    more = (
        'variable "tag" {}\nmodule "m" {\n  for_each = { k = "nginx" }\n  source = "./m"\n'
        '  image = "${each.value}:${var.tag}"\n  opt = {}\n}\n'
    )
    assert written('module.m["k"].out', files, more) == [
        ("main.tf", "nginx"),
        ("main.tf", ":"),
        ("terraform.tfvars", "1.2"),
        ("m/m.tf", "/"),
        ("m/m.tf", "late"),
        ("m/m.tf", "/"),
        ("m/f.txt", "ü"),
    ]
    call = 'templatefile("t.tftpl", { what = yamldecode(file("y.yaml")).a[0] })'
    assert written(call, files, more) == [("t.tftpl", "<"), ("y.yaml", "b"), ("t.tftpl", ">\n")]


def test_what_a_function_makes_is_said_to_be_made() -> None:
    assert written('upper("a")') == [("upper()", "A")]
    assert written('"x-${upper("a")}"') == [("main.tf", "x-"), ("upper()", "A")]
    assert written('jsonencode({ a = "b" })') == [("jsonencode()", '{"a":"'), ("main.tf", "b"), ("jsonencode()", '"}')]
    assert written("sha1(local.name)", more=LOCALS)[0][0] == "sha1()"


def test_the_json_syntax_keeps_its_bytes() -> None:
    text = '{"resource": {"example": {"x": {"value": "é\\n${\\"a\\"}\\u00e9$${b}"}}}}'
    with terraform({"main.tf.json": text}) as read:
        assert read.value("example.x", "value") == "é\naé${b}"
        spelled = [raw for _, raw in read.written("example.x", "value")]
        assert spelled == ["é", "\\n", "a", "\\u00e9", "$${", "b}"]


def test_blocks_of_the_json_syntax_are_objects_or_lists() -> None:
    text = """
{"resource": {
  "kubernetes_deployment": {"x": {
    "metadata": {"name": "web", "labels": {"0": "zero"}},
    "spec": [{"template": {"spec": {"container": [{"name": "a", "image": "nginx:1"}, {"name": "b"}]}}}]
  }},
  "example": {"y": {"value": "${kubernetes_deployment.x.metadata[0].name}"}}
}}
"""
    with terraform({"main.tf.json": text}) as read:
        address = "kubernetes_deployment.x"
        containers = ("spec", "template", "spec", "containers")
        assert read.value(address, "metadata", "name") == "web"
        assert read.value(address, *containers, 1, "name") == "b"
        assert read.written(address, *containers, 0, "image") == [("main.tf.json", "nginx:1")]
        assert read.written(address, "metadata", "labels", "0") == [("main.tf.json", "zero")]
        assert read.written("example.y", "value") == [("main.tf.json", "web")]


def test_fields_of_an_object_are_traced_through_the_providers_blocks() -> None:
    text = """
resource "kubernetes_deployment" "x" {
  metadata {
    name = "web"
  }
  spec {
    replicas = 2
    template {
      spec {
        dynamic "container" {
          for_each = { a = "nginx:1", b = "redis:2" }
          content {
            name  = container.key
            image = container.value
          }
        }
      }
    }
  }
}
"""
    with terraform({"main.tf": text}) as read:
        address = "kubernetes_deployment.x"
        containers = ("spec", "template", "spec", "containers")
        assert read.value(address, "kind") == "Deployment"
        assert read.value(address, *containers, 1, "image") == "redis:2"
        assert read.written(address, *containers, 1, "image") == [("main.tf", "redis:2")]
        assert read.written(address, *containers, 0, "name") == [("main.tf", "a")]
        origin = read.reading.found[0].tracer.trace((*containers, 1, "image"))
        assert origin is not None
        content = read.tree.read("main.tf")
        assert content is not None
        assert content[origin.site.start : origin.site.end] == b"image = container.value"
        whole = read.reading.found[0].tracer.trace(())
        assert whole is not None
        assert content[whole.span.start : whole.span.end].startswith(b'resource "kubernetes_deployment" "x" {')


def test_manifests_as_yaml_keep_what_is_known() -> None:
    text = """
variable "unset" {}
resource "kubectl_manifest" "x" {
  yaml_body = <<-EOT
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: "${var.unset}-x"
      labels: {app: ${var.unset}}
    rules:
    - verbs: ["*"]
    ---
    kind: ConfigMap
    metadata:
      name: second
  EOT
}
"""
    with terraform({"main.tf": text}) as read:
        unknown = Unknown("the variable unset has no value in the repository")
        first, second = (found.resource for found in read.reading.found)
        assert first.body["rules"] == [{"verbs": ["*"]}]
        assert first.body["metadata"] == {"name": PartialText((unknown, "-x")), "labels": {"app": unknown}}
        assert first.name == "*-x"
        assert (second.kind, second.name) == ("ConfigMap", "second")


def test_broken_yaml_in_a_manifest_is_an_error_with_its_line() -> None:
    text = 'resource "kubectl_manifest" "x" {\n  yaml_body = "a: [1"\n}\n'
    with terraform({"main.tf": text}) as read:
        assert read.reading.found == []
        (problem,) = read.problems
        assert problem[:2] == ("main.tf", 1)
        assert problem[3] == "kubectl_manifest.x"


def test_ignored_changes_and_comments_come_with_their_resource() -> None:
    text = """
# About the web.
resource "kubernetes_deployment" "x" {
  metadata {
    name = "web"
  }
  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].container[0].image, metadata]
  }
}
"""
    with terraform({"main.tf": text}) as read:
        routes = [entry.route for _, entry in read.reading.ignored]
        assert routes == [("spec", "template", "spec", "containers", 0, "image"), ("metadata",)]
        assert [(index, comment.text) for index, comment in read.reading.comments] == [(0, "About the web.")]


def test_a_root_with_an_unreadable_corner_still_tells_everything_else() -> None:
    files: dict[str, str | bytes] = {
        "a.tf": 'resource "example" "good" {\n  value = 1\n}\n',
        "b.tf": 'resource "example" "bad" {\n  value = \n}\nresource "example" "fine" {\n  value = example.bad.x\n}\n',
        "c.tf": b"\0\1\2\3" * 100,
        "d.tf": b"\xff\xfea\0",
    }
    with terraform(files) as read:
        assert set(read.resources) == {"example.good", "example.fine"}
        assert isinstance(read.value("example.fine", "value"), Unknown)
        assert {file for file, _, _, _ in read.problems} == {"b.tf", "d.tf"}
        assert read.tree.skipped["c.tf"] == "binary"
