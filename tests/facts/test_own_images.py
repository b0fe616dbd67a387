"""Which images are the owner's, by where the repository was cloned from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shoreup.stages.audit import AuditOptions, audit

_ALARM = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: alarm, namespace: home}
spec:
  selector: {matchLabels: {app: alarm}}
  template:
    metadata: {labels: {app: alarm}}
    spec:
      containers:
        - {name: alarm, image: "ghcr.io/harbour-keeper/alarm:v0.2.3"}
"""


def found_when_cloned_from(folder: Path, address: str) -> list[str]:
    """What the audit says of an image of ``harbour-keeper`` in a repository from that address."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", address], check=True)
    (folder / "alarm.yaml").write_text(_ALARM, encoding="utf-8")
    account = audit([folder], AuditOptions(select=("image-build-untracked",), cache=False))
    return [finding.message for finding in account.findings]


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/harbour-keeper/platform.git",
        "https://github.com/Harbour-Keeper/platform",
        "git@github.com:harbour-keeper/platform.git",
        "ssh://git@github.com/harbour-keeper/platform.git",
    ],
)
def test_the_registry_of_the_forge_under_the_owners_name_is_the_owners(tmp_path: Path, address: str) -> None:
    (message,) = found_when_cloned_from(tmp_path, address)
    assert "the repository comes from github.com/harbour-keeper" in message


@pytest.mark.parametrize(
    "address", ["https://github.com/harbour/platform.git", "https://codeberg.org/harbour-keeper/platform.git"]
)
def test_another_owner_or_another_forge_is_somebody_else(tmp_path: Path, address: str) -> None:
    assert found_when_cloned_from(tmp_path, address) == []
