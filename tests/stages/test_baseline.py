"""A baseline and a revision tell what is known from what came since."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from accounts import accepted, account, finding
from shoreup.model.account import Account
from shoreup.model.errors import UserError
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.baseline import against, read_baseline, render_baseline

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
spec:
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - name: web
          image: {image}
"""


def look(root: Path, **options: object) -> Account:
    chosen = {"select": ("image-tag-latest",), "cache": False, "today": date(2026, 11, 23)} | options
    return audit([root], AuditOptions(**chosen))  # type: ignore[arg-type]  # the test names options


def write(root: Path, name: str, image: str = "nginx:latest", head: str = "") -> None:
    (root / f"{name}.yaml").write_text(head + DEPLOYMENT.format(name=name, image=image))


def test_what_the_baseline_knows_is_counted_and_no_finding(tmp_path: Path) -> None:
    write(tmp_path, "old")
    known = tmp_path / "known.json"
    known.write_text(render_baseline(look(tmp_path)))
    write(tmp_path, "new")
    write(tmp_path, "old", head="# moved\n\n")
    account = look(tmp_path, baseline=known)
    assert [one.subject for one in account.findings] == ["Deployment shop/new, container web"]
    assert [one.subject for one in account.known] == ["Deployment shop/old, container web"]
    assert account.compared == f"the baseline {known}"
    assert account.notices == ()


def test_the_settings_may_name_the_baseline(tmp_path: Path) -> None:
    write(tmp_path, "old")
    (tmp_path / "known.json").write_text(render_baseline(look(tmp_path)))
    (tmp_path / "shoreup.toml").write_text('[selection]\nbaseline = "known.json"\n')
    assert look(tmp_path).findings == ()


def test_a_baseline_is_sorted_readable_and_the_same_again() -> None:
    one = account(
        finding(2), finding(1), known=(finding(3),), unproven=(finding(4),), suppressed=(accepted(finding(5)),)
    )
    text = render_baseline(one)
    assert text == render_baseline(one)
    entries = json.loads(text)["findings"]
    assert list(entries) == sorted(f"backup-retention-missing-{number}" for number in (1, 2, 3, 4))
    assert entries["backup-retention-missing-1"] == "backup-retention-missing: CronJob data/mysql-backup"
    assert render_baseline(account()) == '{\n  "shoreup_baseline": 1,\n  "findings": {}\n}\n'


def test_what_is_known_and_gone_is_told_and_what_is_accepted_is_not_gone(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(render_baseline(account(finding(1), finding(2), finding(3))))
    then = against(account(finding(1), suppressed=(accepted(finding(2)),)), read_baseline(path))
    assert then.findings == ()
    assert [one.message for one in then.notices] == [
        "One finding of this baseline is gone: write it anew, so that they stay gone."
    ]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"shoreup_baseline": 2, "findings": {}}', '{"shoreup_baseline": 1, "findings": []}', "\xff"],
)
def test_what_is_no_baseline_is_an_error_with_advice(tmp_path: Path, content: str) -> None:
    path = tmp_path / "known.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"anew|later Shoreup"):
        read_baseline(path)


def test_a_baseline_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--write-baseline"):
        read_baseline(tmp_path / "none.json")
    with pytest.raises(UserError, match="is no file"):
        read_baseline(tmp_path)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, "-C", str(root), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "repository" / "estate"
    root.mkdir(parents=True)
    git(root.parent, "init", "-q", "-b", "main")
    write(root, "old")
    write(root, "pinned", image="nginx:1.29.1")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


def test_since_a_revision_only_what_came_is_shown(repository: Path) -> None:
    write(repository, "old", head="# moved\n")
    write(repository, "pinned", image="nginx:latest")
    write(repository, "new")
    account = look(repository, since="HEAD")
    assert sorted(one.subject for one in account.findings) == [
        "Deployment shop/new, container web",
        "Deployment shop/pinned, container web",
    ]
    assert [one.subject for one in account.known] == ["Deployment shop/old, container web"]
    assert account.compared.startswith("the revision HEAD (")


def test_since_and_a_part_of_the_estate_go_together(repository: Path) -> None:
    write(repository, "pinned", image="nginx:latest")
    chosen = AuditOptions(select=("image-tag-latest",), cache=False, since="HEAD")
    account = audit([repository / "pinned.yaml", repository / "old.yaml"], chosen)
    assert [one.file for one in account.findings] == ["pinned.yaml"]


def test_an_ignore_that_was_taken_out_shows_the_finding_again(repository: Path) -> None:
    write(repository, "old", head="# shoreup: ignore[image-tag-latest] for now\n")
    git(repository, "commit", "-qam", "second")
    write(repository, "old")
    assert [one.file for one in look(repository, since="HEAD").findings] == ["old.yaml"]
    assert look(repository, since="HEAD~1").findings == ()


def test_files_that_git_holds_encrypted_are_named(repository: Path) -> None:
    (repository / "secret.yaml").write_bytes(b"\0GITCRYPT\0" + b"x" * 20)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    (notice,) = look(repository, since="HEAD").notices
    assert (notice.file, notice.line) == ("secret.yaml", 0)
    assert notice.message.startswith("This file is encrypted in git")


@pytest.mark.parametrize("revision", ["no-such", "--help", "HEAD:old.yaml"])
def test_a_revision_that_is_none_is_an_error(repository: Path, revision: str) -> None:
    with pytest.raises(UserError, match="There is no commit"):
        look(repository, since=revision)


def test_an_estate_outside_of_git_has_nothing_to_compare_with(tmp_path: Path) -> None:
    write(tmp_path, "old")
    with pytest.raises(UserError, match="git repository"):
        look(tmp_path, since="HEAD")
