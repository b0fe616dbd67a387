"""A stranger's tree is listed and read without a hang, without leaving it, each file once."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from shoreup.formats.files import MAX_BYTES, FileTree


def put(root: Path, path: str, content: bytes | str = "a: 1\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def causes(tree: FileTree) -> list[tuple[str, int, str]]:
    return [(error.file, error.line, error.cause) for error in tree.errors]


def test_files_are_listed_by_relative_path_in_order(tmp_path: Path) -> None:
    for path in ("b/c.yaml", "a.tf", ".hidden/x", ".git/config", "x/.terraform/y.tf", "node_modules/z.json"):
        put(tmp_path, path)
    tree = FileTree(tmp_path)
    assert tree.files == (".hidden/x", "a.tf", "b/c.yaml")
    assert "b/c.yaml" in tree
    assert "b" not in tree
    assert tree.read("a.tf") == b"a: 1\n"
    assert tree.read("absent") is None
    assert tree.errors == []


def test_an_audit_may_be_of_parts(tmp_path: Path) -> None:
    for path in ("a/x.tf", "a/b/y.tf", "ab/z.tf", "c.tf"):
        put(tmp_path, path)
    assert FileTree(tmp_path, ("a",)).files == ("a/b/y.tf", "a/x.tf")
    assert FileTree(tmp_path, ("a/b", "c.tf")).files == ("a/b/y.tf", "c.tf")
    assert FileTree(tmp_path, (".",)).files == FileTree(tmp_path).files


def test_what_git_ignores_is_left_alone(tmp_path: Path) -> None:
    for path in ("a.tf", "out/b.tf", "sub/module/c.tf", "sub/module/d/e.tf", "fresh/f.tf"):
        put(tmp_path, path)
    listed = frozenset({"a.tf", "gone.tf", "sub/module", "fresh/"})
    assert FileTree(tmp_path, listed=listed).files == ("a.tf", "fresh/f.tf", "sub/module/c.tf", "sub/module/d/e.tf")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    put(tmp_path, "a.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "pipe.yaml")
    tree = FileTree(tmp_path)
    assert tree.files == ("a.yaml", "link.yaml")
    assert tree.read("pipe.yaml") is None
    assert tree.read("link.yaml") is None
    assert causes(tree) == [("pipe.yaml", 0, "a pipe"), ("link.yaml", 0, "a pipe")]


def test_a_file_that_became_a_pipe_does_not_hang(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    tree = FileTree(tmp_path)
    (tmp_path / "a.yaml").unlink()
    os.mkfifo(tmp_path / "a.yaml")
    assert tree.read("a.yaml") is None
    assert causes(tree) == [("a.yaml", 0, "a pipe")]


def test_links_inside_are_followed_and_their_target_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, "common/a.tf")
    (tmp_path / "link.tf").symlink_to("common/a.tf")
    (tmp_path / "folder").symlink_to("common")
    tree = FileTree(tmp_path)
    assert tree.files == ("common/a.tf", "link.tf")
    assert tree.links == {"link.tf": "common/a.tf", "folder": "common"}
    assert tree.read("link.tf") is tree.read("common/a.tf")
    assert tree.real("folder/a.tf") == "common/a.tf"
    assert "folder/a.tf" in tree
    assert tree.read("folder/a.tf") is tree.read("common/a.tf")


def test_links_that_leave_the_estate_are_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/secret.yaml")
    root = tmp_path / "estate"
    put(root, "a.yaml")
    (root / "file.yaml").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    (root / "device.yaml").symlink_to("/dev/zero")
    (root / "nowhere.yaml").symlink_to("nothing")
    tree = FileTree(root)
    assert [tree.read(path) for path in ("file.yaml", "folder/secret.yaml", "device.yaml", "nowhere.yaml")] == [
        None
    ] * 4
    assert ("file.yaml", 0, "a link that leaves the estate") in causes(tree)
    assert ("folder", 0, "a link that leaves the estate") in causes(tree)
    assert ("device.yaml", 0, "a link that leaves the estate") in causes(tree)
    assert ("nowhere.yaml", 0, "No such file or directory") in causes(tree)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, "a/x.yaml")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "one.yaml").symlink_to("two.yaml")
    (tmp_path / "two.yaml").symlink_to("one.yaml")
    (tmp_path / "self").symlink_to(".")
    tree = FileTree(tmp_path)
    assert tree.files == ("a/x.yaml", "one.yaml", "two.yaml")
    assert tree.read("one.yaml") is None
    assert tree.real("a/up/a/up/a/x.yaml") == "a/x.yaml"
    assert tree.read("self/self/a/x.yaml") == b"a: 1\n"
    assert [cause for _, _, cause in causes(tree)] == ["Too many levels of symbolic links"]


def test_the_root_may_be_reached_through_a_link(tmp_path: Path) -> None:
    put(tmp_path, "estate/a.yaml")
    (tmp_path / "estate" / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "link").symlink_to("estate")
    tree = FileTree(tmp_path / "link")
    assert tree.read("b.yaml") == b"a: 1\n"


def test_large_files_are_not_read(tmp_path: Path) -> None:
    with put(tmp_path, "big.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with put(tmp_path, "limit.yaml").open("wb") as file:
        file.write(b"#" * MAX_BYTES)
    tree = FileTree(tmp_path)
    assert tree.read("big.yaml") is None
    assert causes(tree) == [("big.yaml", 0, "larger than 8 MiB")]
    assert tree.read("limit.yaml") is not None


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_and_folders_are_said(tmp_path: Path) -> None:
    put(tmp_path, "closed/a.yaml")
    put(tmp_path, "b.yaml").chmod(0)
    (tmp_path / "closed").chmod(0)
    tree = FileTree(tmp_path)
    assert tree.read("b.yaml") is None
    (tmp_path / "closed").chmod(0o755)
    assert causes(tree) == [("closed", 0, "Permission denied"), ("b.yaml", 0, "Permission denied")]


def test_names_may_hold_anything(tmp_path: Path) -> None:
    put(tmp_path, "new\nline.yaml")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.yaml"))).write_bytes(b"\xff")
    tree = FileTree(tmp_path)
    assert len(tree.files) == 2
    assert tree.read("new\nline.yaml") == b"a: 1\n"
    (odd,) = (path for path in tree.files if "caf" in path)
    assert tree.read(odd) == b"\xff"
    assert tree.text(odd) is None
    assert causes(tree) == [("caf\\xe9.yaml", 1, "not UTF-8")]


@pytest.mark.parametrize(
    ("content", "skipped", "error"),
    [
        (b"\0GITCRYPT\0abc", "encrypted", None),
        (b"\x7fELF" + b"\0" * 100 + b"\xff\xfe", "binary", None),
        (b"PK\x03\x04" + b"\0" * 200, "binary", None),
        ("a: ä\n".encode("utf-16"), None, (1, "UTF-16, not UTF-8")),
        ("a: ä\n".encode("utf-16-le"), "binary", None),
        (b"a: 1\nb: \xe4\n", None, (2, "not UTF-8")),
    ],
)
def test_what_is_no_text_is_said_or_left_alone(
    tmp_path: Path, content: bytes, skipped: str | None, error: tuple[int, str] | None
) -> None:
    put(tmp_path, "a.yaml", content)
    tree = FileTree(tmp_path)
    assert tree.text("a.yaml") is None
    assert tree.skipped.get("a.yaml") == skipped
    assert causes(tree) == ([] if error is None else [("a.yaml", *error)])


def test_a_stray_nul_is_left_for_the_reader_to_point_at(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", b"a: 1\nb: \0\n")
    assert FileTree(tmp_path).text("a.yaml") == "a: 1\nb: \0\n"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", b"\xef\xbb\xbfa: 1\n")
    assert FileTree(tmp_path).text("a.yaml") == "a: 1\n"


def test_what_is_forgotten_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    tree = FileTree(tmp_path)
    before = tree.digest("a.yaml")
    assert tree.read("a.yaml") == b"a: 1\n"
    put(tmp_path, "a.yaml", "b: 2\n")
    assert tree.read("a.yaml") == b"a: 1\n"
    tree.forget()
    assert tree.read("a.yaml") == b"b: 2\n"
    assert tree.digest("a.yaml") == before


def test_what_is_forgotten_was_still_asked_for_and_keeps_the_digest_of_what_was_read(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    tree, other = FileTree(tmp_path), FileTree(tmp_path)
    tree.read("a.yaml")
    expected = other.digest("a.yaml")
    tree.forget()
    put(tmp_path, "a.yaml", "b: 2\n")
    assert tree.touched == ("a.yaml",)
    assert tree.digest("a.yaml") == expected


def test_a_problem_is_noted_once(tmp_path: Path) -> None:
    tree = FileTree(tmp_path)
    for _ in range(3):
        tree.error("a", 1, "broken", "the file")
    assert len(tree.errors) == 1


def test_an_empty_or_absent_folder(tmp_path: Path) -> None:
    assert FileTree(tmp_path).files == ()
    assert causes(FileTree(tmp_path / "absent")) == [(".", 0, "No such file or directory")]


def test_ten_thousand_files_are_listed_fast(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"f{folder}").mkdir()
        for number in range(100):
            (tmp_path / f"f{folder}" / f"{number}.yaml").touch()
    began = time.monotonic()
    assert len(FileTree(tmp_path).files) == 10_000
    assert time.monotonic() - began < 2
