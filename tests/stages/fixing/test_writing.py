"""Files are seen old or new; a file that changed meanwhile, is read-only or on a full disk stops everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shoreup.formats.files import FileTree
from shoreup.model.amendment import Change
from shoreup.model.errors import UserError
from shoreup.stages.fixing.writing import PREFIX, write


def test_modes_are_kept_and_new_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_bytes(b"old")
    (tmp_path / "a.tf").chmod(0o640)
    write(FileTree(tmp_path), [Change("a.tf", b"old", b"new"), Change("deep/b.yaml", None, b"b: 1\n")])
    assert (tmp_path / "a.tf").read_bytes() == b"new"
    assert (tmp_path / "a.tf").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "deep/b.yaml").read_bytes() == b"b: 1\n"
    assert not list(tmp_path.rglob(f"{PREFIX}*"))


def test_a_file_that_changed_meanwhile_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_bytes(b"old")
    (tmp_path / "b.tf").write_bytes(b"somebody else")
    with pytest.raises(UserError, match=r"b\.tf changed while"):
        write(FileTree(tmp_path), [Change("a.tf", b"old", b"new"), Change("b.tf", b"old", b"new")])
    assert (tmp_path / "a.tf").read_bytes() == b"old"


def test_a_read_only_file_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_bytes(b"old")
    (tmp_path / "b.tf").write_bytes(b"old")
    (tmp_path / "b.tf").chmod(0o444)
    with pytest.raises(UserError, match="read-only"):
        write(FileTree(tmp_path), [Change("a.tf", b"old", b"new"), Change("b.tf", b"old", b"new")])
    assert (tmp_path / "a.tf").read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.tf").write_bytes(b"old")
    (tmp_path / "link.tf").symlink_to("real.tf")
    tree = FileTree(tmp_path)
    write(tree, [Change(tree.real("link.tf"), b"old", b"new")])
    assert (tmp_path / "link.tf").is_symlink()
    assert (tmp_path / "real.tf").read_bytes() == b"new"


def test_what_a_killed_run_left_is_swept_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "a.tf").write_bytes(b"old")
    dead, alive = tmp_path / f"{PREFIX}{gone.pid}-a.tf", tmp_path / f"{PREFIX}{os.getpid()}-other.tf"
    dead.write_bytes(b"half")
    alive.write_bytes(b"half")
    write(FileTree(tmp_path), [Change("a.tf", b"old", b"new")])
    assert not dead.exists()
    assert alive.exists()


def test_a_full_disk_leaves_every_file_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tf").write_bytes(b"old")
    (tmp_path / "b.tf").write_bytes(b"old")
    real, calls = os.fsync, iter(range(10))

    def full(descriptor: int) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        write(FileTree(tmp_path), [Change("a.tf", b"old", b"new"), Change("b.tf", b"old", b"new")])
    assert (tmp_path / "a.tf").read_bytes() == (tmp_path / "b.tf").read_bytes() == b"old"
    assert not list(tmp_path.rglob(f"{PREFIX}*"))


def test_in_a_repository_nothing_half_done_is_seen_in_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "a.tf").write_bytes(b"old")
    seen: list[list[str]] = []
    real = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append([path.name for path in tmp_path.iterdir() if path.name.startswith(PREFIX)])
        return real(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write(FileTree(tmp_path), [Change("a.tf", b"old", b"new")])
    assert seen == [[]]


KILLED = """\
import os, signal, sys
from pathlib import Path
from shoreup.formats.files import FileTree
from shoreup.model.amendment import Change
from shoreup.stages.fixing.writing import write

root, moment, count = Path(sys.argv[1]), int(sys.argv[2]), 0

def ends(name, owner):
    real = getattr(owner, name)
    def call(*arguments, **named):
        global count
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    setattr(owner, name, call)

for name, owner in (("open", os), ("fsync", os), ("fdopen", os), ("replace", Path), ("unlink", Path), ("chmod", Path)):
    ends(name, owner)
files = [f"{number}.tf" for number in range(4)]
write(FileTree(root), [Change(name, (root / name).read_bytes(), b"new" * 5000) for name in files])
"""


@pytest.mark.parametrize("repository", [False, True])
def test_killed_at_any_moment_every_file_is_old_or_new(repository: bool, tmp_path: Path) -> None:
    if repository:
        (tmp_path / ".git").mkdir()
    ended = 0
    for moment in range(1, 100, 3):
        for number in range(4):
            (tmp_path / f"{number}.tf").write_bytes(b"old")
        run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(moment)], check=False)
        assert run.returncode in (0, -9)
        seen = {(tmp_path / f"{number}.tf").read_bytes() for number in range(4)}
        assert seen <= {b"old", b"new" * 5000}
        assert not list(tmp_path.glob(f"{PREFIX}*")), "nothing stray lies among the files, whenever it dies"
        ended += run.returncode == -9
        if run.returncode == 0:
            assert seen == {b"new" * 5000}
            break
    else:
        pytest.fail("it never came to an end")
    assert ended > 3
    assert not list(tmp_path.rglob(f"{PREFIX}*")), "the next run sweeps what killed ones left"
