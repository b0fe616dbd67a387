"""Backups of MariaDB, Redis, SQLite and files, each of a real one that is being written to."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from backups_here import given, planned, restore, started, take
from engines_here import chosen
from shoreup.compare.manifest import Manifest, differences
from shoreup.compare.redis import take as take_redis
from shoreup.compare.sqlite import take as take_sqlite
from shoreup.engines.mysql.server import Mysql, RunningMysql
from shoreup.engines.redis import Redis
from shoreup.engines.scratch import Scratch
from shoreup.ledger.location import Location
from shoreup.operations.backup.opening import content, fetch
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.restoring import Wish
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.verifying import look_by_drill
from shoreup.operations.steps import Undone

PASSWORD = 's3c"ret\\w0rd'
ACCOUNTS = 500


@pytest.fixture(scope="module")
def bank() -> Iterator[RunningMysql]:
    """A bank in MariaDB: a keeper who may lock, a reader who may not."""
    with Scratch() as scratch, Mysql(chosen("mariadb"), scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
            cursor.execute(f"INSERT INTO account SELECT seq, 100 FROM seq_1_to_{ACCOUNTS}")
            cursor.execute("CREATE TABLE entry (id INT AUTO_INCREMENT PRIMARY KEY, amount INT, note VARCHAR(200))")
            cursor.execute("CREATE TABLE old (id INT PRIMARY KEY, filler VARCHAR(200))")
            cursor.execute("INSERT INTO old SELECT seq, REPEAT('x', 150) FROM seq_1_to_30000")
            for name, rights in (("keeper", "ALL"), ("reader", "SELECT, SHOW VIEW, TRIGGER, EVENT")):
                cursor.execute(f"CREATE USER {name}@localhost IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute(f"GRANT {rights} ON {'*.*' if rights == 'ALL' else 'bank.*'} TO {name}@localhost")
        yield server


@contextmanager
def writing(write: Callable[[int], None]) -> Iterator[None]:
    """Somebody who writes all the time."""
    done = Event()

    def work() -> None:
        for number in itertools.count():
            if done.is_set():
                return
            write(number)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def mariadb(bank: RunningMysql, folder: Path, user: str, more: str = "") -> Plan:
    os.environ["BANK_PASSWORD"] = PASSWORD
    of = f"mariadb://{user}@/bank?socket={bank.socket}"
    return planned(folder, of, more=f'password-env = "BANK_PASSWORD"\n{more}')


def held(record: Record) -> Manifest:
    assert record.manifest is not None
    return record.manifest


def rows(manifest: Manifest) -> dict[str, int]:
    return {one.name: one.rows for content in manifest.contents for one in content.tables}


def test_mariadb_is_of_one_moment_while_money_is_moved(bank: RunningMysql, tmp_path: Path) -> None:
    connection = bank.connect("bank")

    def transfer(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("UPDATE account SET balance = balance - 1 WHERE id = %s", (1 + number % ACCOUNTS,))
            cursor.execute("UPDATE account SET balance = balance + 1 WHERE id = %s", (1 + number * 7 % ACCOUNTS,))
            cursor.execute("INSERT INTO entry (amount, note) VALUES (1, REPEAT('y', 100))")
            cursor.execute("COMMIT")

    plan = mariadb(bank, tmp_path, "keeper", "hashes = true\n")
    with writing(transfer):
        records = [take(plan, tmp_path) for _ in range(3)]
    connection.close()
    counts = [rows(held(one)) for one in records]
    assert all(one["account"] == ACCOUNTS and one["old"] == 30000 for one in counts)
    assert [one["entry"] for one in counts] == sorted({one["entry"] for one in counts}), "money moved meanwhile"
    # Every row that was hashed in our moment is in the dump of that moment, or this would fail.
    assert "every table holds what it held" in restore(plan, tmp_path, Wish(database="again"))


def test_who_may_not_lock_gets_a_backup_without_counts_and_a_remark(bank: RunningMysql, tmp_path: Path) -> None:
    plan = mariadb(bank, tmp_path, "reader")
    record = take(plan, tmp_path)
    assert record.manifest is None and "may not lock" in record.remarks[0]


def test_tables_without_transactions_are_named(bank: RunningMysql, tmp_path: Path) -> None:
    with bank.connect("bank") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE log (id INT) ENGINE=MyISAM")
    try:
        record = take(mariadb(bank, tmp_path, "keeper"), tmp_path)
    finally:
        with bank.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE log")
    assert record.manifest is None and "log keep no transactions" in record.remarks[0]


def test_mariadb_refuses_a_wrong_password_without_saying_it(bank: RunningMysql, tmp_path: Path) -> None:
    plan = mariadb(bank, tmp_path, "keeper")
    os.environ["BANK_PASSWORD"] = "another"
    with pytest.raises(Undone, match="Access denied") as caught:
        take(plan, tmp_path)
    assert "another" not in str(caught.value)


def test_no_argument_of_mariadbs_tools_holds_the_password(bank: RunningMysql, tmp_path: Path) -> None:
    plan = mariadb(bank, tmp_path, "reader")
    with started() as programs:
        take(plan, tmp_path)
        restore(plan, tmp_path, Wish(folder=str(tmp_path / "new")))
    assert any("dump" in one for one in programs)
    assert not [one for one in programs if PASSWORD in one]


def test_redis_is_what_the_server_sends_to_a_replica(tmp_path: Path) -> None:
    with (
        Scratch() as scratch,
        Redis(chosen("redis"), scratch).start() as server,
        server.connect() as client,
        server.connect(3) as other,
    ):
        client.mset({f"key:{number}": "x" * 50 for number in range(3000)})
        other.set("one", "1")
        client.config_set("requirepass", PASSWORD)
        (tmp_path / "password").write_text(PASSWORD + "\n")
        plan = planned(tmp_path, f"redis:///?socket={server.socket}", more='password-file = "password"\n')
        whole = take(plan, tmp_path)
        assert [(one.name, one.rows) for one in held(whole).contents] == [("0", 3000), ("3", 1)]
        client.expire("key:1", 1000)
        assert take(plan, tmp_path).manifest is None
        (tmp_path / "password").write_text("another")
        with pytest.raises(Undone, match=r"WRONGPASS|invalid") as caught:
            take(plan, tmp_path)
        assert "another" not in str(caught.value)
        server.restore(fetch(plan, plan.shelf(), whole, tmp_path / "back"))
        assert differences(held(whole), take_redis(server.connect, hashes=False)) == ()


def test_sqlite_is_copied_whole_while_it_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO note (text) VALUES (?)", [("x" * 100,) for _ in range(2000)])
        connection.commit()
    writer = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    plan = planned(tmp_path, f"sqlite:{path}", more="hashes = true\n")

    def write(_: int) -> None:
        writer.execute("INSERT INTO note (text) VALUES ('y')")

    with writing(write):
        record = take(plan, tmp_path)
    writer.close()
    assert rows(held(record))["note"] >= 2000
    back = fetch(plan, plan.shelf(), record, tmp_path / "back")
    assert differences(held(record), take_sqlite(back)) == ()


def tree(folder: Path) -> Path:
    made = folder / "photos"
    (made / "2026" / "trip").mkdir(parents=True)
    (made / "2026" / "trip" / "a.jpg").write_bytes(os.urandom(300_000))
    (made / "2026" / "b.jpg").write_bytes(b"")
    (made / "2026" / "with space\n.txt").write_text("x")
    (made / "link").symlink_to("2026/b.jpg")
    os.link(made / "2026" / "trip" / "a.jpg", made / "same.jpg")
    (made / "cache").mkdir()
    (made / "cache" / "thumb").write_text("y")
    return made


def test_files_are_told_as_they_are_in_the_tar(tmp_path: Path) -> None:
    from shoreup.compare.files import take as take_files

    made = tree(tmp_path)
    plan = planned(tmp_path, f"files:{made}", more="hashes = true\n")
    record = take(plan, tmp_path)
    assert differences(held(record), take_files(made)) == ()
    without = planned(tmp_path, f"files:{made}", more='exclude = ["./cache"]\n')
    told = held(take(without, tmp_path))
    assert not [one for one in told.contents[0].items if one.name.startswith("cache")]


@pytest.mark.parametrize("more", ["", "hashes = true\n"], ids=["counted", "hashed"])
def test_a_drill_finds_files_as_they_are_whatever_a_scratch_folder_cannot_hold(tmp_path: Path, more: str) -> None:
    made = tree(tmp_path)
    (made / "cache").chmod(0o2750)
    (made / "cache" / "thumb").chmod(0o440)
    os.mkfifo(made / "door")
    plan = planned(tmp_path, f"files:{made}", more=more)
    record = take(plan, tmp_path)
    ledger = Location("estate", f"sqlite:///{tmp_path / 'ledger.sqlite'}", tmp_path / "ledger.sqlite", True)
    looked = look_by_drill(plan, plan.shelf().find(record.id), ledger, tmp_path, run="one", now=datetime.now(UTC))
    assert (looked.check.good, looked.check.how, looked.check.why) == (True, "restored", "")
    assert looked.proof is not None and ("no hashes" in str(looked.proof.limits)) is not bool(more)


def test_an_encrypted_backup_opens_with_its_key_and_with_no_other(tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage")
    keys = [pyrage.x25519.Identity.generate() for _ in range(2)]
    for number, key in enumerate(keys):
        (tmp_path / f"key-{number}").write_text(f"# a comment\n{key}\n")
    more = f'encrypt-to = ["{keys[0].to_public()}"]\nidentity-file = "key-%d"\n'
    made = tree(tmp_path)
    plan = planned(tmp_path, f"files:{made}", more=more % 0)
    record = take(plan, tmp_path)
    assert record.packing == ("zstd", "age") and record.file.endswith(".tar.zst.age")
    stored = (tmp_path / "store" / "bank" / record.file).read_bytes()
    assert stored.startswith(b"age-encryption.org/v1") and b"a.jpg" not in stored
    assert fetch(plan, plan.shelf(), record, tmp_path / "back").stat().st_size == record.content
    with pytest.raises(BackupTrouble, match="cannot be decrypted"):
        b"".join(content(planned(tmp_path, f"files:{made}", more=more % 1), plan.shelf(), record))
    with pytest.raises(Undone, match="no public key"):
        take(planned(tmp_path, f"files:{made}", more='encrypt-to = ["age1nonsense"]\n'), tmp_path)
    assert given(plan)["estate"] == str(tmp_path)


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("postgresql://clerk:hunter2@db/bank", "must not hold a password"),
        ("oracle://db/bank", "begins with one of"),
        ("sqlite:notes.db", "whole path"),
        ("mariadb://clerk@db:x/bank", "is a number"),
    ],
)
def test_an_address_that_is_none_is_refused_with_its_line(tmp_path: Path, of: str, words: str) -> None:
    from shoreup.model.errors import UserError

    with pytest.raises(UserError, match=words) as caught:
        planned(tmp_path, of)
    assert "shoreup.toml:2" in str(caught.value) and "hunter2" not in str(caught.value)
