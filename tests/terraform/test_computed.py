"""Attributes that a provider computes and that files decide before any apply."""

from __future__ import annotations

import pytest

from shoreup.model.value import PartialText, Unknown
from terraform_reading import evaluated, terraform

DOCUMENTS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  namespace: ns
data:
  image: "${image}"
---
# nothing here
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: two
"""
BY_PATH = """
data "kubectl_path_documents" "all" {
  pattern = "${path.module}/docs/*.yaml"
  vars = {
    image = "nginx"
  }
}
resource "kubectl_manifest" "each" {
  for_each  = data.kubectl_path_documents.all.manifests
  yaml_body = each.value
}
resource "kubectl_manifest" "counted" {
  count     = length(data.kubectl_path_documents.all.documents)
  yaml_body = element(data.kubectl_path_documents.all.documents, count.index)
}
"""


def test_documents_of_a_path_become_objects_with_their_templates_filled() -> None:
    with terraform({"main.tf": BY_PATH, "docs/a.yaml": DOCUMENTS}) as read:
        assert read.problems == []
        assert list(read.resources) == [
            'kubectl_manifest.each["/api/v1/namespaces/ns/configmaps/one"]',
            'kubectl_manifest.each["/apis/networking.k8s.io/v1/ingresses/two"]',
            "kubectl_manifest.counted[0]",
            "kubectl_manifest.counted[1]",
        ]
        first = 'kubectl_manifest.each["/api/v1/namespaces/ns/configmaps/one"]'
        assert read.value(first, "data", "image") == "nginx"
        assert read.written(first, "data", "image") == [("main.tf", "nginx")]
        assert read.written(first, "metadata", "name") == [("docs/a.yaml", "one")]
        assert read.written("kubectl_manifest.counted[1]", "metadata", "name") == [("docs/a.yaml", "two")]


def test_an_unknown_variable_leaves_the_rest_of_a_document_readable() -> None:
    text = BY_PATH.replace('"nginx"', "var.unset") + 'variable "unset" {}\n'
    with terraform({"main.tf": text, "docs/a.yaml": DOCUMENTS.replace('"${image}"', '"a:${image}"')}) as read:
        value = read.value("kubectl_manifest.counted[0]", "data", "image")
        assert value == PartialText(("a:", Unknown("the variable unset has no value in the repository")))
        assert read.written("kubectl_manifest.counted[0]", "metadata", "namespace") == [("docs/a.yaml", "ns")]


def test_documents_of_a_file_that_is_given_as_text() -> None:
    text = """
data "kubectl_file_documents" "all" {
  content = file("docs/a.yaml")
}
resource "kubectl_manifest" "x" {
  for_each  = data.kubectl_file_documents.all.manifests
  yaml_body = each.value
}
"""
    with terraform({"main.tf": text, "docs/a.yaml": DOCUMENTS}) as read:
        first = 'kubectl_manifest.x["/api/v1/namespaces/ns/configmaps/one"]'
        assert read.value(first, "data", "image") == "${image}"
        assert read.written(first, "metadata", "name") == [("docs/a.yaml", "one")]


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        ('resource "local_file" "x" {\n  content = "c"\n  filename = "f"\n}', "local_file.x.content", "c"),
        ('data "local_file" "x" {\n  filename = "a.txt"\n}', "data.local_file.x.content", "é"),
        (
            'data "template_file" "x" {\n  template = "hi $${who}"\n  vars = {\n    who = "you"\n  }\n}',
            "data.template_file.x.rendered",
            "hi you",
        ),
        ('resource "terraform_data" "x" {\n  input = "i"\n}', "terraform_data.x.output", "i"),
        (
            'resource "kubernetes_config_map" "x" {\n  metadata {\n    name = "n"\n    namespace = "s"\n  }\n}',
            "kubernetes_config_map.x.id",
            "s/n",
        ),
    ],
)
def test_what_is_certain_before_the_apply(text: str, reference: str, expected: str) -> None:
    block = f'resource "example" "y" {{\n  value = {reference}\n}}\n'
    with terraform({"main.tf": f"{text}\n{block}", "a.txt": "é"}) as read:
        assert read.value("example.y", "value") == expected


@pytest.mark.parametrize(
    "text",
    [
        'data "kubectl_path_documents" "x" {\n  pattern = var.unset\n}\nvariable "unset" {}',
        'data "kubectl_path_documents" "x" {\n  pattern = "broken/*"\n}',
        'data "kubectl_path_documents" "x" {\n}',
        'data "kubectl_path_documents" "x" {\n  pattern = "ok/*"\n  vars = var.unset\n}\nvariable "unset" {}',
    ],
)
def test_documents_that_cannot_be_known_are_unknown(text: str) -> None:
    files: dict[str, str | bytes] = {"main.tf": text, "broken/a.yaml": "${nope}", "ok/a.yaml": "a: 1"}
    assert isinstance(evaluated("data.kubectl_path_documents.x.documents", files), Unknown)
