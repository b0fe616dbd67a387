"""Where a new value goes when several resources get theirs from one place: to the place where it means just those."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from shoreup.model.amendment import Amendment
from shoreup.report.patch import lines
from shoreup.stages.fix import FixOptions, fix

WORKLOAD = """\
resource "kubernetes_deployment_v1" "LABEL" {
FIRST  metadata {
    name      = NAME
    namespace = "home"
  }
  spec {
    replicas = 1
    strategy {
      type = STRATEGY
    }
    selector {
      match_labels = { app = NAME }
    }
    template {
      metadata {
        labels = { app = NAME }
      }
      spec {
        container {
          name  = "main"
          image = IMAGE
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
        }
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = NAME
          }
        }
      }
    }
  }
}

resource "kubernetes_persistent_volume_claim_v1" "LABEL" {
FIRST  metadata {
    name      = NAME
    namespace = "home"
  }
  spec {
    access_modes = ["ReadWriteMany"]
    resources {
      requests = { storage = "1Gi" }
    }
  }
}
"""
SICK, WELL = '"vaultwarden/server:1.32.0"', '"nginx:1.29.3"'
"""One keeps a database in its folder, of which two must not run; of the other any number may."""
VARIABLES = f"""\
variable "name" {{
  type = string
}}

variable "strategy" {{
  type    = string
  default = "RollingUpdate" # as ever
}}

variable "image" {{
  type    = string
  default = {SICK}
}}

"""
LOCALS = 'locals {\n  strategy = "RollingUpdate" # for all\n}\n\n'


def workload(label: str, name: str, strategy: str, image: str = SICK, first: str = "") -> str:
    words = {"LABEL": label, "NAME": name, "STRATEGY": strategy, "IMAGE": image, "FIRST": first}
    text = WORKLOAD
    for word, said in words.items():
        text = text.replace(word, said)
    return text


def called(*arguments: str, strategy: str = "var.strategy", more: str = "") -> dict[str, str]:
    """A module, and a call of it for each text of arguments."""
    calls = [
        f'module "{name}" {{\n  source = "../modules/app"\n  name   = "{name}"\n{said}}}\n'
        for name, said in zip(("left", "right"), arguments, strict=True)
    ]
    return {
        "modules/app/main.tf": VARIABLES + workload("this", "var.name", strategy, "var.image"),
        "stack/main.tf": more + "\n".join(calls),
    }


def both(image: str) -> dict[str, str]:
    """Two workloads that take their strategy from one local."""
    return {
        "stack/main.tf": LOCALS
        + workload("left", '"left"', "local.strategy")
        + "\n"
        + workload("right", '"right"', "local.strategy", image)
    }


def looped() -> dict[str, str]:
    """Two from one map, only one of which has the trouble."""
    image = f'each.key == "left" ? {SICK} : {WELL}'
    entries = 'locals {\n  all = {\n    left  = "RollingUpdate" # for now\n    right = "RollingUpdate"\n  }\n}\n\n'
    return {"stack/main.tf": entries + workload("this", "each.key", "each.value", image, "  for_each = local.all\n\n")}


def fixed(root: Path, files: Mapping[str, str]) -> Amendment:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    options = FixOptions(select=("rollout-shares-volume",), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    return amendment


def difference(amendment: Amendment) -> list[str]:
    said = [line.decode().rstrip() for change in amendment.changes for line in lines(change)]
    return [line for line in said if line.startswith(("+", "-")) and line[:3] not in ("+++", "---")]


IMAGE = f"  image  = {WELL}\n"
LOCAL = "  strategy = local.strategy\n"
DEFAULT = ['-  default = "RollingUpdate" # as ever', '+  default = "Recreate" # as ever']
SHARED = ['-  strategy = "RollingUpdate" # for all', '+  strategy = "Recreate" # for all']


@pytest.mark.parametrize(
    ("files", "cured", "changed"),
    [
        (called("", ""), 2, DEFAULT),
        (called("", '  strategy = "Recreate"\n'), 1, DEFAULT),
        (
            called("", IMAGE),
            1,
            [
                '-  source = "../modules/app"',
                '-  name   = "left"',
                '+  source   = "../modules/app"',
                '+  name     = "left"',
                '+  strategy = "Recreate"',
            ],
        ),
        (called(LOCAL, LOCAL, more=LOCALS), 2, SHARED),
        (called(LOCAL, LOCAL + IMAGE, more=LOCALS), 1, ["-  strategy = local.strategy", '+  strategy = "Recreate"']),
        (both(SICK), 2, SHARED),
        (both(WELL), 1, ["-      type = local.strategy", '+      type = "Recreate"']),
        (looped(), 1, ['-    left  = "RollingUpdate" # for now', '+    left  = "Recreate" # for now']),
    ],
    ids=[
        "all calls: the default",
        "the call that needs it, the other says its own: the default",
        "one of two calls: its argument",
        "all calls by one local: the local",
        "one of two calls by one local: its argument",
        "all by one local: the local",
        "one of two by one local: the field",
        "one of a loop: its entry",
    ],
)
def test_the_value_goes_where_it_means_those_that_need_it(
    files: Mapping[str, str], cured: int, changed: list[str], tmp_path: Path
) -> None:
    amendment = fixed(tmp_path, files)
    assert len(amendment.applied) == cured
    assert difference(amendment) == changed


def test_what_the_module_says_itself_is_shown_where_one_call_needs_it_otherwise(tmp_path: Path) -> None:
    amendment = fixed(tmp_path, called("", IMAGE, strategy='"RollingUpdate"'))
    assert amendment.changes == ()
    (left,) = amendment.not_fixed
    assert "the module modules/app is called 2 times" in left.reason
    assert "type: Recreate" in left.text
