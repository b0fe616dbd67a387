"""Upgrades of a server that people work with, on real ones: what it is asked, killed between steps, undone, gone back
from.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engines_here import chosen
from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.cluster import OwnCluster, Owner, own_cluster
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.postgresql.statements import statements
from shoreup.engines.scratch import Scratch
from shoreup.operations.steps import Operation, Plain, Run, Undone, carry_out
from shoreup.operations.upgrade import back as upgrade_back
from shoreup.operations.upgrade import run as upgrade_run
from shoreup.operations.upgrade.places import UpgradePlace
from shoreup.report.upgrading import done

ROWS = 500
OLD, NEW = "15", "17"


class Killed(BaseException):
    """The process is gone."""


class Lived:
    """A server with somebody's data on it."""

    def __init__(self, scratch: Scratch, made: Path) -> None:
        self.old = Postgresql(chosen("postgresql", OLD), scratch).program("postgres").parent
        self.new = Postgresql(chosen("postgresql", NEW), scratch).program("postgres").parent
        self.home = scratch.make(f"home-{secrets.token_hex(2)}")
        self.data = self.home / "data"
        subprocess.run(["cp", "-a", made, self.data], check=True)
        self.settle(f"listen_addresses = ''\nunix_socket_directories = '{self.home}'\nfsync = off\n")
        self.says(f"CREATE TABLE account AS SELECT g AS id FROM generate_series(1, {ROWS}) g", OLD)

    def settle(self, settings: str) -> None:
        """Start it with more settings."""
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)
        self.server(OLD).stop()
        self.server(OLD).start(self.home / "log")

    def server(self, version: str) -> OwnCluster:
        """The cluster under the data directory's name, by the programs of a version."""
        return own_cluster(self.data, self.old if version == OLD else self.new)

    def says(self, words: str, version: str) -> str:
        """What the server answers."""
        return self.server(version).tell("postgres", words).decode().strip()

    def run(self, mode: str, name: str = "r1", **more: Plain) -> Run:
        """A run on it."""
        given: dict[str, Plain] = {"data": str(self.data), "to": NEW, "mode": mode}
        return Run(name, {**given, "old_bin": str(self.old), "new_bin": str(self.new), **more}, self.home)


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Scratch, Path]]:
    """A new cluster that nobody has started yet, for each test to have a copy of, and the place for those."""
    with Scratch() as scratch:
        programs = Postgresql(chosen("postgresql", OLD), scratch).program("initdb")
        home = scratch.make("new")
        options = ["-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8"]
        assert Owner(home, home).run([programs, "-D", home / "data", *options], seconds=60).well
        yield scratch, home / "data"


@pytest.fixture
def lived(ground: tuple[Scratch, Path]) -> Iterator[Lived]:
    """A server that is gone afterwards."""
    found = Lived(*ground)
    try:
        yield found
    finally:
        found.server(found.data.joinpath("PG_VERSION").read_text().strip()).stop("immediate")


def test_what_a_server_is_asked_most_is_what_reads_without_its_values_and_where(lived: Lived) -> None:
    server = lived.server(OLD)
    lived.says("CREATE EXTENSION pg_stat_statements", OLD)
    assert statements(server.ask) == (), "it is created, and nobody has loaded it"
    lived.settle("shared_preload_libraries = 'pg_stat_statements'\n")
    lived.says("CREATE DATABASE bank", OLD)
    for words in ("CREATE TABLE note (line text)", "INSERT INTO note VALUES ('of-hunter')", "TABLE note"):
        server.tell("bank", words)
    lived.says("SELECT pg_sleep(0.3), count(*) FROM account WHERE id <> 4711", OLD)
    for number in range(3):
        lived.says(f"WITH few AS (SELECT id FROM account WHERE id > {number}) SELECT count(*) FROM few", OLD)
    lived.says("DELETE FROM account WHERE id = 0", OLD)

    found = statements(server.ask)
    first = found[0]
    assert first.database == "postgres"
    assert first.text == "SELECT pg_sleep($1), count(*) FROM account WHERE id <> $2", "what takes longest comes first"
    assert first.number.lstrip("-").isdigit()
    assert [one.text for one in found if one.database == "bank" and "note" in one.text] == ["TABLE note"]
    assert [one.text.count("$1") for one in found if one.text.startswith("WITH few")] == [1], "asked thrice, told once"
    assert not any(word in str(found) for word in ("4711", "of-hunter", "INSERT", "DELETE"))


def test_the_way_back_is_told_as_it_is() -> None:
    shared = done("r1", {"open": {"downtime": 3.7, "linked": True}})
    assert "Only the backup (by 'rollback')" in " ".join(shared.split()) and "goes back to it" not in shared
    copied = done("r1", {"open": {"downtime": 3.7, "linked": False}})
    assert "'rollback' goes back to it, and loses what was written since." in " ".join(copied.split())
    assert "goes back to it." in " ".join(done("r1", {"open": {"held": True, "linked": False}}).split())


def test_who_is_not_let_in_is_told_how_to_say_who_asks(lived: Lived) -> None:
    with pytest.raises(EngineTrouble, match=r'role "nobody-here" does not exist; .* by PGUSER and PGPASSWORD'):
        own_cluster(lived.data, lived.old, user="nobody-here").ask("postgres", "SELECT 1")


def killed_after_each_step(operation: Operation, run: Run) -> dict[str, Plain]:
    """Carry it out by a process that is killed after each of its steps, and begun anew from the first one."""
    for last in operation.steps:

        def execute(name: str, work: Callable[[], Plain], last: str = last.name) -> Plain:
            gave = work()
            if name == last:
                raise Killed
            return gave

        with pytest.raises(Killed):
            carry_out(operation, run, execute)
    return dict(carry_out(operation, run))


def test_by_link_it_arrives_however_often_it_is_killed_and_only_the_backup_goes_back(lived: Lived) -> None:
    results = killed_after_each_step(upgrade_run.operation(), lived.run("link"))
    assert lived.says("SELECT count(*) FROM account", NEW) == str(ROWS)
    assert lived.says("SHOW server_version_num", NEW).startswith(NEW)
    opened = results["open"]
    assert isinstance(opened, dict)
    lived.says("INSERT INTO account VALUES (0)", NEW)
    # What pg_upgrade leaves to remove the old cluster would remove the new one, which has its name.
    assert not list(UpgradePlace(lived.data).folder.glob("*.sh"))

    back = upgrade_back.rollback()
    with pytest.raises(Undone, match="lose later writes"):
        carry_out(back, lived.run("link", "r2"))
    assert lived.says("SELECT count(*) FROM account", NEW) == str(ROWS + 1)
    killed_after_each_step(back, lived.run("link", "r3", consent=upgrade_back.CONSENT))
    assert lived.says("SELECT count(*) FROM account", OLD) == str(ROWS)
    assert lived.says("SHOW server_version_num", OLD).startswith(OLD)


def test_what_may_not_go_on_or_does_not_verify_is_undone_and_the_old_server_goes_on(lived: Lived) -> None:
    run, place = lived.run("copy"), UpgradePlace(lived.data)
    lived.says("CREATE TABLE callback (refers regproc)", OLD)
    with pytest.raises(Undone, match=r"look: .*public\.callback\.refers"):
        carry_out(upgrade_run.operation(), run)
    assert not place.folder.exists()
    lived.says("DROP TABLE callback", OLD)

    def late(name: str, work: Callable[[], Plain]) -> Plain:
        if name == "stop":
            state = place.state()
            assert state is not None
            place.write(replace(state, backed=state.backed - 26 * 3600))
        return work()

    with pytest.raises(Undone, match="the backup is 26 hours old"):
        carry_out(upgrade_run.operation(), lived.run("link", "r0"), late)

    def execute(name: str, work: Callable[[], Plain]) -> Plain:
        if name == "verify":
            state = place.state()
            assert state is not None
            place.write(replace(state, catalogue={"": {**state.catalogue[""], "roles": "others"}}))
        return work()

    with pytest.raises(Undone, match="roles") as undone:
        carry_out(upgrade_run.operation(), run, execute)
    assert undone.value.left == ()
    assert lived.says("SELECT count(*) FROM account", OLD) == str(ROWS)
    lived.says("INSERT INTO account VALUES (0)", OLD)
