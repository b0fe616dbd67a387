"""The rehearsal of an upgrade on real servers of two versions: what passes, what is refused, what nobody can tell."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from engines_here import chosen
from shoreup.drills.asking import Question, asker_of_postgresql
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.upgrading.crossing import DOWNTIME
from shoreup.drills.upgrading.postgresql import RehearsalSpec, rehearse
from shoreup.drills.upgrading.regressions import Pace, Plan, Query, paces
from shoreup.engines.choosing import Wanted
from shoreup.engines.postgresql.cluster import Owner
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.postgresql.statements import Statement
from shoreup.engines.postgresql.upgrade import Mode
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict

SUBJECT = ProofSubject("StatefulSet", "data", "db")


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Scratch, Path]]:
    """A stopped cluster with a bank, whose WAL comes in small files as not every cluster's does."""
    choice = chosen("postgresql", "15")
    chosen("postgresql", "17")
    with Scratch() as scratch:
        home = scratch.make("bank")
        words = ["-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8", "--wal-segsize=1"]
        initdb = Postgresql(choice, scratch).program("initdb")
        assert Owner(home, home).run([initdb, "-D", home / "data", *words], seconds=60).well
        with opened(scratch, home / "data") as server:
            server.create("bank")
            with server.connect("bank") as connection:
                connection.execute("CREATE TABLE account (id serial PRIMARY KEY, owner text NOT NULL)")
                connection.execute("INSERT INTO account (owner) SELECT 'hunter ' || g FROM generate_series(1, 2000) g")
        yield scratch, home / "data"


def opened(scratch: Scratch, data: Path) -> AbstractContextManager[RunningPostgresql]:
    """A server on a data directory."""
    return Postgresql(chosen("postgresql", "15"), scratch, PostgresqlOptions(data=data)).start()


@pytest.fixture(scope="module")
def old(ground: tuple[Scratch, Path]) -> Iterator[RunningPostgresql]:
    """The server that dumps are made of."""
    scratch, stopped = ground
    data = scratch.make("served") / "data"
    subprocess.run(["cp", "-a", stopped, data], check=True)
    with opened(scratch, data) as server:
        yield server


@pytest.fixture
def copy(old: RunningPostgresql, tmp_path: Path) -> Path:
    """A dump of the bank."""
    assert old.dump(tmp_path / "bank.dump", "bank").well
    return tmp_path / "bank.dump"


def rehearsed(copy: Path, **changes: object) -> Proof:
    """The proof of a rehearsal from 15 to 17."""
    spec = RehearsalSpec(SUBJECT, Wanted("postgresql", "15.8"), "17", Copy(copy))
    return rehearse(msgspec.structs.replace(spec, **changes), run="run-1", now=datetime.now(UTC))


def measured(proof: Proof) -> dict[str, float]:
    """The measurements by name."""
    return {one.name: one.value for one in proof.measurements}


@pytest.mark.timeout(300)  # a whole rehearsal, on a machine that may have others to serve
def test_a_database_goes_to_the_next_version_by_copy_and_by_link_and_back(
    ground: tuple[Scratch, Path],
) -> None:
    questions = (
        Question("SELECT count(*) FROM account", "2000", "accounts"),
        Question("SELECT clock_timestamp()::text", name="an answer that is another each time"),
        Question("SELECT count(*) FROM absent", name="wrong before the upgrade already"),
    )
    often = Statement("77", "bank", "SELECT owner FROM account WHERE id = $1")
    proof = rehearsed(ground[1], questions=questions, statements=(often,))
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.drill == "upgrade"
    assert "2000 rows" in proof.after and "going back" in proof.after
    # The control was refused twice: by pg_upgrade for its column, and by the comparison for its row.
    assert proof.control.refused
    assert "unmovable" in proof.before and "marks" in proof.before
    found = measured(proof)
    assert found["to"] == 17
    # Three of the four have an answer or a plan; none became slower by much.
    assert (found["asked"], found["queries held against each other"]) == (3, 3)
    assert found["accounts after"] > 0
    assert any("wrong before the upgrade already" in one for one in proof.limits)
    assert "clock_timestamp" not in str(proof) and "WHERE" not in str(proof)
    assert 0 < found[DOWNTIME[Mode.LINK]] < found["restore"] + found["way back"] + found[DOWNTIME[Mode.COPY]] + 60


def test_a_column_that_no_upgrade_carries_over_is_a_failure_that_names_it(
    old: RunningPostgresql, tmp_path: Path
) -> None:
    old.create("odd")
    with old.connect("odd") as connection:
        connection.execute("CREATE TABLE callback (id int, refers regproc)")
        connection.execute("INSERT INTO callback VALUES (1, 'now')")
    copy = tmp_path / "odd.dump"
    assert old.dump(copy, "odd").well
    proof = rehearsed(copy)
    assert proof.verdict is Verdict.FAIL, proof.after
    assert "public.callback.refers" in proof.after


def test_a_copy_that_lost_its_end_is_nothing_to_rehearse_on(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    proof = rehearsed(copy)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, proof.after
    assert "does not restore" in proof.after


def test_a_version_that_is_not_here_is_named_with_what_brings_it(copy: Path) -> None:
    proof = rehearsed(copy, target="99")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, proof.after
    assert "postgresql-99 (Debian)" in proof.after


def test_a_query_that_lost_its_index_is_told_with_the_way_that_it_goes_now(old: RunningPostgresql) -> None:
    for name, index in (("quick", "CREATE INDEX on_note ON entry (note)"), ("slow", "SELECT")):
        old.create(name)
        with old.connect(name) as connection:
            connection.execute("CREATE TABLE entry AS SELECT g AS id, g::text AS note FROM generate_series(1, 50000) g")
            connection.execute(index.encode())
            connection.execute("VACUUM ANALYZE entry")
    wanted = (
        Query("one", "SELECT id FROM entry WHERE note = '77'", "-"),
        Query("statement 5", "SELECT id FROM entry WHERE note = $1", "-"),
        Query("all", "SELECT count(*) FROM entry", "-"),
        Query("none", "DELETE FROM entry", "-"),
    )
    found = list(paces(lambda _: asker_of_postgresql(old, "quick"), lambda _: asker_of_postgresql(old, "slow"), wanted))
    assert [one.query.name for one in found] == ["one", "statement 5", "all"], "what only reads"
    by_index, planned, whole = found
    assert "Seq Scan of entry in place of" in str(by_index)
    assert planned.slower and planned.was is None
    assert "its plan costs" in str(planned)
    assert whole.plan_was.ways == whole.plan_now.ways


@pytest.mark.parametrize(
    ("was", "now", "within", "slower", "late"),
    [
        (0.01, 0.04, None, False, False),  # four times as long, and nobody notices
        (1.0, 1.9, None, False, False),  # nearly a second, and less than twice
        (0.1, 0.4, None, True, False),
        (0.1, 0.4, 0.3, True, True),
        (0.35, 0.4, 0.3, False, False),  # its owner's limit was broken before
    ],
)
def test_slower_is_what_somebody_notices_and_late_what_its_owner_does_not_allow(
    was: float, now: float, within: float | None, slower: bool, late: bool
) -> None:
    plan = Plan(1.0, frozenset())
    limit = timedelta(seconds=within) if within is not None else None
    one = Pace(Query("q", "SELECT 1", "bank", limit), was, now, plan, plan)
    assert (one.slower, one.late) == (slower, late)
