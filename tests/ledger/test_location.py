"""Where an estate's ledger lies: the same for every clone, another for every other repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shoreup.ledger.location import FILE, default_location, estate_key, locate, state_folder


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def repository(folder: Path, origin: str = "") -> Path:
    """A repository with one commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", f"first of {folder.name}")
    if origin:
        git(folder, "remote", "add", "origin", origin)
    return folder


@pytest.mark.parametrize(
    "other",
    [
        "git@example.org:me/home-ops.git",
        "ssh://git@example.org:2222/me/home-ops.git",
        "https://me:sesame@example.org/me/home-ops",
        "https://EXAMPLE.org/me/home-ops.git/",
    ],
)
def test_clones_of_one_address_are_one_estate(tmp_path: Path, other: str) -> None:
    first = repository(tmp_path / "a", "https://example.org/me/home-ops.git")
    second = repository(tmp_path / "b", other)
    assert estate_key(first) == estate_key(second)
    assert estate_key(first).startswith("home-ops-")


def test_a_fork_is_another_estate(tmp_path: Path) -> None:
    mine = repository(tmp_path / "a", "https://example.org/me/home-ops")
    theirs = repository(tmp_path / "b", "https://example.org/them/home-ops")
    assert estate_key(mine) != estate_key(theirs)


def test_without_an_address_the_first_commit_counts(tmp_path: Path) -> None:
    made = repository(tmp_path / "a")
    git(tmp_path, "clone", "-q", str(made), str(tmp_path / "b"))
    git(tmp_path / "b", "remote", "remove", "origin")
    git(tmp_path / "b", "commit", "-q", "--allow-empty", "-m", "second")
    assert estate_key(made) == estate_key(tmp_path / "b")


def test_a_part_of_a_repository_is_of_its_estate(tmp_path: Path) -> None:
    made = repository(tmp_path / "a", "https://example.org/me/home-ops")
    (made / "infra").mkdir()
    assert estate_key(made / "infra") == estate_key(made)


def test_without_git_the_place_counts(tmp_path: Path) -> None:
    (tmp_path / "Mein Haus!").mkdir()
    (tmp_path / "b").mkdir()
    assert estate_key(tmp_path / "Mein Haus!").startswith("mein-haus-")
    assert estate_key(tmp_path / "Mein Haus!") != estate_key(tmp_path / "b")


def test_an_address_cannot_lead_out_of_the_state_folder(tmp_path: Path) -> None:
    made = repository(tmp_path / "a", "https://example.org/../../../etc/..")
    folder = default_location(made).file
    assert folder is not None
    assert folder.resolve().parent.parent == state_folder().resolve()


def test_where_nothing_was_written_there_is_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert locate(tmp_path) is None
    default = default_location(tmp_path)
    assert default.file == tmp_path / "state" / "shoreup" / default.estate / FILE
    default.file.parent.mkdir(parents=True)
    default.file.touch()
    assert locate(tmp_path) == default
    assert not default.configured


def test_a_state_folder_that_is_relative_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert state_folder() == Path("~/.local/state/shoreup").expanduser()


def test_a_configured_ledger_starts_at_the_estate_and_need_not_be_there(tmp_path: Path) -> None:
    found = locate(tmp_path, "sqlite:///memory/ledger.sqlite")
    assert found is not None
    assert found.file == tmp_path / "memory" / "ledger.sqlite"
    assert found.configured
    assert found.state() == ""


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_of_postgresql_is_reached_by_the_driver_that_we_bring(tmp_path: Path, scheme: str) -> None:
    where = locate(tmp_path, f"{scheme}://me@db.example.org/ledger")
    assert where is not None
    assert where.url == "postgresql+psycopg://me@db.example.org/ledger"


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    found = locate(tmp_path, "postgresql+psycopg://me:sesame@db.example.org/shoreup?sslkey=x")
    assert found is not None
    assert found.shown == "postgresql+psycopg://db.example.org/shoreup"
