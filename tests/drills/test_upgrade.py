"""The rehearsal of an upgrade on real servers of two versions: what passes, what is refused, what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from engines_here import chosen
from shoreup.drills.copies import Copy
from shoreup.drills.questions import Answer, Question, slower, worse
from shoreup.drills.upgrading_postgresql import DOWNTIME, RehearsalSpec, rehearse
from shoreup.engines.choosing import Wanted
from shoreup.engines.postgresql import Postgresql, RunningPostgresql
from shoreup.engines.postgresql_upgrade import Mode
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict

SUBJECT = ProofSubject("StatefulSet", "data", "db")


@pytest.fixture(scope="module")
def old() -> Iterator[RunningPostgresql]:
    """The server that copies are made of."""
    choice = chosen("postgresql", "15")
    chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id serial PRIMARY KEY, owner text NOT NULL)")
            connection.execute("INSERT INTO account (owner) SELECT 'hunter ' || g FROM generate_series(1, 2000) g")
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


def test_a_database_goes_to_the_next_version_by_copy_and_by_link_and_back(copy: Path) -> None:
    asked = Question("accounts", "SELECT count(*) FROM account")
    proof = rehearsed(copy, questions=(asked,))
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.drill == "upgrade"
    assert "2000 rows" in proof.after and "going back" in proof.after
    # The control was refused twice: by pg_upgrade for its column, and by the comparison for its row.
    assert proof.control.refused
    assert "unmovable" in proof.before and "marks" in proof.before
    found = measured(proof)
    assert found["to"] == 17
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
    assert proof.verdict is Verdict.FAIL
    assert "public.callback.refers" in proof.after


def test_a_copy_that_lost_its_end_is_nothing_to_rehearse_on(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    proof = rehearsed(copy)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "does not restore" in proof.after


def test_a_version_that_is_not_here_is_named_with_what_brings_it(copy: Path) -> None:
    proof = rehearsed(copy, target="99")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "postgresql-99 (Debian)" in proof.after


def test_an_answer_that_is_another_now_is_told_and_a_slow_one_only_where_one_would_notice() -> None:
    before = [Answer("a", 1, "x", 0.01), Answer("b", 1, "x", 0.1), Answer("c", 3, "x", 0.01), Answer("d", 1, "x", 0.0)]
    after = [
        Answer("a", 1, "y", 0.04),
        Answer("b", 1, "x", 0.4),
        Answer("c", 2, "x", 0.01),
        Answer("d", 0, "", 0.0, 'relation "d" does not exist'),
    ]
    told = worse(before, after)
    assert [one.split()[2] for one in told] == ["a", "c", "d"]
    assert slower(before, after) == ("the question b takes 400 ms, and took 100 ms",)
