"""Whether two trees of files are the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shoreup.compare.files import take
from shoreup.compare.manifest import decode, differences, encode

CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (lambda tree: (tree / "a/one").write_bytes(b"eins!"), "tree: file a/one: "),
    "a file less": (lambda tree: (tree / "a/one").unlink(), "tree: file a/one: "),
    "a mode": (lambda tree: (tree / "a/one").chmod(0o600), "tree: file a/one: "),
    "another target": (
        lambda tree: (tree / "other").replace(tree / "link"),
        "tree: link link: to a, now to b",
    ),
    "an empty folder": (lambda tree: (tree / "empty").rmdir(), "tree: folder empty: "),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree."""
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "empty").mkdir()
    (tree / "a/one").write_bytes(b"eins.")
    (tree / "a/two").write_bytes(b"x" * 3_000_000)
    (tree / "link").symlink_to("a")
    (tree / "other").symlink_to("b")
    (tree / os.fsdecode(b"latin-\xe9")).write_bytes(b"name")
    return tree


def test_a_copy_is_the_same(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "tree"
    shutil.copytree(tree, copy, symlinks=True)
    before = take(tree)
    assert differences(before, take(copy)) == ()
    assert decode(encode(before)) == before


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_seen(tree: Path, change: str) -> None:
    before = take(tree)
    spoil, words = CHANGES[change]
    spoil(tree)
    found = [str(one) for one in differences(before, take(tree))]
    assert any(one.startswith(words) for one in found), found


@pytest.mark.parametrize("change", [one for one in CHANGES if one != "a byte"])
def test_one_without_hashes_sees_all_but_the_content(tree: Path, change: str) -> None:
    before = take(tree, hashes=False)
    assert differences(before, take(tree)) == ()
    spoil, words = CHANGES[change]
    spoil(tree)
    found = [str(one) for one in differences(before, take(tree))]
    assert len(found) <= 2 and any(one.startswith(words) for one in found), found


def test_links_are_not_followed(tree: Path) -> None:
    (tree / "loop").symlink_to(".")
    assert sum(1 for item in take(tree).contents[0].items if item.kind == "link") == 3


def test_what_is_no_file_is_named_and_not_opened(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert [item.name for item in take(tree).contents[0].items if item.kind == "special file"] == ["pipe"]
