"""Fingerprints survive what changes around a finding, and tell apart what is different."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.places import fingerprints

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: web
spec:
  replicas: 1
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - name: web
          image: {image}
"""
CALLS = """
module "a" {
  source = "./web"
  name   = "a"
}
module "b" {
  source = "./web"
  name   = "b"
}
"""
MODULE = """
variable "name" {}
resource "kubernetes_deployment" "web" {
  metadata {
    name      = var.name
    namespace = "web"
  }
  spec {
    template {
      metadata {
        labels = { app = var.name }
      }
      spec {
        container {
          name  = "web"
          image = "nginx:latest"
        }
      }
    }
  }
}
"""


def marks(root: Path) -> list[tuple[str, str, int]]:
    account = audit([root], AuditOptions(select=("image-tag-latest",), cache=False))
    return [(finding.fingerprint, finding.file, finding.line) for finding in account.findings]


def test_moved_lines_renamed_files_and_changed_values_keep_the_fingerprint(tmp_path: Path) -> None:
    first = tmp_path / "web.yaml"
    first.write_text(DEPLOYMENT.format(name="web", image="nginx:latest"))
    (before,) = marks(tmp_path)
    first.unlink()
    (tmp_path / "renamed.yaml").write_text("# moved\n" + DEPLOYMENT.format(name="web", image="caddy"))
    (after,) = marks(tmp_path)
    assert before[0] == after[0]
    assert before[1:] == ("web.yaml", 14)
    assert after[1:] == ("renamed.yaml", 15)


def test_another_object_has_another_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(DEPLOYMENT.format(name="a", image="nginx:latest"))
    (tmp_path / "b.yaml").write_text(DEPLOYMENT.format(name="b", image="nginx:latest"))
    assert len({mark for mark, _, _ in marks(tmp_path)}) == 2


def test_terraform_and_yaml_give_the_same_fingerprint(tmp_path: Path) -> None:
    yaml, terraform = tmp_path / "yaml", tmp_path / "terraform"
    (terraform / "web").mkdir(parents=True)
    yaml.mkdir()
    (yaml / "a.yaml").write_text(DEPLOYMENT.format(name="a", image="nginx:latest"))
    (terraform / "main.tf").write_text(CALLS)
    (terraform / "web" / "main.tf").write_text(MODULE)
    assert marks(yaml)[0][0] in {mark for mark, _, _ in marks(terraform)}


def test_a_module_called_twice_gives_two_findings_at_one_place(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "main.tf").write_text(CALLS)
    (tmp_path / "web" / "main.tf").write_text(MODULE)
    found = marks(tmp_path)
    assert [(file, line) for _, file, line in found] == [("web/main.tf", 16), ("web/main.tf", 16)]
    assert len({mark for mark, _, _ in found}) == 2


def test_a_finding_about_a_file_keeps_its_fingerprint_through_renames_in_git(tmp_path: Path) -> None:
    (tmp_path / "big.tf").write_text("".join(f"# line {number}\n" for number in range(500)))
    git(tmp_path, "init", "-q")
    commit(tmp_path, "first")
    before = oversized(tmp_path)
    git(tmp_path, "mv", "big.tf", "large.tf")
    staged = oversized(tmp_path)
    commit(tmp_path, "rename")
    with (tmp_path / "large.tf").open("a") as file:
        file.write("# and one more\n")
    git(tmp_path, "mv", "large.tf", "huge.tf")
    commit(tmp_path, "rename and change")
    after = oversized(tmp_path)
    assert [file for _, file in (*before, *staged, *after)] == ["big.tf", "large.tf", "huge.tf"]
    assert len({mark for mark, _ in (*before, *staged, *after)}) == 1
    assert oversized(tmp_path, since="HEAD^") == []


def test_the_same_answer_is_not_given_after_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "estate"
    root.mkdir()
    (root / "main.tf").write_text("locals {}\n")
    git(root, "init", "-q")
    audit([root], AuditOptions())
    assert audit([root], AuditOptions()).cached
    commit(root, "first")
    assert not audit([root], AuditOptions()).cached


def git(root: Path, *arguments: str) -> None:
    named = ("-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, "-C", str(root), *arguments], check=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "-qm", message)


def oversized(root: Path, since: str = "") -> list[tuple[str, str]]:
    account = audit([root], AuditOptions(select=("module-oversized",), cache=False, since=since))
    return [(finding.fingerprint, finding.file) for finding in account.findings]


def test_equal_identities_are_told_apart_by_their_order() -> None:
    same = ("image-tag-latest", "Deployment", "web", "web", "web", "image")
    first, second = fingerprints([same, same])
    assert first != second
    assert fingerprints([same])[0] == first
