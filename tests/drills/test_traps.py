"""Traps that backups have walked into, each with the verdict that it deserves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from engines_here import chosen
from shoreup.compare.manifest import Manifest
from shoreup.compare.postgresql import take
from shoreup.drills.asking import Question
from shoreup.drills.restoring.ages import latest
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.choosing import Wanted
from shoreup.engines.keeper import parent_of
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict

SUBJECT = ProofSubject("CronJob", "data", "dump")
END = b"--\n-- PostgreSQL database dump complete"
SUM = Question("SELECT (SELECT sum(amount) FROM here) + (SELECT sum(amount) FROM there)", "200000", "nothing is lost")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningPostgresql]:
    """A server with a bank: money here, money there, and names with an umlaut."""
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            for table in ("here", "there"):
                connection.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name text, amount int)".encode())
                rows = "SELECT g, 'Jürgen ' || g, 100 FROM generate_series(1, 1000) g"
                connection.execute(f"INSERT INTO {table} {rows}".encode())
        yield server


@pytest.fixture
def manifest(running: RunningPostgresql) -> Manifest:
    return take(running.connect, ["bank"])


@pytest.fixture
def copy(running: RunningPostgresql, tmp_path: Path) -> Path:
    path = tmp_path / "bank.sql"
    assert running.dump(path, "bank", Form.PLAIN).well
    return path


def drilled(path: Path, manifest: Manifest | None = None, base: Path | None = None, **changes: object) -> Proof:
    """The proof of a restore."""
    spec = RestoreSpec(SUBJECT, Wanted("postgresql", "17"), Copy(path), manifest)
    return restore(msgspec.structs.replace(spec, **changes), run="run-1", now=datetime.now(UTC), base=base)


def words(proof: Proof) -> str:
    """What a proof says."""
    return f"{proof.verdict} {proof.before} | {proof.after}"


def test_two_dumps_that_a_transfer_ran_between_restore_well_and_do_not_add_up(
    running: RunningPostgresql, manifest: Manifest, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.sql"
    with torn.open("xb") as file:
        assert running.tool("pg_dump", ["--table=here", "bank"], target=file.fileno()).well
        file.flush()
        with running.connect("bank") as connection:
            connection.execute("UPDATE here SET amount = amount - 40 WHERE id = 7")
            connection.execute("UPDATE there SET amount = amount + 40 WHERE id = 7")
        assert running.tool("pg_dump", ["--table=there", "bank"], target=file.fileno()).well
        with running.connect("bank") as connection:
            connection.execute("UPDATE here SET amount = 100; UPDATE there SET amount = 100")
    proof = drilled(torn)
    assert proof.verdict is Verdict.PASS, "nothing in the dump itself tells"
    asked = drilled(torn, questions=(SUM,))
    assert (asked.verdict, asked.after) == (Verdict.FAIL, "the answer to 'nothing is lost' is not '200000'")
    known = drilled(torn, manifest)
    assert known.verdict is Verdict.FAIL
    assert "there: 1000 rows, now as many rows with other content" in known.after


def test_text_in_another_encoding_than_the_dump_says(copy: Path, manifest: Manifest) -> None:
    text = copy.read_bytes()
    copy.write_bytes(text.replace("Jürgen".encode(), "Jürgen".encode("latin-1")))
    proof = drilled(copy)
    assert proof.verdict is Verdict.FAIL
    assert "invalid byte sequence" in proof.after
    # Taken for Latin-1, each of the two bytes is a letter: it restores, and every name is another.
    copy.write_bytes(text.replace(b"client_encoding = 'UTF8'", b"client_encoding = 'LATIN1'"))
    assert drilled(copy).verdict is Verdict.PASS
    known = drilled(copy, manifest)
    assert known.verdict is Verdict.FAIL
    assert "as many rows with other content" in known.after


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("\\! touch {mark}\n", "restricted"),
        ("COPY public.here FROM PROGRAM 'touch {mark}; echo';\n", "run a program"),
    ],
)
def test_a_dump_that_wants_to_run_something_is_refused_and_reported(
    copy: Path, tmp_path: Path, order: str, told: str
) -> None:
    mark = tmp_path / "mark"
    copy.write_bytes(copy.read_bytes().replace(END, order.format(mark=mark).encode() + END))
    proof = drilled(copy)
    assert proof.verdict is Verdict.FAIL, words(proof)
    assert told in proof.after
    assert not mark.exists()


def test_a_stale_file_with_a_new_name_and_a_new_date_is_as_old_as_it_says_inside(
    running: RunningPostgresql, tmp_path: Path
) -> None:
    path = tmp_path / f"bank-{datetime.now(UTC):%F}.dump"
    assert running.dump(path, "bank", Form.CUSTOM).well
    made = latest(path)
    assert made is not None
    assert timedelta(0) < made - datetime.now(UTC) <= timedelta(hours=12, minutes=1), "the farthest zone of all"
    content = bytearray(path.read_bytes())
    at = 11 + 1 + 5 * 5 + 1  # the year: behind the sizes, the kind of compression, and five numbers of five bytes
    assert content[at] == datetime.now(UTC).year - 1900
    content[at] -= 2
    path.write_bytes(content)
    proof = drilled(path, most_loss=timedelta(days=1))
    assert proof.verdict is Verdict.FAIL
    assert "would be lost" in proof.after


def test_a_server_that_dies_under_the_restore_says_nothing_about_the_copy(copy: Path) -> None:
    slow = b"SELECT pg_sleep(5);\n"
    copy.write_bytes(copy.read_bytes().replace(END, slow + END))

    def ours(pid: int) -> bool:
        """Whether it descends from this process: beside this test others restore too."""
        while pid > 1:
            if pid == os.getpid():
                return True
            pid = parent_of(pid)
        return False

    def kill() -> None:
        while not stop.wait(0.02):
            for entry in Path("/proc").iterdir():
                with suppress(OSError):
                    if b" restored [local] SELECT" in (entry / "cmdline").read_bytes() and ours(int(entry.name)):
                        os.kill(int(entry.name), 9)

    stop = Event()
    killer = Thread(target=kill)
    killer.start()
    proof = drilled(copy)
    stop.set()
    killer.join()
    assert (proof.verdict, proof.control.refused) == (Verdict.COULD_NOT_VERIFY, True), words(proof)
    assert "says nothing about the copy" in proof.after


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, which only root can have."""
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "small", str(at)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("not run: a file system of its own needs root")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def test_a_full_disk_says_nothing_about_the_copy(copy: Path) -> None:
    large = b"CREATE TABLE public.large AS SELECT repeat(md5(g::text), 60) AS x FROM generate_series(1, 60000) g;\n"
    copy.write_bytes(copy.read_bytes().replace(END, large + END))
    with small_disk(Path("/tmp") / f"small-{os.getpid()}", 110) as disk:
        proof = drilled(copy, base=disk)
    disk.rmdir()
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, words(proof)
    assert "no space left" in proof.after.lower()


def test_a_disk_that_is_too_small_for_an_empty_server_is_named(copy: Path) -> None:
    with small_disk(Path("/tmp") / f"smaller-{os.getpid()}", 20) as disk:
        proof = drilled(copy, base=disk)
    disk.rmdir()
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, words(proof)
    assert "no space left" in proof.after.lower()


def test_a_place_that_cannot_be_written_to_is_good_enough_for_a_copy(copy: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "storage", 64) as disk:
        (disk / "bank.sql").write_bytes(copy.read_bytes())
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert drilled(disk / "bank.sql").verdict is Verdict.PASS


def test_mysql_that_is_not_here_is_named_with_what_to_install(copy: Path) -> None:
    nowhere = "99.1.0"  # newer than any that a machine may have
    proof = drilled(copy, wanted=Wanted("mysql", nowhere))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert f"needs MySQL {nowhere}" in proof.after
    assert "; install " in proof.after
