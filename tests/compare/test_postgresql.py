"""Two real PostgreSQL databases, the same and not the same. Each change has to be seen, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import msgspec
import pytest

from engines_here import chosen
from shoreup.compare.manifest import Manifest, differences, encode
from shoreup.compare.postgresql import held, take
from shoreup.compare.soundness import can_check_pages, unsound
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch

SCHEMA: LiteralString = """
CREATE ROLE clerk LOGIN;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO clerk;
CREATE TYPE shop.state AS ENUM ('open', 'paid');
CREATE TABLE shop.customer (
    id serial PRIMARY KEY, name text NOT NULL, joined timestamptz NOT NULL DEFAULT '2026-01-01Z');
CREATE TABLE shop."Order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL REFERENCES shop.customer,
    amount numeric, weight float8, note bytea, tags text[], extra jsonb, state shop.state, kept interval);
CREATE INDEX ON shop."Order" (customer);
CREATE TABLE shop.moved (id int, x text) PARTITION BY RANGE (id);
CREATE TABLE shop.moved_1 PARTITION OF shop.moved FOR VALUES FROM (0) TO (500);
CREATE TABLE shop.moved_2 PARTITION OF shop.moved FOR VALUES FROM (500) TO (1000);
CREATE TABLE shop.empty ();
CREATE TABLE shop.pair AS SELECT 'ab'::text AS one, 'c'::text AS other, NULL::int AS third;
CREATE VIEW shop.paid AS SELECT * FROM shop."Order" WHERE state = 'paid';
CREATE MATERIALIZED VIEW shop.total AS SELECT 1 AS one;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.customer OWNER TO clerk;
INSERT INTO shop.customer (name) SELECT 'name ' || g FROM generate_series(1, 200) g;
INSERT INTO shop."Order" (customer, amount, weight, note, tags, extra, state, kept)
    SELECT 1 + g % 200, g / 3.0, sin(g), decode(md5(g::text), 'hex'), ARRAY['a', NULL, g::text],
           jsonb_build_object('n', g), 'open', g * interval '1 hour' FROM generate_series(1, 1000) g;
INSERT INTO shop.moved SELECT g, 'x' FROM generate_series(0, 999) g;
"""

CHANGES: dict[str, tuple[LiteralString, str]] = {
    "a row less": ('DELETE FROM shop."Order" WHERE id = 500', "table shop.Order: 1000 rows, now 999 rows"),
    "a value that is another": (
        'UPDATE shop."Order" SET amount = amount + 0.0001 WHERE id = 7',
        "table shop.Order: 1000 rows, now as many rows with other content",
    ),
    "nothing where there was an empty word": (
        "UPDATE shop.moved SET x = NULL WHERE id = 3",
        "table shop.moved_1: 500 rows, now as many rows with other content",
    ),
    "the last digit of a float": (
        'UPDATE shop."Order" SET weight = weight + 1e-16 WHERE id = 3',
        "table shop.Order: 1000 rows, now as many rows with other content",
    ),
    "two rows that are the same": (
        "UPDATE shop.moved SET id = 4 WHERE id = 3",
        "table shop.moved_1: 500 rows, now as many rows with other content",
    ),
    "two values that changed their rows": (
        'UPDATE shop."Order" SET amount = (501 - id) / 3.0 WHERE id IN (200, 301)',
        "table shop.Order: 1000 rows, now as many rows with other content",
    ),
    "two values that changed their columns": (
        "UPDATE shop.pair SET one = other, other = one",
        "table shop.pair: 1 row, now as many rows with other content",
    ),
    "a letter that went to the next column": (
        "UPDATE shop.pair SET one = 'a', other = 'b' || other",
        "table shop.pair: 1 row, now as many rows with other content",
    ),
    "a blank at the end": (
        "UPDATE shop.pair SET other = other || ' '",
        "table shop.pair: 1 row, now as many rows with other content",
    ),
    "a sequence that was set back": (
        "SELECT setval('shop.customer_id_seq', 5)",
        "sequence shop.customer_id_seq: 200 by 1, now 5 by 1",
    ),
    "an extension that is missing": ("DROP EXTENSION pg_trgm", "extension pg_trgm: "),
    "an index that is missing": ('DROP INDEX shop."Order_customer_idx"', 'index shop."Order_customer_idx": '),
    "a constraint that is missing": (
        'ALTER TABLE shop."Order" DROP CONSTRAINT "Order_customer_fkey"',
        'constraint shop."Order"."Order_customer_fkey": ',
    ),
    "a column of another type": ("ALTER TABLE shop.moved ALTER x TYPE varchar(9)", "columns shop.moved: "),
    "another owner": ("ALTER TABLE shop.customer OWNER TO postgres", "owner shop.customer: clerk, now postgres"),
    "a trigger that is off": (
        "ALTER TABLE shop.customer DISABLE TRIGGER touched",
        "trigger shop.customer.touched: there, now disabled",
    ),
    "a function that does something else": (
        "CREATE OR REPLACE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "function shop.touch(): ",
    ),
    "a table that is missing": ("DROP TABLE shop.empty", "table shop.empty: 0 rows, now missing"),
    "a large object": ("SELECT lo_from_bytea(0, 'abc')", "table large objects: not there, now 1 row"),
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningPostgresql]:
    """A server with the shop in it."""
    choice = chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create("shop")
        with server.connect("shop") as connection:
            connection.execute(SCHEMA)
            connection.execute("CREATE EXTENSION pg_trgm")
        yield server


@pytest.fixture(scope="module")
def original(running: RunningPostgresql) -> Manifest:
    """What the shop held at first."""
    return take(running.connect, ["shop"])


@pytest.fixture
def copy(running: RunningPostgresql, original: Manifest) -> Iterator[str]:
    """A copy of the shop to spoil."""
    with running.connect() as connection:
        connection.execute("CREATE DATABASE spoilt TEMPLATE shop")
        yield "spoilt"
        connection.execute("DROP DATABASE spoilt WITH (FORCE)")


def named(one: Manifest, name: str) -> Manifest:
    """The manifest as if its only database had that name."""
    return msgspec.structs.replace(one, contents=(msgspec.structs.replace(one.contents[0], name=name),))


def told(original: Manifest, running: RunningPostgresql, database: str, jobs: int = 2) -> list[str]:
    """The differences between the shop and a copy."""
    return [str(one) for one in differences(named(original, database), take(running.connect, [database], jobs=jobs))]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_copy_is_the_same(running: RunningPostgresql, original: Manifest, copy: str, jobs: int) -> None:
    assert original.contents[0].rows == 200 + 1000 + 1000 + 1 + 1
    assert told(original, running, copy, jobs) == []


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_one_difference(running: RunningPostgresql, original: Manifest, copy: str, change: str) -> None:
    order, words = CHANGES[change]
    with running.connect(copy) as connection:
        connection.execute(order)
    found = told(original, running, copy)
    assert any(f"{copy}: {words}" in one for one in found), found
    tables = [one for one in found if " table " in one]
    assert len(tables) == (" table " in f" {words}"), found


@pytest.mark.parametrize("form", [Form.PLAIN, Form.CUSTOM])
def test_what_was_dumped_and_restored_is_the_same(
    running: RunningPostgresql, original: Manifest, tmp_path: Path, form: Form
) -> None:
    running.dump(tmp_path / "copy", "shop", form)
    database = f"back_{form.value}"
    running.create(database)
    assert running.restore(tmp_path / "copy", database, jobs=2).well
    assert told(original, running, database) == []


def test_another_major_version_gives_the_same_hashes(
    running: RunningPostgresql, original: Manifest, tmp_path: Path
) -> None:
    choice = chosen("postgresql", "15")
    running.dump(tmp_path / "copy", "shop", Form.PLAIN)
    text = (tmp_path / "copy").read_text(encoding="utf-8").replace("SET transaction_timeout = 0;", "")
    (tmp_path / "copy").write_text(text, encoding="utf-8")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as older:
        with older.connect() as connection:
            connection.execute("CREATE ROLE clerk LOGIN")
        older.create("shop")
        assert older.restore(tmp_path / "copy", "shop").well
        found = differences(original, take(older.connect, ["shop"]), ("extension",))
    assert found == ()


def test_settings_of_the_session_change_nothing(running: RunningPostgresql, original: Manifest, copy: str) -> None:
    with running.connect() as connection:
        for setting in (
            "DateStyle = 'German'",
            "TimeZone = 'Asia/Tokyo'",
            "extra_float_digits = -3",
            "IntervalStyle = 'iso_8601'",
        ):
            connection.execute(f"ALTER DATABASE {copy} SET {setting}".encode())
        connection.execute(f"ALTER DATABASE {copy} SET bytea_output = 'escape'".encode())
    with running.connect(copy) as connection:
        assert connection.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",), "the control: they are in force"
    assert told(original, running, copy) == []


def test_what_a_column_may_hold_changes_no_hash(running: RunningPostgresql, original: Manifest, copy: str) -> None:
    with running.connect(copy) as connection:
        connection.execute("ALTER TABLE shop.pair ALTER one SET NOT NULL, ALTER other TYPE varchar")
    assert not [one for one in told(original, running, copy) if " table " in one]


def test_a_collation_that_takes_two_texts_for_one_hides_nothing() -> None:
    choice = chosen("postgresql", "15")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as running:
        copy = "postgres"
        connection = running.connect(copy)
        connection.execute("CREATE SCHEMA shop")
        connection.execute(
            "CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
        )
        connection.execute("CREATE TYPE shop.word AS (said text COLLATE careless)")
        connection.execute(
            "CREATE TABLE shop.said AS SELECT 'Aye' COLLATE careless AS one, ROW('Aye')::shop.word AS other"
        )
        before = take(running.connect, [copy])
        for order in ("UPDATE shop.said SET one = 'aye'", "UPDATE shop.said SET one = 'Aye', other = ROW('aye')"):
            connection.execute(order.encode())
            found = [str(one) for one in differences(before, take(running.connect, [copy]))]
            assert found == [f"{copy}: table shop.said: 1 row, now as many rows with other content"]


def test_a_table_of_as_many_columns_as_there_can_be_is_hashed(running: RunningPostgresql, copy: str) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(1600))
    with running.connect(copy) as connection:
        connection.execute(f"CREATE TABLE shop.wide AS SELECT {columns}".encode())
        before = take(running.connect, [copy])
        connection.execute("UPDATE shop.wide SET c0 = 1, c1 = 0")
    assert [one.name for one in differences(before, take(running.connect, [copy]))] == ["shop.wide"]


def test_a_large_table_is_read_in_parts_that_add_up(
    running: RunningPostgresql, copy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.connect(copy) as connection:
        connection.execute("CREATE TABLE large AS SELECT g, repeat('x', 500) FROM generate_series(1, 5000) g")
    whole = take(running.connect, [copy])
    monkeypatch.setattr("shoreup.compare.postgresql._PART_PAGES", 7)
    in_parts = take(running.connect, [copy], jobs=3)
    assert differences(whole, in_parts) == ()
    assert [one.rows for one in in_parts.contents[0].tables if one.name == "public.large"] == [5000]


def test_it_is_one_moment_of_the_data(running: RunningPostgresql, copy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import shoreup.compare.postgresql as module

    before = take(running.connect, [copy])
    reading = module._read

    def while_someone_writes(*arguments: object, **options: object) -> object:
        with running.connect(copy) as connection:
            connection.execute("INSERT INTO shop.moved VALUES (1, 'late')")
        return reading(*arguments, **options)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(module, "_read", while_someone_writes)
    assert differences(before, take(running.connect, [copy])) == ()
    monkeypatch.undo()
    assert differences(before, take(running.connect, [copy])) != (), "the control: the row is there"


def test_a_manifest_and_a_dump_of_one_moment_are_of_the_same_rows(
    running: RunningPostgresql, copy: str, tmp_path: Path
) -> None:
    with running.connect(copy) as writer, held(running.connect, copy) as moment:
        writer.execute("INSERT INTO shop.moved SELECT 7, 'late' FROM generate_series(1, 50)")
        taken = take(running.connect, [copy], moment=moment)
        writer.execute("DELETE FROM shop.moved WHERE id < 20")
        assert running.dump(tmp_path / "copy", copy, snapshot=moment.snapshot).well
    running.create("of_one_moment")
    assert running.restore(tmp_path / "copy", "of_one_moment").well
    assert differences(named(taken, "of_one_moment"), take(running.connect, ["of_one_moment"])) == ()
    assert differences(taken, take(running.connect, [copy])) != (), "the control: others wrote meanwhile"


def test_a_sequence_is_read_before_anyone_can_dump_it(running: RunningPostgresql, copy: str, tmp_path: Path) -> None:
    with running.connect(copy) as writer:
        writer.execute("CREATE SEQUENCE shop.tickets; SELECT setval('shop.tickets', 10)")
        with held(running.connect, copy) as moment:
            assert running.dump(tmp_path / "copy", copy, snapshot=moment.snapshot).well
            writer.execute("SELECT setval('shop.tickets', 500)")
            taken = take(running.connect, [copy], moment=moment)
    running.create("of_ten")
    assert running.restore(tmp_path / "copy", "of_ten").well
    assert differences(named(taken, "of_ten"), take(running.connect, ["of_ten"])) == ()
    assert differences(taken, take(running.connect, [copy])) != (), "the control: the sequence went on"


def test_counting_alone_sees_rows_and_not_content(running: RunningPostgresql, copy: str) -> None:
    before = take(running.connect, [copy], hashes=False)
    with running.connect(copy) as connection:
        connection.execute('UPDATE shop."Order" SET amount = 0 WHERE id = 1')
    assert differences(before, take(running.connect, [copy], hashes=False)) == ()
    with running.connect(copy) as connection:
        connection.execute('DELETE FROM shop."Order" WHERE id = 1')
    assert differences(before, take(running.connect, [copy], hashes=False)) != ()


def test_a_manifest_holds_no_data(original: Manifest) -> None:
    text = encode(original).decode()
    assert "name 17" not in text
    assert "RETURN NEW" not in text


def test_a_sound_database_is_sound(running: RunningPostgresql, copy: str) -> None:
    with running.connect(copy) as connection:
        assert can_check_pages(connection)
        assert unsound(connection) == ()


def test_a_sequence_behind_its_column_is_unsound(running: RunningPostgresql, copy: str) -> None:
    with running.connect(copy) as connection:
        connection.execute("SELECT setval('shop.customer_id_seq', 190)")
        (found,) = unsound(connection)
        assert str(found).startswith("sequence shop.customer_id_seq: it stands 10 behind its column")


def test_an_index_that_lost_an_entry_is_unsound(running: RunningPostgresql, copy: str) -> None:
    with running.connect(copy) as connection:
        connection.execute("UPDATE pg_index SET indisready = false WHERE indexrelid = 'shop.customer_pkey'::regclass")
        connection.execute("INSERT INTO shop.customer (id, name) VALUES (1000, 'not in the index')")
        (found,) = [one for one in unsound(connection, pages=False) if one.kind == "index"]
        assert str(found).startswith("index shop.customer_pkey: it is invalid")
        connection.execute("UPDATE pg_index SET indisready = true WHERE indexrelid = 'shop.customer_pkey'::regclass")
        connection.execute("SELECT setval('shop.customer_id_seq', 1000)")
        assert [one.name for one in unsound(connection)] == ["shop.customer_pkey"]
