"""``shoreup fix`` as a person and as a program use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from shoreup.cli.main import run
from small_estates import VAULT

ONLY = ["--select", "rollout-shares-volume", "--today", "2026-11-23"]


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "vault.yaml").write_text(VAULT, encoding="utf-8")
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def committed(folder: Path) -> Path:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "as it was")
    return folder


def test_nothing_is_written_unless_asked(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fix", str(estate), "--unsafe", *ONLY]) == 0
    shown = capsys.readouterr().out
    assert "-    type: RollingUpdate  # as it was" in shown
    assert "+    type: Recreate  # as it was" in shown
    assert "Nothing was written; --write does that." in shown
    assert (estate / "vault.yaml").read_text(encoding="utf-8") == VAULT


def test_without_unsafe_the_reason_is_said(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fix", str(estate), "--format", "json", *ONLY]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["applied"] == []
    assert told["not_fixed"][0]["reason"].endswith("--unsafe makes it")


def test_what_is_written_is_only_the_value(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = estate / "other.yaml"
    other.write_text("a: 1\n", encoding="utf-8")
    before = other.stat()
    assert run(["fix", str(estate), "--unsafe", "--write", "--format", "json", *ONLY]) == 0
    told = json.loads(capsys.readouterr().out)
    (applied,) = told["applied"]
    assert applied["concern"] == "rollout-shares-volume"
    assert applied["safety"] == "unsafe"
    assert applied["impact"] in {"none", "reload", "restart", "replace", "outage"}
    assert applied["files"] == told["written"] == ["vault.yaml"]
    after = (estate / "vault.yaml").read_text(encoding="utf-8")
    assert after == VAULT.replace("RollingUpdate", "Recreate")
    assert other.stat().st_mtime_ns == before.st_mtime_ns
    assert run(["fix", str(estate), "--unsafe", "--format", "json", *ONLY]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] == []


def test_a_fingerprint_chooses_one(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["fix", str(estate), "--unsafe", "--format", "json", *ONLY])
    mark = json.loads(capsys.readouterr().out)["applied"][0]["fingerprint"]
    assert run(["fix", str(estate), mark, "--unsafe", "--format", "json", "--today", "2026-11-23"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["fingerprint"] for one in told["applied"]] == [mark]
    assert told["not_fixed"] == []
    assert run(["fix", str(estate), "--fingerprint", "0123456789", "--unsafe"]) == 2
    assert "No finding of this estate has the fingerprint" in capsys.readouterr().err


def test_the_patch_is_one_that_git_takes(estate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = tmp_path / "fix.patch"
    assert run(["fix", str(estate), "--unsafe", "--patch", str(patch), *ONLY]) == 0
    assert (estate / "vault.yaml").read_text(encoding="utf-8") == VAULT
    git(estate, "apply", str(patch))
    assert "type: Recreate" in (estate / "vault.yaml").read_text(encoding="utf-8")


def test_a_branch_holds_a_commit_for_each_concern(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(estate)
    assert run(["fix", str(estate), "--unsafe", "--branch", "shoreup", *ONLY]) == 0
    assert git(estate, "branch", "--show-current").strip() == "shoreup"
    assert git(estate, "status", "--porcelain") == ""
    subjects = git(estate, "log", "--format=%s|%an", "main..shoreup").splitlines()
    assert subjects == ["Set the strategy to Recreate|Somebody"]
    assert "rollout-shares-volume:" in git(estate, "log", "-1", "--format=%B")
    assert "type: Recreate" in (estate / "vault.yaml").read_text(encoding="utf-8")
    assert git(estate, "show", "main:vault.yaml") == VAULT


@pytest.mark.parametrize("kind", ["changed", "staged", "new"])
def test_a_branch_wants_a_clean_work_tree(kind: str, estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(estate)
    file = estate / ("new.yaml" if kind == "new" else "vault.yaml")
    file.write_text(VAULT + "# more\n", encoding="utf-8")
    if kind == "staged":
        git(estate, "add", ".")
    assert run(["fix", str(estate), "--unsafe", "--branch", "shoreup", *ONLY]) == 2
    assert "not clean" in capsys.readouterr().err
    assert git(estate, "branch", "--list", "shoreup") == ""


def test_a_branch_that_is_there_is_not_overwritten(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(estate)
    git(estate, "branch", "shoreup")
    assert run(["fix", str(estate), "--unsafe", "--branch", "shoreup", *ONLY]) == 2
    assert "There is a branch shoreup already" in capsys.readouterr().err


def test_hooks_and_filters_of_the_repository_do_not_run(estate: Path, tmp_path: Path) -> None:
    committed(estate)
    trap = tmp_path / "ran"
    for hook in ("post-commit", "pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        file = estate / ".git/hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
        file.chmod(0o755)
    assert run(["fix", str(estate), "--unsafe", "--branch", "shoreup", *ONLY]) == 0
    assert not trap.exists()


@pytest.mark.parametrize(("answer", "count"), [("y\n", 1), ("n\n", 0), ("a\n", 1), ("q\n", 0)])
def test_interactive_asks_with_the_finding_beside_the_diff(
    answer: str, count: int, estate: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(answer.splitlines())
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: next(answers))
    assert run(["fix", str(estate), "--unsafe", "--interactive", "--write", *ONLY]) == 0
    shown = capsys.readouterr().out
    assert "+    type: Recreate" in shown
    assert "If not:" in shown
    text = (estate / "vault.yaml").read_text(encoding="utf-8")
    assert text.count("Recreate") == count


def test_a_file_without_a_last_line_break_and_with_other_line_ends(estate: Path) -> None:
    file = estate / "vault.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + VAULT.rstrip().replace("\n", "\r\n").encode())
    assert run(["fix", str(estate), "--unsafe", "--write", *ONLY]) == 0
    assert (
        file.read_bytes()
        == b"\xef\xbb\xbf" + VAULT.rstrip().replace("\n", "\r\n").replace("RollingUpdate", "Recreate").encode()
    )


def test_generated_and_read_only_files_are_not_touched(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = estate / "vault.yaml"
    file.write_text("# Code generated by a tool. DO NOT EDIT.\n" + VAULT, encoding="utf-8")
    assert run(["fix", str(estate), "--unsafe", "--write", "--format", "json", *ONLY]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "generated" in told["not_fixed"][0]["reason"]
    file.write_text(VAULT, encoding="utf-8")
    file.chmod(0o444)
    assert run(["fix", str(estate), "--unsafe", "--write", *ONLY]) == 2
    assert "read-only" in capsys.readouterr().err


def test_a_link_is_followed_and_stays_a_link(estate: Path) -> None:
    (estate / "base").mkdir()
    (estate / "vault.yaml").rename(estate / "base" / "real.yaml")
    (estate / "vault.yaml").symlink_to("base/real.yaml")
    assert run(["fix", str(estate), "--unsafe", "--write", *ONLY]) == 0
    assert (estate / "vault.yaml").is_symlink()
    assert (estate / "base" / "real.yaml").read_text(encoding="utf-8") == VAULT.replace("RollingUpdate", "Recreate")


def test_encrypted_files_are_never_touched(estate: Path) -> None:
    closed = estate / "closed.yaml"
    closed.write_bytes(b"\x00GITCRYPT\x00" + VAULT.encode())
    sealed = estate / "sealed.yaml"
    sealed.write_text(VAULT.replace("vault", "other") + "sops:\n  mac: ENC[AES256_GCM,data:aGk=,type:str]\n", "utf-8")
    before = [(one.read_bytes(), one.stat().st_mtime_ns) for one in (closed, sealed)]
    assert run(["fix", str(estate), "--unsafe", "--write", *ONLY]) == 0
    assert [(one.read_bytes(), one.stat().st_mtime_ns) for one in (closed, sealed)] == before
    assert "Recreate" in (estate / "vault.yaml").read_text(encoding="utf-8")


def test_tabs_stay_where_they_are(tmp_path: Path) -> None:
    code = (
        'resource "kubernetes_deployment_v1" "web" {\n\tmetadata {\n\t\tname = "web"\n\t}\n\tspec {\n\t\treplicas = 2\n'
        '\t\tselector {\n\t\t\tmatch_labels = { app = "web" }\n\t\t}\n\t\ttemplate {\n\t\t\tmetadata {\n'
        '\t\t\t\tlabels = { app = "web" }\n\t\t\t}\n\t\t\tspec {\n\t\t\t\tcontainer {\n\t\t\t\t\tname  = "web"\n'
        '\t\t\t\t\timage = "nginx:1.29.3"\n\t\t\t\t}\n\t\t\t}\n\t\t}\n\t}\n}\n'
    )
    (tmp_path / "main.tf").write_text(code, encoding="utf-8")
    assert run(["fix", str(tmp_path), "--unsafe", "--write", "--select", "replicas-colocated"]) == 0
    after = (tmp_path / "main.tf").read_text(encoding="utf-8")
    assert "\t\t\t\ttopology_spread_constraint {\n\t\t\t\t\t" in after
    kept = [line for line in after.splitlines() if line in code.splitlines()]
    assert kept.count("\t}") == code.splitlines().count("\t}")
