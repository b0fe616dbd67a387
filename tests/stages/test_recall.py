"""How a claim stands today: what is remembered, against what the repository says now. The audit says the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from proving import TAKEN, bring, proof
from shoreup.cli.main import run
from shoreup.model.proof import Measurement, Proof, ProofSubject, Verdict
from shoreup.model.track_record import Stands, TrackRecord
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.recall import recall

INPUTS = {
    "image": "postgres:17.2",
    "command": "pg_dump -h db app > /backup/app.sql",
    "volume": "nfs 192.0.2.5 /export/backups /backup/app.sql",
}
ESTATE = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: data}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: job
              image: postgres:17.2
              command: [sh, -c, "pg_dump -h db app > /backup/app.sql"]
              volumeMounts: [{name: copies, mountPath: /backup}]
          volumes:
            - name: copies
              nfs: {server: 192.0.2.5, path: /export/backups}
"""
TODAY = date(2026, 11, 23)


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "dump.yaml").write_text(ESTATE, encoding="utf-8")
    return folder


def one(number: int = 1, inputs: Mapping[str, str] = INPUTS, **more: object) -> Proof:
    made = proof(number=number, inputs=inputs)
    return replace(made, **more)


def restores(estate: Path, today: date = TODAY) -> list[TrackRecord]:
    claims = recall([estate], lambda *_: None, today=today).claims
    return [claim for claim in claims if claim.drill == "restore"]


def unproven(estate: Path, today: date = TODAY) -> list[str]:
    options = AuditOptions(select=("restore-untested",), cache=False, today=today)
    return [found.message for found in audit([estate], options).unproven]


def test_what_was_never_tried_is_listed(estate: Path) -> None:
    (claim,) = restores(estate)
    assert (claim.stands, claim.proofs) == (Stands.NEVER, ())
    assert unproven(estate)


def test_a_pass_that_counts_closes_it(estate: Path) -> None:
    bring(estate, "a", one())
    assert [claim.stands for claim in restores(estate)] == [Stands.PROVEN]
    assert unproven(estate) == []


def test_a_drill_that_stops_running_is_a_finding_again(estate: Path) -> None:
    bring(estate, "a", one())
    later = TODAY + timedelta(days=40)
    assert [claim.stands for claim in restores(estate, later)] == [Stands.EXPIRED]
    (message,) = unproven(estate, later)
    assert "2026-12-20" in message, "the day on which it ceased to count"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("postgres:17.2", "postgres:17.5", "image"),
        ("pg_dump -h db app", "pg_dump --no-owner -h db app", "command"),
        ("/export/backups", "/export/other", "volume"),
    ],
)
def test_what_changed_after_the_proof_opens_it_again(estate: Path, old: str, new: str, what: str) -> None:
    bring(estate, "a", one())
    (estate / "dump.yaml").write_text(ESTATE.replace(old, new), encoding="utf-8")
    (claim,) = restores(estate)
    assert (claim.stands, claim.changed) == (Stands.CHANGED, (what,))
    (message,) = unproven(estate)
    assert what in message


def test_what_could_not_be_verified_takes_no_pass_back_and_is_told(estate: Path) -> None:
    later = TAKEN + timedelta(days=1)
    word = one(2, verdict=Verdict.COULD_NOT_VERIFY, taken=later, after="this machine has no PostgreSQL")
    bring(estate, "b", word)
    assert [claim.stands for claim in restores(estate)] == [Stands.NOT_VERIFIED]
    (message,) = unproven(estate)
    assert "2026-11-21" in message
    bring(estate, "a", one())
    (claim,) = restores(estate)
    assert (claim.stands, claim.newest and claim.newest.verdict) == (Stands.PROVEN, Verdict.COULD_NOT_VERIFY)
    assert unproven(estate) == []


def test_a_failure_after_a_pass_counts(estate: Path) -> None:
    bring(estate, "a", one())
    bring(estate, "b", one(2, verdict=Verdict.FAIL, taken=TAKEN + timedelta(days=1)))
    assert [claim.stands for claim in restores(estate)] == [Stands.FAILED]
    assert unproven(estate)


def test_what_the_estate_no_longer_has_is_said_to_be_gone(estate: Path) -> None:
    bring(estate, "a", replace(one(), subject=proof(subject="CronJob data/old").subject))
    assert [(str(claim.subject), claim.stands) for claim in restores(estate)] == [
        ("CronJob data/dump", Stands.NEVER),
        ("CronJob data/old", Stands.GONE),
    ]


def test_backups_of_our_own_are_listed_as_the_audit_sees_them(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate / "dump.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: data}\n", encoding="utf-8")
    tables = [f'[backup.{name}]\nof = "files:/srv/{name}"\nstore = "/mnt"\n' for name in ("bank", "photos")]
    (estate / "shoreup.toml").write_text("\n".join(tables), encoding="utf-8")
    bring(estate, "a", replace(one(inputs={"file": "1"}), subject=ProofSubject("Backup", "", "bank")))
    assert [(claim.subject.name, claim.stands) for claim in restores(estate)] == [
        ("bank", Stands.PROVEN),
        ("photos", Stands.NEVER),
    ]
    (message,) = unproven(estate)
    assert "[backup.photos]" in message
    later = TODAY + timedelta(days=40)
    assert [claim.stands for claim in restores(estate, later)] == [Stands.EXPIRED, Stands.NEVER]
    assert run(["proofs", str(estate)]) == 0
    assert "shoreup backup verify NAME --drill" in " ".join(capsys.readouterr().out.split())


def test_the_command_lists_them_and_writes_the_numbers_whole(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring(estate, "a", one(measurements=(Measurement("rto", 41.5, "s"), Measurement("rpo", 7200, "s"))))
    target = estate.parent / "shoreup.prom"
    assert run(["proofs", str(estate), "--format", "json", "--metrics", str(target)]) == 0
    (claim,) = [one for one in json.loads(capsys.readouterr().out)["claims"] if one["drill"] == "restore"]
    assert [one["seconds"] for one in claim["rto"]["values"]] == [41.5]
    text = target.read_text(encoding="utf-8")
    assert 'name="dump"' in text
    assert "shoreup_recovery_time_seconds" in text
    assert run(["proofs", str(estate), "--metrics", str(estate / "absent" / "x.prom")]) == 2
