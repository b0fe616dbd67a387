"""A drill as an operation to be killed: one proof of one run, and nothing of its engines left."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from time import monotonic, sleep

from msgspec.structs import replace

from shoreup.ledger.location import default_location
from shoreup.ledger.reading import read_proofs
from shoreup.model.proof import Verdict
from shoreup.operations.steps import Operation, Plain, Run
from shoreup.stages.running.drilling import drill

_ROOM = 2 << 30
_SWEPT = 30.0
"""Seconds in which what a killed run left has to be gone."""


def in_memory() -> Path | None:
    """A folder whose files are in memory, if there is room: to a process that is killed it is a disk like any other."""
    folder = Path("/dev/shm")
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return None
    there = os.statvfs(folder)
    return folder if there.f_bavail * there.f_frsize > _ROOM else None


class Drill:
    """The restore of a real dump into a real server."""

    cheap = True
    outside: tuple[str, ...] = ()
    final = frozenset({"try"})

    def __init__(self, root: Path) -> None:
        self._root = root
        mark = blake2b(str(root).encode(), digest_size=6).hexdigest()
        # Where an engine's own user may go, unlike a folder of the tests.
        self._room = (in_memory() or Path("/tmp")) / f"shoreup-torture-{mark}"

    @property
    def operation(self) -> Operation:
        whole = drill()
        (only,) = whole.steps

        def does(run: Run) -> Plain:
            tempfile.tempdir = str(self._room)
            return only.does(run)

        return replace(whole, steps=(replace(only, does=does),))

    def given(self) -> Mapping[str, Plain]:
        return {"name": "restore", "subject": "", "due": False, "config": ""}

    def begin(self) -> Plain:
        self._room.mkdir(mode=0o755, exist_ok=True)
        proofs: list[Plain] = [*self._proofs()]
        return proofs

    def look(self, begun: Plain) -> str:
        assert isinstance(begun, list)
        until = monotonic() + _SWEPT
        while left := [one.name for one in self._room.iterdir()]:
            if monotonic() > until:
                return f"left of scratch places: {left}"
            sleep(0.05)
        new = [verdict for id_, verdict in self._proofs().items() if id_ not in begun]
        return {(): "before", (Verdict.PASS,): "after"}.get(tuple(new), f"{new} are new in the ledger")

    def end(self) -> None:
        """Take away the room of the engines."""
        if self._room.exists():
            self._room.rmdir()

    def _proofs(self) -> dict[str, Verdict]:
        where = default_location(self._root)
        if where.file is not None and not where.file.exists():
            return {}
        kept = read_proofs(where)
        assert not kept.breaks, kept.breaks
        return {one.id: one.verdict for one in kept.proofs}
