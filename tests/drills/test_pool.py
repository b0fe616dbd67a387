"""Connections on a real PgBouncer and PostgreSQL, with the numbers of the estate and with those that are enough."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from engines_here import chosen
from shoreup.drills.pooling.trial import Numbers, PoolSpec, pool, proposed, today
from shoreup.engines.choosing import Wanted
from shoreup.model.proof import Proof, ProofSubject, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def spec(
    settings: dict[str, str], *clients: int, pods: int = 1, server: int | None = None, pooler: bool = True
) -> PoolSpec:
    wanted = Wanted("pgbouncer") if pooler else Wanted("postgresql")
    return PoolSpec(ProofSubject("Deployment", "data", "pool"), wanted, pooler, pods, settings, clients, server, {})


def measured(proof: Proof, name: str) -> float:
    return next(one.value for one in proof.measurements if one.name == name)


def test_in_session_mode_what_the_pool_does_not_hold_waits_in_vain() -> None:
    chosen("pgbouncer")
    settings = {"pool_mode": "session", "default_pool_size": "3", "max_client_conn": "50"}
    proof = pool(spec(settings, 10, 4, pods=2), run="r", now=NOW)
    assert proof.verdict is Verdict.FAIL, proof.after
    assert proof.control.refused is True
    # Two pods hold three for each of two clients, and the second client has only two on each.
    assert measured(proof, "today: served") == 10
    assert measured(proof, "today: waiting in vain") == 4
    assert measured(proof, "proposed: served") == 14
    assert "default_pool_size = 5" in proof.after


def test_by_transaction_a_small_pool_serves_all_one_after_the_other() -> None:
    chosen("pgbouncer")
    settings = {"pool_mode": "transaction", "default_pool_size": "2", "max_client_conn": "20"}
    proof = pool(spec(settings, 20), run="r", now=NOW)
    assert proof.verdict is Verdict.PASS, proof.after
    assert measured(proof, "control: refused") >= 10, "those at the door count while they are turned away"
    assert measured(proof, "today: served") == 20
    assert measured(proof, "today: wait p99") > measured(proof, "today: wait p50") > 0


def test_a_server_without_a_pooler_refuses_the_last_ones() -> None:
    chosen("postgresql")
    proof = pool(spec({}, 12, server=8, pooler=False), run="r", now=NOW)
    assert proof.verdict is Verdict.FAIL
    assert (measured(proof, "today: served"), measured(proof, "today: refused")) == (8, 4)
    assert measured(proof, "proposed: refused") == 0
    assert "slots" in proof.after


@pytest.mark.parametrize(
    ("one", "enough"),
    [
        (
            spec({"max_client_conn": "10"}, 15, 20, pods=2, server=50),
            Numbers({"max_client_conn": "18", "default_pool_size": "20"}, 50),
        ),
        (
            spec({"pool_mode": "session", "default_pool_size": "5", "reserve_pool_size": "2"}, 20, server=10),
            Numbers(
                {
                    "pool_mode": "session",
                    "default_pool_size": "18",
                    "reserve_pool_size": "2",
                    "max_client_conn": "100",
                },
                20,
            ),
        ),
        (
            spec({"pool_mode": "transaction", "default_pool_size": "5"}, 200, server=10),
            Numbers({"pool_mode": "transaction", "default_pool_size": "5", "max_client_conn": "200"}, 10),
        ),
        (spec({}, 30, 30, server=40, pooler=False), Numbers({}, 60)),
    ],
)
def test_the_least_numbers_that_let_everybody_in(one: PoolSpec, enough: Numbers) -> None:
    assert proposed(one) == enough
    assert proposed(replace(one, settings=enough.settings, server=enough.server)) == enough, "and no more than those"


def test_only_settings_that_decide_who_gets_in_are_taken_over() -> None:
    settings = {"pool_mode": "session", "auth_file": "/etc/passwd", "listen_addr": "*", "logfile": "/tmp/x"}
    assert today(spec(settings, 2)).settings == {"pool_mode": "session"}


def test_without_an_engine_it_is_no_verdict(tmp_path: Path) -> None:
    one = spec({}, 2)
    absent = PoolSpec(one.subject, Wanted("pgbouncer", "99.1"), True, 1, {}, (2,), None, {})
    proof = pool(absent, run="r", now=NOW, base=tmp_path)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "99.1" in proof.after
