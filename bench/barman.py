"""Archives that barman itself writes, restored by the drill: that the tests' own ones are like them.

    python bench/barman.py [--programs FOLDER]

Barman is no dependency: `pip install 'barman[cloud,snappy]'` into an environment of its own, and name its folder of
programs. A PostgreSQL with a table space is backed up by barman-cloud-backup into an S3 server of this machine, packed
in each way that it knows, and its WAL is archived by barman-cloud-wal-archive, in other ways. Then a second server
takes over on a new timeline. After each step the drill has to bring back every row that there was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from shoreup.drills.asking import Question
from shoreup.drills.restoring.archive_specs import archive_store
from shoreup.drills.restoring.barman_archives import BarmanSource
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.backup_settings import StoreSettings
from shoreup.model.proof import ProofSubject, Verdict
from stores_here import KEY_ID, SECRET, s3_server

WANTED = Wanted("postgresql", "17")
BUCKET, SERVER = "s3://keep/pg", "main"
WAYS = (("", "--gzip"), ("--gzip", "--bzip2"), ("--bzip2", "--xz"), ("--snappy", "--snappy"), ("", "--zstd"))
"""How base backup and WAL are packed."""
_RESTARTED = PostgresqlOptions(durable=True, settings={"wal_keep_size": "1GB", "max_connections": "300"})


class Barman:
    """Barman's programs, and the bucket that they write to."""

    def __init__(self, programs: Path, address: str) -> None:
        self._programs = programs
        self._address = address
        self._shipped: set[str] = set()

    def back_up(self, server: RunningPostgresql, packed: str) -> None:
        """Take a base backup."""
        where = ["--host", str(server.socket), "--port", "5432", "--user", "postgres", "--immediate-checkpoint"]
        self._run("barman-cloud-backup", [*([packed] if packed else []), *where], [])

    def ship(self, server: RunningPostgresql, packed: str) -> None:
        """Archive every piece of WAL that is full and was not archived, and the histories of timelines."""
        with server.connect() as connection:
            connection.execute("SELECT pg_switch_wal()")
            row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
        assert row is not None
        for piece in sorted((server.data / "pg_wal").iterdir()):
            full = len(piece.name) == 24 and piece.name < str(row[0])
            if (full or piece.name.endswith(".history")) and piece.name not in self._shipped:
                self._run("barman-cloud-wal-archive", [packed], [str(piece)])
                self._shipped.add(piece.name)

    def _run(self, program: str, options: Sequence[str], more: Sequence[str]) -> None:
        command = [str(self._programs / program), "--endpoint-url", self._address, *options, BUCKET, SERVER, *more]
        subprocess.run(command, check=True, timeout=300, env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"})


def drilled(address: str, rows: int, what: str) -> bool:
    """Restore the newest, and say whether every row came back."""
    settings = StoreSettings(BUCKET, endpoint=address, secret_env="AWS_SECRET_ACCESS_KEY")
    source = BarmanSource(lambda: archive_store(settings, Path()), SERVER)
    questions = (
        Question("SELECT count(*) FROM account", str(rows), database="bank"),
        Question("SELECT count(*) FROM far", "7", database="bank"),
    )
    subject = ProofSubject("ScheduledBackup", "db", SERVER)
    spec = RestoreSpec(subject, WANTED, Copy(Path()), questions=questions, source=source)
    proof = restore(spec, run="bench", now=datetime.now(UTC))
    print(f"{proof.verdict.value:<18} {what}: {proof.after}", flush=True)
    return proof.verdict is Verdict.PASS


def run(barman: Barman, address: str, scratch: Scratch) -> bool:
    """Every way of packing on one server, and then another that takes over."""
    choice, fine, rows = choose(WANTED), True, 0
    if isinstance(choice, NoProvider):
        raise SystemExit(str(choice))
    with Postgresql(choice, scratch, _RESTARTED).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute(f"CREATE TABLESPACE far LOCATION '{scratch.make('far')}'")
            connection.execute("CREATE TABLE far TABLESPACE far AS SELECT generate_series(1, 7) AS id")
            connection.execute("CREATE TABLE account (id serial PRIMARY KEY, balance int)")
        for base, wal in WAYS:
            barman.back_up(server, base)
            rows = paid(server, rows)
            barman.ship(server, wal)
            fine &= drilled(address, rows, f"base packed by {base or 'nothing'}, WAL by {wal}")
        data = server.data
    follow = data / "standby.signal"
    follow.touch(mode=0o600)
    scratch.give(follow)
    options = PostgresqlOptions(durable=True, data=data, settings=_RESTARTED.settings)
    with Postgresql(choice, scratch, options).start() as server:
        with server.connect() as connection:
            connection.execute("SELECT pg_promote()")
        rows = paid(server, rows)
        barman.ship(server, "--gzip")
        return drilled(address, rows, "another server took over, and archives on timeline 2") and fine


def paid(server: RunningPostgresql, rows: int) -> int:
    """A thousand accounts more; how many there are now."""
    with server.connect("bank") as connection:
        connection.execute("INSERT INTO account (balance) SELECT 100 FROM generate_series(1, 1000)")
    return rows + 1000


def main() -> int:
    parser = argparse.ArgumentParser(description="Archives by barman, restored by the drill.")
    found = which("barman-cloud-backup")
    parser.add_argument("--programs", type=Path, default=Path(found).parent if found else None)
    programs = parser.parse_args().programs
    if programs is None:
        print("barman is not here: name the folder of its programs with --programs", file=sys.stderr)
        return 2
    os.environ.update(AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder)) as (_, address), Scratch() as scratch:
        return 0 if run(Barman(programs.resolve(), address), address, scratch) else 1


if __name__ == "__main__":
    sys.exit(main())
