"""What expressions mean. The results are those that ``terraform console`` 1.11 gives."""

from __future__ import annotations

import pytest

from shoreup.model.value import PartialText, Unknown, Value
from terraform_reading import evaluated

LOCALS = """
variable "unset" {}
locals {
  name  = "web"
  on    = true
  count = 3
  list  = ["a", "b", "c"]
  map   = { x = "1", y = "2" }
  items = [{ n = "a", v = 1 }, { n = "b", v = 2 }, { n = "a", v = 3 }]
  none  = null
  set   = toset(["q", "p"])
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("0.1 + 0.2", 0.3),
        ('"3" + 1', 4),
        ("10 / 4", 2.5),
        ('1 == "1"', False),
        ("[1] == [1]", True),
        ("null == null", True),
        ("true && !false || false", True),
        ('local.on ? "a" : 1', "a"),
        ('local.on ? 80 : "http"', "80"),
        ('local.on ? [80] : ["http"]', ["80"]),
        ('local.on ? ["b", "a"] : toset([])', ["a", "b"]),
        ("local.on ? null : 1", None),
        ("local.list[1]", "b"),
        ('local.map["x"]', "1"),
        ("local.list.2", "c"),
        ("local.items[*].n", ["a", "b", "a"]),
        ("local.items.*.v", [1, 2, 3]),
        ("local.name[*]", ["web"]),
        ("local.none[*]", []),
        ('[for x in local.list : upper(x) if x != "b"]', ["A", "C"]),
        ('[for i, x in local.list : "${i}${x}"]', ["0a", "1b", "2c"]),
        ("[for x in local.set : x]", ["p", "q"]),
        ("{ for k, v in local.map : v => k }", {"1": "x", "2": "y"}),
        ("{ for i in local.items : i.n => i.v... }", {"a": [1, 3], "b": [2]}),
        ('{ (local.name) = 1, "${local.name}-x" = 2, web2 = 3 }', {"web": 1, "web-x": 2, "web2": 3}),
        ('"a${1}b${true}c${local.name}"', "a1btruecweb"),
        ('"${local.list}"', ["a", "b", "c"]),
        ('"%{ if local.on }yes%{ else }no%{ endif }"', "yes"),
        ('"%{ for k, v in local.map }${k}=${v};%{ endfor }"', "x=1;y=2;"),
        ('"a ${~ local.name ~} b"', "awebb"),
        ("<<-EOT\n    a\n      ${local.name}\n  EOT\n", "a\n  web\n"),
        ('try(local.map.nope, local.nope, "d")', "d"),
        ("can(local.map.nope)", False),
        ("can(local.map.x)", True),
        ("max(local.items[*].v...)", 3),
        ("merge({ a = 1 }, { b = 2 }, { a = 3 })", {"a": 3, "b": 2}),
        ("templatestring(local.name, {})", "web"),
        ("path.module", "."),
        ("core::upper(local.name)", "WEB"),
    ],
)
def test_an_expression_is_worth_what_terraform_says(expression: str, expected: Value) -> None:
    assert evaluated(expression, {"main.tf": LOCALS}) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0",
        "local.list[3]",
        "local.list[1.5]",
        "local.map.z",
        "local.nope",
        "var.nope",
        "module.nope.x",
        "nope.nope.x",
        '"${local.map.z}"',
        "{ for i in local.items : i.n => i.v }",
        "local.set[0]",
        "true + 1",
        "local.name ? 1 : 2",
        "each.key",
        "[for x in 5 : x]",
        "nosuchfunction()",
        "upper()",
        'tonumber("x")',
    ],
)
def test_what_terraform_refuses_is_unknown_with_its_reason(expression: str) -> None:
    value = evaluated(expression, {"main.tf": LOCALS})
    assert isinstance(value, Unknown)
    assert value.reason


UNSET = Unknown("the variable unset has no value in the repository")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.unset", UNSET),
        ('"a-${var.unset}-b"', PartialText(("a-", UNSET, "-b"))),
        ('"${"x${var.unset}"}y"', PartialText(("x", UNSET, "y"))),
        ("[1, var.unset, 3]", [1, UNSET, 3]),
        ("{ a = 1, b = var.unset }", {"a": 1, "b": UNSET}),
        ("[1, var.unset][0]", 1),
        ("{ a = 1, b = var.unset }.a", 1),
        ("length([1, var.unset])", 2),
        ("false && var.unset", False),
        ("var.unset || true", True),
        ("var.unset ? 1 : 1", 1),
        ("var.unset ? 1 : 2", UNSET),
        ('merge({ a = var.unset }, { b = 1 })["b"]', 1),
        ('join("-", ["a", var.unset])', PartialText(("a-", UNSET))),
        ('format("%s:%s", "a", var.unset)', PartialText(("a:", UNSET))),
        ("try(var.unset, 1)", UNSET),
        ("[for x in [1, var.unset] : x]", [1, UNSET]),
        ('yamldecode("a: ${var.unset}\\nb: 2")', {"a": UNSET, "b": 2}),
        ("[for x in var.unset : x]", UNSET),
        ("var.unset.a.b[0]", UNSET),
        ("var.unset[*].a", UNSET),
    ],
)
def test_an_unknown_spreads_as_little_as_it_must(expression: str, expected: Value) -> None:
    assert evaluated(expression, {"main.tf": LOCALS}) == expected


def test_one_wrong_part_leaves_the_others_readable() -> None:
    assert evaluated('"x${local.list}"', {"main.tf": LOCALS}) == PartialText(
        ("x", Unknown("a template includes a list or an object"))
    )
    value = evaluated('{ a = 1, b = [local.nope, 2], c = "x${local.nope}y" }', {"main.tf": LOCALS})
    wrong = Unknown("there is no local nope")
    assert value == {"a": 1, "b": [wrong, 2], "c": PartialText(("x", wrong, "y"))}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('file("a.txt")', "é\n"),
        ('templatefile("t.tftpl", { who = "you", list = [1, 2] })', "hi you\n- 1\n- 2\n"),
        ('templatefile("t.tftpl", { who = var.unset, list = [] })', PartialText(("hi ", UNSET, "\n"))),
        ('fileexists("a.txt")', True),
        ('fileexists("b.txt")', False),
        ('fileset(".", "*.t*")', ["a.txt", "main.tf", "result.tf", "t.tftpl"]),
        ('yamldecode(file("y.yaml")).a[1]', {"b": True}),
        ('filesha1("a.txt") == sha1(file("a.txt"))', True),
    ],
)
def test_files_of_the_estate(expression: str, expected: Value) -> None:
    files = {
        "main.tf": LOCALS,
        "a.txt": "é\n",
        "t.tftpl": "hi ${who}\n%{ for x in list ~}\n- ${x}\n%{ endfor ~}\n",
        "y.yaml": "a:\n- 1\n- b: yes\n",
    }
    assert evaluated(expression, files) == expected


@pytest.mark.parametrize("path", ["missing.txt", "../outside.txt", "/etc/hostname", "~/x", "secret.txt"])
def test_files_that_cannot_be_read_are_unknown(path: str) -> None:
    value = evaluated(f'file("{path}")', {"secret.txt": b"\0GITCRYPT\0xyz"})
    assert isinstance(value, Unknown)
    assert value.reason


@pytest.mark.parametrize("template", [b"${", b"${nope}", b"%{ if x }", b"\xff${who}"])
def test_templates_that_are_none_are_unknown(template: bytes) -> None:
    value = evaluated('templatefile("t.tftpl", { who = 1 })', {"t.tftpl": template})
    assert isinstance(value, Unknown)
    assert "t.tftpl" in value.reason or "nope" in value.reason
