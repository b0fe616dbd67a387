"""An old cluster of PostgreSQL and one new cluster after another that it is carried over to, in a scratch folder.

Each new one is made like the old one and empty, because pg_upgrade takes no other; what is alike is made once and
copied.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from shoreup.drills.proving import Seen
from shoreup.engines.choosing import Choice
from shoreup.engines.postgresql.inventory import Shape
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.postgresql.upgrade import Mode, Side, carry_over, check, make_alike
from shoreup.engines.scratch import Scratch

DOWNTIME = {Mode.COPY: "downtime by copy", Mode.LINK: "downtime by link"}
"""What the measured downtimes are called in a proof; seconds."""
CONTROL = "shoreup_control"
"""The database that only the drill's control is in."""
STILL = {"autovacuum": "off", "jit": "off"}
"""Settings with which a server does nothing between two looks at it, and has no compiler that the other may lack."""


class Crossing:
    """The old data directory and one new cluster after another."""

    def __init__(self, scratch: Scratch, old: Choice, new: Choice, old_data: Path, shape: Shape) -> None:
        self._scratch = scratch
        self._choice = new
        self._old = Postgresql(old, scratch, PostgresqlOptions(data=old_data))
        self.new = Postgresql(new, scratch, PostgresqlOptions(superuser=shape.superuser))
        self.old_data = old_data
        self._shape = shape
        self._sockets = scratch.make(f"u-{secrets.token_hex(2)}")
        self._empty: Path | None = None
        self._made: Path | None = None

    def check(self) -> None:
        """Raises :class:`Refused`."""
        check(self._old_side(), self._fresh(), self._shape.superuser, self._sockets, self.new.jail)

    def carry(self, mode: Mode) -> float:
        """Carry over into a new cluster; the seconds that it took. Raises :class:`Refused`."""
        new = self._fresh()
        began = monotonic()
        carry_over(self._old_side(), new, self._shape.superuser, self._sockets, self.new.jail, mode)
        return monotonic() - began

    @contextmanager
    def carried(self, mode: Mode, seen: Seen) -> Iterator[RunningPostgresql]:
        """Carry over and start; the downtime is measured."""
        took = self.carry(mode)
        assert self._made is not None
        began = monotonic()
        options = PostgresqlOptions(self._shape.superuser, self._made, durable=True, settings=STILL)
        with Postgresql(self._choice, self._scratch, options).start() as running:
            with running.connect(CONTROL) as connection:
                connection.execute("CREATE TABLE first_write (id int)")
                connection.execute("DROP TABLE first_write")
            started = monotonic() - began
            seen.measure(f"pg_upgrade by {mode}", took, "s")
            seen.measure(DOWNTIME[mode], seen.seconds("stop") + took + started, "s")
            yield running

    def forget(self) -> None:
        """Remove the newest new cluster: two of them would need room twice."""
        if self._made is not None:
            shutil.rmtree(self._made)
            self._made = None

    def _fresh(self) -> Side:
        """An empty cluster; one that was only checked is taken again."""
        programs = self.new.program("postgres").parent
        if self._empty is None:
            # Each of them is the same, so one is made and the others are its copies.
            self._empty = self._scratch.make(f"e-{secrets.token_hex(2)}")
            major, side = self._choice.installation.version[0], Side(programs, self._empty)
            make_alike(self._shape, side, major, self.new.jail, lasting=False)
            quiet(self._empty, self._scratch)
        if self._made is None:
            self._made = self._scratch.room / f"n-{secrets.token_hex(3)}"
            shutil.copytree(self._empty, self._made)
            for one in (self._made, *self._made.rglob("*")):
                self._scratch.give(one)
        return Side(programs, self._made)

    def _old_side(self) -> Side:
        return Side(self._old.program("postgres").parent, self.old_data)


def quiet(data: Path, scratch: Scratch) -> None:
    """Replace a cluster's own configuration by one that does nothing by itself and lets in whoever is in the jail."""
    files = {
        "postgresql.conf": "",
        "postgresql.auto.conf": "",
        "pg_hba.conf": "local all all trust\n",
        "pg_ident.conf": "",
    }
    for name, text in files.items():
        (data / name).unlink(missing_ok=True)
        (data / name).write_text(text, encoding="utf-8")
        (data / name).chmod(0o600)
        scratch.give(data / name)
