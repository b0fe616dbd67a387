"""Bringing backups back: to a new place, and over the old one, on real servers and files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backups_here import flip, planned, restore, take
from engines_here import chosen
from shoreup.compare.files import take as take_files
from shoreup.compare.manifest import differences
from shoreup.compare.restored import unlike
from shoreup.engines.mysql.server import Mysql
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.restoring import LOAD, PLACE, Wish
from shoreup.operations.steps import Execute, Plain, Undone


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        yield running


@pytest.fixture
def bank(server: RunningPostgresql, tmp_path: Path) -> Iterator[Plan]:
    """A backup of a bank that lost an account since."""
    server.create("bank")
    with server.connect("bank") as connection:
        connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
        connection.execute("INSERT INTO account SELECT g, 100 FROM generate_series(1, 5000) g")
    plan = planned(tmp_path, f"postgresql://postgres@/bank?host={server.socket}", more="hashes = true\n")
    take(plan, tmp_path)
    with server.connect("bank") as connection:
        connection.execute("DELETE FROM account WHERE id > 10")
    yield plan
    with server.connect() as connection:
        for name in databases(server):
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def databases(server: RunningPostgresql) -> list[str]:
    return [one for one in server.databases() if one != "postgres"]


def accounts(server: RunningPostgresql, database: str) -> int:
    with server.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM account").fetchone()
    return int(str(row[0])) if row else -1


def broken(at: str) -> Execute:
    """Every step is done; the one of that name fails afterwards, as one that was killed and then given up."""

    def execute(name: str, work: Callable[[], Plain]) -> Plain:
        result = work()
        if name == at:
            raise OSError("given up")
        return result

    return execute


def test_a_database_comes_back_under_a_new_name(bank: Plan, server: RunningPostgresql, tmp_path: Path) -> None:
    told = restore(bank, tmp_path, Wish(database="found"))
    assert told == "the database found: every table holds what it held: 5000 rows"
    assert (accounts(server, "found"), accounts(server, "bank")) == (5000, 10)
    with pytest.raises(Undone, match="there is a database found already"):
        restore(bank, tmp_path, Wish(database="found"))


def test_a_database_comes_back_over_the_old_one_which_is_kept(
    bank: Plan, server: RunningPostgresql, tmp_path: Path
) -> None:
    with server.connect("bank"):  # an application that is still connected
        told = restore(bank, tmp_path, Wish(over=True))
    (kept,) = [one for one in databases(server) if one.startswith("bank_before_")]
    assert kept in told
    assert (accounts(server, "bank"), accounts(server, kept)) == (5000, 10)


def test_on_a_server_that_lacks_the_owners_they_are_made_without_passwords_and_powers(
    server: RunningPostgresql, bank: Plan, tmp_path: Path
) -> None:
    with server.connect("bank") as connection:
        for words in (
            "CREATE ROLE tellers NOLOGIN",
            "CREATE ROLE clerk LOGIN SUPERUSER PASSWORD 'hunter2' CONNECTION LIMIT 7 IN ROLE tellers, pg_monitor",
            "CREATE ROLE stranger LOGIN",
            "ALTER ROLE clerk SET app.token = 'hunter3'",
            "ALTER TABLE account OWNER TO clerk",
        ):
            connection.execute(words.encode())
    record = take(bank, tmp_path)
    assert {one.name for one in record.roles} == {"clerk", "postgres", "tellers"}
    (kept,) = (tmp_path / "store" / "bank").glob(f"{record.id}.backup.json")
    assert "hunter" not in kept.read_text()
    with server.connect("bank") as connection:
        connection.execute(
            "ALTER TABLE account OWNER TO postgres; DROP ROLE clerk; DROP ROLE tellers; DROP ROLE stranger"
        )

    with pytest.raises(Undone, match="given up"):
        restore(bank, tmp_path, Wish(database="found"), broken(LOAD))
    assert roles(server) == {"postgres"}
    told = restore(bank, tmp_path, Wish(database="found"))
    assert "the roles clerk, tellers were made, without passwords" in told
    assert "clerk (SUPERUSER, pg_monitor)" in told
    assert roles(server) == {"postgres", "clerk", "tellers"}
    with server.connect("found") as connection:
        row = connection.execute(
            "SELECT tableowner, rolsuper, rolconnlimit, pg_has_role('clerk', 'tellers', 'member'), rolpassword "
            "FROM pg_tables JOIN pg_authid ON rolname = tableowner WHERE tablename = 'account'"
        ).fetchone()
    assert row == ("clerk", False, 7, True, None)
    assert restore(bank, tmp_path, Wish(folder=str(tmp_path / "there")))
    script = (tmp_path / "there" / "roles.sql").read_text()
    assert 'CREATE ROLE "clerk" LOGIN INHERIT SUPERUSER CONNECTION LIMIT 7;\n' in script
    assert 'GRANT "pg_monitor" TO "clerk";\n' in script


def roles(server: RunningPostgresql) -> set[str]:
    with server.connect() as connection:
        return {str(one) for (one,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}


@pytest.mark.parametrize(
    ("wish", "at"), [(Wish(database="found"), PLACE), (Wish(over=True), LOAD), (Wish(over=True), PLACE)]
)
def test_a_restore_that_fails_leaves_what_was_there(
    bank: Plan, server: RunningPostgresql, tmp_path: Path, wish: Wish, at: str
) -> None:
    with pytest.raises(Undone, match="given up") as caught:
        restore(bank, tmp_path, wish, broken(at))
    assert caught.value.left == ()
    assert (databases(server), accounts(server, "bank")) == (["bank"], 10)


def test_what_came_back_otherwise_than_it_was_is_not_put_in_place(
    bank: Plan, server: RunningPostgresql, tmp_path: Path
) -> None:
    def tampering(name: str, work: Callable[[], Plain]) -> Plain:
        result = work()
        if name == LOAD:
            (beside,) = [one for one in databases(server) if one.startswith("shoreup_")]
            with server.connect(beside) as connection:
                connection.execute("UPDATE account SET balance = 99 WHERE id = 7")
        return result

    with pytest.raises(Undone, match="as many rows with other content"):
        restore(bank, tmp_path, Wish(over=True), tampering)
    assert (databases(server), accounts(server, "bank")) == (["bank"], 10)


def test_a_damaged_backup_is_not_restored(bank: Plan, server: RunningPostgresql, tmp_path: Path) -> None:
    (file,) = (tmp_path / "store" / "bank").glob("*.zst")
    flip(file, file.stat().st_size // 2)
    with pytest.raises(Undone, match=r"damaged|not the one that was written"):
        restore(bank, tmp_path, Wish(database="found"))
    assert databases(server) == ["bank"]


def test_a_dump_comes_as_a_file_into_a_new_folder(bank: Plan, tmp_path: Path) -> None:
    told = restore(bank, tmp_path, Wish(folder=str(tmp_path / "new")))
    assert (tmp_path / "new" / "bank.dump").read_bytes().startswith(b"PGDMP")
    assert "every byte" in told
    with pytest.raises(Undone, match="is not empty"):
        restore(bank, tmp_path, Wish(folder=str(tmp_path / "new")))
    with pytest.raises(Undone, match="there is no folder"):
        restore(bank, tmp_path, Wish(folder=str(tmp_path / "a" / "b")))


def test_every_step_of_a_restore_may_run_twice(bank: Plan, server: RunningPostgresql, tmp_path: Path) -> None:
    def twice(_name: str, work: Callable[[], Plain]) -> Plain:
        work()
        return work()

    restore(bank, tmp_path, Wish(over=True), twice)
    assert accounts(server, "bank") == 5000 and len(databases(server)) == 2


def test_mariadb_comes_back_into_a_new_database(tmp_path: Path) -> None:
    with Scratch() as scratch, Mysql(chosen("mariadb"), scratch).start() as running:
        running.create("bank")
        with running.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40))")
            cursor.execute("INSERT INTO account SELECT seq, CONCAT('hunter ', seq) FROM seq_1_to_2000")
        plan = planned(tmp_path, f"mariadb://root@/bank?socket={running.socket}", more="hashes = true\n")
        take(plan, tmp_path)
        assert restore(plan, tmp_path, Wish(database="found")).endswith("2000 rows")
        with pytest.raises(Undone, match="already"):
            restore(plan, tmp_path, Wish(database="found"))
        with pytest.raises(Undone, match="given up"):
            restore(plan, tmp_path, Wish(database="other"), broken(PLACE))
        with pytest.raises(Undone, match="cannot rename a database"):
            restore(plan, tmp_path, Wish(over=True))
        with running.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES LIKE '%o%'")
            assert "other" not in {row[0] for row in cursor.fetchall()}


def tree(folder: Path) -> Path:
    made = folder / "photos"
    (made / "2026").mkdir(parents=True)
    (made / "2026" / "a.jpg").write_bytes(os.urandom(200_000))
    (made / "2026" / "a.jpg").chmod(0o664)
    (made / "link").symlink_to("2026/a.jpg")
    return made


def test_files_come_back_as_they_were_and_over_what_is_there(tmp_path: Path) -> None:
    made = tree(tmp_path)
    plan = planned(tmp_path, f"files:{made}", more="hashes = true\n")
    was = take_files(made)
    take(plan, tmp_path)
    with pytest.raises(Undone, match="given up"):
        restore(plan, tmp_path, Wish(folder=str(tmp_path / "new")), broken(PLACE))
    assert not (tmp_path / "new").exists()
    restore(plan, tmp_path, Wish(folder=str(tmp_path / "new")))
    assert unlike(was, take_files(tmp_path / "new")) == []
    (made / "2026" / "a.jpg").write_bytes(b"ransom")
    with pytest.raises(Undone, match="given up"):
        restore(plan, tmp_path, Wish(over=True), broken(PLACE))
    assert (made / "2026" / "a.jpg").read_bytes() == b"ransom"
    told = restore(plan, tmp_path, Wish(over=True))
    assert differences(was, take_files(made)) == ()
    (kept,) = tmp_path.glob("photos.before-*")
    assert str(kept) in told and (kept / "2026" / "a.jpg").read_bytes() == b"ransom"


def test_sqlite_comes_back_over_the_old_one_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO note (text) VALUES (?)", [("x",) for _ in range(100)])
        connection.commit()
    plan = planned(tmp_path, f"sqlite:{path}", more="hashes = true\n")
    take(plan, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM note")
        connection.commit()
    (tmp_path / "notes.sqlite3-wal").write_bytes(b"of the old one")
    assert restore(plan, tmp_path, Wish(over=True)).endswith("100 rows")
    assert not (tmp_path / "notes.sqlite3-wal").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (100,)
