"""The ledger remembers, in order, and whatever is done to it shows."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DatabaseError

from proving import TAKEN, bring, proof
from shoreup.ledger.appending import Ledger
from shoreup.ledger.location import Location, locate
from shoreup.ledger.reading import head, read_proofs
from shoreup.ledger.schema import HEAD, metadata
from shoreup.ledger.trouble import LedgerTrouble
from shoreup.ledger.wire import BEGINNING, WrongProof, decode, decode_export, encode, encode_export
from shoreup.model.proof import Control, Proof, Verdict


@pytest.fixture
def where(tmp_path: Path) -> Location:
    found = locate(tmp_path, "sqlite:///ledger.sqlite")
    assert found is not None
    return found


def fill(where: Location, count: int) -> list[Proof]:
    """Append some proofs, each of a run of its own."""
    made = [proof(number=number) for number in range(count)]
    with Ledger(where) as ledger:
        for one in made:
            ledger.append(one, run=one.id, step="compare")
    return made


def changed_by_hand(where: Location, statement: str) -> None:
    """What somebody does who owns the file."""
    assert where.file is not None
    with sqlite3.connect(where.file) as connection:
        connection.executescript("DROP TRIGGER proofs_no_update; DROP TRIGGER proofs_no_delete; " + statement)
    connection.close()


def test_what_was_appended_is_read_back_in_order(where: Location) -> None:
    made = fill(where, 3)
    kept = read_proofs(where)
    assert kept.proofs == tuple(made)
    assert kept.breaks == ()


def test_a_ledger_that_nobody_has_written_is_empty(where: Location) -> None:
    assert read_proofs(where).proofs == ()
    assert where.file is not None
    where.file.touch()
    assert read_proofs(where).proofs == ()
    assert head(where) == BEGINNING


def test_work_done_again_adds_nothing(where: Location) -> None:
    with Ledger(where) as ledger:
        first = ledger.append(proof(number=1), run="r", step="compare")
        assert ledger.append(proof(number=2), run="r", step="compare") == first
    assert [one.id for one in read_proofs(where).proofs] == ["proof-1"]


@pytest.mark.parametrize("statement", ["UPDATE proofs SET verdict = 'pass'", "DELETE FROM proofs"])
def test_proofs_refuse_to_change(where: Location, statement: str) -> None:
    fill(where, 1)
    with create_engine(where.url).begin() as connection, pytest.raises(DatabaseError, match="only ever added"):
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "number", "left"),
    [
        (
            "UPDATE proofs SET content = CAST(replace(CAST(content AS TEXT), 'whole', '') AS BLOB) WHERE number = 2",
            2,
            ["proof-0", "proof-2"],
        ),
        ("DELETE FROM proofs WHERE number = 2", 3, ["proof-0", "proof-2"]),
        ("UPDATE proofs SET estate = 'other' WHERE number = 1", 1, ["proof-1", "proof-2"]),
        ("UPDATE proofs SET hash = printf('%064d', 7) WHERE number = 3", 3, ["proof-0", "proof-1"]),
    ],
)
def test_every_change_by_hand_shows(where: Location, statement: str, number: int, left: list[str]) -> None:
    fill(where, 3)
    changed_by_hand(where, statement)
    kept = read_proofs(where)
    assert number in [one.number for one in kept.breaks]
    assert [one.id for one in kept.proofs] == left


def test_estates_that_share_a_ledger_do_not_share_proofs(where: Location) -> None:
    other = Location("other-estate", where.url, where.file, True)
    fill(where, 1)
    with Ledger(other) as ledger:
        ledger.append(proof(number=7), run="o", step="compare")
    assert [one.id for one in read_proofs(where).proofs] == ["proof-0"]
    assert [one.id for one in read_proofs(other).proofs] == ["proof-7"]
    assert read_proofs(other).breaks == ()


def test_many_who_append_at_once_make_one_chain(where: Location) -> None:
    fill(where, 1)

    def work(worker: int) -> None:
        with Ledger(where) as ledger:
            for number in range(5):
                one = proof(number=100 * worker + number)
                ledger.append(one, run=one.id, step="compare")

    workers = [threading.Thread(target=work, args=(worker,)) for worker in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    kept = read_proofs(where)
    assert len(kept.proofs) == 16
    assert kept.breaks == ()


def test_the_head_changes_with_every_proof(where: Location) -> None:
    fill(where, 1)
    before = head(where), where.state()
    with Ledger(where) as ledger:
        ledger.append(proof(number=9), run="n", step="compare")
    assert head(where) != before[0] != BEGINNING
    assert where.state() != before[1]


def test_reading_is_no_change(where: Location) -> None:
    fill(where, 2)
    before = where.state()
    read_proofs(where)
    assert where.state() == before


def test_the_steps_make_the_tables_that_the_program_knows(where: Location) -> None:
    fill(where, 0)
    by_steps, at_once = create_engine(where.url), create_engine("sqlite://")
    metadata.create_all(at_once)
    made, wanted = inspect(by_steps), inspect(at_once)
    assert set(made.get_table_names()) == {*wanted.get_table_names(), "alembic_version"}
    for table in wanted.get_table_names():
        columns = [
            [(one["name"], str(one["type"]), one["nullable"]) for one in side.get_columns(table)]
            for side in (made, wanted)
        ]
        assert columns[0] == columns[1]
        for part in ("get_unique_constraints", "get_indexes", "get_check_constraints"):
            names = [sorted(str(one["name"]) for one in getattr(side, part)(table)) for side in (made, wanted)]
            assert names[0] == names[1], table


def test_a_newer_ledger_is_not_guessed_at(where: Location) -> None:
    fill(where, 1)
    assert where.file is not None
    with sqlite3.connect(where.file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerTrouble, match=f"version 9999, and this Shoreup knows {HEAD}"):
        read_proofs(where)


def test_a_file_that_is_none_is_named_so(where: Location) -> None:
    assert where.file is not None
    where.file.write_bytes(b"this is no database at all, and long enough to be looked at" * 40)
    with pytest.raises(LedgerTrouble, match="not a database"):
        read_proofs(where)


def test_a_torn_ledger_is_trouble_and_no_crash(where: Location) -> None:
    fill(where, 40)
    assert where.file is not None
    content = bytearray(where.file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    where.file.write_bytes(content)
    with pytest.raises(LedgerTrouble):
        read_proofs(where)


def test_a_database_of_somebody_else_is_no_ledger(where: Location) -> None:
    assert where.file is not None
    with sqlite3.connect(where.file) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(LedgerTrouble, match="without a ledger's tables"):
        read_proofs(where)


def test_a_ledger_that_is_locked_is_trouble(where: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(where, 1)
    monkeypatch.setattr("shoreup.ledger.reading.WAIT", 0)
    assert where.file is not None
    holder = sqlite3.connect(where.file, isolation_level=None)
    try:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerTrouble, match="locked"):
            read_proofs(where)
    finally:
        holder.close()


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql+nosuchdriver://u:sesame@127.0.0.1:1/x", "address"),
        ("nosuchdatabase://u:sesame@127.0.0.1:1/x", "address"),
        ("not an address", "address"),
    ],
)
def test_an_address_that_leads_nowhere_is_trouble_without_its_password(tmp_path: Path, url: str, cause: str) -> None:
    found = locate(tmp_path, url)
    assert found is not None
    assert "sesame" not in found.shown
    with pytest.raises(LedgerTrouble, match=cause) as trouble:
        read_proofs(found)
    assert "sesame" not in str(trouble.value)


def test_a_proof_survives_its_json() -> None:
    one = proof(inputs={"image": "postgres:17.2"})
    assert decode(encode(one)) == one
    assert encode(decode(encode(one))) == encode(one)


def test_a_pass_needs_a_control_that_was_refused() -> None:
    for refused in (False, None):
        with pytest.raises(ValueError, match="control"):
            Proof(
                **{name: getattr(proof(), name) for name in Proof.__struct_fields__ if name != "control"},
                control=Control("left in", refused),
            )


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('"pass"', '"PASS"', "PASS"),
        ('"verdict":', '"verdikt":', "verdi"),
        ('"refused":true', '"refused":false', "control"),
        ('"taken":"2026-11-20T03:00:00Z"', '"taken":"2026-11-20T03:00:00"', "zone"),
        ('"expires":"2026-12-20', '"expires":"2026-10-20', "expire"),
        ('"id":"proof-1"', '"id":""', "id"),
        ('"limits":[]', '"limits":[],"trust":"me"', "trust"),
    ],
)
def test_what_contradicts_itself_is_no_proof(old: str, new: str, cause: str) -> None:
    text = encode(proof()).decode()
    assert old in text
    with pytest.raises(WrongProof, match=cause):
        decode(text.replace(old, new).encode())


def test_an_export_is_the_proof_whatever_its_white_space(tmp_path: Path) -> None:
    file = bring(tmp_path, "one", proof())
    said, read = decode_export(file.read_bytes())
    assert (said.estate, read) == ("homelab-0123", proof())
    assert decode_export(b"\n" + file.read_bytes().replace(b"  ", b"\t"))[1] == proof()


def test_an_export_that_was_edited_is_none() -> None:
    content = encode_export("home", BEGINNING, encode(proof(verdict=Verdict.FAIL)))
    edited = content.replace(b'"fail"', b'"pass"')
    assert edited != content
    with pytest.raises(WrongProof, match="changed after it was written"):
        decode_export(edited)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 100_000, b"\xff\xfe", b"x" * 300_000])
def test_what_is_no_export_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(WrongProof):
        decode_export(content)


def test_times_are_kept_in_utc() -> None:
    assert b'"taken":"2026-11-20T03:00:00Z"' in encode(proof(taken=TAKEN))
