"""SQLite: copies that are whole, copies that are not, and whether two are the same."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shoreup.compare.manifest import differences
from shoreup.compare.sqlite import take
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch
from shoreup.engines.sqlite import backup, damage, restore

SCHEMA = """
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, size REAL, raw BLOB);
CREATE TABLE tag (note INTEGER REFERENCES note (id), word TEXT);
CREATE INDEX word ON tag (word);
CREATE VIEW long AS SELECT * FROM note WHERE size > 10;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO note SELECT i, 'note ' || i, i / 7.0, randomblob(60) FROM n;
INSERT INTO tag SELECT id, 'tag' FROM note;
"""
CHANGES = {
    "a row less": ("DELETE FROM note WHERE id = 7", "main: table note: 3000 rows, now 2999 rows"),
    "text for a blob": ("UPDATE note SET raw = 'x' WHERE raw = x'78'", "main: table note: 3000 rows, now as many"),
    "a number for text": ("UPDATE tag SET word = 7 WHERE note = 1", "main: table tag: 3000 rows, now as many"),
    "nothing for a word": ("UPDATE note SET text = NULL WHERE id = 1", "main: table note: 3000 rows, now as many"),
    "an index": ("DROP INDEX word", "main: index word: "),
    "a view": ("DROP VIEW long", "main: view long: "),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with notes."""
    path = tmp_path / "notes.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        connection.execute("UPDATE note SET raw = x'78' WHERE id = 3")
        connection.commit()
    return path


def test_a_copy_is_the_same(database: Path, tmp_path: Path) -> None:
    backup(database, tmp_path / "copy")
    with Scratch() as scratch:
        assert differences(take(database), take(restore(tmp_path / "copy", scratch))) == ()
        (tmp_path / "copy").write_bytes(gzip.compress((tmp_path / "copy").read_bytes()))
        assert differences(take(database), take(restore(tmp_path / "copy", scratch))) == ()


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_one_difference(database: Path, change: str) -> None:
    before = take(database)
    order, words = CHANGES[change]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(order)
        connection.commit()
    (found,) = differences(before, take(database))
    assert str(found).startswith(words)


def test_a_file_copied_without_its_log_lacks_the_newest(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("DELETE FROM tag WHERE note <= 1000")
        writer.commit()
        alone = tmp_path / "alone.sqlite"
        alone.write_bytes(database.read_bytes())
        backup(database, tmp_path / "whole.sqlite")
        before = take(database)
    assert differences(before, take(tmp_path / "whole.sqlite")) == ()
    assert [str(one) for one in differences(before, take(alone))] == ["main: table tag: 2000 rows, now 3000 rows"]


def test_damage_is_told(database: Path) -> None:
    assert damage(database) == ()
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\x05" * 4096
    database.write_bytes(content)
    assert damage(database) != ()


def test_rows_that_refer_to_nothing_are_told(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM note WHERE id = 5")
        connection.commit()
    assert damage(database) == ("rows of tag refer to rows that are not there",)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "it is empty"), (b"SELECT 1;", "does not begin like"), (b"SQLite format 3\0" + b"x" * 200, "damaged")],
)
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "copy").write_bytes(content)
    with Scratch() as scratch, pytest.raises(BrokenCopy, match=words):
        restore(tmp_path / "copy", scratch)


def test_half_a_database_is_refused(database: Path, tmp_path: Path) -> None:
    whole = database.read_bytes()
    (tmp_path / "copy").write_bytes(whole[: len(whole) // 2])
    with Scratch() as scratch, pytest.raises(BrokenCopy):
        restore(tmp_path / "copy", scratch)
