"""A base backup and the WAL that was archived since: back to the newest moment, to one before it, and to none after."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from engines_here import chosen
from shoreup.drills.asking import Question
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.choosing import Wanted
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict

SUBJECT = ProofSubject("CronJob", "data", "base")
COUNT = "SELECT count(*) FROM account"


class Archive(Struct, frozen=True):
    """A folder with a base backup of 100 accounts, and WAL since: 200 at ``then``, 300 at ``last``."""

    folder: Path
    then: datetime
    last: datetime


def moment(server: RunningPostgresql) -> datetime:
    """Now, as the server sees it."""
    with server.connect("bank") as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("archive")
    options = PostgresqlOptions(durable=True, settings={"wal_keep_size": "512MB"})
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch, options).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id serial PRIMARY KEY, balance int DEFAULT 100)")
            connection.execute("INSERT INTO account (balance) SELECT 100 FROM generate_series(1, 100)")
            place = scratch.make("out") / "base"
            assert server.tool("pg_basebackup", ["--checkpoint=fast", f"--pgdata={place}"]).well
            connection.execute("INSERT INTO account (balance) SELECT 100 FROM generate_series(1, 100)")
            then = moment(server)
            connection.execute("INSERT INTO account (balance) SELECT 100 FROM generate_series(1, 100)")
            last = moment(server)
            connection.execute("SELECT pg_switch_wal()")
        shutil.copytree(place, folder / "base-2027-01-31")
        (folder / "wal").mkdir()
        for segment in (server.data / "pg_wal").iterdir():
            if segment.is_file():
                (folder / "wal" / f"{segment.name}.gz").write_bytes(gzip.compress(segment.read_bytes(), 1))
    yield Archive(folder, then, last)


def drilled(folder: Path, accounts: int, until: datetime | None = None) -> Proof:
    """The proof of a restore that has to bring so many accounts."""
    copy, question = Copy(folder, until=until), Question(COUNT, str(accounts))
    spec = RestoreSpec(SUBJECT, Wanted("postgresql", "17"), copy, questions=(question,))
    return restore(spec, run="run-1", now=datetime.now(UTC))


def test_everything_that_was_archived_comes_back_and_the_recovery_point_is_the_last_change(archive: Archive) -> None:
    proof = drilled(archive.folder, 300)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), (proof.before, proof.after)
    (rpo,) = [one.value for one in proof.measurements if one.name == "rpo"]
    since_last = (proof.taken - archive.last).total_seconds()
    assert since_last <= rpo < (proof.taken - archive.then).total_seconds() + 1
    assert f"of {archive.last:%Y-%m-%d %H:%M}" in proof.after


def test_it_comes_back_to_a_moment_before(archive: Archive) -> None:
    proof = drilled(archive.folder, 200, archive.then)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), (proof.before, proof.after)


def test_a_moment_after_the_end_of_the_archive_is_not_reached(archive: Archive) -> None:
    proof = drilled(archive.folder, 300, archive.last + timedelta(hours=1))
    assert proof.verdict is Verdict.FAIL
    assert "it does not reach" in proof.after
    assert f"the last change in its WAL is of {archive.last:%Y-%m-%d %H:%M}" in proof.after


def test_a_piece_that_is_missing_ends_what_comes_back(archive: Archive, tmp_path: Path) -> None:
    shutil.copytree(archive.folder, tmp_path / "less")
    segments = sorted((tmp_path / "less" / "wal").glob("0*"))
    segments[-2 if len(segments) > 2 else 0].unlink()
    proof = drilled(tmp_path / "less", 300, archive.last)
    assert proof.verdict is Verdict.FAIL


def test_wal_that_it_cannot_do_without_is_missed_by_name(archive: Archive, tmp_path: Path) -> None:
    shutil.copytree(archive.folder, tmp_path / "less")
    own = next((tmp_path / "less" / "base-2027-01-31" / "pg_wal").glob("0*"))
    own.unlink()
    (tmp_path / "less" / "wal" / f"{own.name}.gz").unlink()
    proof = drilled(tmp_path / "less", 300)
    assert proof.verdict is not Verdict.PASS
    assert f"WAL is missing that makes it whole: {own.name}" in f"{proof.before} {proof.after}"


def test_without_an_archive_there_is_one_moment_and_no_other(archive: Archive) -> None:
    shutil.copytree(archive.folder / "base-2027-01-31", archive.folder.parent / "alone" / "base")
    alone = drilled(archive.folder.parent / "alone", 100)
    assert alone.verdict is Verdict.PASS, (alone.before, alone.after)
    proof = drilled(archive.folder.parent / "alone", 200, archive.then)
    assert proof.verdict is Verdict.FAIL
    assert "no archive of WAL" in proof.after
