"""An audit of a stranger's tree: it ends, nothing is a traceback, and what is wrong costs only itself.

Every case has neighbours in good order (:mod:`bad_estates`), whose findings must be there all the same.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bad_estates import MANIFEST, audited, errors, found, manifest, terraform, unknowns, write
from shoreup.model.errors import NothingToAudit
from shoreup.stages.audit import AuditOptions, audit

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
KUSTOMIZATION = "resources: [a.yaml]\n"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and devices are POSIX's")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

# ------------------------------------------------------------------------------------------ broken syntax


@pytest.mark.parametrize(
    ("broken", "line", "cause"),
    [
        ("locals {\n  x = [1, 2\n  y = }\n}\n", 19, "expected ']', found a word"),
        ("locals {\n  x = <<EOT\nnever ends\n", 18, "the heredoc EOT is never closed"),
        ('locals {\n  x = "never ends\n}\n', 18, "a string that is never closed"),
        ("locals {\n  x = \n}\n", 18, "an expression is missing"),
        ('locals {\n  x = "${1 + }"\n}\n', 18, "unexpected '}'"),
    ],
)
def test_broken_terraform_costs_one_block(tmp_path: Path, broken: str, line: int, cause: str) -> None:
    account = audited(tmp_path, {"bad/main.tf": terraform("a") + broken})
    assert found(account) == {("bad/main.tf", 11)}
    assert errors(account) == [("bad/main.tf", line, cause, "the block locals")]


def test_blocks_behind_a_broken_one_are_kept(tmp_path: Path) -> None:
    account = audited(tmp_path, {"bad/main.tf": "locals {\n  x = [1, 2\n  y = }\n}\n" + terraform("a")})
    assert found(account) == {("bad/main.tf", 15)}


def test_broken_yaml_costs_one_document(tmp_path: Path) -> None:
    broken = f"{CONFIG_MAP}data: [1, 2\nmore: }}\n"
    account = audited(tmp_path, {"bad/a.yaml": f"{manifest('a')}---\n{broken}---\n{manifest('c')}"})
    assert found(account) == {("bad/a.yaml", 11), ("bad/a.yaml", 29)}
    ((file, line, cause, skipped),) = errors(account)
    assert (file, line, skipped) == ("bad/a.yaml", 17, "the document")
    assert cause.startswith("no valid YAML: ")


@pytest.mark.parametrize(
    ("path", "content", "line", "skipped"),
    [
        ("bad/kustomization.yaml", "resources: [a.yaml\nimages: x\n", 2, "the document"),
        ("bad/compose.yaml", "services:\n  a: {image: nginx\n  b: 1\n", 3, "the document"),
        (".github/workflows/ci.yaml", "on: push\njobs: {\n", 3, "the document"),
        ("bad/main.tf.json", '{"locals": {"a": }}\n', 1, "the file"),
        ("bad/terragrunt.hcl", "inputs = {\n  a = \n}\n", 2, "the argument inputs"),
        ("bad/terraform.tfvars", 'x = "a\n', 1, "the argument x"),
    ],
)
def test_whatever_is_broken_is_said_with_its_line(
    tmp_path: Path, path: str, content: str, line: int, skipped: str
) -> None:
    account = audited(tmp_path, {path: content, "bad/main.tf": 'variable "x" {}\n'})
    assert [(one[0], one[1], one[3]) for one in errors(account)] == [(path, line, skipped)]


# ---------------------------------------------------------------------------------- what is no UTF-8 text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("bad/a.yaml", MANIFEST),
        ("bad/kustomization.yaml", KUSTOMIZATION),
        ("bad/compose.yaml", "services: {a: {image: nginx}}\n"),
        ("bad/main.tf", terraform("a", '"nginx:é"')),
        ("bad/main.tf.json", '{"locals": {"a": "é"}}\n'),
        ("bad/terragrunt.hcl", 'inputs = { a = "é" }\n'),
        (".github/workflows/ci.yaml", "on: push\njobs: {}\n"),
    ],
)
def test_other_encodings_are_said(tmp_path: Path, path: str, content: str, encoding: str) -> None:
    account = audited(tmp_path, {path: f"# é\n{content}".encode(encoding)})
    assert {one[0] for one in errors(account)} == {path}


@pytest.mark.parametrize("path", ["a.yaml", "main.tf", "main.tf.json", "kustomization.yaml", "compose.yaml"])
@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01" + bytes(200) + b"\xff\xfe\x80" * 50, bytes(5000)])
def test_a_binary_file_under_a_telling_name(tmp_path: Path, path: str, content: bytes) -> None:
    account = audited(tmp_path, {f"bad/{path}": content})
    promised = "terraform" if ".tf" in path else "yaml"
    assert errors(account) == [(f"bad/{path}", 0, f"binary, where its name promises {promised}", "the file")]
    assert account.coverage.skipped == {"binary": 1}


# ------------------------------------------------------------------------------------- too large, too deep


@pytest.mark.parametrize("path", ["a.yaml", "main.tf", "kustomization.yaml", "compose.yaml", "terragrunt.hcl"])
def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path, path: str) -> None:
    def enlarge(root: Path) -> None:
        with (root / "bad" / path).open("wb") as file:
            file.truncate(100 * 1024 * 1024)

    account = audited(tmp_path, {f"bad/{path}": ""}, enlarge)
    assert errors(account) == [(f"bad/{path}", 0, "larger than 8 MiB", "the file")]


DEPTHS = [300, 5_000, 200_000]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "expression",
    [
        lambda depth: "[" * depth + "]" * depth,
        lambda depth: "(" * depth + "1" + ")" * depth,
        lambda depth: "{a = " * depth + "1" + "}" * depth,
        lambda depth: "!" * depth + "true",
        lambda depth: "abs(" * depth + "1" + ")" * depth,
        lambda depth: "true ? 1 : " * depth + "2",
        lambda depth: '"' + '${"' * depth + '"}' * depth + '"',
        lambda depth: "[" * depth,
    ],
    ids=["list", "parentheses", "object", "not", "call", "conditional", "template", "unclosed"],
)
def test_deep_expressions_cost_one_block(tmp_path: Path, expression: object, depth: int) -> None:
    assert callable(expression)
    deep = f"locals {{\n  x = {expression(depth)}\n}}\n"
    account = audited(tmp_path, {"bad/main.tf": terraform("a") + deep, "bad/b.tf": terraform("b")})
    assert found(account) == {("bad/main.tf", 11), ("bad/b.tf", 11)}
    assert errors(account) == [("bad/main.tf", 18, "nested deeper than 120", "the block locals")]


@pytest.mark.parametrize("depth", DEPTHS)
def test_long_chains_of_operators_and_attributes_end(tmp_path: Path, depth: int) -> None:
    audited(
        tmp_path,
        {
            "bad/plus.tf": f"locals {{\n  a = {'1 + ' * depth}1\n}}\n" + terraform("a", '"nginx:${local.a}"'),
            "bad/dots.tf": f"locals {{\n  b = local.c{'.a' * depth}\n}}\n" + terraform("b", '"nginx:${local.b}"'),
            "bad/keys.tf": f"locals {{\n  c = local.d{'[0]' * depth}\n}}\n" + terraform("c", '"nginx:${local.c}"'),
        },
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_deep_blocks_end(tmp_path: Path, depth: int) -> None:
    account = audited(tmp_path, {"bad/main.tf": "a {\n" * depth + "}\n" * depth + terraform("a")})
    assert found(account) == {("bad/main.tf", 2 * depth + 11)}
    assert errors(account)[0][2] == "nested deeper than 120"


@pytest.mark.parametrize("depth", [300, 2_500])
def test_deep_yaml_costs_one_document(tmp_path: Path, depth: int) -> None:
    flow = f"{CONFIG_MAP}data: {'[' * depth}{']' * depth}\n---\n{manifest('a')}"
    block = CONFIG_MAP + "".join(f"{' ' * level}a:\n" for level in range(depth)) + f"---\n{manifest('b')}"
    dashes = f"{CONFIG_MAP}data:\n  {'- ' * depth}1\n---\n{manifest('c')}"
    account = audited(tmp_path, {"bad/flow.yaml": flow, "bad/block.yaml": block, "bad/dashes.yaml": dashes})
    assert {file for file, _ in found(account)} == {"bad/flow.yaml", "bad/block.yaml", "bad/dashes.yaml"}
    assert {one[0] for one in errors(account)} == {"bad/flow.yaml", "bad/block.yaml", "bad/dashes.yaml"}
    assert {one[2] for one in errors(account)} == {"nested deeper than 150 levels"}


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_deep_json_ends(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    account = audited(
        tmp_path,
        {
            "bad/a.tf.json": '{"locals": {"a": ' + deep + "}}",
            "text/main.tf": f"locals {{\n  a = jsondecode({deep!r})\n}}\n".replace("'", '"')
            + terraform("a", "local.a")
            + 'locals {\n  b = yamldecode(file("b.yaml"))\n}\n'
            + terraform("b", "local.b"),
            "text/b.yaml": deep,
        },
    )
    assert errors(account) == [
        ("bad/a.tf.json", 1, "nested too deeply", "the file"),
        ("text/b.yaml", 1, "nested deeper than 150 levels", "the document"),
    ]
    assert ("text/main.tf", 21) in unknowns(account)


# --------------------------------------------------------------------------------------------- explosions

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)
MERGED_BOMB = "b0: &b0 {x0: 1}\n" + "".join(
    f"b{level}: &b{level}\n  <<: [{', '.join([f'*b{level - 1}'] * 9)}]\n  x{level}: 1\n" for level in range(1, 12)
)


@pytest.mark.parametrize("bomb", [BOMB, MERGED_BOMB], ids=["lists", "merge keys"])
def test_aliases_that_unfold_without_end_cost_one_document(tmp_path: Path, bomb: str) -> None:
    account = audited(
        tmp_path,
        {
            "bad/a.yaml": f"{CONFIG_MAP}{bomb}---\n{manifest('a')}",
            "bad/compose.yaml": f"{bomb}services: {{a: {{image: nginx}}}}\n",
            "kustomize/kustomization.yaml": bomb + KUSTOMIZATION,
            "kustomize/a.yaml": manifest("b"),
        },
    )
    assert {file for file, _ in found(account)} >= {"bad/a.yaml"}
    assert {(one[0], one[2]) for one in errors(account)} == {
        (file, "aliases unfold to more than 200000 values")
        for file in ("bad/a.yaml", "bad/compose.yaml", "kustomize/kustomization.yaml")
    }


def test_an_alias_inside_itself(tmp_path: Path) -> None:
    account = audited(tmp_path, {"bad/a.yaml": f"{CONFIG_MAP}data: &d\n  x: *d\n---\n{manifest('a')}"})
    assert found(account) == {("bad/a.yaml", 17)}
    assert errors(account) == [("bad/a.yaml", 5, "the alias *d refers to nothing before it", "the document")]


def test_aliases_without_end_inside_terraform(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "bad/bomb.yaml": BOMB,
            "bad/main.tf": 'locals {\n  a = yamldecode(file("bomb.yaml"))\n}\n'
            + terraform("a", "local.a.a1")
            + 'resource "kubectl_manifest" "b" {\n  yaml_body = file("bomb.yaml")\n}\n'
            + 'resource "helm_release" "c" {\n  name   = "c"\n  chart  = "c"\n  values = [file("bomb.yaml")]\n}\n',
        },
    )
    (reason,) = unknowns(account).values()
    assert "unfolds to too many values" in reason


EXPLOSIONS = {
    "lists": (
        'a0 = ["x", "x", "x", "x", "x", "x", "x", "x"]\n'
        + "".join(f"  a{level} = [{', '.join([f'local.a{level - 1}'] * 9)}]\n" for level in range(1, 12)),
        "jsonencode(local.a11)",
    ),
    "texts": (
        's0 = "xxxxxxxxxx"\n'
        + "".join(f'  s{level} = "{f"${{local.s{level - 1}}}" * 10}"\n' for level in range(1, 12)),
        "local.s11",
    ),
    "range": ("a = range(100000000)", "jsonencode(local.a)"),
    "format": ('a = format("%1000000000s", "a")', "local.a"),
    "power": ("a = pow(10, 1000000)", "local.a"),
    "indent": ('a = indent(1000000000, "a\\nb")', "local.a"),
    "product": ("a = setproduct(range(1000), range(1000), range(1000))", "jsonencode(local.a)"),
    "loops": (
        "a = [for x in range(1000) : [for y in range(1000) : [for z in range(1000) : z]]]",
        "jsonencode(local.a)",
    ),
    "digits": (f'a = parseint("{"9" * 10_000}", 36)', "local.a"),
    "pattern": ('a = regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")', "local.a"),
    "replacement": ('a = replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "/(a|a)*c/", "x")', "local.a"),
    "networks": ('a = cidrsubnets("10.0.0.0/8", 99999999)', "jsonencode(local.a)"),
    "chunks": ("a = chunklist(range(1000), 0)", "jsonencode(local.a)"),
    "number": ("a = 1e999999999", "local.a"),
    "replicas": ('a = join("", [for x in range(1000) : join("", [for y in range(1000) : "aaaaaaaaaaa"])])', "local.a"),
}


@pytest.mark.parametrize("name", EXPLOSIONS)
def test_expressions_that_explode_end(tmp_path: Path, name: str) -> None:
    definition, used = EXPLOSIONS[name]
    audited(tmp_path, {"bad/main.tf": f"locals {{\n  {definition}\n}}\n" + terraform("a", f'"nginx:${{{used}}}"')})


@pytest.mark.parametrize("count", ["1000000000", "-1", "1e300", '"x"', "null", "[]"])
def test_counts_beyond_reason_cost_one_resource(tmp_path: Path, count: str) -> None:
    counted = terraform("a").replace("{\n", f"{{\n  count = {count}\n", 1)
    account = audited(tmp_path, {"bad/main.tf": counted + terraform("b")})
    assert found(account) == {("bad/main.tf", 28)}


def test_modules_that_call_modules_without_end(tmp_path: Path) -> None:
    calls = "".join(f'module "m{call}" {{\n  source = "./m"\n  count  = 10\n}}\n' for call in range(10))
    files = {f"bad/{'m/' * level}main.tf": calls for level in range(8)}
    account = audited(tmp_path, {**files, f"bad/{'m/' * 8}main.tf": terraform("a")})
    assert "the root unfolds to more than can be followed" in {one[2] for one in errors(account)}


def test_dynamic_blocks_without_end(tmp_path: Path) -> None:
    block = 'dynamic "x" {\n  for_each = range(100000000)\n  content {\n    a = 1\n  }\n}\n'
    audited(tmp_path, {"bad/main.tf": f'resource "kubernetes_config_map" "x" {{\n{block}}}\n'})


# ------------------------------------------------------------------------------------------------ circles


def test_locals_in_a_circle(tmp_path: Path) -> None:
    circle = "locals {\n  a = local.b\n  b = local.a\n  c = [for x in local.c : x]\n}\n"
    account = audited(
        tmp_path, {"bad/main.tf": circle + terraform("a", "local.a") + terraform("c", "jsonencode(local.c)")}
    )
    assert errors(account) == [
        ("bad/main.tf", 2, "local.a refers to itself", "its value"),
        ("bad/main.tf", 4, "local.c refers to itself", "its value"),
    ]
    assert unknowns(account) == {
        ("bad/main.tf", 16): "local.a refers to itself",
        ("bad/main.tf", 32): "local.c refers to itself",
    }


def test_outputs_in_a_circle(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "bad/main.tf": 'module "m" {\n  source = "./m"\n  i      = module.m.o\n}\n' + terraform("a", "module.m.o"),
            "bad/m/main.tf": 'variable "i" {}\noutput "o" {\n  value = var.i\n}\n',
        },
    )
    assert errors(account) == [("bad/m/main.tf", 2, "output.o refers to itself", "its value")]


def test_resources_in_a_circle(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "bad/main.tf": terraform("a", "kubernetes_deployment.b.metadata[0].name")
            + terraform("b").replace('name      = "b"', "name      = kubernetes_deployment.a.metadata[0].name")
            + terraform("c").replace("{\n", "{\n  for_each = kubernetes_deployment.c\n", 1)
        },
    )
    assert ("bad/main.tf", 1, "kubernetes_deployment.a refers to itself", "its value") in errors(account)
    assert ("bad/main.tf", 33, "kubernetes_deployment.c refers to itself", "its value") in errors(account)


def test_modules_in_a_circle(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "self/main.tf": 'module "s" {\n  source = "./"\n}\n' + terraform("s"),
            "root/main.tf": 'provider "kubernetes" {}\nmodule "a" {\n  source = "../a"\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\n' + terraform("b"),
            "lost/x/main.tf": 'module "y" {\n  source = "../y"\n}\n',
            "lost/y/main.tf": 'module "x" {\n  source = "../x"\n}\n',
        },
    )
    assert found(account) == {("self/main.tf", 14), ("b/main.tf", 14)}
    assert errors(account) == [
        ("b/main.tf", 1, "modules call one another in a circle", "the module a"),
        ("lost/x/main.tf", 0, "modules call one another in a circle", "the module lost/x"),
        ("lost/y/main.tf", 0, "modules call one another in a circle", "the module lost/y"),
        ("self/main.tf", 1, "modules call one another in a circle", "the module s"),
    ]


def test_kustomizations_in_a_circle(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "k1/kustomization.yaml": "resources:\n- ../k2\n- a.yaml\n",
            "k1/a.yaml": manifest("a"),
            "k2/kustomization.yaml": "resources:\n- ../k1\n",
            "k3/kustomization.yaml": "components:\n- ../k3\n",
        },
    )
    assert found(account) == {("k1/a.yaml", 11)}
    assert {one[0] for one in errors(account)} == {"k2/kustomization.yaml", "k3/kustomization.yaml"}


def test_terragrunt_units_in_a_circle(tmp_path: Path) -> None:
    unit = (
        'include "root" {{\n  path = "terragrunt.hcl"\n}}\ndependency "d" {{\n  config_path = "../{other}"\n}}\n'
        'locals {{\n  x = read_terragrunt_config("../{other}/terragrunt.hcl")\n}}\n'
        'terraform {{\n  source = "../m"\n}}\ninputs = {{\n  i = dependency.d.outputs.o\n}}\n'
    )
    audited(
        tmp_path,
        {
            "t/terragrunt.hcl": unit.format(other="u"),
            "u/terragrunt.hcl": unit.format(other="t"),
            "m/main.tf": 'variable "i" {}\noutput "o" {\n  value = var.i\n}\n' + terraform("m", "var.i"),
        },
    )


@POSIX
def test_links_in_a_circle(tmp_path: Path) -> None:
    def link(root: Path) -> None:
        for name, target in {"self": ".", "up": "..", "a": "b", "b": "a", "a.yaml": "b.yaml", "b.tf": "b.tf"}.items():
            (root / "bad" / name).symlink_to(target)

    account = audited(tmp_path / "estate", {"bad/c.yaml": manifest("c")}, link)
    assert found(account) == {("bad/c.yaml", 11)}
    assert ("bad/b.tf", 0, "Too many levels of symbolic links", "the file") in errors(account)


# ------------------------------------------------------------------------------- what is not in the estate


def test_modules_that_are_not_there(tmp_path: Path) -> None:
    sources = ["git::https://example.com/m.git", "terraform-aws-modules/vpc/aws", "./none", "../../../etc", "/etc"]
    calls = "".join(f'module "m{line}" {{ source = "{source}" }}\n' for line, source in enumerate(sources))
    account = audited(tmp_path, {"bad/main.tf": calls + terraform("a", "module.m0.x") + terraform("b")})
    assert found(account) == {("bad/main.tf", 32)}
    assert [one[:3] for one in errors(account)] == [
        ("bad/main.tf", 1, "the module's source is not in the estate"),
        ("bad/main.tf", 2, "the module's source is not in the estate"),
        ("bad/main.tf", 3, "there is no module at bad/none"),
        ("bad/main.tf", 4, "there is no module at ../../etc"),
        ("bad/main.tf", 5, "the module's source is not in the estate"),
    ]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "bad/main.tf": terraform("a", 'file("none.txt")')
            + terraform("b", 'templatefile("none.tftpl", {})')
            + terraform("c", 'try(file("none.txt"), "nginx:1.27")')
            + terraform("d", 'fileexists("none.txt") ? file("none.txt") : "nginx:latest"'),
            "kustomize/kustomization.yaml": "resources:\n- none.yaml\n- ../neither\n",
        },
    )
    assert found(account) == {("bad/main.tf", 59)}
    assert errors(account) == [
        ("bad/main.tf", 11, "the file bad/none.txt is not in the estate", "what file() gives"),
        ("bad/main.tf", 27, "the file bad/none.tftpl is not in the estate", "what templatefile() gives"),
        ("kustomize/kustomization.yaml", 2, "none.yaml is not in the estate", "the resource"),
        ("kustomize/kustomization.yaml", 3, "../neither is not in the estate", "the resource"),
    ]


def test_remote_resources_are_not_fetched(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {"bad/kustomization.yaml": "resources:\n- https://example.com/a.yaml\n- a.yaml\n", "bad/a.yaml": manifest("a")},
    )
    assert found(account) == {("bad/a.yaml", 11)}
    assert errors(account) == [
        ("bad/kustomization.yaml", 2, "remote, not fetched", "the resource https://example.com/a.yaml")
    ]


# ----------------------------------------------------------------------------------------------- templates


def test_an_unknown_part_of_a_template_leaves_the_rest(tmp_path: Path) -> None:
    known = manifest("a") + '          args: ["${unknown}"]\n'
    account = audited(
        tmp_path,
        {
            "bad/main.tf": 'variable "u" {}\nresource "kubectl_manifest" "a" {\n'
            '  yaml_body = templatefile("a.yaml.tftpl", { unknown = var.u })\n}\n'
            + terraform("b", 'templatefile("image.tftpl", { unknown = var.u })'),
            "bad/a.yaml.tftpl": known,
            "bad/image.tftpl": "nginx:${unknown}",
        },
    )
    assert found(account) == {("bad/a.yaml.tftpl", 11)}
    assert errors(account) == []
    assert unknowns(account) == {("bad/image.tftpl", 1): "the variable u has no value in the repository"}


@pytest.mark.parametrize(
    ("content", "line"),
    [("a\n${", 2), ("%{ if x }\n", 1), ("%{ for x in }%{ endfor }", 1), ("a\nb\n${nginx", 3), (b"\xe9\n", 0)],
)
def test_broken_templates(tmp_path: Path, content: str | bytes, line: int) -> None:
    account = audited(tmp_path, {"bad/main.tf": terraform("a", 'templatefile("a.tftpl", {})'), "bad/a.tftpl": content})
    assert [(one[0], one[1], one[3]) for one in errors(account)] == [("bad/a.tftpl", line, "the template")]
    assert set(unknowns(account)) == {("bad/main.tf", 11)}


# ----------------------------------------------------------------------------------------- names and shapes


def test_names_that_are_given_twice(tmp_path: Path) -> None:
    account = audited(
        tmp_path,
        {
            "bad/main.tf": terraform("a")
            + terraform("a")
            + 'locals {\n  x = 1\n}\nlocals {\n  x = 2\n}\nvariable "v" {}\nvariable "v" {}\n'
            + 'module "m" { source = "../m" }\nmodule "m" { source = "../m" }\n',
            "m/main.tf": "",
            "bad/keys.yaml": "apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata: {name: a, name: b}\n",
            "kustomize/kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\n",
            "kustomize/a.yaml": manifest("k"),
            "kustomize/b.yaml": manifest("k"),
        },
    )
    assert found(account) == {("bad/main.tf", 11), ("kustomize/a.yaml", 11)}
    assert [one[:3] for one in errors(account)] == [
        ("bad/keys.yaml", 3, 'the key "kind" is given twice'),
        ("bad/keys.yaml", 4, 'the key "name" is given twice'),
        ("bad/main.tf", 17, "resource kubernetes_deployment.a is declared twice"),
        ("bad/main.tf", 37, "local x is declared twice"),
        ("bad/main.tf", 40, "variable v is declared twice"),
        ("bad/main.tf", 42, "module m is declared twice"),
        ("kustomize/kustomization.yaml", 3, "Deployment k is there already"),
    ]


SHAPES = [
    "kind: [a]\nmetadata: x",
    "kind: Deployment\nmetadata: [1]\nspec: 7",
    "kind: Deployment\nmetadata: {name: 5, namespace: [x]}\nspec: {template: {spec: {containers: {a: b}}}}",
    "kind: Deployment\nmetadata: {name: q}\nspec: {replicas: x, template: {spec: {volumes: [x, {name: 1}]}}}",
    "kind: Deployment\nmetadata: {name: q}\nspec: {template: {spec: {containers: [1, null, {name: 5, image: [1]}]}}}",
    "kind: Deployment\nmetadata: {name: q}\nspec: {template: {spec: {containers: [{env: 3, args: {a: 1}, ports: x}]}}}",
    "kind: CronJob\nmetadata: {name: c}\nspec: {schedule: 5, jobTemplate: {spec: {template: {spec: {containers: 5}}}}}",
    "kind: Job\nmetadata: {name: c}\nspec: {template: {spec: {containers: [{command: a, args: [[1]]}]}}}",
    "kind: List\nitems: 3",
    "kind: List\nitems: [1, {kind: List, items: [null]}]",
    "kind: HelmRelease\nmetadata: {name: [a]}\nspec: {chart: 5, values: [1], valuesFrom: 3}",
    "kind: Application\nmetadata: {name: a}\nspec: {source: [1], sources: 5, destination: 3}",
    "kind: Kustomization\nmetadata: {name: a}\nspec: {path: [1], sourceRef: 3, postBuild: {substitute: 5}}",
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "version",
    [
        "apps/v1",
        "batch/v1",
        "v1",
        "helm.toolkit.fluxcd.io/v2",
        "argoproj.io/v1alpha1",
        "kustomize.toolkit.fluxcd.io/v1",
    ],
)
def test_objects_of_another_shape_than_they_say(tmp_path: Path, shape: str, version: str) -> None:
    audited(tmp_path, {"bad/a.yaml": f"apiVersion: {version}\n{shape}\n"})


@pytest.mark.parametrize(
    "files",
    [
        {"bad/kustomization.yaml": "resources: {a: 1}\nimages: 5\npatches: [1, {path: 5}]\nnamespace: [1]\n"},
        {"bad/kustomization.yaml": "configMapGenerator: [5, {name: [1], files: x, literals: [1, {a: 1}]}]\n"},
        {"bad/kustomization.yaml": "replacements: [1, {source: 1, targets: 5}]\nlabels: 3\ncommonLabels: [1]\n"},
        {"bad/compose.yaml": "services:\n  a: 5\n  b: {image: [1], ports: 5, environment: 7, volumes: [[1]]}\n"},
        {"bad/compose.yaml": "services: [a]\n"},
        {".github/workflows/a.yaml": "on: 5\njobs: [1]\n"},
        {".github/workflows/b.yaml": "jobs: {a: 5, b: {steps: 5}, c: {steps: [1, {run: [1]}]}}\n"},
        {".gitlab-ci.yml": "a: 5\nb: {script: 7}\nc: {script: [[1], {a: 1}]}\n"},
        {"bad/main.tf.json": '{"resource": [1], "locals": 5, "module": {"a": 1}, "variable": {"b": [1]}}'},
        {"bad/main.tf": 'resource "kubernetes_deployment" "x" {\n  spec = 5\n  metadata = [1]\n}\n'},
        {"bad/main.tf": 'resource "kubernetes_manifest" "x" {\n  manifest = "a"\n}\n'},
        {"bad/main.tf": 'resource "helm_release" "x" {\n  name = [1]\n  values = {}\n  set = 5\n}\n'},
    ],
)
def test_files_of_another_shape_than_they_say(tmp_path: Path, files: Mapping[str, str]) -> None:
    audited(tmp_path, files)


# ------------------------------------------------------------------------------------ what is no plain file


@POSIX
def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    def place(root: Path) -> None:
        for name in ("pipe.yaml", "pipe.tf", "kustomization.yaml", "asked"):
            os.mkfifo(root / "bad" / name)
        for name in ("zero.yaml", "zero.tf"):
            (root / "bad" / name).symlink_to("/dev/zero")
        (root / "bad" / "to-pipe.yaml").symlink_to("pipe.yaml")
        with socket.socket(socket.AF_UNIX) as listening:
            os.chdir(root / "bad")  # the name of a socket may be 108 bytes long
            listening.bind("socket.yaml")

    here = Path.cwd()
    try:
        account = audited(tmp_path, {"bad/main.tf": terraform("a", 'file("asked")')}, place)
    finally:
        os.chdir(here)
    said = {(file, cause) for file, _, cause, _ in errors(account)}
    assert said >= {(f"bad/{name}", "a pipe") for name in ("pipe.yaml", "pipe.tf", "kustomization.yaml", "asked")}
    assert said >= {(f"bad/{name}", "a link that leaves the estate") for name in ("zero.yaml", "zero.tf")}
    assert said >= {("bad/to-pipe.yaml", "a pipe"), ("bad/socket.yaml", "a socket")}
    assert set(unknowns(account)) == {("bad/main.tf", 11)}


@pytest.mark.skipif(not (ROOT and hasattr(os, "mknod")), reason="only root makes devices")
def test_a_device_under_a_telling_name(tmp_path: Path) -> None:
    def place(root: Path) -> None:
        try:
            os.mknod(root / "dev.yaml", 0o020600, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("this root may not make devices")

    assert errors(audited(tmp_path, {}, place)) == [("dev.yaml", 0, "a device", "the file")]


@pytest.mark.skipif(ROOT, reason="root reads everything")
@POSIX
def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    def close(root: Path) -> None:
        (root / "bad/a.yaml").chmod(0)
        (root / "bad/main.tf").chmod(0)
        (root / "closed").chmod(0)

    try:
        account = audited(tmp_path, {"bad/a.yaml": "", "bad/main.tf": "", "closed/a.yaml": MANIFEST}, close)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert errors(account) == [
        ("bad/a.yaml", 0, "Permission denied", "the file"),
        ("bad/main.tf", 0, "Permission denied", "the file"),
        ("closed", 0, "Permission denied", "the folder"),
    ]


# ------------------------------------------------------------------------------------------ out of the estate


@POSIX
def test_no_way_leads_out_of_the_estate(tmp_path: Path) -> None:
    outside = {
        "a.yaml": manifest("outside"),
        "main.tf": terraform("outside"),
        "kustomization.yaml": KUSTOMIZATION,
        "values.yaml": "image: {repository: nginx, tag: latest}\n",
        "image": "outside:latest",
        "Chart.yaml": "apiVersion: v2\nname: outside\nversion: 1.0.0\n",
    }
    write(tmp_path / "outside", outside)

    def link(root: Path) -> None:
        (root / "folder").symlink_to("../outside")
        (root / "file.yaml").symlink_to("../outside/a.yaml")
        (root / "file.tf").symlink_to(tmp_path / "outside/main.tf")

    account = audited(
        tmp_path / "estate",
        {
            "k/kustomization.yaml": "resources:\n- ../../outside\n- ../../outside/a.yaml\n- ../folder\n- /etc\n"
            "components: [../../outside]\npatches: [{path: ../../outside/a.yaml}]\n"
            "configMapGenerator: [{name: x, files: [../../outside/image, /etc/passwd], envs: [../../outside/image]}]\n"
            "helmCharts: [{name: x, valuesFile: ../../outside/values.yaml}]\n",
            "m/main.tf": 'module "a" {\n  source = "../../outside"\n}\nmodule "b" {\n  source = "../folder"\n}\n'
            'resource "helm_release" "h" {\n  name   = "h"\n  chart  = "../../outside"\n'
            '  values = [file("../../outside/values.yaml")]\n}\n'
            + terraform("c", 'file("../../outside/image")')
            + terraform("d", 'file("../folder/image")')
            + terraform("e", f'file("{tmp_path}/outside/image")')
            + terraform("f", 'templatefile("../../outside/image", {})')
            + terraform("g", 'join("", fileset("../../outside", "*"))'),
            "t/terragrunt.hcl": 'terraform {\n  source = "../../outside"\n}\n'
            'include "a" {\n  path = "../../outside/main.tf"\n}\n'
            'locals {\n  x = read_terragrunt_config("../../outside/terragrunt.hcl")\n}\n',
            "argo.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n"
            "    repoURL: x\n    path: ../outside\n    helm: {valueFiles: [../outside/values.yaml, /etc/passwd]}\n",
            "flux.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
            "metadata: {name: a, namespace: flux-system}\nspec:\n  path: ../outside\n"
            "  sourceRef: {kind: GitRepository, name: flux-system}\n",
            "compose.yaml": "include: [../outside/a.yaml]\nservices:\n  a:\n    image: nginx:1.27\n"
            "    env_file: [../outside/image, /etc/passwd]\n    extends: {file: ../outside/a.yaml, service: x}\n",
        },
        link,
    )
    assert found(account) == set()
    assert {one.resource.name for one in account.findings if one.resource} & {"outside", "Outside"} == set()
    said = {(file, line): cause for file, line, cause, _ in errors(account)}
    assert said[("folder", 0)] == said[("file.yaml", 0)] == said[("file.tf", 0)] == "a link that leaves the estate"
    assert said[("m/main.tf", 1)] == "there is no module at ../outside"
    assert said[("m/main.tf", 10)] == "../../outside/values.yaml lies outside the estate"
    assert said[("k/kustomization.yaml", 2)] == "../../outside leads out of the estate"
    assert all(file.startswith(("m/", "n")) for file, _ in unknowns(account))


# --------------------------------------------------------------------------------------------- kinds of trees


def test_a_folder_without_git_is_audited(tmp_path: Path) -> None:
    assert not (tmp_path / ".git").exists()
    assert errors(audited(tmp_path, {})) == []


@pytest.mark.parametrize("inside", [{}, {"README.md": "x"}, {".git/config": "x"}, {"sub/.keep": ""}])
def test_a_folder_with_nothing_to_audit(tmp_path: Path, inside: Mapping[str, str]) -> None:
    write(tmp_path, inside)
    with pytest.raises(NothingToAudit):
        audit([tmp_path], AuditOptions(cache=False))


@POSIX
def test_file_names_may_hold_anything(tmp_path: Path) -> None:
    names = ["line\nbreak", "\x1b]0;owned\x07", "quote\"'", "-rf", " ", "a" * 200, "%{x}${y}", "\\x41", "ünï", "*?["]
    files = {f"bad/{name}.yaml": manifest(f"x{number}") for number, name in enumerate(names)}

    def odd(root: Path) -> None:
        Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.yaml")).write_text(manifest("odd"))
        Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.tf")).write_text(terraform("odd") + "locals {\n  x = \n}\n")

    account = audited(tmp_path, files, odd)
    assert len(found(account)) == len(names) + 2
