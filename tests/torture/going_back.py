"""The ways on and back from an upgrade that waits with its doors shut, as something to be killed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from shoreup.operations.steps import Operation, Plain, Run, carry_out
from shoreup.operations.upgrade import back as upgrade_back
from shoreup.operations.upgrade import run as upgrade_run
from shoreup.operations.upgrade.places import KEPT
from torture.upgrading import NEW, OLD, LinkedUpgrade, Upgrade


def arrive(root: Path, upgrade: type[Upgrade]) -> None:
    """Upgrade, hold the doors shut, and put everything away for every try to begin with."""
    made = upgrade(root)
    made.begin()
    carry_out(upgrade_run.operation(), Run("r0", {**made.given(), "hold": True}, made.home))
    made.end()
    kept = made.home / f"arrived-{made.mode}"
    kept.mkdir()
    for path in made.parts():
        path.rename(kept / path.name)


class Back(Upgrade):
    """``rollback``. A step of it that fails is not undone: it goes on when it is run again."""

    final = frozenset(step.name for step in upgrade_back.rollback().steps)
    reached = OLD

    @property
    def operation(self) -> Operation:
        return upgrade_back.rollback()

    def given(self) -> Mapping[str, Plain]:
        return {"data": str(self.data), "consent": upgrade_back.CONSENT}

    def begin(self) -> Plain:
        self.end()
        for path in self.parts():
            shutil.rmtree(path)
        for path in (self.home / f"arrived-{self.mode}").iterdir():
            subprocess.run(["cp", "-a", path, self.home], check=True)
        self.cluster(NEW).start(self.home / "log")
        return None

    def look(self, begun: Plain) -> str:
        version = (self.data / "PG_VERSION").read_text().strip()
        shut = [path.name for path in self.data.iterdir() if path.name.endswith(KEPT)]
        if version == NEW and shut:
            return "before"
        found = super().look(begun)
        return "after" if version == self.reached and found in ("before", "after") else f"version {version}: {found}"


class LinkedBack(Back):
    """The same where both share their files: only the backup goes back."""

    mode = LinkedUpgrade.mode


class Opening(Back):
    """``open``: clients are let in to the new server."""

    final = frozenset(step.name for step in upgrade_back.opening().steps)
    reached = NEW

    @property
    def operation(self) -> Operation:
        return upgrade_back.opening()
