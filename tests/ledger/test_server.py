"""A ledger on a PostgreSQL server: what goes wrong is said with what to do, and never with the password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines_here import chosen
from proving import proof
from shoreup.cli.main import run
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.ledger.appending import Ledger
from shoreup.ledger.location import Location
from shoreup.ledger.reading import read_proofs
from shoreup.ledger.trouble import LedgerTrouble
from shoreup.ledger.verifying import verify

SECRET = "sesame/open@now"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        yield running


def at(server: RunningPostgresql, database: str, password: str = "") -> Location:
    user = f"postgres:{password}" if password else "postgres"
    return Location("home", f"postgresql+psycopg://{user}@/{database}?host={server.socket}", None, True)


def test_proofs_are_kept_and_verified_on_a_server(server: RunningPostgresql) -> None:
    server.create("memory")
    where = at(server, "memory")
    with Ledger(where) as ledger:
        marks = [ledger.append(proof(number=number), run=f"r{number}", step="compare") for number in range(3)]
    found = verify(where, ())
    assert (found.whole, found.proofs, found.head) == (True, 3, marks[-1])
    with server.connect("memory") as connection:
        connection.execute("DROP TRIGGER proofs_only_added ON proofs")
        connection.execute("DELETE FROM proofs WHERE number = 2")
    assert not verify(where, ()).whole


def test_a_connection_that_is_lost_is_told_and_a_proof_is_not_taken_for_kept(server: RunningPostgresql) -> None:
    server.create("shaky")
    where = at(server, "shaky")
    with Ledger(where) as ledger:
        ledger.append(proof(number=1), run="r1", step="compare")
        with server.connect() as connection:
            connection.execute("ALTER DATABASE shaky ALLOW_CONNECTIONS false")
        with pytest.raises(LedgerTrouble, match="shaky"):
            ledger.append(proof(number=2), run="r2", step="compare")
        with server.connect() as connection:
            connection.execute("ALTER DATABASE shaky ALLOW_CONNECTIONS true")
        ledger.append(proof(number=2), run="r2", step="compare")
    assert [one.id for one in read_proofs(where).proofs] == ["proof-1", "proof-2"]


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql+psycopg://me:{secret}@127.0.0.1:1/x", "see that the server runs"),
        ("postgresql+psycopg://me:{secret}@host.invalid/x", "see that the server runs"),
        ("postgresql+psycopg://me@127.0.0.1:1/x?password={secret}", "see that the server runs"),
        ("postgresql+psycopg://me:{secret}@127.0.0.1:http/x", "its address is none"),
        ("nonsense://me:{secret}@127.0.0.1/x", "its address is none"),
    ],
)
@pytest.mark.parametrize("verb", ["verify", "export"])
def test_an_address_that_leads_nowhere_gives_no_password_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, advice: str, verb: str
) -> None:
    assert run(["ledger", verb, str(tmp_path), "--ledger", url.format(secret=SECRET)]) == 2
    said = capsys.readouterr()
    assert advice in said.err
    assert not [part for part in ("sesame", "open", "now") if part in (said.out + said.err).replace("opened", "")]


def test_a_wrong_password_is_told_as_such(server: RunningPostgresql) -> None:
    hba = server.data.parent / "hba"
    before = hba.read_text()
    with server.connect() as connection:
        connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        hba.write_text(f"local all guarded scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        where = Location("home", f"postgresql+psycopg://guarded:{'wr0ng'}@/postgres?host={server.socket}", None, True)
        with pytest.raises(LedgerTrouble, match=r"password authentication failed.*give the right one") as trouble:
            Ledger(where)
        hba.write_text(before)
        connection.execute("SELECT pg_reload_conf()")
    assert "wr0ng" not in str(trouble.value)
