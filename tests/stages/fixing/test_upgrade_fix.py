"""The image of a PostgreSQL and the Job that carries its data over: only with a rehearsal, and it does what it says."""

from __future__ import annotations

import subprocess
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from engines_here import chosen
from shoreup.drills.proving import record
from shoreup.engines.postgresql.cluster import Owner, own_cluster
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch
from shoreup.facts.proofs import UPGRADED_TO
from shoreup.ledger.location import default_location
from shoreup.model.proof import Control, Engine, Measurement, Proof, ProofSubject, Verdict, digest_of
from shoreup.stages.fix import FixOptions, fix, write_out

TODAY = date(2026, 11, 23)
ESTATE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  replicas: 1
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: postgres:13.9-bookworm
          volumeMounts:
            - {name: data, mountPath: /var/lib/postgresql/data, subPath: pgdata}
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: db}
"""


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a PostgreSQL out of support."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "estate"
    root.mkdir()
    (root / "db.yaml").write_text(ESTATE)
    return root


def rehearsed(root: Path) -> None:
    """Put a passing rehearsal from 13 to 18 on record."""
    taken = datetime.fromisoformat("2026-11-20T10:00:00Z")
    proof = Proof(
        id="upgrade-1",
        drill="upgrade",
        subject=ProofSubject("StatefulSet", "data", "db"),
        claim="It goes.",
        engine=Engine("postgresql", "13.9 to 18.1"),
        control=Control("a column that no upgrade carries over", True),
        before="refused",
        after="it went",
        verdict=Verdict.PASS,
        taken=taken,
        expires=taken + timedelta(days=30),
        measurements=(Measurement(UPGRADED_TO, 18, "major version"),),
        inputs={"image": digest_of("postgresql 13.9"), "volume": digest_of("claim db")},
    )
    record(proof, default_location(root), run="r")


def fixed(root: Path) -> list[dict[str, object]]:
    """The objects after fixing."""
    options = FixOptions(select=("version-unsupported",), unsafe=True, today=TODAY)
    amendment = write_out(fix([root], options, lambda what, done, total: None))
    assert not amendment.dropped, [(one.check, one.cause) for one in amendment.dropped]
    return [one for file in sorted(root.rglob("*.yaml")) for one in yaml.safe_load_all(file.read_text()) if one]


def test_without_a_rehearsal_nothing_is_written(estate: Path) -> None:
    fixed(estate)
    assert (estate / "db.yaml").read_text() == ESTATE


def test_with_a_rehearsal_come_the_image_and_a_job_that_waits(estate: Path) -> None:
    rehearsed(estate)
    server, job = sorted(fixed(estate), key=lambda one: str(one["kind"]), reverse=True)
    text = yaml.safe_dump(server)
    assert "image: postgres:18." in text and "-bookworm" in text
    # The image of 18 would look elsewhere for its data.
    assert "name: PGDATA" in text and "value: /var/lib/postgresql/data" in text
    assert job["kind"] == "Job" and job["metadata"] == {"name": "db-to-18", "namespace": "data"}
    assert isinstance(job["spec"], dict) and job["spec"]["suspend"] is True
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "OLD": "13",
        "NEW": "18",
        "DATA": "/volume/pgdata",
        "PGUSER": "postgres",
    }
    assert pod["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "db"}}]


def test_the_jobs_program_carries_a_cluster_over_and_does_nothing_the_second_time() -> None:
    script = files("shoreup.facts").joinpath("data", "postgres_upgrade.sh").read_text()
    with Scratch() as scratch:
        old, new = (
            Postgresql(chosen("postgresql", version), scratch).program("postgres").parent for version in ("15", "17")
        )
        home = scratch.make("volume")
        data, owner = home / "pgdata", Owner(home, home)
        assert owner.run([old / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-k"], seconds=60).well
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{home}'\nwork_mem = '7MB'\n")
        server = own_cluster(data, old)
        server.start(home / "log")
        server.tell("postgres", "CREATE TABLE account AS SELECT g FROM generate_series(1, 50) g")
        given = {
            "OLD": "15",
            "NEW": "17",
            "DATA": str(data),
            "OLD_BIN": str(old),
            "NEW_BIN": str(new),
            "TMPDIR": str(home),
        }
        running = owner.run(["/bin/sh", "-c", script], seconds=300, environment=given)
        assert "stop it in order" in running.said
        server.stop()
        done = owner.run(["/bin/sh", "-c", script], seconds=300, environment=given)
        assert done.well, done.said
        again = owner.run(["/bin/sh", "-c", script], seconds=300, environment=given)
        assert again.well and again.output == b"The data is of version 17.\n"
        upgraded = own_cluster(data, new)
        upgraded.start(home / "log")
        said = upgraded.tell(
            "postgres", "SELECT count(*), current_setting('work_mem'), current_setting('data_checksums') FROM account"
        )
        upgraded.stop()
        assert said == b"50|7MB|on\n"
        assert (home / "pgdata.upgrade" / "old-15" / "PG_VERSION").exists()


def test_the_jobs_program_is_one_that_a_shell_reads() -> None:
    script = files("shoreup.facts").joinpath("data", "postgres_upgrade.sh").read_text()
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
