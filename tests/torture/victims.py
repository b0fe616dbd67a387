"""Operations to be killed, each with what it works on and how to tell whether that is as before or as after.

There is no third answer: whatever else a victim finds is a finding, in its own words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from shoreup.operations.steps import Operation, Plain, Run, Step
from torture.drilling import Drill
from torture.going_back import Back, LinkedBack, Opening
from torture.keeping import Prune, Restore, RestoreFile
from torture.serving import Served
from torture.upgrading import LinkedUpgrade, Upgrade

BEFORE = "before"
AFTER = "after"


class Victim(Protocol):
    """An operation with a world to change. Made anew for every look from the estate's folder alone."""

    cheap: bool
    """Whether it takes a moment only."""
    final: frozenset[str]
    """Steps that are not made to fail, because nothing is taken back from there."""

    outside: tuple[str, ...]
    """Points beside those of its steps."""

    @property
    def operation(self) -> Operation:
        """What is killed."""
        ...

    def given(self) -> Mapping[str, Plain]:
        """What a run is given."""
        ...

    def begin(self) -> Plain:
        """Put the world as it is before, and give what is needed to tell later."""
        ...

    def look(self, begun: Plain) -> str:
        """``BEFORE``, ``AFTER``, or what is between."""
        ...


class Swap:
    """Files that are replaced together: written beside, taken over, and the old ones put away."""

    MANY = 40
    cheap = True
    outside: tuple[str, ...] = ()
    final = frozenset({"tidy up"})

    def __init__(self, root: Path) -> None:
        self._data = root / "data"

    @property
    def operation(self) -> Operation:
        return Operation(
            "swap",
            (
                Step("write beside", self._write, "what was written is removed", self._unwrite),
                Step("keep the old", self._keep, "the second names are removed", self._unkeep),
                Step("take over", self._take, "the old files get their names back", self._give_back),
                Step("tidy up", self._tidy, "nobody needs the old files any more"),
            ),
        )

    def given(self) -> Mapping[str, Plain]:
        return {}

    def begin(self) -> Plain:
        self._data.mkdir(exist_ok=True)
        for path in self._data.iterdir():
            path.unlink()
        for path in self._files():
            _write(path, "old")
        return None

    def look(self, _: Plain) -> str:
        found = {path.name: path.read_text() for path in sorted(self._data.iterdir())}
        names = {path.name for path in self._files()}
        if set(found) != names:
            return f"left over: {sorted(set(found) - names)}, missing: {sorted(names - set(found))}"
        kinds = sorted(set(found.values()))
        return {"old": BEFORE, "new": AFTER}.get(" and ".join(kinds), f"mixed: {kinds}")

    def _files(self) -> tuple[Path, ...]:
        return tuple(self._data / f"file-{number:02}" for number in range(self.MANY))

    def _write(self, _: Run) -> Plain:
        for path in self._files():
            _write(_new(path), "new")
        return self.MANY

    def _unwrite(self, _: Run) -> None:
        for path in self._files():
            _new(path).unlink(missing_ok=True)

    def _keep(self, _: Run) -> Plain:
        for path in self._files():
            if not _old(path).exists():
                os.link(path, _old(path))
        return None

    def _unkeep(self, _: Run) -> None:
        for path in self._files():
            _old(path).unlink(missing_ok=True)

    def _take(self, _: Run) -> Plain:
        for path in self._files():
            if _new(path).exists():
                _new(path).replace(path)
        return None

    def _give_back(self, _: Run) -> None:
        for path in self._files():
            if _old(path).exists():
                _old(path).replace(path)

    def _tidy(self, _: Run) -> Plain:
        self._unkeep(_)
        return None


class Backup:
    """``backup run`` of a real PostgreSQL, as the estate's settings name it."""

    cheap = True
    outside: tuple[str, ...] = ()
    final = frozenset[str]()

    def __init__(self, root: Path) -> None:
        from shoreup.stages.backups import plan_of
        from shoreup.stages.settings import read_settings

        self._root = root
        self._plan = plan_of(read_settings(root), "bank", root)

    @property
    def operation(self) -> Operation:
        from shoreup.operations.backup.running import backup_run

        return backup_run()

    def given(self) -> Mapping[str, Plain]:
        from shoreup.operations.backup.plan import GIVEN

        return {GIVEN: self._plan.spec.plain()}

    def begin(self) -> Plain:
        there: list[Plain] = [str(path) for path in self._files()]
        return there

    def look(self, begun: Plain) -> str:
        from datetime import UTC, datetime

        from shoreup.operations.backup.verifying import look

        assert isinstance(begun, list)
        new = sorted(path for path in self._files() if str(path) not in begun)
        if not new:
            return BEFORE
        kept = self._plan.shelf().kept()
        listed = [one for one in kept if any(path.name.startswith(one.id) for path in new)]
        if len(listed) != 1 or len(new) != 2:
            return f"{len(listed)} backups listed, new files: {[path.name for path in new]}"
        looked = look(self._plan, listed[0], now=datetime.now(UTC))
        return AFTER if looked.check.good else f"listed, but {looked.check.why}"

    def _files(self) -> list[Path]:
        # What a look at a backup has shown is written beside it, and is none of its files.
        return [path for path in (self._root / "store").rglob("*") if path.is_file() and ".checked" not in path.name]


VICTIMS: Mapping[str, Callable[[Path], Victim]] = {
    "swap": Swap,
    "backup run": Backup,
    "backup prune": Prune,
    "backup restore": Restore,
    "backup restore of a file": RestoreFile,
    "upgrade by copy": Upgrade,
    "upgrade by link": LinkedUpgrade,
    "upgrade open": Opening,
    "rollback by copy": Back,
    "rollback by link": LinkedBack,
    "served backup": Served,
    "drill": Drill,
}


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
