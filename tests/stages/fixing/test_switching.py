"""What a module does for some of its calls already: asked for by the argument that does it, where that is seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hashicorp import formatted, needs_hashicorp
from shoreup.model.amendment import Amendment
from shoreup.stages.fix import FixOptions, fix

MODULE = """\
variable "name" {
  type = string
}

variable "public" {
  type    = bool
  default = false
}

variable "limit" {
  type = object({
    average = number
    burst   = number
  })
  default = null
}

locals {
  chain = concat(
    var.public ? [] : [{ name = "lan-only", namespace = "apps" }],
    var.limit == null ? [] : [{ name = "${var.name}-rate-limit", namespace = "apps" }],
    [for name in ["headers"] : { name = name, namespace = "apps" }],
  )
}

resource "kubernetes_manifest" "limit" {
  count = var.limit == null ? 0 : 1

  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = { name = "${var.name}-rate-limit", namespace = "apps" }
    spec       = { rateLimit = var.limit }
  }
}

resource "kubernetes_manifest" "route" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "IngressRoute"
    metadata   = { name = var.name, namespace = "apps" }
    spec = {
      entryPoints = ["web-public"]
      routes = [{
        kind        = "Rule"
        match       = "Host(`${var.name}.example.org`)"
        middlewares = local.chain
        services    = [{ name = var.name, port = 80 }]
      }]
    }
  }
}
"""
HEAD = 'module "{name}" {{\n  source = "../modules/route"\n\n'
LIMITED = (
    HEAD.format(name="shop") + '  name   = "shop"\n  public = true\n  limit  = { average = 50, burst = 80 }\n}\n\n'
)
PLAIN = HEAD.format(name="wiki") + '  name   = "wiki"\n  public = true\n}\n\n'
SAID = PLAIN.replace("  public = true\n", "  public = true\n  limit  = null # not yet\n")
HEADERS = """\
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: headers, namespace: apps}
spec: {headers: {frameDeny: true}}
"""
LOOP = """\
locals {
  apps = {
    mail = { public = true }
    news = { public = true, limit = { average = 20, burst = 40 } }
  }
}

module "route" {
  source   = "../modules/route"
  for_each = local.apps

  name   = each.key
  public = each.value.public
  limit  = try(each.value.limit, null)
}
"""


def fixed(root: Path, calls: str) -> Amendment:
    files = {"modules/route/main.tf": MODULE, "stack/main.tf": calls, "headers.yaml": HEADERS}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    options = FixOptions(select=("rate-limit-missing",), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    return amendment


@needs_hashicorp
@pytest.mark.parametrize(
    ("calls", "old", "new"),
    [
        (
            LIMITED + PLAIN,
            '"wiki"\n  public = true\n',
            '"wiki"\n  public = true\n  limit  = { average = 50, burst = 80 }\n',
        ),
        (LIMITED + SAID, "limit  = null # not yet", "limit  = { average = 50, burst = 80 } # not yet"),
        (
            LIMITED + LOOP,
            "mail = { public = true }",
            "mail = { public = true, limit = { average = 50, burst = 80 } }",
        ),
        (LOOP, "mail = { public = true }", "mail = { public = true, limit = { average = 20, burst = 40 } }"),
    ],
    ids=["an argument", "an argument that is nothing", "an entry of a loop", "within one loop"],
)
def test_the_argument_that_does_it_for_another_is_given(calls: str, old: str, new: str, tmp_path: Path) -> None:
    amendment = fixed(tmp_path, calls)
    assert len(amendment.applied) == 1
    (change,) = amendment.changes
    assert change.after.decode() == calls.replace(old, new)
    assert formatted(change.after.decode()) == change.after.decode()


def test_arguments_that_are_not_known_show_nothing(tmp_path: Path) -> None:
    unknown = LIMITED.replace("average = 50", "average = random_integer.of.result")
    (left,) = fixed(tmp_path, unknown + PLAIN).not_fixed
    assert "concat() in line 19 of modules/route/main.tf" in left.reason
    assert len(fixed(tmp_path, unknown + LIMITED.replace("shop", "mail") + PLAIN).applied) == 1


def test_where_no_call_shows_it_the_function_and_its_line_are_named(tmp_path: Path) -> None:
    amendment = fixed(tmp_path, PLAIN)
    assert amendment.changes == ()
    (left,) = amendment.not_fixed
    assert "concat() in line 19 of modules/route/main.tf" in left.reason
