"""The cache gives back an account only while nothing that it was made from has changed."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from shoreup.model.account import Account
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.cache import folder

MAIN = """
resource "kubernetes_deployment" "web" {
  metadata {
    name      = "web"
    namespace = "web"
  }
  spec {
    replicas = 1
    template {
      metadata {
        labels = { app = "web" }
      }
      spec {
        container {
          name  = "web"
          image = var.image
          args  = [file("motd.txt")]
        }
      }
    }
  }
}
"""
VARIABLES = """
variable "image" {
  type = string
}
"""


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "estate"
    root.mkdir()
    (root / "main.tf").write_text(MAIN)
    (root / "variables.tf").write_text(VARIABLES)
    (root / "terraform.tfvars").write_text('image = "nginx:latest"\n')
    (root / "motd.txt").write_text("hello")
    return root


def ask(estate: Path, **options: object) -> Account:
    return audit([estate], AuditOptions(today=date(2026, 1, 1), **options))  # type: ignore[arg-type]  # by name


def test_the_second_answer_comes_from_the_cache_and_says_the_same(estate: Path) -> None:
    first, second = ask(estate), ask(estate)
    assert not first.cached
    assert second.cached
    assert (second.findings, second.undecided, second.errors) == (first.findings, first.undecided, first.errors)
    assert first.findings


@pytest.mark.parametrize("name", ["main.tf", "variables.tf", "terraform.tfvars", "motd.txt"])
def test_a_change_in_any_file_that_was_read_asks_anew(estate: Path, name: str) -> None:
    ask(estate)
    path = estate / name
    path.write_text(path.read_text() + " ")
    assert not ask(estate).cached


def test_a_new_file_asks_anew(estate: Path) -> None:
    ask(estate)
    (estate / "more.auto.tfvars").write_text('image = "nginx:1.29.1"\n')
    answer = ask(estate)
    assert not answer.cached
    assert "image-tag-latest" not in {finding.concern for finding in answer.findings}


def test_other_options_and_another_day_ask_anew(estate: Path) -> None:
    ask(estate)
    assert not ask(estate, select=("image-tag-latest",)).cached
    assert not audit([estate], AuditOptions(today=date(2026, 1, 2))).cached


def test_another_owner_of_the_repository_and_another_commit_ask_anew(estate: Path) -> None:
    """Whose images are the owner's follows from the remote; when a line was written, from the commits."""

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(estate), "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)

    git("init", "-q")
    (estate / "terraform.tfvars").write_text('image = "ghcr.io/harbour-keeper/alarm:v1.2.3"\n')
    git("remote", "add", "origin", "https://github.com/someone/platform.git")
    assert "image-build-untracked" not in {finding.concern for finding in ask(estate).findings}
    git("remote", "set-url", "origin", "https://github.com/harbour-keeper/platform.git")
    answer = ask(estate)
    assert not answer.cached
    assert "image-build-untracked" in {finding.concern for finding in answer.findings}
    assert ask(estate).cached
    git("add", ".")
    git("commit", "-qm", "all of it")
    assert not ask(estate).cached


def test_a_damaged_entry_is_no_entry(estate: Path) -> None:
    first = ask(estate)
    (entry,) = folder().glob("*.account")
    entry.write_bytes(entry.read_bytes()[:-7])
    assert ask(estate).findings == first.findings
    entry.write_bytes(b"")
    assert not ask(estate).cached


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = estate.parent / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert ask(estate).findings


def test_concurrent_runs_leave_whole_entries_and_nothing_else(estate: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(estate), range(8)))
    assert len({answer.findings for answer in answers}) == 1
    assert [path.suffix for path in folder().iterdir()] == [".account"]


def test_old_entries_go(estate: Path) -> None:
    ask(estate)
    for index in range(70):
        old = folder() / f"{index:032d}.account"
        old.write_bytes(b"x")
        os.utime(old, (index, index))
    (estate / "motd.txt").write_text("anew")
    ask(estate)
    assert len(list(folder().glob("*.account"))) == 64


def test_a_change_in_a_file_that_nothing_applies_asks_anew(estate: Path) -> None:
    for folder_name in ("apps", "archive"):
        (estate / folder_name).mkdir()
        (estate / folder_name / "config.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
    ask(estate)
    with (estate / "archive" / "config.yaml").open("a") as file:
        file.write("data: {API_TOKEN: FAKE-9vXq2LmT7rBzK4wYpD8sNcE1}\n")
    answer = ask(estate)
    assert not answer.cached
    assert "archive/config.yaml" in {one.file for one in answer.findings if one.concern == "secret-in-configmap"}
