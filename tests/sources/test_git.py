"""Git is asked what it knows, and nothing that the repository names is ever run."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from hostile_git import hostile
from shoreup.sources import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")


def run(root: Path, *arguments: str, when: str = "2024-05-06T12:00:00Z") -> None:
    environment = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(["git", *IDENTITY, "-C", str(root), *arguments], check=True, env=environment, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "estate"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    (root / "a.yaml").write_text("one: 1\ntwo: 2\nthree: 3\n")
    (root / ".gitignore").write_text("ignored/\n")
    run(root, "add", ".")
    run(root, "commit", "-qm", "first", when="2023-01-02T12:00:00Z")
    return root


def test_files_that_git_does_not_ignore(repository: Path) -> None:
    (repository / "new.yaml").write_text("a: 1\n")
    (repository / "ignored").mkdir()
    (repository / "ignored" / "b.yaml").write_text("a: 1\n")
    (repository / "line\nbreak.yaml").write_text("a: 1\n")
    assert git.listed(repository) == frozenset({"a.yaml", ".gitignore", "new.yaml", "line\nbreak.yaml"})


def test_a_folder_that_is_ignored_as_a_whole_is_not_empty_but_unknown(repository: Path) -> None:
    (repository / "ignored").mkdir()
    (repository / "ignored" / "b.yaml").write_text("a: 1\n")
    assert git.listed(repository / "ignored") is None


def test_paths_are_relative_to_the_folder_that_is_asked_for(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub" / "x.yaml").write_text("a: 1\n")
    run(repository, "add", ".")
    run(repository, "commit", "-qm", "second", when="2024-02-03T12:00:00Z")
    assert git.listed(repository / "sub") == frozenset({"x.yaml"})
    assert git.line_ages(repository / "sub", "x.yaml", [1]) == {1: date(2024, 2, 3)}


def test_the_age_of_lines_as_they_stand_now(repository: Path) -> None:
    (repository / "a.yaml").write_text("one: 1\ntwo: 22\nthree: 3\n")
    run(repository, "commit", "-qam", "second", when="2024-02-03T12:00:00Z")
    assert git.line_ages(repository, "a.yaml", [1, 2]) == {1: date(2023, 1, 2), 2: date(2024, 2, 3)}
    (repository / "a.yaml").write_text("zero: 0\none: 1\ntwo: 22\nthree: 3\n")
    assert git.line_ages(repository, "a.yaml", [1, 2, 3, 9]) == {2: date(2023, 1, 2), 3: date(2024, 2, 3)}


def test_files_that_are_not_committed_have_no_ages(repository: Path) -> None:
    (repository / "new.yaml").write_text("a: 1\n")
    assert git.line_ages(repository, "new.yaml", [1]) == {}


def test_names_are_followed_through_renames(repository: Path) -> None:
    run(repository, "mv", "a.yaml", "b.yaml")
    run(repository, "commit", "-qm", "rename")
    run(repository, "mv", "b.yaml", "c.yaml")
    run(repository, "commit", "-qm", "rename again")
    assert git.first_names(repository, {"c.yaml", ".gitignore"}) == {"c.yaml": "a.yaml"}
    assert git.first_names(repository, {"b.yaml"}, "HEAD^") == {"b.yaml": "a.yaml"}
    assert git.first_names(repository, {"b.yaml"}, "--output=x") == {}


def test_a_rename_that_is_only_staged_counts(repository: Path) -> None:
    run(repository, "mv", "a.yaml", "b.yaml")
    assert git.first_names(repository, {"b.yaml"}) == {"b.yaml": "a.yaml"}


def test_a_new_file_under_a_name_that_became_free_is_itself(repository: Path) -> None:
    run(repository, "mv", "a.yaml", "b.yaml")
    run(repository, "commit", "-qm", "rename")
    (repository / "a.yaml").write_text("something: else\nentirely: new\n")
    run(repository, "add", ".")
    run(repository, "commit", "-qm", "another")
    run(repository, "mv", "a.yaml", "c.yaml")
    run(repository, "commit", "-qm", "rename that")
    assert git.first_names(repository, {"b.yaml", "c.yaml"}) == {"b.yaml": "a.yaml", "c.yaml": "a.yaml"}


def test_names_are_relative_to_a_folder_below_the_top(repository: Path) -> None:
    (repository / "infra").mkdir()
    run(repository, "mv", "a.yaml", "infra/a.yaml")
    run(repository, "commit", "-qm", "move")
    run(repository, "mv", "infra/a.yaml", "infra/\u00e9 b.yaml")
    run(repository, "commit", "-qm", "rename")
    assert git.first_names(repository / "infra", {"\u00e9 b.yaml"}) == {"\u00e9 b.yaml": "a.yaml"}


def test_odd_names_are_names_and_no_options(repository: Path) -> None:
    for name in ("-x.yaml", ":(top)y.yaml", "a b*.yaml"):
        (repository / name).write_text("a: 1\n")
    run(repository, "add", "--all")
    run(repository, "commit", "-qm", "odd", when="2024-02-03T12:00:00Z")
    for name in ("-x.yaml", ":(top)y.yaml", "a b*.yaml"):
        assert git.line_ages(repository, name, [1]) == {1: date(2024, 2, 3)}


def test_the_head_is_the_commit(repository: Path) -> None:
    commit = git.head(repository)
    assert commit is not None
    assert len(commit) == 40


def test_a_folder_without_git_is_no_error(tmp_path: Path) -> None:
    assert git.listed(tmp_path) is None
    assert git.head(tmp_path) is None
    assert git.line_ages(tmp_path, "a", [1]) == {}
    assert git.first_names(tmp_path, {"a"}) == {}


def test_without_git_nothing_is_known(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git.listed(repository) is None
    assert git.head(repository) is None


def test_a_git_beside_the_files_is_not_ours(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = repository / "ran"
    fake = repository / "git"
    fake.write_text(f"#!/bin/sh\ntouch {marker}\n")
    fake.chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", ".")
    assert git.listed(repository) is None
    assert not marker.exists()


def test_the_callers_own_git_variables_do_not_lead_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_WORK_TREE", "/")
    assert git.listed(repository) == frozenset({"a.yaml", ".gitignore"})


def ask_everything(root: Path) -> None:
    git.listed(root)
    git.head(root)
    git.line_ages(root, "a.yaml", [1, 2])
    git.line_ages(root, "b.yaml", [1])
    git.first_names(root, {"b.yaml"})


def test_nothing_that_a_hostile_repository_names_is_run(repository: Path) -> None:
    (repository / "b.yaml").write_text("one: 1\ntwo: 2\nthree: 3\nfour: 4\n")
    (repository / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    run(repository, "add", ".")
    run(repository, "commit", "-qm", "second")
    marker = hostile(repository)
    (repository / "a.yaml").write_text("changed: 1\none: 1\n")
    os.utime(repository / "b.yaml", (1, 1))
    ask_everything(repository)
    assert git.listed(repository) == frozenset({"a.yaml", "b.yaml", ".gitignore", ".gitattributes"})
    assert not marker.exists()
    # The trap works: git itself, asked without care, steps into it.
    subprocess.run(["git", "-C", str(repository), "diff"], capture_output=True, check=False)
    assert marker.exists()


def test_objects_that_are_missing_are_not_fetched(repository: Path) -> None:
    marker = hostile(repository)
    blob = subprocess.run(
        ["git", "-C", str(repository), "-c", "core.fsmonitor=", "ls-tree", "HEAD", "a.yaml"],
        capture_output=True, check=True, text=True,
    ).stdout.split()[2]  # fmt: skip
    marker.unlink(missing_ok=True)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    ask_everything(repository)
    assert git.line_ages(repository, "a.yaml", [1]) == {}
    assert not marker.exists()


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("https://github.com/Me/platform.git", "github.com/me"),
        ("git@github.com:Me/platform.git", "github.com/me"),
        ("ssh://git@git.example.org:2222/team/platform", "git.example.org/team"),
        ("https://me:not-to-be-kept@gitlab.com/me/platform", "gitlab.com/me"),
        ("/srv/git/platform", ""),
        ("file:///srv/git/platform", ""),
        ("../platform", ""),
    ],
)
def test_the_owner_of_a_repository_stands_in_its_address_and_nothing_secret_is_kept(address: str, owner: str) -> None:
    assert git.owner_of(address) == owner
