"""``shoreup drill`` on a real PostgreSQL: what the repository says is what is restored, and the audit believes it."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from dumped_estates import ESTATE, SETTINGS
from engines_here import chosen
from shoreup.cli.main import run
from shoreup.cli.metrics import metrics
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.run import RunSeen, State
from shoreup.stages.running.runs import Runner
from shoreup.stages.running.schedules import serve


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A dump of a bank with four thousand accounts."""
    choice = chosen("postgresql", "17")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
            connection.execute("INSERT INTO account SELECT g, 100 FROM generate_series(1, 4000) g")
        target = tmp_path_factory.mktemp("dumped") / "bank.sql"
        assert server.dump(target, "bank", Form.PLAIN).well
        return target.read_bytes()


@pytest.fixture
def estate(tmp_path: Path, dump: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder, copies = tmp_path / "estate", tmp_path / "mounted"
    folder.mkdir()
    (copies / "bank").mkdir(parents=True)
    (folder / "bank.yaml").write_text(ESTATE, encoding="utf-8")
    (folder / "shoreup.toml").write_text(SETTINGS.format(folder=copies), encoding="utf-8")
    (copies / "bank/bank-2026-11-22.sql").write_bytes(dump)
    return folder


def unproven(estate: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    capsys.readouterr()
    run(["audit", str(estate), "--select", "restore-untested", "--format", "json", "--no-cache", *more])
    return [one["concern"] for one in json.loads(capsys.readouterr().out)["unproven"]]


def test_the_newest_copy_comes_back_and_the_finding_closes(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert unproven(estate, capsys) == ["restore-untested"]
    assert run(["drill", "restore", str(estate), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (proof,) = told["proofs"]
    assert proof["verdict"] == "pass"
    assert proof["control"]["refused"] is True
    assert {"rto", "rpo", "rows"} <= {one["name"] for one in proof["measurements"]}
    assert unproven(estate, capsys) == []
    assert run(["drill", "restore", str(estate), "--due", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["proofs"] == []


def served(estate: Path, *moments: datetime) -> list[RunSeen]:
    """What there is of runs when the clock of who serves has gone through the moments, and what was due has ended."""
    runner, stop = Runner(estate), Event()
    ahead = iter((moments[0], *moments))  # what comes is announced first

    def clock() -> datetime:
        now = next(ahead, None)
        if now is None and all(one.ended for one in runner.all()):
            stop.set()
        return now or moments[-1]

    serve(runner, stop, lambda _: None, clock=clock, patience=0.2)
    return list(runner.all())


def test_a_scheduled_drill_closes_the_finding_until_its_proof_expires(
    estate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (estate / "shoreup.toml").open("a", encoding="utf-8") as settings:
        settings.write('[schedule.drills]\nrun = "drill restore --due"\nwhen = "0 5 * * 0"\n')
    assert unproven(estate, capsys) == ["restore-untested"]
    saturday = datetime(2026, 6, 6, 12, tzinfo=UTC)
    assert served(estate, saturday, saturday + timedelta(hours=16)) == [], "not before it is due"
    (done,) = served(estate, saturday + timedelta(hours=17))
    assert (done.operation, done.state, done.id[-14:]) == ("drill", State.DONE, "20260607T0500Z")
    assert done.results["try"].startswith('{"verdicts": {"pass": 1}')
    logging.getLogger("dbos").handlers.clear()  # the library keeps the stream that it found first
    assert unproven(estate, capsys) == []
    (text,) = [line for line in metrics(estate).splitlines() if line.startswith("shoreup_proof_expires")]
    last = datetime.fromtimestamp(float(text.rpartition(" ")[2]), UTC)
    assert unproven(estate, capsys, "--today", f"{last:%Y-%m-%d}") == []
    assert unproven(estate, capsys, "--today", f"{last + timedelta(days=1):%Y-%m-%d}") == ["restore-untested"]


def test_a_changed_command_opens_it_again(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "restore", str(estate)]) == 0
    assert unproven(estate, capsys) == []
    file = estate / "bank.yaml"
    file.write_text(ESTATE.replace("pg_dump -h", "pg_dump --no-owner -h"), encoding="utf-8")
    assert unproven(estate, capsys) == ["restore-untested"]


def test_a_truncated_copy_fails(estate: Path, dump: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    copy = estate.parent / "mounted/bank/bank-2026-11-23.sql"
    copy.write_bytes(dump[: len(dump) // 2])
    assert run(["drill", "restore", str(estate)]) == 4
    assert "FAIL" in capsys.readouterr().out
    assert unproven(estate, capsys) == ["restore-untested"]


def test_where_nothing_is_mounted_it_says_what_to_set(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate / "shoreup.toml").unlink()
    assert run(["drill", "restore", str(estate)]) == 5
    assert '[storage] "192.0.2.5:/volume1/backups"' in " ".join(capsys.readouterr().out.split())


ONE = "pg_dump -h bank -U postgres bank > /backups/bank/bank-$(date +%F).sql"
TWO = "pg_dump -h bank bank > /backups/bank/bank-$(date +%F).sql; pg_dump -h bank b > /backups/bank/b-$(date +%F).sql"
SMOKE = """
[[smoke]]
subject = "data/dump"
query = "SELECT sum(balance) FROM account"
expect = "{sum}"
name = "the balances add up"
"""


def changed(estate: Path, command: str) -> None:
    """Let the job run another command."""
    (estate / "bank.yaml").write_text(ESTATE.replace(ONE, command), encoding="utf-8")


def test_what_no_drill_can_try_is_no_failure_and_no_pass(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(estate, "mydumper -h bank -o /backups/bank/bank-$(date +%F).sql")
    assert run(["drill", "restore", str(estate)]) == 5
    assert "copies by mydumper cannot be restored by a drill yet" in " ".join(capsys.readouterr().out.split())
    assert unproven(estate, capsys) == ["restore-untested"]


def test_what_one_job_copies_together_is_proven_together(
    estate: Path, dump: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(estate, TWO)
    other = estate.parent / "mounted/bank/b-2026-11-22.sql"
    other.write_bytes(dump)
    older = estate.parent / "mounted/bank/b-2026-11-21.sql"
    older.write_bytes(b"an older one of the same name")
    os.utime(older, (1, 1))
    assert run(["drill", "restore", str(estate), "--format", "json"]) == 0, capsys.readouterr().out
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert "bank-2026-11-22.sql: it restores" in proof["after"]
    assert "b-2026-11-22.sql: it restores" in proof["after"]
    assert unproven(estate, capsys) == []
    other.write_bytes(dump[: len(dump) // 2])
    assert run(["drill", "restore", str(estate)]) == 4
    assert unproven(estate, capsys) == ["restore-untested"]


def test_the_owners_questions_decide_and_their_answers_are_not_told(
    estate: Path, dump: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = estate / "shoreup.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + SMOKE.format(sum=400000), encoding="utf-8")
    assert run(["drill", "restore", str(estate)]) == 0
    assert "asked 1 questions" in capsys.readouterr().out
    # A dump that was taken in two parts while a transfer ran: every row is there, and the sum is another.
    torn = dump.replace(b"\n7\t100\n", b"\n7\t60\n")
    (estate.parent / "mounted/bank/bank-2026-11-23.sql").write_bytes(torn)
    assert run(["drill", "restore", str(estate), "--format", "json"]) == 4
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert proof["after"] == "the answer to 'the balances add up' is not '400000'"
    assert "399960" not in json.dumps(proof)
    refused = ("DELETE FROM account RETURNING 1", "COMMIT; DROP TABLE account", "SELECT pg_sleep(0), * FROM absent")
    words = SMOKE.replace("the balances add up", "NAME").replace("SELECT sum(balance) FROM account", "QUERY")
    asked = "".join(words.replace("NAME", f"no. {at}").replace("QUERY", one) for at, one in enumerate(refused))
    settings.write_text(before + asked, encoding="utf-8")
    assert run(["drill", "restore", str(estate)]) == 4
    said = " ".join(capsys.readouterr().out.split())
    assert [f"the question 'no. {at}' was not answered" in said for at in range(3)] == [True, True, True], said


SQLITE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: vaultwarden, namespace: files}
spec:
  selector: {matchLabels: {app: vaultwarden}}
  template:
    metadata: {labels: {app: vaultwarden}}
    spec:
      containers:
        - name: vaultwarden
          image: vaultwarden/server:1.34.3
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: vault}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: copy, namespace: files}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: copy
              image: keinos/sqlite3:3.50.4
              command: [/bin/sh, -ec, "COMMAND"]
              volumeMounts: [{name: data, mountPath: /data}, {name: backups, mountPath: /backups}]
          volumes:
            - {name: data, persistentVolumeClaim: {claimName: vault}}
            - {name: backups, nfs: {server: 192.0.2.5, path: /volume1/backups}}
"""


def test_a_database_file_from_the_repository_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    estate, copies = tmp_path / "estate", tmp_path / "mounted"
    estate.mkdir()
    copies.mkdir()
    command = "sqlite3 /data/db.sqlite3 \\\".backup '/backups/vault-$(date +%F).sqlite3'\\\""
    (estate / "vault.yaml").write_text(SQLITE.replace("COMMAND", command), encoding="utf-8")
    (estate / "shoreup.toml").write_text(SETTINGS.format(folder=copies), encoding="utf-8")
    with closing(sqlite3.connect(copies / "vault-2026-11-22.sqlite3")) as connection:
        connection.execute("CREATE TABLE cipher (id INTEGER PRIMARY KEY, data TEXT)")
        connection.executemany("INSERT INTO cipher (data) VALUES (?)", [(f"sealed {n}",) for n in range(3000)])
        connection.commit()
    assert run(["drill", "restore", str(estate)]) == 0, capsys.readouterr().out
    assert "holds 3000 rows" in " ".join(capsys.readouterr().out.split())


def test_what_is_not_there_is_named(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "restore", str(estate), "--subject", "data/absent"]) == 2
    assert "There are data/dump." in capsys.readouterr().err
    assert run(["drill", "nonsense", str(estate)]) == 2
    assert re.search(r"Drills are .*\brestore\b", capsys.readouterr().err)
