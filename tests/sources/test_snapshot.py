"""An older state of an estate is copied out of git, whatever the tree objects try."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from shoreup.sources.snapshot import commit_of, copy_out

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")


def git(root: Path, *arguments: str, sent: bytes = b"") -> str:
    done = subprocess.run(["git", *IDENTITY, "-C", str(root), *arguments], input=sent, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "estate"
    (root / "apps" / "web").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "apps" / "web" / "a.yaml").write_text("one: 1\n")
    (root / "apps" / "line\nbreak.yaml").write_bytes(b"\xff\x00raw\n\n")
    (root / "link.yaml").symlink_to("apps/web/a.yaml")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    git(root, "tag", "v1")
    (root / "apps" / "web" / "a.yaml").write_text("one: 2\n")
    git(root, "commit", "-qam", "second")
    return root


def tree_with(root: Path, *rows: tuple[str, str, bytes]) -> str:
    """A commit of one tree that git itself would never make; each row has mode, name and content."""
    content = b""
    for mode, name, data in rows:
        kind = "tree" if mode == "40000" else "blob"
        blob = git(root, "hash-object", "-w", "-t", kind, "--literally", "--stdin", sent=data)
        content += f"{mode} {name}\0".encode() + bytes.fromhex(blob)
    tree = git(root, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", sent=content)
    return git(root, "commit-tree", tree, "-m", "odd")


def test_the_state_at_a_revision_is_copied_byte_by_byte(repository: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    commit = commit_of(repository, "v1")
    assert commit
    snapshot = copy_out(repository, commit, target)
    assert snapshot
    assert (snapshot.files, snapshot.encrypted, snapshot.missing) == (3, (), ())
    assert (target / "apps" / "web" / "a.yaml").read_text() == "one: 1\n"
    assert (target / "apps" / "line\nbreak.yaml").read_bytes() == b"\xff\x00raw\n\n"
    assert (target / "link.yaml").readlink() == Path("apps/web/a.yaml")


def test_a_folder_of_the_repository_is_an_estate_of_its_own(repository: Path, tmp_path: Path) -> None:
    commit = commit_of(repository / "apps", "HEAD~1")
    assert commit
    assert copy_out(repository / "apps", commit, tmp_path / "copy")
    assert (tmp_path / "copy" / "web" / "a.yaml").read_text() == "one: 1\n"


@pytest.mark.parametrize("revision", ["no-such", "", "--help", "-n1", "v1\n", "HEAD^{tree}"])
def test_what_is_no_revision_is_none(repository: Path, revision: str) -> None:
    assert commit_of(repository, revision) is None


def test_a_folder_outside_of_git_has_no_revisions(tmp_path: Path) -> None:
    assert commit_of(tmp_path, "HEAD") is None


def test_filters_that_the_repository_names_do_not_run(repository: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (repository / ".gitattributes").write_text("*.yaml filter=evil export-subst\na.yaml export-ignore\n")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-qm", "third")
    git(repository, "config", "filter.evil.smudge", f"touch {ran}; cat")
    git(repository, "config", "filter.evil.process", f"touch {ran}; cat")
    commit = commit_of(repository, "HEAD")
    assert commit
    assert copy_out(repository, commit, tmp_path / "copy")
    assert (tmp_path / "copy" / "apps" / "web" / "a.yaml").exists()
    assert not ran.exists()


def test_names_that_lead_out_are_not_followed(repository: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    inner = git(repository, "hash-object", "-w", "--stdin", sent=b"x")
    folder = b"100644 planted\0" + bytes.fromhex(inner) + b"120000 planted-link\0" + bytes.fromhex(inner)
    odd = tree_with(
        repository,
        ("40000", "..", folder),
        ("40000", ".git", folder),
        ("120000", "way", str(outside).encode()),
        ("40000", "way", folder),
        ("100644", "good.yaml", b"a: 1\n"),
    )
    target = tmp_path / "deep" / "copy"
    assert copy_out(repository, odd, target)
    assert (target / "good.yaml").read_text() == "a: 1\n"
    assert list(outside.iterdir()) == []
    assert not (target / ".git").exists()
    assert not (target.parent / "planted").exists()


def test_what_git_holds_encrypted_is_named(repository: Path, tmp_path: Path) -> None:
    (repository / "secret.yaml").write_bytes(b"\0GITCRYPT\0" + b"x" * 20)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "third")
    commit = commit_of(repository, "HEAD")
    assert commit
    snapshot = copy_out(repository, commit, tmp_path / "copy")
    assert snapshot
    assert snapshot.encrypted == ("secret.yaml",)


def test_objects_that_the_clone_lacks_are_named(repository: Path, tmp_path: Path) -> None:
    commit = commit_of(repository, "v1")
    assert commit
    blob = git(repository, "rev-parse", "v1:apps/web/a.yaml")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    snapshot = copy_out(repository, commit, tmp_path / "copy")
    assert snapshot
    assert "apps/web/a.yaml" in snapshot.missing
    assert not (tmp_path / "copy" / "apps" / "web" / "a.yaml").exists()
