"""A repository of restic in which somebody died."""

from __future__ import annotations

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from shoreup.stores.opening import Place, open_store
from stores_here import restic_repository

SECRET = "b4ttery"


def restic(repository: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["restic", "--repo", str(repository), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(repository), "RESTIC_PASSWORD": SECRET},
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that holds the lock of a process that was killed."""
    found = Path(restic_repository(tmp_path, SECRET))
    with restic(found, "backup", "--stdin", "--stdin-filename=/cut") as dying:
        while not any(len(one.name) == len(sha256().hexdigest()) for one in (found / "locks").iterdir()):
            assert dying.poll() is None
        dying.kill()
    return found


def test_the_lock_of_the_dead_holds_nobody_up(repository: Path) -> None:
    store = open_store(Place(f"restic:{repository}", lambda _: SECRET, str, "", "", None, repository / "known"))
    with restic(repository, "prune") as control:
        _, said = control.communicate()
    assert b"already locked" in said, "the control: the lock is there, and restic alone stops at it"
    store.put("bank/one", [b"rows"])
    store.remove("bank/one")
    assert store.entries("bank") == ()
