"""PgBouncer in front of PostgreSQL, both in one scratch folder."""

from __future__ import annotations

import pytest

from engines_here import chosen
from shoreup.engines.base import EngineTrouble
from shoreup.engines.pgbouncer import PgBouncer
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch


def test_a_pool_lets_through_as_many_as_it_may_and_the_rest_wait() -> None:
    pool, server = chosen("pgbouncer"), chosen("postgresql", "17")
    settings = {"pool_mode": "transaction", "default_pool_size": "1", "query_wait_timeout": "1"}
    with (
        Scratch() as scratch,
        Postgresql(server, scratch).start() as postgresql,
        PgBouncer(pool, scratch, postgresql, settings).start() as bouncer,
        bouncer.connect() as first,
        bouncer.connect() as second,
    ):
        assert first.execute("SELECT 1").fetchone() == (1,)
        assert second.execute("SELECT 2").fetchone() == (2,), "the control: nobody holds the only connection"
        first.execute("BEGIN")
        first.execute("SELECT 1")
        (busy,) = [row for row in bouncer.show("POOLS") if row["database"] == "postgres"]
        assert (busy["sv_active"], busy["pool_mode"]) == ("1", "transaction")
        import psycopg

        with pytest.raises(psycopg.Error, match="query_wait_timeout"):
            second.execute("SELECT 2")


def test_settings_that_smuggle_in_others_are_refused() -> None:
    pool, server = chosen("pgbouncer"), chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(server, scratch).start() as postgresql:
        bouncer = PgBouncer(pool, scratch, postgresql, {"pool_mode": "session\nauth_type = any"})
        with pytest.raises(EngineTrouble, match="more than one line"), bouncer.start():
            pass
