"""The diff is one that git takes, whatever the files hold."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from shoreup.model.amendment import Change
from shoreup.report import patch

LINES = st.lists(st.sampled_from([b"a", b"b", b"", b"c\r", b"\xff", b"d e", b"--- x", b"+y"]), max_size=12)
TEXTS = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"]))


@given(before=TEXTS, after=TEXTS)
def test_git_makes_the_new_file_of_the_old_one(before: bytes, after: bytes) -> None:
    if before == after or not before or not after:
        return
    with TemporaryDirectory() as folder:
        file = Path(folder, "some", "file.tf")
        file.parent.mkdir()
        file.write_bytes(before)
        text = patch.render([Change("some/file.tf", before, after)])
        done = subprocess.run(
            ["git", "apply", "--unsafe-paths", "-"], cwd=folder, input=text, capture_output=True, check=False
        )
        assert done.returncode == 0, (text, done.stderr)
        assert file.read_bytes() == after


def test_a_new_file_comes_from_nothing(tmp_path: Path) -> None:
    text = patch.render([Change("new.yaml", None, b"a: 1\nb: 2")])
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=text, check=True)
    assert (tmp_path / "new.yaml").read_bytes() == b"a: 1\nb: 2"
