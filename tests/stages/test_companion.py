"""Two processes find what one finds."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from shoreup.formats.files import FileTree
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing import companion
from shoreup.stages.auditing.companion import halves
from shoreup.terraform.configuration import Configurations
from shoreup.terraform.scope import ResourceObject

ROOT = """
locals {{
  images = {{ a = "nginx:latest", b = "redis:7.2.4" }}
}}
resource "kubernetes_deployment" "web" {{
  for_each = local.images
  metadata {{
    name      = "{name}-${{each.key}}"
    namespace = "web"
  }}
  spec {{
    template {{
      metadata {{
        labels = {{ app = "web" }}
      }}
      spec {{
        container {{
          name  = "web"
          image = each.value
        }}
      }}
    }}
  }}
  lifecycle {{
    ignore_changes = [spec[0].template[0].spec[0].container[0].image]
  }}
}}
resource "helm_release" "{name}" {{
  name       = "{name}"
  repository = "https://charts.example.org"
  chart      = "{name}"
}}
broken {{
"""


def test_both_halves_are_reported_as_one_process_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(ROOT.format(name=name))
    alone = audit([tmp_path], AuditOptions(cache=False))
    monkeypatch.setattr(companion, "WORTH_IT", 0)
    shared = audit([tmp_path], AuditOptions(cache=False))
    assert alone.findings
    assert len(alone.errors) == 3
    assert shared.findings == alone.findings
    assert shared.undecided == alone.undecided
    assert sorted(map(str, shared.errors)) == sorted(map(str, alone.errors))


def test_what_a_dead_companion_should_have_read_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(ROOT.format(name=name))
    alone = audit([tmp_path], AuditOptions(cache=False))

    def die(*arguments: object) -> None:
        os._exit(1)

    monkeypatch.setattr(companion, "WORTH_IT", 0)
    monkeypatch.setattr(companion, "_serve", die)
    assert audit([tmp_path], AuditOptions(cache=False)).findings == alone.findings


def test_the_companion_ends_with_the_process_that_it_serves(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ROOT.format(name="one"))
    tree = FileTree(tmp_path)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=companion._serve, args=(here, there, tree, Configurations(tree), ["."]))
    process.start()
    there.close()
    here.recv()
    here.close()
    process.join(60)
    assert process.exitcode == 0


def test_a_resource_travels_as_plain_data() -> None:
    block = ResourceObject("helm_release.web", lambda name: None)
    block["name"] = "web"
    travelled = pickle.loads(pickle.dumps({"body": block}))
    assert travelled == {"body": {"name": "web"}}
    assert type(travelled["body"]) is dict


def test_roots_are_shared_out_by_their_bytes() -> None:
    sizes: Mapping[str, int] = {"a": 10, "b": 1, "c": 5, "d": 4}
    mine, theirs = halves(dict(sizes))
    assert sorted(mine + theirs) == sorted(sizes)
    assert abs(sum(sizes[one] for one in mine) - sum(sizes[one] for one in theirs)) <= 1
