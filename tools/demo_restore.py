"""The part of `make demo` in which data is really lost, and found again.

A PostgreSQL is started and filled, and the example's own backup job runs against it as its CronJob would. The example
says where things are in its own network: the job's mount becomes a folder here, and the server's name a socket. In the
first run the server ends the connection halfway, as it does when its node is drained.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from shutil import which
from threading import Thread
from time import monotonic, sleep

from msgspec import Struct
from rich.console import Console

from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

JOB = "authelia-backup"
SUBJECT = f"databases/{JOB}"
PROGRAM = "terraform/modules/backup/dump.sh.tftpl"
"""Where the job's program stands."""
SERVER, MAJOR, USER, DATABASE = "192.168.20.5:/volume1/backups", "17", "lab", "authelia"
MOUNT = "/backups"
ROWS = 300_000
PATIENCE = 60.0

SETTINGS = """\
# Where the storage of the estate is mounted here, what a restore must reach, and a question that it must answer.
[storage]
"{server}" = "{storage}"

[objectives.default]
rpo = "24h"
rto = "15m"

[ledger]
url = "sqlite:///{ledger}"
"""

DATA = f"""
CREATE TABLE user_account (id serial PRIMARY KEY, name text UNIQUE NOT NULL, made timestamptz NOT NULL);
CREATE TABLE authentication_log (
    id bigserial PRIMARY KEY, account int NOT NULL REFERENCES user_account, at timestamptz NOT NULL,
    address inet NOT NULL, successful boolean NOT NULL, request text NOT NULL);
CREATE TABLE totp_device (
    id serial PRIMARY KEY, account int UNIQUE NOT NULL REFERENCES user_account, secret text NOT NULL);
INSERT INTO user_account (name, made) SELECT 'person-' || g, now() FROM generate_series(1, 400) g;
INSERT INTO authentication_log (account, at, address, successful, request)
    SELECT 1 + g % 400, now() - g * interval '1 minute', '192.0.2.1'::inet + g % 200, g % 9 > 0,
           md5(g::text) || md5((g + 1)::text) FROM generate_series(1, {ROWS}) g;
INSERT INTO totp_device (account, secret) SELECT id, md5(name) FROM user_account;
CREATE INDEX ON authentication_log (account, at);
"""

END_THE_DUMP = """
SELECT pg_terminate_backend(a.pid)
FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid)
WHERE a.application_name = 'pg_dump' AND p.tuples_processed > %s
"""

NO_NETWORK = """\
#!/bin/sh
# The example's hosts are not here: there is one server, and its socket is in PGHOST.
for word; do
  shift
  case $word in --host=*) ;; *) set -- "$@" "$word" ;; esac
done
exec '{program}' "$@"
"""


class Stage(Struct, frozen=True):
    """The estate's folder, where its storage is mounted here, and the server that its job reads."""

    estate: Path
    storage: Path
    programs: Path
    server: RunningPostgresql
    console: Console

    def run_job(self, *, drained: bool = False) -> int:
        """Run the job as the repository has it now, and give its exit code.

        ``drained`` ends the dump's connection when a third of the largest table is through.
        """
        shell = which("bash")
        if shell is None:
            raise FileNotFoundError("bash, which the job's image has, is not here")
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGHOST": str(self.server.socket),
            "PGSSLMODE": "disable",
            "LC_ALL": "C",
        }
        job = subprocess.Popen([shell, "-c", self._script()], env=environment, stderr=subprocess.DEVNULL)
        if drained:
            drain = Thread(target=self._drain, args=(job,))
            drain.start()
            drain.join()
        return job.wait()

    def drill(self) -> int:
        """Call the drill as a person would, and give its exit code."""
        command = ["drill", "restore", ".", "--subject", SUBJECT]
        self.console.print(f"[bold]$ shoreup {' '.join(command)}[/bold]")
        sys.stdout.flush()
        return subprocess.run([sys.executable, "-m", "shoreup", *command], cwd=self.estate, check=False).returncode

    def newest(self) -> Path:
        """The newest file of the job."""
        return max((self.storage / "authelia").iterdir(), key=lambda one: one.stat().st_mtime_ns)

    def _drain(self, job: subprocess.Popen[bytes]) -> None:
        until = monotonic() + PATIENCE
        with self.server.connect() as connection:
            while job.poll() is None and monotonic() < until:
                if connection.execute(END_THE_DUMP, (ROWS // 3,)).fetchall():
                    return
                sleep(0.002)

    def _script(self) -> str:
        """The program of the job, out of the repository."""
        found = opened([self.estate], empty=True)
        asked = Asked((), date.today(), given=found.given, whole=found.whole)  # noqa: DTZ011
        estate = understood(read(found.tree, None, lambda what, done, total: None), asked)
        (script,) = [one for one in estate.scripts if one.workload is not None and one.workload.name == JOB]
        return script.text.replace(MOUNT, str(self.storage))


@contextmanager
def stage(estate: Path, console: Console) -> Iterator[Stage | None]:
    """A server with data, and a folder for its copies; ``None`` where this machine has no such server."""
    choice = choose(Wanted("postgresql", MAJOR))
    if isinstance(choice, NoProvider):
        console.print(f"[bold]No restore is shown:[/bold] {choice}.")
        yield None
        return
    with Scratch() as scratch, Postgresql(choice, scratch, PostgresqlOptions(superuser=USER)).start() as server:
        server.create(DATABASE)
        with server.connect(DATABASE) as connection:
            connection.execute(DATA.encode())
        storage, programs = estate.parent / "storage", estate.parent / "programs"
        storage.mkdir()
        programs.mkdir()
        stub = programs / "pg_dump"
        stub.write_text(NO_NETWORK.format(program=choice.installation.program("pg_dump")), encoding="utf-8")
        stub.chmod(0o755)
        settings = estate / "shoreup.toml"
        settings.write_text(
            SETTINGS.format(server=SERVER, storage=storage, ledger=estate.parent / "ledger.sqlite"), encoding="utf-8"
        )
        yield Stage(estate, storage, programs, server, console)


def lose(stage: Stage) -> None:
    """The job succeeds, and what it wrote is half of a backup."""
    console = stage.console
    console.rule("The example's own backup job, against a real PostgreSQL")
    code = stage.run_job(drained=True)
    size = stage.newest().stat().st_size / 1e6
    console.print(
        f"{SUBJECT} ran, and its server was drained halfway. The job ended with {code}; "
        f"{stage.newest().name} lies in the storage, {size:.1f} MB, and gunzip and psql find nothing wrong with it.\n"
    )
    code = stage.drill()
    console.print(f"(exit code {code})\n")


def win(stage: Stage) -> None:
    """The fixed job says what happened, runs again, and what it wrote comes back."""
    console = stage.console
    console.rule("The same job, fixed")
    failed = stage.run_job(drained=True)
    repeated = stage.run_job()
    console.print(
        f"Drained halfway again, it now ends with {failed}, so Kubernetes runs it once more: {repeated}. "
        f"{stage.newest().name}, {stage.newest().stat().st_size / 1e6:.1f} MB.\n"
    )
    code = stage.drill()
    console.print(f"(exit code {code})\n")
