"""The generated estate is the same on every machine, and has exactly the size that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shoreup.formats.hcl import Source, parse_file

GENERATOR = Path(__file__).parents[2] / "bench" / "generate.py"


def generate(target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, GENERATOR, target, *options], capture_output=True, text=True, check=False, timeout=60
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "one", "--files", "90", "--yaml", "0.1")
    generate(tmp_path / "two", "--files", "90", "--yaml", "0.1")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != {}


@pytest.mark.parametrize(("files", "resources", "yaml"), [(60, 400, "0"), (330, 1650, "0"), (501, 3000, "0.2")])
def test_the_size_is_the_size_asked_for(tmp_path: Path, files: int, resources: int, yaml: str) -> None:
    said = generate(tmp_path / "it", "--files", str(files), "--resources", str(resources), "--yaml", yaml)
    assert said.stdout.startswith(f"{files} files, {resources} resources")
    written = [path for path in contents(tmp_path / "it") if path.endswith((".tf", ".yaml"))]
    assert len(written) == files


def test_every_file_is_whole_terraform(tmp_path: Path) -> None:
    generate(tmp_path / "it")
    broken = [
        path
        for path, text in contents(tmp_path / "it").items()
        if path.endswith(".tf") and parse_file(Source(path, text)).problems
    ]
    assert broken == []


def test_too_few_resources_are_refused_by_name(tmp_path: Path) -> None:
    refused = generate(tmp_path / "it", "--files", "90", "--resources", "10")
    assert refused.returncode == 2
    assert "resources at least" in refused.stderr
    assert not (tmp_path / "it").exists()


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert generate(tmp_path).returncode == 2
    assert contents(tmp_path) == {"mine": b"mine"}
