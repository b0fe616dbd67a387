"""HashiCorp's own parser and formatter of HCL, compiled for node, kept running while tests ask."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PACKAGES = HERE / "environment" / "node_modules" / "@cdktf"
WANTED = (PACKAGES / "hcl2json", PACKAGES / "hcl-tools")

needs_hashicorp = pytest.mark.skipif(
    shutil.which("node") is None or not all(package.is_dir() for package in WANTED),
    reason="not run: node or the packages @cdktf/hcl2json and hcl-tools are missing (tests/environment/prepare)",
)


@cache
def _server() -> subprocess.Popen[str]:
    script = HERE / "terraform" / "oracle" / "serve.cjs"
    command = ["node", str(script), *map(str, WANTED)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer(request: dict[str, str]) -> dict[str, object]:
    """What the packages say to one request of serve.cjs."""
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    said: dict[str, object] = json.loads(server.stdout.readline())
    return said


def refusal(text: str) -> str:
    """Why HashiCorp's parser refuses a text; empty where it takes it."""
    return str(answer({"file": text.removeprefix("\ufeff")}).get("problem", ""))


def formatted(text: str) -> str:
    """A text as ``terraform fmt`` lays it out."""
    return str(answer({"format": text})["value"])
