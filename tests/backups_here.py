"""Settings and backups for tests, as a person would have them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from shoreup.operations.backup.plan import GIVEN, Plan
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.restoring import COMPARE, PLACE, WISH, Wish, backup_restore
from shoreup.operations.backup.running import backup_run
from shoreup.operations.steps import Execute, Plain, Run, carry_out, plainly
from shoreup.stages.backups import plan_of
from shoreup.stages.settings import read_settings
from shoreup.stores.folder import Folder


def written(folder: Path, of: str, *, store: str = "./store", more: str = "") -> Path:
    """A folder with settings for a backup called ``bank``."""
    (folder / "store").mkdir(exist_ok=True)
    text = f'[backup.bank]\nof = "{of}"\nstore = "{store}"\n{more}'
    (folder / "shoreup.toml").write_text(text)
    return folder


def planned(folder: Path, of: str, *, store: str = "./store", more: str = "") -> Plan:
    """The plan of such a backup."""
    return plan_of(read_settings(written(folder, of, store=store, more=more)), "bank", folder)


def given(plan: Plan) -> dict[str, Plain]:
    """What a run of a backup's operation is given."""
    return {GIVEN: plan.spec.plain(), "estate": str(plan.root)}


def take(plan: Plan, folder: Path) -> Record:
    """Take a backup now, in a run with a folder of its own."""
    run = uuid4().hex
    place = folder / f"run-{run}"
    place.mkdir()
    carry_out(backup_run(), Run(run, given(plan), place))
    assert not list(place.iterdir()), "a run leaves nothing in its folder"
    record = plan.shelf().find().record
    assert record is not None
    return record


def restore(plan: Plan, folder: Path, wish: Wish, execute: Execute = plainly) -> str:
    """Bring a backup back; says where to and how it was compared."""
    place = folder / f"run-{uuid4().hex}"
    place.mkdir()
    run = Run(place.name, {**given(plan), WISH: wish.plain()}, place)
    results = carry_out(backup_restore(), run, execute)
    assert not list(place.glob("*.copy"))
    return f"{results[PLACE]}: {results[COMPARE]}"


@contextmanager
def small_disk(place: Path, *, kilobytes: int) -> Iterator[Callable[[str], None]]:
    """A disk of its own at a place, for as long as the ``with``; gives what mounts it anew with other options."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"not run: this user may not mount a small disk ({mounted.stderr.strip()})")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)

    try:
        yield remount
    finally:
        subprocess.run(["umount", place], check=True)


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


_STARTED: list[list[str]] = []


@contextmanager
def started() -> Iterator[list[str]]:
    """The arguments of every program that is started from here, each as one text, as any process list shows them."""
    if not _STARTED:
        # A hook cannot be taken away again, so there is one, for whoever looks.
        sys.addaudithook(lambda event, given: _noted(given) if event == "subprocess.Popen" else None)
    seen: list[str] = []
    _STARTED.append(seen)
    yield seen
    seen.append("")  # so that nothing more is noted


def _noted(given: tuple[object, ...]) -> None:
    for seen in _STARTED:
        if seen[-1:] != [""]:
            words = given[1] if isinstance(given[1], (list, tuple)) else [given[1]]
            seen.append(" ".join(os.fsdecode(one) if isinstance(one, bytes) else str(one) for one in words))


class LyingFolder(Folder):
    """A folder on a disk that says it has what it has not: ``lie`` does to a file whatever the disk did to it."""

    def __init__(self, root: Path, lie: str) -> None:
        super().__init__(root)
        self._lie = lie

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        super().put(name, pieces)
        path = Path(self.shown) / name
        if name.endswith(".json"):
            return
        if self._lie == "short write":
            os.truncate(path, path.stat().st_size - 1)
        elif self._lie == "bit flip":
            flip(path, path.stat().st_size // 2)
        else:
            path.unlink()
