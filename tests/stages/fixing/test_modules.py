"""Subjects of a long file become modules of their own: Terraform's plan moves addresses and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from hashicorp import formatted, needs_hashicorp
from hashicorp_reading import disagreements
from shoreup.formats.files import FileTree
from shoreup.model.amendment import Amendment
from shoreup.stages.auditing.reading import read
from shoreup.stages.fix import FixOptions, fix, write_out
from shoreup.stages.fixing.remarks import remarks

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="not run: the command terraform is not here, which plans what was moved"
)
SETTINGS = "[thresholds]\nmodule-lines = 200\n"
VARIABLES = """\
# What the house says.
variable "domain" {
  description = "Under which all is reached."
  type        = string
  default     = "example.org"
}

variable "password" {
  default   = "not said" # nor is it
  sensitive = true
}

variable "sizes" {
  type = map(object({
    size = number
    note = optional(string, "none")
  }))
  default = {
    left  = { size = 1 }
    right = { size = 2 }
  }
}

locals {
  zone    = "home"
  several = { for name, one in var.sizes : name => one.size }
}

"""
CODE = """\
resource "terraform_data" "space" {
  input = local.zone
}

# ---- the wiki ----

resource "terraform_data" "wiki_pages" {
  for_each = var.sizes # one each

  input = {
    name   = "${each.key}.${var.domain}" # as it is called
    size   = local.several[each.key]
    zone   = terraform_data.space.output
    notes  = file("${path.module}/notes/wiki.md")
    folder = path.module
    word   = var.password
    none   = try(local.several.nothing, "none")
WIKI
  }

  depends_on = [terraform_data.first]
}

resource "terraform_data" "wiki_copies" {
  count = 2

  input = [for one in terraform_data.wiki_pages : one.output.size if one.output.zone != terraform_data.mail.output]
  lifecycle {
    replace_triggered_by = [terraform_data.wiki_pages["left"].id]
    precondition {
      condition     = local.zone != ""
      error_message = "There must be a zone, not ${local.zone}."
    }
  }
}

resource "terraform_data" "wiki_never" {
  count = 0
  input = var.domain
}

# ---- the mail ----

resource "terraform_data" "mail" {
  input = "mail" /* itself */
}

moved {
  from = terraform_data.post
  to   = terraform_data.mail
}

resource "terraform_data" "mail_boxes" {
  input = <<-EOT
    zone: ${terraform_data.space.output}
    wiki: ${terraform_data.wiki_copies[0].id}
MAIL
  EOT
  triggers_replace = [terraform_data.space.id, var.sizes["left"].note]
}

module "mail" {
  source = "./helper"
  word   = terraform_data.mail_boxes.id
}

# ---- what stays ----

resource "terraform_data" "first" {
  input = length(terraform_data.wiki_never) > 0 ? terraform_data.wiki_never[0].id : "never"
}

resource "terraform_data" "last" {
  input      = terraform_data.wiki_pages["right"].output.name
  depends_on = [terraform_data.mail_boxes, terraform_data.wiki_copies]
}
"""
OTHER = """\
output "pages" { # of the wiki
  value     = [terraform_data.wiki_copies[*].id, { for name, one in terraform_data.wiki_pages : name => one.id }]
  sensitive = true
}

output "helped" {
  value = module.mail.word
}
"""
HELPER = """\
variable "word" {
  type = string
}

resource "terraform_data" "inner" {
  input = var.word
}

output "word" {
  value = terraform_data.inner.output
}
"""


def house() -> dict[str, str]:
    wiki = "\n".join(f"    more_{number:02} = {number}" for number in range(100))
    mail = "\n".join(f"    more_{number:02}: {number}" for number in range(100))
    return {
        "shoreup.toml": SETTINGS,
        "house.tf": VARIABLES + CODE.replace("WIKI", wiki).replace("MAIL", mail),
        "other.tf": OTHER,
        "helper/main.tf": HELPER,
        "notes/wiki.md": "Notes.\n",
    }


def written(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())


def into_modules(root: Path) -> Amendment:
    options = FixOptions(select=("module-oversized",), today=date(2026, 11, 23), into_modules=True)
    fixed = fix([root], options, lambda *_: None)
    assert fixed.amendment.dropped == ()
    return write_out(fixed)


def bodies(root: Path) -> dict[tuple[str, str], object]:
    """What the resources are, by their names in Kubernetes: addresses change."""
    tree = FileTree(root)
    found = read(tree, None, lambda *_: None, alone=True).resources
    assert not tree.errors
    return {(one.kind, one.name): dict(one.body) for one in found}


def terraform(root: Path, *arguments: str) -> str:
    own = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    environment = {**own, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    command = ["terraform", f"-chdir={root}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_terraform
def test_the_next_plan_moves_addresses_and_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path, house())
    terraform(tmp_path, "fmt", "-recursive")
    before = (tmp_path / "house.tf").read_text()
    assert before.count("\n") > 250
    terraform(tmp_path, "init", "-no-color")
    terraform(tmp_path, "apply", "-auto-approve", "-no-color")
    amendment = into_modules(tmp_path)
    assert [one.finding.file for one in amendment.applied] == ["house.tf"]
    terraform(tmp_path, "init", "-no-color")
    terraform(tmp_path, "fmt", "-check", "-recursive")
    terraform(tmp_path, "plan", "-out=plan", "-no-color")
    plan = json.loads(terraform(tmp_path, "show", "-json", "plan"))
    changes = plan["resource_changes"]
    assert {tuple(one["change"]["actions"]) for one in changes} == {("no-op",)}
    moved = {one["previous_address"]: one["address"] for one in changes if "previous_address" in one}
    assert moved == {
        address: address.replace("terraform", f"module.{home}.terraform", 1)
        if address.startswith("terraform")
        else f"module.{home}.{address}"
        for home, addresses in {
            "wiki": [
                *(f'terraform_data.wiki_pages["{side}"]' for side in ("left", "right")),
                *(f"terraform_data.wiki_copies[{number}]" for number in range(2)),
            ],
            "mail_stack": [
                "terraform_data.mail",
                "terraform_data.mail_boxes",
                "module.mail.terraform_data.inner",
            ],
        }.items()
        for address in addresses
    }
    assert {one["address"] for one in changes} - {*moved.values()} == {
        "terraform_data.first", "terraform_data.last", "terraform_data.space",
    }  # fmt: skip
    assert all(one["actions"] == ["no-op"] for one in plan.get("output_changes", {}).values())
    assert into_modules(tmp_path).changes == ()


def subject(name: str, more: str = "") -> str:
    """Blocks about one thing, in Kubernetes' own provider."""
    lines = "\n".join(f'    key_{number:02} = "{name}.${{var.domain}}"' for number in range(100))
    return f"""\
# ---- {name} ----

# What {name} is told.
resource "kubernetes_config_map_v1" "{name}_settings" {{
{more}  metadata {{
    name      = "{name}"
    namespace = kubernetes_namespace_v1.home.metadata[0].name # shared
  }}
  data = {{
{lines}
  }}
}}

"""


HEAD = """\
# The house.

variable "domain" {
  type    = string
  default = "example.org"
}

resource "kubernetes_namespace_v1" "home" {
  metadata {
    name = "home"
  }
}

"""
READER = """\
resource "kubernetes_config_map_v1" "all" {
  metadata {
    name      = "all"
    namespace = "home"
  }
  data = {
    mail = kubernetes_config_map_v1.mail_settings.metadata[0].name
    wiki = kubernetes_config_map_v1.wiki_settings.data["key_01"] # the first
  }
}
"""
SECOND = """\
terraform {
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.30"
    }
  }
}

provider "kubernetes" {
  alias       = "far"
  config_path = "far"
}

import {
  to = kubernetes_config_map_v1.mail_settings
  id = "home/mail"
}
"""


def cluster(mail: str = "", reader: str = READER) -> dict[str, str]:
    return {
        "shoreup.toml": "[thresholds]\nmodule-lines = 200\n",
        "stack/main.tf": HEAD + subject("mail", mail) + subject("wiki"),
        "stack/reader.tf": reader,
        "stack/second.tf": SECOND,
    }


@needs_hashicorp
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_resources_stay_what_they_are_and_comments_go_along(newline: str, tmp_path: Path) -> None:
    files = {path: text.replace("\n", newline) for path, text in cluster("  provider = kubernetes.far\n\n").items()}
    written(tmp_path, files)
    before = bodies(tmp_path)
    amendment = into_modules(tmp_path)
    assert len(amendment.applied) == 1
    assert bodies(tmp_path) == before
    texts = {str(path.relative_to(tmp_path)): path.read_bytes().decode() for path in tmp_path.rglob("*.tf")}
    for path, text in texts.items():
        assert [*disagreements(text)] == []
        assert ("\r\n" in text) == (newline == "\r\n")
        assert text.endswith(f"}}{newline}") and f"{newline * 3}" not in text
        assert formatted(text.replace("\r\n", "\n")) == text.replace("\r\n", "\n"), path
    assert sum(remarks(path, text.encode()) for path, text in texts.items()) == sum(
        remarks(path, text.encode()) for path, text in files.items()
    )
    plain = {path: text.replace("\r\n", "\n") for path, text in texts.items()}
    assert "    kubernetes = kubernetes\n" not in plain["stack/main.tf"]
    assert "    kubernetes.far = kubernetes.far\n" in plain["stack/main.tf"]
    assert plain["stack/modules/mail/versions.tf"] == (
        "terraform {\n  required_providers {\n    kubernetes = {\n"
        '      source                = "hashicorp/kubernetes"\n      configuration_aliases = [kubernetes.far]\n'
        "    }\n  }\n}\n"
    )
    assert "configuration_aliases" not in plain["stack/modules/wiki/versions.tf"]
    assert "  to = module.mail.kubernetes_config_map_v1.mail_settings\n" in plain["stack/second.tf"]
    assert "    mail = module.mail.mail_settings_name\n" in plain["stack/reader.tf"]
    assert '    wiki = module.wiki.wiki_settings_data["key_01"] # the first\n' in plain["stack/reader.tf"]
    assert "  home_namespace = kubernetes_namespace_v1.home.metadata[0].name\n" in plain["stack/main.tf"]
    assert into_modules(tmp_path).changes == ()


def waits(what: str) -> str:
    return f"  depends_on = [{what}]\n\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stack/more.tf.json": "{}"}, "more.tf.json is written in JSON"),
        ({"stack/main_override.tf": ""}, "main_override.tf overrides blocks"),
        ({"stack/modules/mail/main.tf": ""}, "there is a folder stack/modules/mail already"),
        ({"stack/calls.tf": 'module "mail" {\n  source = "./post"\n}\n'}, "there is a module mail already"),
        ({"stack/stack.tftest.hcl": ""}, "stack.tftest.hcl tests the folder by its addresses"),
        (
            {"stack/calls.tf": 'module "post" {\n  source = "../post"\n}\n', **cluster(waits("module.post"))},
            "waits for the whole module post",
        ),
        (
            cluster("  lifecycle {\n    replace_triggered_by = [kubernetes_namespace_v1.home]\n  }\n"),
            "replaces one when",
        ),
        (cluster(waits('"kubernetes_namespace_v1.home"')), "in depends_on as text"),
    ],
)
def test_what_modules_cannot_say_is_refused_by_its_line(change: Mapping[str, str], reason: str, tmp_path: Path) -> None:
    written(tmp_path, {**cluster(), **change})
    amendment = into_modules(tmp_path)
    assert amendment.changes == ()
    (left,) = amendment.not_fixed
    assert reason in left.reason


def test_a_module_that_is_called_twice_is_split_in_itself(tmp_path: Path) -> None:
    calls = "".join(
        f'module "{name}" {{\n  source = "../stack"\n  domain = "{name}.org"\n}}\n\n' for name in ("one", "two")
    )
    written(tmp_path, {**cluster(), "estate/main.tf": calls})
    before = {one.address for one in read(FileTree(tmp_path), None, lambda *_: None, alone=True).resources}
    assert len(into_modules(tmp_path).applied) == 1
    after = {one.address for one in read(FileTree(tmp_path), None, lambda *_: None, alone=True).resources}
    assert "module.one.kubernetes_config_map_v1.mail_settings" in before
    assert {"module.one.module.mail.kubernetes_config_map_v1.mail_settings",
            "module.two.module.wiki.kubernetes_config_map_v1.wiki_settings"} <= after  # fmt: skip
    assert len(after) == len(before)
