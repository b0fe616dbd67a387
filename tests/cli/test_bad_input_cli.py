"""``shoreup audit`` as a process, on a stranger's tree: exit codes, streams, and nothing that tree names is run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bad_estates import MANIFEST, NEIGHBOURS, manifest, terraform, write
from hostile_git import hostile

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown")
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shoreup(*arguments: str | Path, stdout: int | None = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the command line. It may not wait for anybody, and nothing it says may be a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "shoreup", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "fault in Shoreup" not in done.stderr
    return done


def test_an_empty_folder_is_nothing_to_audit(tmp_path: Path) -> None:
    done = shoreup("audit", tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"shoreup: {tmp_path} holds no Terraform and no YAML. Name the folder of your repository.\n"


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = shoreup("audit", tmp_path / "none")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_tree_in_which_much_is_wrong_is_reported_in_every_format(tmp_path: Path, form: str) -> None:
    write(
        tmp_path,
        {
            **NEIGHBOURS,
            "bad/broken.tf": 'locals {\n  x = "\n}\n',
            "bad/broken.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n",
            "bad/binary.yaml": bytes(5000),
            "bad/other.yaml": MANIFEST.encode("utf-16"),
            "bad/deep.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: " + "[" * 5000,
        },
    )
    os.mkfifo(tmp_path / "bad" / "pipe.yaml")
    done = shoreup("audit", "--no-cache", "--format", form, tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "image-tag-latest" in done.stdout
    assert "bad/broken.tf" in done.stdout
    if form in ("json", "sarif"):
        json.loads(done.stdout)
    assert shoreup("audit", "--no-cache", "--fail-on-errors", tmp_path, stdout=subprocess.DEVNULL).returncode == 2


@pytest.mark.parametrize("form", ["text", "markdown", "github"])
@pytest.mark.parametrize("full", [False, True])
def test_names_cannot_speak_to_the_terminal(tmp_path: Path, form: str, full: bool) -> None:
    names = ["\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "one\ntwo", "\r\rover", "\u202etxt.exe", "\x9b31m"]
    files = {f"bad/{name}.yaml": manifest("a") for name in names}
    quoted = (json.dumps(name) for name in names)
    inside = "---\n".join(MANIFEST.replace("name: web,", f"name: {name},") for name in quoted)
    hcl = "".join(terraform(f"t{number}", json.dumps(f"{name}:latest")) for number, name in enumerate(names[:1]))
    broken = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {json.dumps(names[0])}, name: x}}\nx: [\x1b\n"
    write(tmp_path, {**files, "inside.yaml": inside, "main.tf": hcl, "broken.yaml": broken})
    done = shoreup("audit", "--no-cache", "--format", form, *(["--full"] if full else []), tmp_path)
    assert done.returncode == 1
    assert UNSEEN.findall(done.stdout + done.stderr) == []
    assert "owned" in done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_nothing_that_a_hostile_repository_names_is_run(tmp_path: Path) -> None:
    root = tmp_path / "estate"
    write(root, {**NEIGHBOURS, "a.yaml": manifest("a"), "RECOVERY.md": "# Disaster recovery\n"})
    (root / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *IDENTITY, "-C", str(root), *arguments], check=True, capture_output=True)
    marker = hostile(root)
    (root / "a.yaml").write_text(manifest("b"))
    os.utime(root / "neighbour/web.yaml", (1, 1))
    done = shoreup("audit", "--no-cache", "--format", "json", root)
    assert done.returncode == 1
    account = json.loads(done.stdout)
    (fingerprint, *_) = [one["fingerprint"] for one in account["findings"] if one["concern"] == "image-tag-latest"]
    shoreup("explain", fingerprint, root)
    shoreup("audit", "--no-cache", "--since", "HEAD", root)
    assert not marker.exists()
    # The trap works: git itself, asked without care, steps into it.
    subprocess.run(["git", "-C", str(root), "diff"], capture_output=True, check=False)
    assert marker.exists()


def test_nothing_of_the_estate_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    root = tmp_path / "estate"
    program = f"#!/bin/sh\ntouch {marker}\n"
    write(
        root,
        {
            **NEIGHBOURS,
            "main.tf": f'data "external" "e" {{\n  program = ["touch", "{marker}"]\n}}\n'
            'resource "null_resource" "n" {\n  provisioner "local-exec" {\n'
            f'    command = "touch {marker}"\n  }}\n}}\n',
            "t/terragrunt.hcl": f'locals {{\n  x = run_cmd("touch", "{marker}")\n}}\n'
            'terraform {\n  before_hook "h" {\n    commands = ["plan"]\n'
            f'    execute  = ["touch", "{marker}"]\n  }}\n}}\n',
            "kustomize/kustomization.yaml": "generators: [g.yaml]\nhelmCharts: [{name: x, repo: 'file:///'}]\n",
            "kustomize/g.yaml": "apiVersion: x/v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n"
            "    config.kubernetes.io/function: 'exec: {path: ./run}'\n",
            "kustomize/run": program,
            "tag.yaml": f'a: !!python/object/apply:os.system ["touch {marker}"]\n',
            "git": program,
            "helm": program,
            "shoreup.py": f"open({str(marker)!r}, 'w')\n",
            "sitecustomize.py": f"open({str(marker)!r}, 'w')\n",
        },
    )
    for name in ("git", "helm", "kustomize/run"):
        (root / name).chmod(0o755)
    assert shoreup("audit", "--no-cache", root).returncode == 1
    assert not marker.exists()


# ------------------------------------------------------------------------------------------------ full disks


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", FORMATS)
def test_a_full_device_is_one_clean_error(tmp_path: Path, form: str) -> None:
    write(tmp_path, NEIGHBOURS)
    done = shoreup("audit", "--no-cache", "--format", form, "--output", "/dev/full", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("shoreup: Cannot write the report to /dev/full: No space left on device. ")
    with Path("/dev/full").open("w") as full:
        done = shoreup("audit", "--no-cache", "--format", form, tmp_path, stdout=full.fileno())
    assert done.returncode == 2
    assert done.stderr.startswith("shoreup: Cannot write the report to standard output: No space left on device. ")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of sixteen kilobytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_a_disk_that_fills_up_keeps_the_old_report_and_no_part_of_the_new(tmp_path: Path, tiny: Path) -> None:
    write(tmp_path / "estate", NEIGHBOURS)
    report = tiny / "report.json"
    report.write_text("old")
    done = shoreup("audit", "--no-cache", "--format", "sarif", "--output", report, tmp_path / "estate")
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert [(one.name, one.read_text()) for one in tiny.iterdir()] == [("report.json", "old")]


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "estate", NEIGHBOURS)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    done = shoreup("audit", tmp_path / "estate")
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX's")
def test_a_settings_file_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    write(tmp_path, NEIGHBOURS)
    os.mkfifo(tmp_path / "shoreup.toml")
    os.mkfifo(tmp_path / "baseline.json")
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert shoreup("audit", "--no-cache", tmp_path).returncode in (1, 2)
        assert shoreup("audit", "--no-cache", "--baseline", tmp_path / "baseline.json", tmp_path).returncode == 2
        return
    pytest.fail("it waits for somebody to write into the pipe")
