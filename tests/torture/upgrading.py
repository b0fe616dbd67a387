"""An upgrade of a PostgreSQL that somebody lives on, as something to be killed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from shoreup.engines.postgresql.cluster import OwnCluster, Owner, own_cluster
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch
from shoreup.operations.steps import Operation, Plain
from shoreup.operations.upgrade import run as upgrade_run
from shoreup.operations.upgrade.places import KEPT

OLD, NEW = "15", "17"
ROWS = 500
NAME = "upgrade.json"
_SMALL = """fsync = off
shared_buffers = 2MB
max_connections = 20
autovacuum = off
dynamic_shared_memory_type = mmap
"""
"""Settings of a server that is started a dozen times in each upgrade."""
_SEEN = "SELECT count(*) || ' ' || sum(id) FROM account"


def settle(root: Path, scratch: Scratch, old: Postgresql, new: Postgresql) -> None:
    """Make the cluster that every try begins with a copy of, and write down where it is."""
    home = scratch.make("home")
    template = home / "template"
    owner = Owner(home, home)
    programs = {OLD: str(old.program("postgres").parent), NEW: str(new.program("postgres").parent)}
    options = ["-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8", "--wal-segsize=1"]
    assert owner.run([Path(programs[OLD]) / "initdb", "-D", template, *options], seconds=60).well
    with (template / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"listen_addresses = ''\nunix_socket_directories = '{home}'\n{_SMALL}")
    cluster = own_cluster(template, Path(programs[OLD]))
    cluster.start(home / "log")
    cluster.tell("postgres", f"CREATE TABLE account AS SELECT g AS id FROM generate_series(1, {ROWS}) g")
    cluster.stop()
    (root / NAME).write_text(json.dumps({"home": str(home), "programs": programs}))


class Upgrade:
    """The operation in one of its two modes. Linked, what was started on the new files cannot be taken back."""

    cheap = False
    outside: tuple[str, ...] = ()
    mode = "copy"
    final = frozenset({"open", "analyze"})

    def __init__(self, root: Path) -> None:
        said = json.loads((root / NAME).read_text())
        self.home = Path(said["home"])
        self._programs = {version: Path(folder) for version, folder in said["programs"].items()}
        self.data = self.home / "data"

    @property
    def operation(self) -> Operation:
        return upgrade_run.operation()

    def given(self) -> Mapping[str, Plain]:
        return {
            "data": str(self.data),
            "to": NEW,
            "mode": self.mode,
            "old_bin": str(self._programs[OLD]),
            "new_bin": str(self._programs[NEW]),
        }

    def begin(self) -> Plain:
        self.end()
        for path in self.parts():
            shutil.rmtree(path)
        subprocess.run(["cp", "-a", self.home / "template", self.data], check=True)
        self.cluster(OLD).start(self.home / "log")
        return None

    def look(self, _: Plain) -> str:
        version = (self.data / "PG_VERSION").read_text().strip()
        cluster = self.cluster(version)
        # Whoever kills everything kills the server too, once a run has ended.
        fallen = cluster.pidfile() is None
        if fallen:
            cluster.start(self.home / "log")
        seen = cluster.tell("postgres", _SEEN).decode().strip()
        if seen != f"{ROWS} {ROWS * (ROWS + 1) // 2}":
            return f"version {version} holds {seen}"
        if shut := [path.name for path in self.data.iterdir() if path.name.endswith(KEPT)]:
            return f"its doors are shut still: {shut}"
        return {OLD: "before", NEW: "after"}[version]

    def parts(self) -> tuple[Path, ...]:
        """The data directory, and what an upgrade keeps beside it."""
        return tuple(path for path in self.home.iterdir() if path.name.startswith((".data", "data")))

    def end(self) -> None:
        """Stop whatever server is there."""
        if (self.data / "PG_VERSION").exists():
            self.cluster((self.data / "PG_VERSION").read_text().strip()).stop("immediate")

    def cluster(self, version: str) -> OwnCluster:
        """What lies under the data directory's name, by the programs of a version."""
        return own_cluster(self.data, self._programs[version])


class LinkedUpgrade(Upgrade):
    mode = "link"
    final = frozenset({"verify", "open", "analyze"})
