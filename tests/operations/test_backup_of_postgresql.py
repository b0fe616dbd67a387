"""Backups of a real PostgreSQL: what counts as one, what does not, and what they are of."""

from __future__ import annotations

import itertools
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

import pytest

from backups_here import LyingFolder, flip, given, planned, small_disk, take
from engines_here import chosen
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.ledger.location import Location
from shoreup.ledger.reading import read_proofs
from shoreup.model.proof import Verdict
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.running import backup_run
from shoreup.operations.backup.shelf import BackupTrouble, Busy, State
from shoreup.operations.backup.verifying import look, look_by_drill
from shoreup.operations.steps import Plain, Run, Undone, carry_out
from shoreup.stores.folder import Folder

PASSWORD = "s3cr:t\\word"
ROWS = 20_000
STORE = "shoreup.operations.backup.plan.open_store"
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    """A bank whose clerk needs a password."""
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        running.create("bank")
        with running.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, note text)")
            connection.execute(
                f"INSERT INTO account SELECT g, 100, md5(g::text) || md5(g::text) FROM generate_series(1, {ROWS}) g"
            )
            connection.execute("CREATE TABLE entry (id bigserial, amount int)")
            connection.execute(f"CREATE ROLE clerk SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        (hba,) = scratch.folder.rglob("hba")
        hba.write_text("local all clerk scram-sha-256\n" + hba.read_text())
        with running.connect() as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield running


@pytest.fixture
def of(server: RunningPostgresql) -> str:
    return f"postgresql://clerk@/bank?host={server.socket}"


@pytest.fixture
def plan(of: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setenv("BANK_PASSWORD", PASSWORD)
    return planned(tmp_path, of, more='password-env = "BANK_PASSWORD"\n')


def in_store(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "store").rglob("*") if path.is_file())


def test_a_backup_is_a_file_and_a_record_that_describes_it(plan: Plan, tmp_path: Path) -> None:
    record = take(plan, tmp_path)
    file, described = sorted(in_store(tmp_path), key=lambda one: one.suffix, reverse=True)
    assert (file.name, described.name) == (record.file, f"{record.id}.backup.json")
    assert (record.size, record.sha256) == (file.stat().st_size, sha256(file.read_bytes()).hexdigest())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert record.product == "postgresql" and record.version.startswith("17.") and "/" in record.position
    assert record.manifest is not None and record.manifest.one_moment
    tables = {one.name: one.rows for one in record.manifest.contents[0].tables}
    assert tables == {"public.account": ROWS, "public.entry": 0}
    unpacked = subprocess.run(["zstd", "-dc", file], capture_output=True, check=True).stdout
    assert len(unpacked) == record.content and unpacked.startswith(b"PGDMP")


def test_the_rows_are_those_of_the_dump_while_others_write_and_it_comes_back(
    plan: Plan, server: RunningPostgresql, tmp_path: Path
) -> None:
    done = Event()

    def write() -> None:
        with server.connect("bank") as connection:
            for number in itertools.count():
                if done.is_set():
                    return
                connection.execute("INSERT INTO entry (amount) SELECT %s FROM generate_series(1, 10)", (number,))

    writer = Thread(target=write)
    writer.start()
    try:
        take(plan, tmp_path)
    finally:
        done.set()
        writer.join()
    ledger = Location("estate", f"sqlite:///{tmp_path / 'ledger.sqlite'}", tmp_path / "ledger.sqlite", True)
    looked = look_by_drill(plan, plan.shelf().find(), ledger, tmp_path, run="one", now=datetime.now(UTC))
    assert looked.proof is not None
    assert (looked.proof.verdict, looked.proof.control.refused) == (Verdict.PASS, True), looked.proof.after
    assert plan.shelf().find().restored
    assert [one.verdict for one in read_proofs(ledger).proofs] == [Verdict.PASS]
    with server.connect("bank") as connection:
        connection.execute("TRUNCATE entry")


@pytest.mark.parametrize("lie", ["short write", "bit flip", "vanished"])
def test_a_store_that_lies_has_no_backup(plan: Plan, tmp_path: Path, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STORE, lambda _: LyingFolder(tmp_path / "store", lie))
    with pytest.raises(Undone, match=r"gave back|there is no"):
        take(plan, tmp_path)
    assert plan.shelf().kept() == ()
    assert in_store(tmp_path) == []


def test_what_is_damaged_later_is_found_and_never_called_good(plan: Plan, tmp_path: Path) -> None:
    records = [take(plan, tmp_path) for _ in range(4)]
    files = [tmp_path / "store" / "bank" / one.file for one in records]
    flip(files[1], 4000)
    files[2].write_bytes(files[2].read_bytes()[:-1])
    files[3].unlink()
    assert [one.state for one in plan.shelf().kept()] == [State.GOOD, State.GOOD, State.DAMAGED, State.LOST]
    assert not look(plan, plan.shelf().kept()[1], now=NOW).check.good
    assert look(plan, plan.shelf().kept()[0], now=NOW).check.good
    assert [one.good for one in plan.shelf().kept()] == [True, False, False, False]
    assert plan.shelf().find().id == records[0].id


def test_a_dump_whose_server_is_killed_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disturbed(Folder):
        """A store whose first piece is the last that the server sends."""

        def put(self, name: str, pieces: Iterable[bytes]) -> None:
            def disturbing() -> Iterator[bytes]:
                for piece in pieces:
                    running.server.crash()
                    yield piece

            super().put(name, disturbing())

    monkeypatch.setattr(STORE, lambda _: Disturbed(tmp_path / "store"))
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        with running.connect() as connection:
            connection.execute(
                "CREATE TABLE large AS SELECT g, repeat(md5(random()::text), 8) FROM generate_series(1, 60000) g"
            )
        plan = planned(tmp_path, f"postgresql://postgres@/postgres?host={running.socket}")
        with pytest.raises(Undone, match="pg_dump ended with 1"):
            take(plan, tmp_path)
    assert plan.shelf().kept() == ()
    assert in_store(tmp_path) == []


def test_a_wrong_password_is_said_and_appears_nowhere(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANK_PASSWORD", "not-the-one")
    with pytest.raises(Undone) as caught:
        take(plan, tmp_path)
    assert "password authentication failed" in str(caught.value)
    assert "not-the-one" not in str(caught.value)
    assert in_store(tmp_path) == []


def test_variables_of_another_database_lead_nowhere_else(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "of-the-operations")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    assert take(plan, tmp_path).number == 1


def test_the_password_is_in_no_argument_no_variable_and_no_record(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    class Watched(Folder):
        """A store that looks at the process list while it is written to."""

        def put(self, name: str, pieces: Iterable[bytes]) -> None:
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    words, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
                except OSError:
                    continue
                if b"pg_dump" in words and bytes(tmp_path) in variables:
                    seen.append(words + variables)
            super().put(name, pieces)

    monkeypatch.setattr(STORE, lambda _: Watched(tmp_path / "store"))
    take(plan, tmp_path)
    assert seen and all(PASSWORD.encode() not in one for one in seen)
    assert all(PASSWORD.encode() not in path.read_bytes() for path in in_store(tmp_path) if path.suffix == ".json")


def test_two_at_once_are_one_and_a_refusal(plan: Plan, tmp_path: Path) -> None:
    with plan.shelf().alone(), pytest.raises(Undone) as caught:
        take(plan, tmp_path)
    assert isinstance(caught.value.cause, Busy)
    assert take(plan, tmp_path).number == 1


def test_a_clock_that_jumps_back_makes_no_older_backup(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(plan, tmp_path)
    monkeypatch.setattr("shoreup.operations.backup.running._now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    second = take(plan, tmp_path)
    assert second.began < first.began
    assert [one.id for one in plan.shelf().kept()] == [first.id, second.id]
    assert plan.shelf().find().id == second.id


def test_every_step_may_run_twice(plan: Plan, tmp_path: Path) -> None:
    def twice(_name: str, work: Callable[[], Plain]) -> Plain:
        work()
        return work()

    (tmp_path / "run").mkdir()
    carry_out(backup_run(), Run("f" * 32, given(plan), tmp_path / "run"), twice)
    (only,) = plan.shelf().kept()
    assert only.good and look(plan, only, now=NOW).check.good
    assert len(in_store(tmp_path)) == 3  # the file, its record, and the look


def test_a_folder_that_is_not_there_is_not_made(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "store").rmdir()
    with pytest.raises(Undone, match="make it, or mount"):
        take(plan, tmp_path)


def test_a_full_disk_and_a_read_only_one_are_said_and_nothing_is_left(plan: Plan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "store", kilobytes=64) as remount:
        with pytest.raises(Undone, match="No space left on device; free some space"):
            take(plan, tmp_path)
        assert in_store(tmp_path) == []
        remount("ro")
        with pytest.raises(Undone, match="mounted read-only"):
            take(plan, tmp_path)


def test_a_look_at_a_store_that_cannot_be_written_to_says_so(plan: Plan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "store", kilobytes=8192) as remount:
        take(plan, tmp_path)
        remount("ro")
        looked = look(plan, plan.shelf().find(), now=NOW)
        assert looked.check.good and "read-only" in looked.unkept


def test_a_name_that_begins_several_is_no_name(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(BackupTrouble, match="take one first"):
        plan.shelf().find()
    for _ in range(2):
        take(plan, tmp_path)
    with pytest.raises(BackupTrouble, match="begins the names of 2"):
        plan.shelf().find("0000")
