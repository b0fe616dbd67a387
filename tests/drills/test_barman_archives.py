"""What CloudNativePG keeps in an object store, restored: base backups and WAL as barman-cloud lays them out."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from barman_here import SEGMENT, archive_wal, base_backup, info, moment
from engines_here import chosen
from shoreup.drills.asking import Question
from shoreup.drills.restoring.barman_archives import BarmanSource
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.of_postgresql_files import BaseBackupTarget
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Wanted
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.barman import Base, bring_tars, info_at
from shoreup.engines.postgresql.files import bring_chain
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict
from shoreup.stores.base import Tree
from shoreup.stores.folder import Folder

SUBJECT = ProofSubject("ScheduledBackup", "db", "main")
COUNT = Question("SELECT count(*) FROM account", "300", database="bank")
PLACED = Question("SELECT count(*) FROM far", "7", database="bank")


class Archive(Struct, frozen=True):
    """A folder with the archive ``pg-main`` of one server. ``empty`` is before anything was in it, ``then`` was at 200
    accounts, ``last`` at 300. The base backups are of ``empty``, of 100 accounts, and one that failed.
    """

    folder: Path
    empty: datetime
    then: datetime
    last: datetime
    bases: tuple[str, ...]
    wal: tuple[Path, ...]
    server: RunningPostgresql


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("archive")
    place = folder / "pg-main"
    # A recovery needs these as large as they were.
    settings = {"wal_keep_size": "512MB", "max_connections": "600", "max_worker_processes": "32"}
    options = PostgresqlOptions(durable=True, settings=settings)
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch, options).start() as server:
        nothing = base_backup(server, place, 1, packed=True)
        empty = moment(server)
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id serial PRIMARY KEY, balance int DEFAULT 100)")
            connection.execute(f"CREATE TABLESPACE far LOCATION '{scratch.make('far')}'")
            connection.execute("CREATE TABLE far (id int) TABLESPACE far")
            connection.execute("INSERT INTO far SELECT generate_series(1, 7)")
            more = "INSERT INTO account (balance) SELECT 100 FROM generate_series(1, 100)"
            connection.execute(more)
            newest = base_backup(server, place, 2)
            connection.execute(more)
            then = moment(server)
            connection.execute("SELECT pg_switch_wal()")
            connection.execute(more)
            last = moment(server)
        # Somebody's rule for names says bzip2, and the files are gzip's.
        wal = archive_wal(server, place, ".bz2")
        info(place, "20270131T000003", {"status": "FAILED", "error": "the network went away"})
        yield Archive(folder, empty, then, last, (nothing, newest), tuple(wal), server)


def drilled(
    store: Tree,
    *questions: Question,
    until: datetime | None = None,
    later: timedelta = timedelta(),
    loss: timedelta | None = None,
) -> Proof:
    """The proof of a restore from a store, ``later`` than now."""
    source = BarmanSource(lambda: store, "pg-main", until)
    wanted, copy = Wanted("postgresql", "17"), Copy(Path(), until=until)
    spec = RestoreSpec(SUBJECT, wanted, copy, questions=questions, source=source, most_loss=loss)
    return restore(spec, run="run-1", now=datetime.now(UTC) + later)


def words(proof: Proof) -> str:
    """What a proof says."""
    return f"{proof.verdict} {proof.before} | {proof.after} | {proof.limits}"


def without(archive: Archive, folder: Path, *names: str) -> Folder:
    """A store with a copy of the archive that lacks some files."""
    shutil.copytree(archive.folder, folder, copy_function=lambda one, other: Path(other).hardlink_to(one))
    for name in names:
        (found,) = folder.rglob(f"{name}*")
        found.unlink()
    return Folder(folder)


def test_the_newest_whole_base_comes_back_with_all_wal_since(archive: Archive) -> None:
    proof = drilled(Folder(archive.folder), COUNT, PLACED)
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), words(proof)
    assert "data_0001.tar" in proof.control.what
    numbers = {one.name: one.value for one in proof.measurements}
    assert (proof.taken - archive.last).total_seconds() <= numbers["rpo"] < (proof.taken - archive.then).total_seconds()
    assert numbers["rto"] > numbers["fetch"] > 0
    assert "base backup 20270131T000003 is newer, and it is FAILED (the network went away)" in proof.after


def test_a_moment_at_which_nothing_was_there_fails_and_so_does_one_that_is_too_long_ago(archive: Archive) -> None:
    # By a good base of an empty cluster, though the newest base is another.
    proof = drilled(Folder(archive.folder), until=archive.empty, later=timedelta(days=3), loss=timedelta(days=1))
    assert (proof.verdict, proof.control.refused) == (Verdict.FAIL, True), words(proof)
    assert f"base backup {archive.bases[0]}" in proof.after
    assert "there is not one row in it" in proof.after
    assert "what happened in the last 3 days" in proof.after


def test_wal_that_is_missing_in_the_middle_is_a_failure_that_names_it(archive: Archive, tmp_path: Path) -> None:
    gone = archive.wal[-2].name[:24]
    proof = drilled(without(archive, tmp_path / "less", gone))
    assert (proof.verdict, proof.control.refused) == (Verdict.FAIL, True), words(proof)
    assert f"WAL {gone} is missing in the archive: nothing later comes back, and 1 behind it are there" in proof.after


def chained(archive: Archive, store: Path, *, whole: bool = True) -> str:
    """The first piece of WAL that is missing behind the newest base, in a data directory that has nothing else."""
    place = store / "pg-main"
    told = info_at(place / "base" / archive.bases[1])
    with Scratch() as scratch:
        data = scratch.make("data")
        scratch.make("data/pg_wal")
        (scratch.make("data/global") / "pg_control").write_bytes(gzip.decompress(archive.wal[-1].read_bytes())[24:32])
        return bring_chain(told, place / "wals", data, scratch, whole=whole)


def test_a_base_without_the_wal_that_it_ends_with_is_none(archive: Archive, tmp_path: Path) -> None:
    gone = info_at(archive.folder / "pg-main/base" / archive.bases[1]).last
    without(archive, tmp_path / "less", gone)
    with pytest.raises(BrokenCopy, match=f"WAL {gone} is missing.*without it base backup {archive.bases[1]} is not"):
        chained(archive, tmp_path / "less", whole=False)


def test_what_is_missing_later_matters_to_nobody_who_asks_for_an_earlier_moment(
    archive: Archive, tmp_path: Path
) -> None:
    gone = archive.wal[-2].name[:24]
    without(archive, tmp_path / "less", gone)
    assert chained(archive, tmp_path / "less", whole=False) == gone
    assert chained(archive, archive.folder) == ""


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda content: content[:24] + bytes([content[24] ^ 1]) + content[25:], "is another server's"),
        (lambda content: content[: SEGMENT // 2], "has 8,388,608 bytes instead of 16,777,216"),
    ],
)
def test_wal_that_is_none_of_the_server_s_is_not_replayed(
    archive: Archive, tmp_path: Path, spoil: Callable[[bytes], bytes], why: str
) -> None:
    without(archive, tmp_path / "mixed")
    (piece,) = (tmp_path / "mixed").rglob(archive.wal[-1].name)
    content = gzip.decompress(piece.read_bytes())
    piece.unlink()
    piece.write_bytes(gzip.compress(spoil(content), 1))
    with pytest.raises(BrokenCopy, match=f"WAL {piece.name[:24]} {why}"):
        chained(archive, tmp_path / "mixed")


def test_what_needs_a_library_that_is_not_here_says_nothing_and_a_database_that_is_missing_does(
    archive: Archive,
) -> None:
    archive.server.create("odd")
    with archive.server.connect("odd") as connection:
        connection.execute("CREATE EXTENSION hstore")
        connection.execute("CREATE TABLE thing (value hstore, number int PRIMARY KEY)")
        connection.execute("CREATE INDEX ON thing (value)")
        connection.execute("INSERT INTO thing VALUES ('a => 1', 1), ('b => 2', 2)")
        connection.execute("UPDATE pg_proc SET probin = '$libdir/nowhere' WHERE probin = '$libdir/hstore'")
        connection.execute("UPDATE pg_extension SET extname = 'elsewhere' WHERE extname = 'hstore'")
    target = BaseBackupTarget(
        chosen("postgresql", "17"), Scratch(), Copy(Path(), databases=("bank", "shop")), ExitStack(), archive.server
    )
    assert target.unsound("") == ("the database shop, which the estate declares, is not in it",)
    assert target.limits() == ("indexes and functions of elsewhere: this server does not have them",)
    for read in (lambda: target.holds(""), lambda: target.ask("SELECT value::text FROM thing", "", "odd")):
        with pytest.raises(EngineTrouble, match=r"this server lacks what it needs \(elsewhere\)"):
            read()


class Arriving(Folder):
    """A folder into which a piece of WAL comes while others are read."""

    def __init__(self, root: Path, late: Path, place: Path) -> None:
        super().__init__(root)
        self._late, self._place = late, place

    def get(self, name: str) -> Iterator[bytes]:
        if "/wals/" in name and not self._place.exists():
            self._place.hardlink_to(self._late)
        yield from super().get(name)


def test_wal_that_arrives_while_the_archive_is_read_is_not_missing(archive: Archive, tmp_path: Path) -> None:
    late = archive.wal[-2]
    without(archive, tmp_path / "grows", late.name)
    store = Arriving(tmp_path / "grows", late, tmp_path / "grows" / late.relative_to(archive.folder))
    with Scratch() as scratch:
        brought = BarmanSource(lambda: store, "pg-main", every=timedelta(0)).bring(scratch)
    said = "; ".join(brought.remarks)
    assert "missing" not in said
    assert "that base backup is 0 seconds old, and one was to be made every" in said


def test_a_base_whose_wal_is_on_its_way_leaves_the_one_before_in_its_place(archive: Archive, tmp_path: Path) -> None:
    last = info_at(archive.folder / "pg-main/base" / archive.bases[1]).last
    late = [one.name for one in archive.wal if one.name[:24] >= last]
    store = without(archive, tmp_path / "on-its-way", *late)
    with Scratch() as scratch:
        brought = BarmanSource(lambda: store, "pg-main").bring(scratch)
    assert brought.remarks[0].startswith(f"base backup {archive.bases[0]} and ")
    assert f"base backup {archive.bases[1]} is newer, and its last WAL {last} is not archived yet" in brought.remarks
    (tmp_path / "on-its-way/pg-main/base" / archive.bases[0] / "backup.info").unlink()
    with Scratch() as scratch:
        assert f"up to {last}, which is missing" in BarmanSource(lambda: store, "pg-main").bring(scratch).remarks[0]


def test_nothing_is_taken_from_an_archive_without_a_finished_base(archive: Archive, tmp_path: Path) -> None:
    store = without(archive, tmp_path / "none")
    for name in archive.bases:
        (tmp_path / "none/pg-main/base" / name / "backup.info").unlink()
    for until, why in ((None, "was finished: base backup 20270131T000003"), (archive.then, "was finished: base")):
        proof = drilled(store, until=until)
        assert proof.verdict is Verdict.COULD_NOT_VERIFY
        assert why in proof.after, words(proof)
        assert "it was never finished, or is just made" in proof.after
    early = drilled(Folder(archive.folder), until=archive.empty - timedelta(days=1))
    assert "was finished before" in early.after, words(early)


@pytest.mark.parametrize(
    ("name", "left", "why"),
    [
        ("../../outside", 10240, "climbs out"),
        ("PG_VERSION", 1024, "its last block is missing"),
        ("PG_VERSION", 10240, "the table space far is missing: no 16400.tar lies in 20270131T000001"),
    ],
)
def test_a_base_is_refused_whose_tars_climb_out_or_are_cut_or_missing(
    tmp_path: Path, name: str, left: int, why: str
) -> None:
    tar = tmp_path / "data.tar"
    with tarfile.open(tar, "w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"17\n"))
    os.truncate(tar, left)
    base = Base("20270131T000001", "DONE", spaces={"16400": "far"})
    with Scratch() as scratch, pytest.raises(BrokenCopy, match=why):
        bring_tars(base, tmp_path, scratch.make("data"), scratch, "spaces")
