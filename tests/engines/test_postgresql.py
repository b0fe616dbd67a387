"""PostgreSQL in a scratch folder: that it runs, that it keeps quiet, and which copies it refuses."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import msgspec
import psycopg
import pytest

from engines_here import chosen
from shoreup.engines.base import EngineTrouble
from shoreup.engines.jail import fences
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.dumps import Form, Gate, shape_of
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.scratch import Scratch

VERSIONS = ("15", "17")
TABLE = """
CREATE TABLE account (id int PRIMARY KEY, owner text NOT NULL, balance numeric NOT NULL);
INSERT INTO account SELECT g, 'owner ' || g, g * 10 FROM generate_series(1, 2000) g;
"""


@pytest.fixture(scope="module", params=VERSIONS)
def running(request: pytest.FixtureRequest) -> Iterator[RunningPostgresql]:
    """A server with a database ``app`` in it."""
    choice = chosen("postgresql", request.param)
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create("app")
        with server.connect("app") as connection:
            connection.execute(TABLE)
        yield server


@pytest.fixture
def empty(running: RunningPostgresql, request: pytest.FixtureRequest) -> str:
    """The name of a new database."""
    name = f"db_{zlib.crc32(request.node.name.encode())}"
    running.create(name)
    return name


def count(running: RunningPostgresql, database: str) -> int:
    """How many accounts a database has."""
    with running.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM account").fetchone()
    assert row is not None
    return int(str(row[0]))


def test_it_tells_its_own_version(running: RunningPostgresql, request: pytest.FixtureRequest) -> None:
    assert running.engine.product == "postgresql"
    assert running.engine.version.split(".")[0] in VERSIONS
    assert running.size() > 1 << 20


def test_it_listens_on_a_socket_in_its_folder_and_nowhere_else(running: RunningPostgresql) -> None:
    assert running.socket.is_relative_to(running.data.parent)
    with running.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.info.host == str(running.socket)


def test_variables_of_the_user_lead_to_no_other_server(
    running: RunningPostgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    with running.connect() as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)


@pytest.mark.parametrize("form", [Form.PLAIN, Form.CUSTOM, Form.TAR])
def test_a_dump_comes_back_whole(running: RunningPostgresql, empty: str, tmp_path: Path, form: Form) -> None:
    copy = tmp_path / "copy"
    assert running.dump(copy, "app", form).well
    assert shape_of(copy).form is form
    assert running.restore(copy, empty, jobs=2).well
    assert count(running, empty) == 2000


def packed(copy: Path, packing: str) -> Path:
    """The same file, compressed."""
    target = copy.with_name("copy.packed")
    if packing == "zstd":
        program = which("zstd")
        if program is None:
            pytest.skip("not run: needs zstd; Debian has it in zstd")
        subprocess.run([program, "-q", str(copy), "-o", str(target)], check=True)
    else:
        target.write_bytes(gzip.compress(copy.read_bytes(), 1))
    return target


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("form", [Form.PLAIN, Form.CUSTOM])
def test_a_compressed_dump_comes_back_whole(
    running: RunningPostgresql, empty: str, tmp_path: Path, packing: str, form: Form
) -> None:
    copy = tmp_path / "copy"
    running.dump(copy, "app", form)
    assert running.restore(packed(copy, packing), empty).well
    assert count(running, empty) == 2000


def test_psql_is_content_with_half_a_dump_and_we_are_not(
    running: RunningPostgresql, empty: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    running.dump(copy, "app", Form.PLAIN)
    text = copy.read_bytes()
    copy.write_bytes(text[: text.index(b"1000\towner 1000\t")])
    with copy.open("rb") as half:
        assert running.tool("psql", ["--no-psqlrc", "--set=ON_ERROR_STOP=1", "app"], source=half.fileno()).code == 3
    running.create(f"{empty}_alone")
    with copy.open("rb") as half:
        alone = running.tool("psql", ["--no-psqlrc", "--set=ON_ERROR_STOP=1", f"{empty}_alone"], source=half.fileno())
    assert alone.well
    assert count(running, f"{empty}_alone") == 999
    with pytest.raises(BrokenCopy, match="its end is missing"):
        running.restore(copy, empty)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_compressed_dump_that_was_cut_off_is_refused(
    running: RunningPostgresql, empty: str, tmp_path: Path, packing: str
) -> None:
    copy = tmp_path / "copy"
    running.dump(copy, "app", Form.PLAIN)
    whole = packed(copy, packing)
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(BrokenCopy, match="ends too early"):
        running.restore(whole, empty)


def test_an_archive_that_was_cut_off_is_refused(running: RunningPostgresql, empty: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    running.dump(copy, "app", Form.CUSTOM)
    copy.write_bytes(copy.read_bytes()[:-3000])
    finished = running.restore(copy, empty)
    assert not finished.well
    assert restore_errors(finished)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"<html>503 Service Unavailable</html>", "does not begin like a dump"),
        (b"\x1f\x8b\x08\x00garbage", "damaged"),
    ],
)
def test_what_is_no_dump_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(content)
    with pytest.raises(BrokenCopy, match=words):
        shape_of(copy)


def test_a_dump_that_gives_orders_to_the_shell_is_refused(
    running: RunningPostgresql, empty: str, tmp_path: Path
) -> None:
    copy, mark = tmp_path / "copy", running.data.parent / "was-here"
    running.dump(copy, "app", Form.PLAIN)
    copy.write_bytes(copy.read_bytes().replace(b"\nSET ", f"\n\\! touch {mark}\nSET ".encode(), 1))
    try:
        assert not running.restore(copy, empty).well
    except BrokenCopy as problem:
        assert "order" in str(problem)
    assert not mark.exists()


def test_a_dump_that_has_the_server_run_programs_is_refused(
    running: RunningPostgresql, empty: str, tmp_path: Path
) -> None:
    if not fences().hides_shell:
        pytest.skip("not run: this machine grants no mount namespace")
    copy, mark = tmp_path / "copy", running.data.parent / "was-here-too"
    running.dump(copy, "app", Form.PLAIN)
    order = f"\nCREATE TABLE trap (line text); COPY trap FROM PROGRAM 'touch {mark}; echo 1';\nSET "
    copy.write_bytes(copy.read_bytes().replace(b"\nSET ", order.encode(), 1))
    finished = running.restore(copy, empty)
    assert not finished.well
    assert not mark.exists()


def test_what_goes_wrong_is_told_without_the_rows(running: RunningPostgresql, empty: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    running.dump(copy, "app", Form.PLAIN)
    copy.write_bytes(copy.read_bytes().replace(b"\n7\towner 7\t70\n", b"\n7\thunter2 secret\tnot-a-number\textra\n"))
    finished = running.restore(copy, empty)
    assert not finished.well
    assert restore_errors(finished)
    assert "hunter2" not in finished.said


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_data_that_looks_like_orders_passes_the_gate(size: int) -> None:
    text = (
        b"-- PostgreSQL database dump\n\\restrict abc\nSET x = 1;\nCOPY public.t (a) FROM stdin;\n"
        b"\\N\t1\n\\\\! rm\n\\.\nSELECT 1;\n-- PostgreSQL database dump complete\n\\unrestrict abc\n"
    )
    gate = Gate()
    out = b"".join(gate.through(iter([text[i : i + size] for i in range(0, len(text), size)])))
    assert out == text.replace(b"\\restrict abc", b"").replace(b"\\unrestrict abc", b"")
    assert gate.whole


def test_the_gate_refuses_what_psql_would_carry_out() -> None:
    with pytest.raises(BrokenCopy, match="order"):
        list(Gate().through(iter([b"SELECT 1;\n\\! id\n"])))


@pytest.mark.parametrize(
    ("order", "passes"),
    [
        (b"\\connect app", True),
        (b"\\connect -reuse-previous=on \"dbname='my app'\"", True),
        (b"\\connect `touch /tmp/x`", False),
        (b"\\connect app \\! id", False),
        (b"\\i /etc/passwd", False),
    ],
)
def test_a_dump_may_change_the_database_and_nothing_else(order: bytes, *, passes: bool) -> None:
    lines = b"".join(Gate("word").through(iter([b"SELECT 1;\n" + order + b"\n"])))
    assert (b"\\unrestrict word\n" + order + b"\n\\restrict word" in lines) is passes
    assert lines.startswith(b"\\restrict word\n")


def test_a_locale_that_the_machine_lacks_is_replaced_and_told() -> None:
    line = b"CREATE DATABASE app WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = '%s';\n"
    gate = Gate(locales=["C", "de_AT.utf8"])
    out = b"".join(gate.through(iter([line % b"en_US.utf8" + line % b"de_AT.UTF-8" + line % b"C.UTF-8"])))
    assert out == line % b"C.UTF-8" + line % b"de_AT.UTF-8" + line % b"C.UTF-8"
    assert gate.replaced == {"en_US.utf8"}


def test_a_dump_of_the_whole_cluster_comes_back_with_its_roles(running: RunningPostgresql, tmp_path: Path) -> None:
    with running.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS teller")
        connection.execute("CREATE ROLE teller LOGIN PASSWORD 'hunter2'")
    with (tmp_path / "all").open("wb") as file:
        assert running.tool("pg_dumpall", ["--no-password"], target=file.fileno(), with_shell=True).well
    assert shape_of(tmp_path / "all").cluster
    major = running.engine.version.split(".")[0]
    options = PostgresqlOptions(superuser="shoreup_scratch")
    with Scratch() as scratch, Postgresql(chosen("postgresql", major), scratch, options).start() as other:
        finished = other.restore(tmp_path / "all")
        assert finished.well, finished.said
        assert count(other, "app") == 2000
        with other.connect() as connection:
            assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'teller'").fetchone() == (1,)


def test_a_server_that_hangs_does_not_answer_and_goes_on_where_it_was(running: RunningPostgresql) -> None:
    assert running.answers()
    running.server.hang()
    try:
        with pytest.raises(EngineTrouble):
            running.connect(seconds=2)
    finally:
        running.server.wake()
    assert running.answers()


def test_a_cluster_that_crashed_is_recovered_and_its_settings_do_not_come_back() -> None:
    choice = chosen("postgresql", "17")
    with Scratch() as scratch:
        with Postgresql(choice, scratch, PostgresqlOptions(durable=True)).start() as first:
            with first.connect() as connection:
                connection.execute(TABLE)
                connection.execute("ALTER SYSTEM SET archive_command = 'cp %p /backup'")
                connection.execute("ALTER SYSTEM SET archive_mode = 'on'")
                connection.execute("ALTER SYSTEM SET primary_conninfo = 'host=primary'")
            first.server.crash()
            assert not first.answers()
        options = PostgresqlOptions(data=first.data)
        with Postgresql(choice, scratch, options).start() as second:
            assert count(second, "postgres") == 2000
            with second.connect() as connection:
                shown = [
                    connection.execute(f"SHOW {name}").fetchone()
                    for name in ("archive_mode", "archive_command", "primary_conninfo")
                ]
            assert shown == [("off",), ("(disabled)",), ("",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the programs run as whoever has them")
def test_programs_that_only_root_can_read_are_brought_to_where_they_can_be_run(tmp_path: Path) -> None:
    choice = chosen("postgresql", "17")
    if choice.installation.provider != "wheel":
        pytest.skip("not run: needs PostgreSQL 17 from a wheel, which can be copied")
    hidden = tmp_path / "root-only"
    hidden.mkdir(mode=0o700)
    shutil.copytree(choice.installation.folder.parent, hidden / "pg", symlinks=True)
    here = msgspec.structs.replace(choice.installation, folder=hidden / "pg" / "bin")
    with (
        Scratch() as scratch,
        Postgresql(msgspec.structs.replace(choice, installation=here), scratch).start() as server,
    ):
        assert server.answers()


def test_a_limit_that_was_passed_is_why_a_server_is_gone() -> None:
    from shoreup.engines.scratch import Limits

    choice = chosen("postgresql", "17")
    with Scratch(Limits(room=96 << 20)) as scratch, Postgresql(choice, scratch).start() as server:
        with pytest.raises(psycopg.Error), server.connect() as connection:
            connection.execute("CREATE TABLE big AS SELECT repeat(md5(g::text), 30) FROM generate_series(1, 900000) g")
            connection.execute("SELECT pg_sleep(60)")
        assert "of disk that it was given" in server.server.last_words()
        server.server.stop(signal.SIGINT)


def test_a_copy_from_a_machine_with_more_locales_is_not_waited_for(running: RunningPostgresql) -> None:
    with running.connect("app") as connection:
        there = connection.execute("SELECT datcollate FROM pg_database WHERE datname = 'postgres'").fetchone()
        assert there is not None
        change = "UPDATE pg_database SET datcollate = %s WHERE datname = 'postgres'"
        connection.execute(change, ("xx_YY.UTF-8",))
        try:
            with pytest.raises(EngineTrouble, match=r"the locale xx_YY\.UTF-8, in which its text is sorted, is not on"):
                running.answers()
        finally:
            connection.execute(change, there)
    assert running.answers()
