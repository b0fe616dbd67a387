"""The restore drill on real engines: which copies pass, which fail, and when nothing can be said."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import msgspec
import pytest

from engines_here import chosen
from shoreup.compare.manifest import Manifest
from shoreup.compare.mysql import take as take_mysql
from shoreup.compare.postgresql import take
from shoreup.compare.redis import take as take_redis
from shoreup.compare.sqlite import take as take_sqlite
from shoreup.drills.proving import record
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.choosing import Wanted
from shoreup.engines.mysql.server import Mysql
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.redis import Redis
from shoreup.engines.scratch import Limits, Scratch
from shoreup.ledger.location import Location
from shoreup.ledger.reading import read_proofs
from shoreup.model.proof import Proof, ProofSubject, Verdict

NOW = datetime.now(UTC)
SUBJECT = ProofSubject("CronJob", "data", "dump")
SCHEMA: LiteralString = """
CREATE TABLE account (id serial PRIMARY KEY, owner text NOT NULL, balance numeric NOT NULL);
INSERT INTO account (owner, balance) SELECT 'hunter ' || g, 100 FROM generate_series(1, 4000) g;
CREATE INDEX ON account (owner);
"""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningPostgresql]:
    """The server that copies are made of."""
    choice = chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create("bank")
        server.create("nothing")
        with server.connect("bank") as connection:
            connection.execute(SCHEMA)
        yield server


@pytest.fixture(scope="module")
def manifest(running: RunningPostgresql) -> Manifest:
    """What the bank held when the copies were made."""
    return take(running.connect, ["bank"])


@pytest.fixture(scope="module")
def dumped(running: RunningPostgresql, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A plain dump of the bank."""
    target = tmp_path_factory.mktemp("dumped") / "bank.sql"
    assert running.dump(target, "bank", Form.PLAIN).well
    return target.read_bytes()


@pytest.fixture
def copy(tmp_path: Path, dumped: bytes) -> Path:
    """A copy that can be spoilt."""
    path = tmp_path / "bank.sql"
    path.write_bytes(dumped)
    return path


def spec(path: Path, manifest: Manifest | None = None, **changes: object) -> RestoreSpec:
    """What to restore."""
    one = RestoreSpec(SUBJECT, Wanted("postgresql", "17.2"), Copy(path), manifest)
    return msgspec.structs.replace(one, **changes)


def drilled(path: Path, manifest: Manifest | None = None, **changes: object) -> Proof:
    """The proof of a restore."""
    return restore(spec(path, manifest, **changes), run="run-1", now=datetime.now(UTC))


@pytest.mark.parametrize("form", [Form.PLAIN, Form.CUSTOM, Form.TAR])
def test_a_whole_copy_passes(running: RunningPostgresql, manifest: Manifest, tmp_path: Path, form: Form) -> None:
    running.dump(tmp_path / "copy", "bank", form)
    proof = drilled(tmp_path / "copy", manifest)
    assert (proof.verdict, proof.after) == (Verdict.PASS, "it restores, and every table holds what it held: 4000 rows")
    assert proof.control.refused
    assert "cut off: refused, " in proof.before
    assert proof.engine.product == "postgresql"
    assert proof.engine.stands_in_for == "17.2"


def test_a_compressed_copy_passes(copy: Path, manifest: Manifest) -> None:
    copy.write_bytes(gzip.compress(copy.read_bytes()))
    assert drilled(copy, manifest).verdict is Verdict.PASS


def test_a_compressed_copy_that_lost_its_end_fails_however_small_it_is(copy: Path) -> None:
    packed = gzip.compress(copy.read_bytes())
    copy.write_bytes(packed[: len(packed) * 3 // 4])
    proof = drilled(copy)
    assert (proof.verdict, proof.control.refused) == (Verdict.FAIL, True)
    assert proof.after == "it does not restore: its compressed content is damaged or ends too early"


def test_each_phase_is_measured(copy: Path, manifest: Manifest) -> None:
    measured = {one.name: one for one in drilled(copy, manifest).measurements}
    assert set(measured) == {
        *("rpo", "control", "start", "restore", "first answer", "rto", "compare", "check", "rows", "tables", "copy")
    }
    parts = sum(measured[name].value for name in ("start", "restore", "first answer"))
    assert measured["rto"].value == pytest.approx(parts, abs=0.01)
    assert measured["rto"].unit == "s"


def test_a_copy_that_was_cut_off_fails_and_psql_alone_would_not_have_said_so(copy: Path, manifest: Manifest) -> None:
    text = copy.read_bytes()
    copy.write_bytes(text[: text.index(b"\\.\n") + 3])
    for known in (manifest, None):
        proof = drilled(copy, known)
        assert (proof.verdict, proof.control.refused) == (Verdict.FAIL, True)
        assert "its end is missing" in proof.after


def test_a_copy_with_a_row_less_fails(copy: Path, manifest: Manifest) -> None:
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(line for line in lines if b"\thunter 77\t" not in line))
    proof = drilled(copy, manifest)
    assert (proof.verdict, proof.after) == (Verdict.FAIL, "bank: table public.account: 4000 rows, now 3999 rows")


def test_without_a_manifest_a_row_less_is_not_seen_and_the_proof_says_so(copy: Path) -> None:
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(line for line in lines if b"\thunter 77\t" not in line))
    proof = drilled(copy)
    assert proof.verdict is Verdict.PASS
    assert "rows that are missing: no manifest was kept with the copy" in proof.limits


@pytest.mark.parametrize("with_manifest", [True, False])
def test_the_dump_of_an_empty_database_fails(
    running: RunningPostgresql, manifest: Manifest, tmp_path: Path, *, with_manifest: bool
) -> None:
    assert running.dump(tmp_path / "copy", "nothing", Form.PLAIN).well, "the trap: making it succeeds"
    proof = drilled(tmp_path / "copy", manifest if with_manifest else None)
    assert proof.verdict is Verdict.FAIL
    assert ("table public.account: 4000 rows, now missing" if with_manifest else "not one row in it") in proof.after


def test_a_sequence_that_hands_out_taken_numbers_fails(copy: Path) -> None:
    text = copy.read_bytes().replace(b"account_id_seq', 4000, true", b"account_id_seq', 1, true")
    copy.write_bytes(text)
    proof = drilled(copy)
    assert proof.verdict is Verdict.FAIL
    assert "stands 3999 behind its column" in proof.after


def test_a_sequence_that_went_on_while_the_copy_was_made_is_no_failure(copy: Path, manifest: Manifest) -> None:
    further = copy.read_bytes().replace(b"account_id_seq', 4000, true", b"account_id_seq', 4007, true")
    copy.write_bytes(further)
    assert drilled(copy, manifest).verdict is Verdict.PASS
    copy.write_bytes(further.replace(b"account_id_seq', 4007, true", b"account_id_seq', 3999, true"))
    assert "sequence public.account_id_seq: 4000 by 1, now 3999 by 1" in drilled(copy, manifest).after


def test_a_missing_role_fails_by_name_and_one_that_the_estate_makes_does_not(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"OWNER TO postgres", b"OWNER TO clerk"))
    proof = drilled(copy)
    assert proof.verdict is Verdict.FAIL
    assert 'role "clerk" does not exist' in proof.after
    assert drilled(copy, copy=Copy(copy, roles=("clerk",))).verdict is Verdict.PASS
    assert drilled(copy, copy=Copy(copy, superuser="clerk")).verdict is Verdict.PASS


def test_a_role_of_a_server_that_is_not_in_the_repository_says_nothing_of_the_copy(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"OWNER TO postgres", b"OWNER TO clerk"))
    proof = drilled(copy, copy=Copy(copy, stranger=True))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "needs the role clerk" in proof.after
    assert "--no-owner" in proof.after


def test_an_extension_that_the_stand_in_lacks_says_nothing_of_the_copy(copy: Path) -> None:
    text = copy.read_bytes().replace(
        b"\nSET default_tablespace", b"\nCREATE EXTENSION timescaledb;\nSET default_tablespace", 1
    )
    copy.write_bytes(text)
    proof = drilled(copy)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "needs the extension timescaledb" in proof.after


def test_no_engine_is_no_verdict_and_names_the_package(copy: Path) -> None:
    proof = drilled(copy, wanted=Wanted("postgresql", "11.4"))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert proof.after.startswith("the experiment needs PostgreSQL 11.4")
    assert "install postgresql-11 (Debian)" in proof.after
    assert proof.control.refused is None


@pytest.mark.parametrize("product", ["oracle", "pgbouncer"])
def test_a_product_that_cannot_be_tried_is_no_verdict(copy: Path, product: str) -> None:
    assert drilled(copy, wanted=Wanted(product)).verdict is Verdict.COULD_NOT_VERIFY


def test_no_copy_is_no_verdict(tmp_path: Path) -> None:
    proof = drilled(tmp_path / "nothing")
    assert (proof.verdict, proof.after) == (Verdict.COULD_NOT_VERIFY, "there is no copy at the path")


def test_a_control_that_nobody_refuses_is_no_verdict(
    copy: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_cut_off(copy: Path, target: Path) -> str:
        target.write_bytes(copy.read_bytes())
        return "the same copy"

    monkeypatch.setattr("shoreup.drills.restoring.of_postgresql.without_its_end", nothing_cut_off)
    proof = drilled(copy, manifest)
    assert (proof.verdict, proof.control.refused) == (Verdict.COULD_NOT_VERIFY, False)
    assert "taken for whole" in proof.before


def test_a_limit_of_ours_says_nothing_of_the_copy(copy: Path, manifest: Manifest) -> None:
    proof = drilled(copy, manifest, limits=Limits(seconds=0.1))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "longer than the 0.1 s" in proof.after


def test_a_limit_that_is_passed_by_the_copy_itself_says_nothing_of_it_either(copy: Path) -> None:
    large = b"CREATE TABLE public.large AS SELECT repeat(md5(g::text), 30) AS x FROM generate_series(1, 900000) g;\n"
    large += b"SELECT pg_sleep(60);\n"
    end = b"--\n-- PostgreSQL database dump complete"
    copy.write_bytes(copy.read_bytes().replace(end, large + end))
    proof = drilled(copy, limits=Limits(room=96 << 20))
    assert (proof.verdict, proof.control.refused) == (Verdict.COULD_NOT_VERIFY, True), proof.after
    assert "of disk that it was given" in proof.after


def test_a_copy_that_is_too_old_fails_whatever_its_name_says(copy: Path, manifest: Manifest) -> None:
    objective = timedelta(hours=6)
    assert drilled(copy, manifest, most_loss=objective).verdict is Verdict.PASS
    old = (NOW - timedelta(days=3)).timestamp()
    os.utime(copy, (old, old))
    assert "would be lost" in drilled(copy, manifest, most_loss=objective).after
    fresh = copy.with_name(f"bank-{NOW:%Y-%m-%d}.sql")
    fresh.write_bytes(copy.read_bytes())
    taken = msgspec.structs.replace(manifest, taken=NOW - timedelta(days=3))
    assert drilled(fresh, taken, most_loss=objective).verdict is Verdict.FAIL


def test_an_objective_for_the_time_that_is_missed_fails(copy: Path, manifest: Manifest) -> None:
    proof = drilled(copy, manifest, most_time=timedelta(seconds=0))
    assert proof.verdict is Verdict.FAIL
    assert "until the first answer" in proof.after


def test_the_copy_itself_is_not_touched(copy: Path, manifest: Manifest) -> None:
    copy.chmod(0o600)
    before = (copy.read_bytes(), copy.stat())
    assert drilled(copy, manifest).verdict is Verdict.PASS
    assert (copy.read_bytes(), copy.stat().st_mode, copy.stat().st_mtime_ns) == (
        before[0],
        before[1].st_mode,
        before[1].st_mtime_ns,
    )


def test_a_proof_holds_no_row(copy: Path) -> None:
    text = copy.read_bytes().replace(b"7\thunter 7\t100\n", b"7\thunter 7\t100\textra\n")
    copy.write_bytes(text)
    proof = drilled(copy)
    assert proof.verdict is Verdict.FAIL
    assert "hunter" not in f"{proof.before} {proof.after}"


def test_a_proof_is_put_into_the_ledger_once_for_a_run(copy: Path, manifest: Manifest, tmp_path: Path) -> None:
    where = Location("estate", f"sqlite:///{tmp_path / 'ledger.sqlite'}", tmp_path / "ledger.sqlite", True)
    proof = drilled(copy, manifest)
    assert record(proof, where, run="run-1") == record(proof, where, run="run-1")
    (kept,) = read_proofs(where).proofs
    assert (kept.verdict, kept.subject, kept.drill) == (Verdict.PASS, SUBJECT, "restore")


def test_mariadb_is_tried_the_same_way(tmp_path: Path) -> None:
    choice = chosen("mariadb")
    wanted = Wanted("mariadb", choice.engine.version)
    with Scratch() as scratch, Mysql(choice, scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40))")
            cursor.execute("INSERT INTO account SELECT seq, CONCAT('hunter ', seq) FROM seq_1_to_2000")
        server.dump(tmp_path / "copy", "bank")
        known = take_mysql(server.connect, ["bank"], product="mariadb")
    proof = drilled(tmp_path / "copy", known, wanted=wanted)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True)
    assert proof.engine.stands_in_for == ""
    text = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(text.replace(b",(77,'hunter 77')", b"").replace(b",\n(77,'hunter 77')", b""))
    assert drilled(tmp_path / "copy", known, wanted=wanted).after == "bank: table account: 2000 rows, now 1999 rows"
    (tmp_path / "copy").write_bytes(text[: text.index(b"INSERT INTO")])
    assert "its end is missing" in drilled(tmp_path / "copy", known, wanted=wanted).after


def test_text_of_mariadb_in_another_encoding_than_its_dump_names_fails(tmp_path: Path) -> None:
    choice = chosen("mariadb")
    wanted = Wanted("mariadb", choice.engine.version)
    with Scratch() as scratch, Mysql(choice, scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40), photo BLOB)")
            cursor.execute("INSERT INTO account SELECT seq, CONCAT('Müller ', seq), X'FCFF' FROM seq_1_to_200")
        server.dump(tmp_path / "copy", "bank")
    assert drilled(tmp_path / "copy", wanted=wanted).verdict is Verdict.PASS
    text = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(text.replace("ü".encode(), "ü".encode("latin-1")))
    proof = drilled(tmp_path / "copy", wanted=wanted)
    assert proof.verdict is Verdict.FAIL
    assert "text for the column account.owner is not in the encoding that the dump names" in proof.after


def test_redis_is_tried_the_same_way(tmp_path: Path) -> None:
    choice = chosen("redis")
    wanted = Wanted("redis", choice.engine.version)
    with Scratch() as scratch, Redis(choice, scratch).start() as server:
        with server.connect() as client:
            client.mset({f"key:{number}": f"hunter {number}" for number in range(2000)})
        server.dump(tmp_path / "copy")
        known = take_redis(server.connect)
    proof = drilled(tmp_path / "copy", known, wanted=wanted)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True)
    with Scratch() as scratch, Redis(choice, scratch).start() as server:
        server.restore(tmp_path / "copy")
        with server.connect() as client:
            client.delete("key:77")
        server.dump(tmp_path / "less")
    assert drilled(tmp_path / "less", known, wanted=wanted).after == "0: table keys: 2000 rows, now 1999 rows"
    (tmp_path / "copy").write_bytes((tmp_path / "copy").read_bytes()[:-100])
    assert drilled(tmp_path / "copy", known, wanted=wanted).verdict is Verdict.FAIL


def test_sqlite_is_tried_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO note (text) VALUES (?)", [(f"hunter {n}",) for n in range(3000)])
        connection.commit()
    known = take_sqlite(path)
    wanted = Wanted("sqlite")
    proof = drilled(path, known, wanted=wanted)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), (proof.before, proof.after)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM note WHERE id = 77")
        connection.commit()
    assert drilled(path, known, wanted=wanted).after == "main: table note: 3000 rows, now 2999 rows"
    path.write_bytes(b"")
    assert drilled(path, known, wanted=wanted).verdict is not Verdict.PASS


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A base backup in tars of a server that archives, with the manifest of what it held."""
    choice, target = chosen("postgresql", "17"), tmp_path_factory.mktemp("base")
    with Scratch() as scratch, Postgresql(choice, scratch, PostgresqlOptions(durable=True)).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute(SCHEMA)
        with server.connect() as connection:
            connection.execute("ALTER SYSTEM SET archive_command = 'cp %p /backup/%f'")
        known = take(server.connect, ["bank"])
        place = scratch.make("out") / "base"
        options = ["--format=tar", "--gzip", "--checkpoint=fast", "--wal-method=stream", f"--pgdata={place}"]
        finished = server.tool("pg_basebackup", options)
        assert finished.well, finished.said
        for one in place.iterdir():
            shutil.copyfile(one, target / one.name)
    return target, known


def files(path: Path, manifest: Manifest | None) -> Proof:
    """The proof of a restore from files."""
    return drilled(path, manifest, wanted=Wanted("postgresql", "17", files=True))


def test_a_base_backup_passes(base: tuple[Path, Manifest]) -> None:
    proof = files(*base)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), (proof.before, proof.after)
    assert proof.after == "it restores, and every table holds what it held: 4000 rows"


@pytest.mark.parametrize(
    ("lost", "words"), [("pg_wal.tar.gz", "does not"), ("backup_manifest", ""), ("base.tar.gz", "does not restore")]
)
def test_a_base_backup_without_one_of_its_files(
    base: tuple[Path, Manifest], tmp_path: Path, lost: str, words: str
) -> None:
    shutil.copytree(base[0], tmp_path / "base")
    (tmp_path / "base" / lost).unlink()
    proof = files(tmp_path / "base", base[1])
    if not words:
        assert proof.verdict is Verdict.PASS
        assert any("no list of checksums" in one for one in proof.limits)
    else:
        assert proof.verdict is not Verdict.PASS
        assert words in proof.after


def test_a_role_that_we_do_not_know_says_nothing_of_a_base_backup(base: tuple[Path, Manifest]) -> None:
    copy = Copy(base[0], superuser="somebody")
    proof = drilled(base[0], base[1], wanted=Wanted("postgresql", "17", files=True), copy=copy)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert 'role "somebody" does not exist' in proof.after


def test_a_good_base_backup_of_an_empty_cluster_fails(base: tuple[Path, Manifest], tmp_path: Path) -> None:
    choice = chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(choice, scratch, PostgresqlOptions(durable=True)).start() as server:
        place = scratch.make("out") / "base"
        assert server.tool("pg_basebackup", ["--checkpoint=fast", f"--pgdata={place}"]).well
        shutil.copytree(place, tmp_path / "base")
    for known in (base[1], None):
        proof = files(tmp_path / "base", known)
        assert (proof.verdict, proof.control.refused) == (Verdict.FAIL, True), (proof.before, proof.after)


def test_an_archive_that_climbs_out_of_its_folder_is_refused(base: tuple[Path, Manifest], tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    with tarfile.open(evil / "base.tar", "w") as archive:
        one = tarfile.TarInfo("../../../climbed")
        archive.addfile(one)
    proof = files(evil, None)
    assert proof.verdict is not Verdict.PASS
    assert "climbs out of its folder" in f"{proof.before} {proof.after}"


def test_the_single_append_only_file_of_an_older_redis_is_tried(tmp_path: Path) -> None:
    wanted = Wanted("redis", chosen("redis").engine.version)
    file = tmp_path / "copy" / "appendonly.aof"
    file.parent.mkdir()
    orders = [(b"SELECT", b"0"), *((b"SET", b"key:%03d" % one, b"hunter") for one in range(50))]
    words = [[b"$%d\r\n%s\r\n" % (len(word), word) for word in one] for one in orders]
    file.write_bytes(b"".join(b"*%d\r\n" % len(one) + b"".join(one) for one in words))
    proof = drilled(file.parent, wanted=wanted)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), proof.after
    assert "50 rows" in proof.after
    file.write_bytes(file.read_bytes()[:-9])
    assert drilled(file.parent, wanted=wanted).verdict is Verdict.FAIL
