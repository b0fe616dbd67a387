"""MariaDB in a scratch folder: copies that come back, copies that are refused, and what tells them apart."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines_here import chosen
from shoreup.compare.manifest import Manifest, differences, encode
from shoreup.compare.mysql import take
from shoreup.engines.base import EngineTrouble
from shoreup.engines.jail import Finished
from shoreup.engines.mysql.server import Mysql, RunningMysql, restore_errors
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch

ORDERS = (
    "CREATE TABLE customer (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, note TEXT, KEY (name))",
    """CREATE TABLE invoice (
        id INT PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(12,4), weight FLOAT, far DOUBLE, scan BLOB,
        at TIMESTAMP NULL, flags BIT(5), kind ENUM('a','b'), FOREIGN KEY (customer) REFERENCES customer (id))""",
    "CREATE TABLE empty (id INT)",
    "INSERT INTO customer (name, note) SELECT CONCAT('name ', seq), IF(seq % 3, NULL, 'Grüße') FROM seq_1_to_300",
    """INSERT INTO invoice
        SELECT seq, seq, seq / 7, seq / 3, SIN(seq), UNHEX(MD5(seq)), FROM_UNIXTIME(1700000000 + seq), seq % 32, 'a'
        FROM seq_1_to_300""",
    "CREATE VIEW big AS SELECT * FROM invoice WHERE amount > 10",
    "CREATE EVENT mail ON SCHEDULE EVERY 1 SECOND DO DELETE FROM customer",
    "CREATE TRIGGER lower_name BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = LOWER(NEW.name)",
)
CHANGES = {
    "a row less": ("DELETE FROM invoice WHERE id = 9", "table invoice: 300 rows, now 299 rows"),
    "a word for nothing": ("UPDATE customer SET note = '' WHERE id = 1", "table customer: 300 rows, now as many rows"),
    "nothing for a word": ("UPDATE customer SET note = 'NULL' WHERE id = 1", "table customer: 300 rows, now as many"),
    "the last digit of a double": (
        "UPDATE invoice SET far = far * 1.0000000000000004 WHERE id = 9",
        "table invoice: 300 rows, now as many rows",
    ),
    "a byte": ("UPDATE invoice SET scan = UNHEX('00') WHERE id = 9", "table invoice: 300 rows, now as many rows"),
    "another case": ("UPDATE customer SET name = 'NAME 7' WHERE id = 7", "table customer: 300 rows, now as many rows"),
    "an index": ("DROP INDEX name ON customer", "index customer.name: "),
    "a column": ("ALTER TABLE empty MODIFY id BIGINT", "columns empty: "),
    "a trigger": ("DROP TRIGGER lower_name", "trigger lower_name: "),
    "an event": ("DROP EVENT mail", "event mail: "),
    "a view": ("DROP VIEW big", "view big: there, now missing"),
    "a table": ("DROP TABLE empty", "table empty: 0 rows, now missing"),
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningMysql]:
    """A server with a database ``app`` in it."""
    choice = chosen("mariadb")
    with Scratch() as scratch, Mysql(choice, scratch).start() as server:
        server.create("app")
        run(server, "app", *ORDERS)
        yield server


@pytest.fixture(scope="module")
def copy(running: RunningMysql, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A dump of ``app``."""
    target = tmp_path_factory.mktemp("copies") / "app.sql"
    assert running.dump(target, "app").well
    return target.read_bytes()


@pytest.fixture
def restored(running: RunningMysql, tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Restores a copy into a new database ``back``."""

    def restore(content: bytes) -> None:
        (tmp_path / "copy").write_bytes(content)
        finished = running.restore(tmp_path / "copy", "back")
        assert finished.well, restore_errors(finished)

    running.create("back")
    yield restore
    run(running, "", "DROP DATABASE back")


def run(server: RunningMysql, database: str, *orders: str) -> None:
    """Carry out some orders."""
    with server.connect(database) as connection, connection.cursor() as cursor:
        for order in orders:
            cursor.execute(order)


def content(server: RunningMysql, database: str, jobs: int = 1) -> Manifest:
    """What a database holds, under a name of its own."""
    import msgspec

    one = take(server.connect, [database], product="mariadb", jobs=jobs)
    return msgspec.structs.replace(one, contents=(msgspec.structs.replace(one.contents[0], name="app"),))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_dump_comes_back_whole(
    running: RunningMysql, copy: bytes, restored: Callable[[bytes], None], jobs: int
) -> None:
    restored(copy)
    before = content(running, "app")
    assert before.contents[0].rows == 600
    assert differences(before, content(running, "back", jobs)) == ()


def test_a_compressed_dump_comes_back_whole(
    running: RunningMysql, copy: bytes, restored: Callable[[bytes], None]
) -> None:
    restored(gzip.compress(copy, 1))
    assert differences(content(running, "app"), content(running, "back")) == ()


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_one_difference(
    running: RunningMysql, copy: bytes, restored: Callable[[bytes], None], change: str
) -> None:
    restored(copy)
    order, words = CHANGES[change]
    run(running, "back", order)
    found = [str(one) for one in differences(content(running, "app"), content(running, "back"))]
    assert any(words in one for one in found), found
    assert len([one for one in found if " table " in one]) == (" table " in f" {words}"), found


def test_the_client_is_content_with_half_a_dump_and_we_are_not(
    running: RunningMysql, copy: bytes, restored: Callable[[bytes], None]
) -> None:
    half = copy[: copy.index(b"DROP TABLE IF EXISTS `invoice`")]
    with pytest.raises(BrokenCopy, match="its end is missing"):
        restored(half)


def test_a_compressed_dump_that_was_cut_off_is_refused(copy: bytes, restored: Callable[[bytes], None]) -> None:
    with pytest.raises(BrokenCopy, match="ends too early"):
        restored(gzip.compress(copy, 1)[:-50])


@pytest.mark.parametrize(
    ("text", "words"), [(b"", "it is empty"), (b"mysqldump: Got error: 2002\n", "does not begin like a dump")]
)
def test_what_is_no_dump_is_refused(text: bytes, words: str, restored: Callable[[bytes], None]) -> None:
    with pytest.raises(BrokenCopy, match=words):
        restored(text)


def test_a_dump_that_gives_orders_to_the_shell_is_refused(running: RunningMysql, copy: bytes, tmp_path: Path) -> None:
    mark = running.socket.parent / "was-here"
    evil = copy.replace(b"\nCREATE TABLE", f"\n\\! touch {mark}\nsystem touch {mark}\nCREATE TABLE".encode(), 1)
    (tmp_path / "copy").write_bytes(evil)
    running.create("evil")
    assert not running.restore(tmp_path / "copy", "evil").well
    assert not mark.exists()


def test_what_goes_wrong_is_told_without_the_rows() -> None:
    said = (
        "ERROR 1062 (23000) at line 54: Duplicate entry 'hunter2' for key 'name'\n"
        "ERROR 1292 (22007) at line 7: Incorrect date value: 'it's x'\n"
    )
    assert restore_errors(Finished("mariadb", 1, said, 0.1)) == (
        "ERROR 1062 (23000) at line 54: Duplicate entry '...' for key 'name'",
        "ERROR 1292 (22007) at line 7: Incorrect date value: '...'",
    )


def test_events_of_a_copy_do_not_run(running: RunningMysql, copy: bytes, restored: Callable[[bytes], None]) -> None:
    restored(copy.replace(b"\n-- Dump completed", b"\nSET GLOBAL event_scheduler = ON;\n-- Dump completed"))
    with running.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@event_scheduler")
        assert cursor.fetchone() == ("OFF",)


def test_it_listens_on_a_socket_and_nowhere_else(running: RunningMysql) -> None:
    with running.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@skip_networking, @@log_bin")
        assert cursor.fetchone() == (1, 0)
    assert running.engine.product == "mariadb"
    assert running.size() > 0


def test_a_manifest_holds_no_data(running: RunningMysql) -> None:
    text = encode(content(running, "app")).decode()
    assert "name 17" not in text
    assert "LOWER" not in text


def test_a_server_that_hangs_does_not_answer(running: RunningMysql) -> None:
    running.server.hang()
    try:
        with pytest.raises(EngineTrouble):
            running.connect(seconds=1)
    finally:
        running.server.wake()
    assert running.answers()
