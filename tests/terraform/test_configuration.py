"""Modules, variables, instances and references: what a root declares, read from its files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.formats.files import FileTree
from shoreup.formats.hcl import Source, parse_file
from shoreup.model.value import PartialText, Unknown
from shoreup.terraform.configuration import Configurations
from terraform_reading import evaluated, terraform

THING = 'resource "example_thing" "x" {\n  value = %s\n}\n'


def only_value(files: dict[str, str | bytes], address: str = "example_thing.x") -> object:
    with terraform(files) as read:
        assert read.problems == []
        return read.value(address, "value")


def test_a_module_called_several_times_is_each_time_itself() -> None:
    files = {
        "main.tf": 'module "a" {\n  source = "./m"\n  name = "one"\n}\n'
        'module "b" {\n  source = "./m"\n  name = "two"\n}\n',
        "m/main.tf": 'variable "name" {}\n' + THING % '"x-${var.name}"',
    }
    with terraform(files) as read:
        assert {address: one.body["value"] for address, one in read.resources.items()} == {
            "module.a.example_thing.x": "x-one",
            "module.b.example_thing.x": "x-two",
        }


@pytest.mark.parametrize(
    ("head", "addresses"),
    [
        ("count = 2", ["module.m[0].example_thing.x", "module.m[1].example_thing.x"]),
        ("count = 0", []),
        ('for_each = toset(["b", "a"])', ['module.m["a"].example_thing.x', 'module.m["b"].example_thing.x']),
        ('for_each = { k = 1, "l\\"m" = 2 }', ['module.m["k"].example_thing.x', 'module.m["l\\"m"].example_thing.x']),
        ("count = var.unset", ["module.m[*].example_thing.x"]),
        ("for_each = var.unset", ['module.m["*"].example_thing.x']),
        ("for_each = toset([var.unset])", ['module.m["*"].example_thing.x']),
    ],
)
def test_instances_of_modules_and_their_addresses(head: str, addresses: list[str]) -> None:
    files = {
        "main.tf": f'variable "unset" {{}}\nmodule "m" {{\n  source = "./m"\n  {head}\n}}\n',
        "m/main.tf": THING % "1",
    }
    with terraform(files) as read:
        assert list(read.resources) == addresses


@pytest.mark.parametrize(
    ("head", "value", "expected"),
    [
        ("count = 2", "count.index", {"example_thing.x[0]": 0, "example_thing.x[1]": 1}),
        ('for_each = { a = "p" }', '"${each.key}${each.value}"', {'example_thing.x["a"]': "ap"}),
        ('for_each = ["q"]', "each.value", {'example_thing.x["q"]': "q"}),
        ("count = local.on ? 1 : 0", "1", {"example_thing.x[0]": 1}),
        ("count = var.unset ? 1 : 0", "count.index", {"example_thing.x[*]": None}),
        ("for_each = var.unset", "each.value.a", {'example_thing.x["*"]': None}),
    ],
)
def test_instances_of_resources(head: str, value: str, expected: dict[str, object]) -> None:
    block = f'resource "example_thing" "x" {{\n  {head}\n  value = {value}\n}}\n'
    with terraform({"main.tf": 'variable "unset" {}\nlocals {\n  on = true\n}\n' + block}) as read:
        found = {address: one.body["value"] for address, one in read.resources.items()}
    assert found.keys() == expected.keys()
    for address, wanted in expected.items():
        assert isinstance(found[address], Unknown) if wanted is None else found[address] == wanted


def test_locals_and_outputs_across_files() -> None:
    files: dict[str, str | bytes] = {
        "a.tf": "locals {\n  one = local.two\n}\n",
        "b.tf": 'locals {\n  two = module.m["k"].out.name\n}\n'
        'module "m" {\n  source = "./m"\n  for_each = { k = "v" }\n'
        "  given = each.value\n}\n" + THING % "local.one",
        "m/o.tf": 'variable "given" {}\noutput "out" {\n  value = { name = "${var.given}!" }\n}\n',
    }
    assert only_value(files) == "v!"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("module.one.out", "o"),
        ("module.many[1].out", "o"),
        ("module.many[*].out", ["o", "o"]),
        ("values(module.each)[*].out", ["o"]),
        ('module.each["k"].out', "o"),
        ('[for k, m in module.each : "${k}${m.out}"]', ["ko"]),
        ("module.one", {"out": "o"}),
        ("length(module.many)", 2),
    ],
)
def test_outputs_of_modules(reference: str, expected: object) -> None:
    files: dict[str, str | bytes] = {
        "main.tf": 'module "one" {\n  source = "./m"\n}\nmodule "many" {\n  source = "./m"\n  count = 2\n}\n'
        'module "each" {\n  source = "./m"\n  for_each = { k = 1 }\n}\n',
        "m/main.tf": 'output "out" {\n  value = "o"\n}\n',
    }
    assert evaluated(reference, files) == expected


RESOURCES = """
resource "kubernetes_namespace" "x" {
  metadata {
    name = "ns"
  }
}
resource "example" "counted" {
  count = 2
  name  = "n${count.index}"
}
resource "example" "keyed" {
  for_each = { a = 1, b = 2 }
  name     = each.key
  inner {
    x = each.value
  }
}
"""


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("kubernetes_namespace.x.metadata[0].name", "ns"),
        ("kubernetes_namespace.x.metadata.0.name", "ns"),
        ("one(kubernetes_namespace.x.metadata).name", "ns"),
        ("kubernetes_namespace.x.id", Unknown("kubernetes_namespace.x.id is known only after apply")),
        (
            "kubernetes_namespace.x.metadata[0].uid",
            Unknown("kubernetes_namespace.x.metadata.uid is known only after apply"),
        ),
        ("example.counted[1].name", "n1"),
        ("example.counted[*].name", ["n0", "n1"]),
        ("example.counted.*.name", ["n0", "n1"]),
        ('example.keyed["b"].inner[0].x', 2),
        ("{ for k, e in example.keyed : k => e.name }", {"a": "a", "b": "b"}),
        ("values(example.keyed)[*].inner[0].x", [1, 2]),
    ],
)
def test_references_to_resources_are_followed_in_the_configuration(reference: str, expected: object) -> None:
    assert evaluated(reference, {"main.tf": RESOURCES}) == expected


def test_nested_dynamic_blocks_and_their_iterators() -> None:
    block = """
resource "example_thing" "x" {
  dynamic "outer" {
    for_each = { a = ["p", "q"], b = [] }
    content {
      name = outer.key
      dynamic "inner" {
        for_each = outer.value
        iterator = it
        content {
          text = "${outer.key}${it.key}${it.value}"
        }
      }
    }
  }
  dynamic "none" {
    for_each = null
    content {}
  }
  dynamic "unknown" {
    for_each = var.unset
    content {
      text = unknown.value
    }
  }
}
variable "unset" {}
"""
    with terraform({"main.tf": block}) as read:
        body = read.resources["example_thing.x"].body
    assert body["outer"] == [
        {"name": "a", "inner": [{"text": "a0p"}, {"text": "a1q"}]},
        {"name": "b", "inner": []},
    ]
    assert body["none"] == []
    unknown = body["unknown"]
    assert isinstance(unknown, list)
    assert isinstance(unknown[0], Unknown)


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ("type = string", "80", "80"),
        ("type = number", '"80"', 80),
        ("type = bool", '"true"', True),
        ("type = list(string)", "[1, true]", ["1", "true"]),
        ("type = set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("type = map(number)", '{ a = "1" }', {"a": 1}),
        ("type = tuple([string, number])", '[1, "2"]', ["1", 2]),
        ("type = any", "[1]", [1]),
        ("type = object({ a = string, b = optional(number) })", "{ a = 1, c = 2 }", {"a": "1", "b": None}),
        ('type = object({ a = optional(string, "d") })', "{}", {"a": "d"}),
        ('type = object({ a = optional(string, "d") })', "{ a = null }", {"a": "d"}),
        ('type = map(object({ t = optional(list(string), ["x"]) }))', "{ k = {} }", {"k": {"t": ["x"]}}),
        ("default = 5", None, 5),
        ("default = 5", "null", None),
        ("default = 5\n  nullable = false", "null", 5),
    ],
)
def test_variables_are_converted_to_their_types(declared: str, given: str | None, expected: object) -> None:
    argument = "" if given is None else f"  v = {given}\n"
    files: dict[str, str | bytes] = {
        "main.tf": f'module "m" {{\n  source = "./m"\n{argument}}}\n' + THING % "module.m.out",
        "m/main.tf": f'variable "v" {{\n  {declared}\n}}\noutput "out" {{\n  value = var.v\n}}\n',
    }
    assert only_value(files) == expected


def test_files_of_values_are_read_in_terraforms_order() -> None:
    files: dict[str, str | bytes] = {
        "main.tf": 'variable "a" {\n  default = 0\n}\nvariable "b" {}\nvariable "c" {}\nvariable "d" {}\n'
        + THING % "[var.a, var.b, var.c, var.d]",
        "terraform.tfvars": "b = 1\nc = 1\nd = 1\n",
        "terraform.tfvars.json": '{"c": 2, "d": 2}',
        "z.auto.tfvars": "d = 4\n",
        "a.auto.tfvars.json": '{"d": 3}',
        "other.tfvars": "a = 9\nb = 9\n",
    }
    assert only_value(files) == [0, 1, 2, 4]


def test_an_encrypted_file_of_values_may_set_any_variable() -> None:
    files: dict[str, str | bytes] = {
        "main.tf": 'variable "a" {\n  default = 0\n}\n' + THING % "var.a",
        "secret.auto.tfvars": b"\0GITCRYPT\0" + bytes(range(100)),
    }
    value = only_value(files)
    assert isinstance(value, Unknown)
    assert value.path == "secret.auto.tfvars"


def test_a_variable_without_a_value_says_so() -> None:
    value = only_value({"main.tf": 'variable "v" {}\n' + THING % '"a-${var.v}"'})
    assert value == PartialText(("a-", Unknown("the variable v has no value in the repository")))


def test_overrides_replace_arguments_and_blocks_of_a_kind() -> None:
    files: dict[str, str | bytes] = {
        "main.tf": 'resource "example_thing" "x" {\n  value = 1\n  other = 2\n'
        "  b {\n    n = 1\n  }\n  b {\n    n = 2\n  }\n}\n",
        "x_override.tf": 'resource "example_thing" "x" {\n  value = 3\n  b {\n    n = 4\n  }\n}\n',
    }
    with terraform(files) as read:
        assert read.resources["example_thing.x"].body == {"value": 3, "other": 2, "b": [{"n": 4}]}


def test_the_json_syntax_means_the_same() -> None:
    files: dict[str, str | bytes] = {
        "main.tf.json": '{"locals": {"a": "x"}, "resource": {"example_thing": {"x": {"count": 1,'
        ' "value": "é\\n${local.a}$${b}", "//": "a note"}}}}',
    }
    assert only_value(files, "example_thing.x[0]") == "é\nx${b}"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"main.tf": 'module "m" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n'},
            ("main.tf", 1, "the module's source is not in the estate", "the module m"),
        ),
        (
            {"main.tf": '\nmodule "m" {\n  source = "./nowhere"\n}\n'},
            ("main.tf", 2, "there is no module at nowhere", "the module m"),
        ),
        (
            {"main.tf": 'module "m" {\n  source = "../outside"\n}\n'},
            ("main.tf", 1, "there is no module at ../outside", "the module m"),
        ),
        (
            {"main.tf": THING % "1" + THING % "2"},
            ("main.tf", 4, "resource example_thing.x is declared twice", "the second one"),
        ),
        (
            {"main.tf": 'resource "example_thing" {\n}\n'},
            ("main.tf", 1, "a resource block needs 2 labels", "the block"),
        ),
        (
            {"main.tf": 'resource "example_thing" "x" {\n  count = "many"\n}\n'},
            ("main.tf", 1, "count is not a number", "example_thing.x"),
        ),
        (
            {"main.tf": 'resource "example_thing" "x" {\n  count = 1000000\n}\n'},
            ("main.tf", 1, "count is larger than 10,000", "example_thing.x"),
        ),
    ],
)
def test_problems_have_file_line_cause_and_what_is_skipped(
    files: dict[str, str], problem: tuple[str, int, str, str]
) -> None:
    with terraform(files) as read:
        assert problem in read.problems


def test_modules_that_call_one_another_in_a_circle_end() -> None:
    call = 'module "m" {\n  source = "%s"\n}\n'
    files: dict[str, str | bytes] = {
        "main.tf": call % "./a" + THING % "1",
        "a/main.tf": call % "../b",
        "b/main.tf": call % "../a",
    }
    with terraform(files) as read:
        assert list(read.resources) == ["example_thing.x"]
        assert any(cause == "modules call one another in a circle" for _, _, cause, _ in read.problems)


@pytest.mark.parametrize(
    "circle",
    [
        "locals {\n  a = local.b\n  b = local.a\n}\n" + THING % "local.a",
        "locals {\n  a = [local.a]\n}\n" + THING % "local.a[0]",
        THING % "example_thing.x.value",
        'resource "example_thing" "x" {\n  count = length(example_thing.x)\n  value = 1\n}\n',
        'module "m" {\n  source = "./m"\n  v = module.m.out\n}\n' + THING % "module.m.out",
    ],
)
def test_what_refers_to_itself_is_unknown(circle: str) -> None:
    files: dict[str, str | bytes] = {
        "main.tf": circle,
        "m/o.tf": 'variable "v" {}\noutput "out" {\n  value = var.v\n}\n',
    }
    with terraform(files) as read:
        for resource in read.resources.values():
            assert isinstance(resource.body["value"], Unknown | int)


@pytest.mark.parametrize("length", [50, 500, 20_000])
def test_a_chain_of_locals_is_followed_or_said_to_be_too_long(length: int) -> None:
    chain = "".join(f"  l{number} = local.l{number + 1}\n" for number in range(length))
    value = only_value({"main.tf": f'locals {{\n{chain}  l{length} = "end"\n}}\n' + THING % "local.l0"})
    assert value == "end" or (length > 50 and isinstance(value, Unknown))


BOMBS = {
    "texts": ('l0 = "0123456789"', '"${local.l%d}${local.l%d}"'),
    "lists": ('l0 = ["x"]', "[local.l%d, local.l%d]"),
    "concat": ('l0 = ["x"]', "concat(local.l%d, local.l%d)"),
    "numbers": ("l0 = 999999999999", "local.l%d * local.l%d"),
    "joins": ('l0 = "0123456789"', 'join(local.l%d, [local.l%d, "x", "y"])'),
    "json": ('l0 = "0123456789"', "jsonencode([local.l%d, local.l%d])"),
    "unknown": ("l0 = var.unset", '"${local.l%d}x${local.l%d}"'),
    "replace": ('l0 = "0123456789"', 'replace(local.l%d, "0", local.l%d)'),
}


@pytest.mark.parametrize("name", BOMBS)
def test_values_that_double_end(name: str) -> None:
    first, step = BOMBS[name]
    lines = [f"  l{number + 1} = {step % (number, number)}\n" for number in range(80)]
    text = f'variable "unset" {{}}\nlocals {{\n  {first}\n{"".join(lines)}}}\n'
    with terraform({"main.tf": text + THING % "jsonencode(local.l80)"}) as read:
        assert read.value("example_thing.x", "value") is not None


@pytest.mark.parametrize(
    "text",
    [
        "locals {\n  r = range(1000)\n}\n"
        + THING % "length([for a in local.r : [for b in local.r : [for c in local.r : c]]])",
        THING % ('"' + "%{ for a in range(1000) }" * 3 + "x" + "%{ endfor }" * 3 + '"'),
        'module "a" {\n  source = "./m"\n  count = 10000\n}\n',
    ],
)
def test_loops_in_loops_end(text: str) -> None:
    inner = 'module "b" {\n  source = "../n"\n  count = 10000\n}\n'
    with terraform({"main.tf": text, "m/m.tf": inner, "n/n.tf": 'resource "x" "y" {\n  count = 10000\n}\n'}) as read:
        assert len(read.resources) < 100_000


def test_opentofus_own_file_takes_the_place_of_the_one_beside_it() -> None:
    files: dict[str, str | bytes] = {
        "main.tf": THING % '"terraform"',
        "main.tofu": THING % '"${local.b} and tofu"',
        "more.tf": 'locals {\n  b = "more"\n}\n',
    }
    assert only_value(files) == "more and tofu"


def test_files_that_are_added_to_a_directory_stand_in_it_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "m.tf").write_text("")
    names = ["z.tf", "a.tf", "override.tf", *(f"f{number}.tf" for number in range(9))]
    files = {name: parse_file(Source(name, b"")) for name in names}
    module = Configurations(FileTree(tmp_path)).module_with(".", files)
    assert [file.source.path for file in module.files] == [*sorted({*names, "m.tf"} - {"override.tf"}), "override.tf"]
