"""What the repository promises to whoever clones it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
LOCKS = sorted(TOP.glob("requirements*.lock"))


def tracked() -> list[Path]:
    """Every file that git tracks and that is there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True)
    return [TOP / name for name in done.stdout.split("\0") if name and (TOP / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_carry_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9-]+==\S+", text, re.MULTILINE)
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (TOP / "requirements.lock").read_text(encoding="utf-8")
    for wanted in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", wanted)
        assert name
        assert re.search(rf"^{name.group().lower()}==", lock, re.MULTILINE), f"run 'make lock': {wanted}"


def test_no_file_names_a_path_of_a_machine() -> None:
    pattern = re.compile(rb"(?<![\w-])/(?:root|work|home/[a-z]+)/(?!main\.py)[\w.-]+/")
    named = {
        path.relative_to(TOP).as_posix(): match.group().decode()
        for path in tracked()
        if path.suffix in {".py", ".toml", ".md", ".lock", ".json", ""} and "examples" not in path.parts
        for match in pattern.finditer(path.read_bytes())
        if path != Path(__file__)
    }
    assert named == {}
