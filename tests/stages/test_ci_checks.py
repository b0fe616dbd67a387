"""The generated check of changes, really run: it fails on what must not get in, and passes what may."""

from __future__ import annotations

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from shoreup.cli.main import run
from shoreup.stages.ci_checks import Forge, draw_check

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki, namespace: web}
spec:
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      containers:
        - name: wiki
          image: ghcr.io/example/wiki:1.0
          envFrom: [{configMapRef: {name: wiki}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: wiki, namespace: web}
data: {THEME: dark}
"""
CHANGES = {
    "nothing": ("", "", True),
    "a typo": ("containers:\n", "containers:\n  - name: x\n   image: y\n", False),
    "a dangling reference": ("configMapRef: {name: wiki}", "configMapRef: {name: wikki}", False),
    "a latest tag": ("wiki:1.0", "wiki:latest", False),
    "a label": ("THEME: dark", "THEME: light", True),
}


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(root), *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "wiki.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


def commands(drawn: Any) -> list[str]:
    """What the check runs of Shoreup, in order."""
    held = yaml.safe_load(drawn.text)
    if drawn.forge is Forge.GITHUB:
        said = [step.get("run", "") for step in held["jobs"]["shoreup"]["steps"]]
    elif drawn.forge is Forge.GITLAB:
        said = held["shoreup"]["script"]
    elif drawn.forge is Forge.WOODPECKER:
        said = held["steps"]["shoreup"]["commands"]
    else:
        said = [held["repos"][0]["hooks"][0]["entry"]]
    return [one for one in said if one.startswith("shoreup ")]


def passes(repository: Path, tmp_path: Path, said: list[str]) -> bool:
    """Whether a runner would go through all of it. ``shoreup`` on the path is this one."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "shoreup").write_text(f'#!/bin/sh\nexec {sys.executable} -m shoreup "$@"\n', encoding="utf-8")
    (folder / "shoreup").chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "BASE": "HEAD", "PYTHONPATH": ":".join(sys.path)}
    for one in said:
        done = subprocess.run(["sh", "-ec", one], cwd=repository, env=env, capture_output=True, check=False)
        if done.returncode:
            assert done.returncode in (1, 2), done.stderr
            return False
    return True


@pytest.mark.parametrize("what", CHANGES)
def test_the_check_lets_in_what_may_and_nothing_else(repository: Path, tmp_path: Path, what: str) -> None:
    old, new, fine = CHANGES[what]
    drawn = draw_check(repository, Forge.GITLAB, "shoreup", quiet)
    assert len(commands(drawn)) == 3
    (repository / "wiki.yaml").write_text(DEPLOYMENT.replace(old, new), encoding="utf-8")
    said = [one for one in commands(drawn) if " gate " not in one]
    assert passes(repository, tmp_path, said) is fine


def test_gitlab_gets_a_note_where_a_token_may_write_one(repository: Path) -> None:
    said = yaml.safe_load(draw_check(repository, Forge.GITLAB, "shoreup", quiet).text)["shoreup"]["after_script"]
    (repository / "shoreup.md").write_text("new: 1 & more", encoding="utf-8")
    got: list[tuple[str, str | None, bytes]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["PRIVATE-TOKEN"], body))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        known = {"CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}", "CI_PROJECT_ID": "7"}
        env = {"PATH": os.environ["PATH"], "CI_MERGE_REQUEST_IID": "3", **known}
        for token in ({}, {"SHOREUP_TOKEN": "t"}):
            subprocess.run(["sh", "-ec", said[0]], cwd=repository, env=env | token, check=True, timeout=60)
        server.shutdown()
    assert got == [("/projects/7/merge_requests/3/notes", "t", b"body=new%3A+1+%26+more")]


@pytest.mark.parametrize("forge", Forge)
def test_every_forge_runs_the_same(repository: Path, forge: Forge) -> None:
    drawn = draw_check(repository, forge, "shoreup==1.0", quiet)
    said = commands(drawn)
    assert "--fail-on-errors" in said[0]
    assert "shoreup==1.0" in drawn.text
    assert "@" not in drawn.text.replace("actions/checkout@v4", "")
    assert len(said) == (1 if forge is Forge.PRE_COMMIT else 3)


def test_the_estates_own_pin_is_used_and_its_scanner_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned = f"actions/checkout@{'a' * 40}"
    workflow = {
        "on": "push",
        "jobs": {"scan": {"runs-on": "x", "steps": [{"uses": pinned}, {"run": "checkov -d ."}]}},
    }
    (repository / ".github" / "workflows").mkdir(parents=True)
    (repository / ".github" / "workflows" / "scan.yaml").write_text(yaml.safe_dump(workflow), encoding="utf-8")
    git(repository, "add", ".")
    assert run(["init", "ci", str(repository), "--from", "shoreup==1.0"]) == 0
    written = (repository / ".github" / "workflows" / "shoreup.yaml").read_text(encoding="utf-8")
    assert pinned in written
    assert "could take the place of checkov" in capsys.readouterr().err
    assert run(["init", "ci", str(repository), "--from", "shoreup==2.0"]) == 0
    assert "stays as it is" in capsys.readouterr().err
    assert (repository / ".github" / "workflows" / "shoreup.yaml").read_text(encoding="utf-8") == written


def test_what_it_cannot_know_it_asks(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "ci", str(repository), "--from", "shoreup"]) == 2
    assert "--for" in capsys.readouterr().err
    assert run(["init", "ci", str(repository), "--for", "github"]) == 2
    assert "--from" in capsys.readouterr().err
