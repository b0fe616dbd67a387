"""What is shown of proofs: the documents hold to their schemas, Prometheus reads the numbers and its alarms go off."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from importlib import resources
from pathlib import Path
from shutil import which

import pytest
import yaml
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from proving import TAKEN, proof
from shoreup.model.finding import ReadError
from shoreup.model.proof import Measurement, ProofSubject, Verdict
from shoreup.model.track_record import Stands, TrackRecord
from shoreup.report import drilled, exposition, held, remembered

SUBJECT = ProofSubject("CronJob", "data", "dump", "", ".")
HOSTILE = ProofSubject("CronJob", "da\nta", 'a"b\\c', "\ud800", ".")


def record(stands: Stands = Stands.PROVEN, *rto: float, subject: ProofSubject = SUBJECT) -> TrackRecord:
    """A claim that was tried once a day."""
    taken = tuple(
        replace(
            proof(number=number, taken=TAKEN - timedelta(days=len(rto) - number)),
            measurements=(Measurement("rto", value, "s"), Measurement("rpo", 3600, "s"), Measurement("copy", 5e6, "b")),
        )
        for number, value in enumerate(rto)
    )
    decides = taken[-1] if taken else None
    return TrackRecord("restore", subject, stands, taken, decides, (), 3600.0, 86400.0)


def valid(name: str, text: str) -> None:
    schema = json.loads(resources.files("shoreup.report").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(text))


def test_the_documents_hold_to_their_schemas() -> None:
    claims = [record(Stands.PROVEN, 40, 50), record(Stands.NEVER), record(Stands.GONE, 1, subject=HOSTILE)]
    valid("remembered", remembered.render_json(claims, "ledger", [ReadError("a", 0, "torn", "it")]))
    one = replace(proof(verdict=Verdict.FAIL), measurements=(Measurement("rto", 1.5, "s"),))
    valid("drilled", drilled.render_json([one, proof()], [drilled.Left("CronJob a/b", "restore", "no copy")], "ledger"))
    witness = held.Witness(".shoreup/ledger.intoto.jsonl", "0" * 64, "valid", None)
    whole = held.Whole("ledger", False, 1, "0" * 64, 0, [held.Broken(1, "changed")], [witness], [])
    valid("held", held.render_json(whole))


def test_the_schema_of_proofs_knows_every_standing() -> None:
    schema = json.loads(resources.files("shoreup.report").joinpath("remembered.schema.json").read_text())
    assert set(schema["$defs"]["claim"]["properties"]["stands"]["enum"]) == {one.value for one in Stands}


def test_a_row_of_numbers_is_held_against_its_objective() -> None:
    text = remembered.render([record(Stands.PROVEN, 60, 1800, 5400)], "ledger", [])
    assert "RTO   1.5 h of 1 h, missed  ▁▃█" in text
    assert "RPO   1 h of 1 d  ███" in text
    assert "PROVEN until" in text


def test_a_stranger_cannot_speak_to_the_terminal() -> None:
    text = remembered.render([record(Stands.GONE, 1, subject=ProofSubject("CronJob", "a", "\x1b]0;x\x07"))], "l", [])
    assert "\x1b" not in text


needs_promtool = pytest.mark.skipif(which("promtool") is None, reason="promtool is missing (Debian: prometheus)")


@needs_promtool
def test_prometheus_reads_the_numbers() -> None:
    claims = [record(Stands.PROVEN, 40, 50), record(Stands.NEVER), record(Stands.GONE, 1, subject=HOSTILE)]
    backups = [exposition.Kept("bank", TAKEN, 10, {"good": 3, "damaged": 0}), exposition.Kept("b", answered=False)]
    text = exposition.render('my "home"\n', claims, 0, TAKEN, backups)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", "")
    assert 'shoreup_recovery_time_seconds{estate="my \\"home\\"\\n",drill="restore"' in text


def series(name: str, values: str, labels: str = "") -> dict[str, str]:
    about = 'estate="home", drill="restore", kind="CronJob", namespace="data", name="dump", container="", root="."'
    return {"series": f"{name}{{{about}{labels}}}", "values": values}


def own(name: str, values: str, labels: str = "") -> dict[str, str]:
    return {"series": f'{name}{{estate="home", backup="bank"{labels}}}', "values": values}


ALARMS = [
    ("ShoreupDrillFailed", [series("shoreup_proof_standing", "0 1x200", ', standing="failed"')], 60),
    ("ShoreupProofExpired", [series("shoreup_proof_expires_timestamp_seconds", "3600x100")], 180),
    ("ShoreupProofOutdated", [series("shoreup_proof_standing", "1x200", ', standing="changed"')], 1500),
    ("ShoreupNotVerified", [series("shoreup_proof_verdict", "1x200", ', verdict="could-not-verify"')], 3000),
    (
        "ShoreupRecoveryTimeMissed",
        [
            series("shoreup_recovery_time_seconds", "60 4000x100"),
            series("shoreup_recovery_time_objective_seconds", "3600x100"),
        ],
        60,
    ),
    (
        "ShoreupRecoveryPointMissed",
        [
            series("shoreup_recovery_point_seconds", "60 90000x100"),
            series("shoreup_recovery_point_objective_seconds", "86400x100"),
        ],
        60,
    ),
    ("ShoreupCopyShrank", [series("shoreup_drilled_copy_size_bytes", "1000x1 400x100")], 60),
    ("ShoreupBackupShrank", [own("shoreup_backup_size_bytes", "1000x1 400x100")], 60),
    ("ShoreupBackupOld", [own("shoreup_backup_timestamp_seconds", "0x200")], 3000),
    ("ShoreupBackupDamaged", [own("shoreup_backups", "0 1x100", ', state="damaged"')], 60),
    ("ShoreupBackupStoreDown", [own("shoreup_backup_store_up", "1 0x100")], 180),
    ("ShoreupLedgerUnreadable", [{"series": 'shoreup_ledger_errors{estate="home"}', "values": "0 1x200"}], 120),
    (
        "ShoreupSilent",
        [{"series": 'shoreup_metrics_timestamp_seconds{estate="home"}', "values": "0x200"}],
        3000,
    ),
]


@needs_promtool
def test_every_alarm_goes_off_for_its_own_trouble_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(exposition.alert_rules(), encoding="utf-8")
    rules = yaml.safe_load(exposition.alert_rules())["groups"][0]["rules"]
    assert {name for name, _, _ in ALARMS} == {rule["alert"] for rule in rules}
    tests = []
    for name, given, minute in ALARMS:
        rule = next(one for one in rules if one["alert"] == name)
        about = {"estate": "home", "severity": rule["labels"]["severity"]}
        if "backup=" in given[0]["series"]:
            about |= {"backup": "bank"} | ({"state": "damaged"} if ", state=" in given[0]["series"] else {})
        elif len(given[0]["series"].split(",")) > 1:
            about |= {"drill": "restore", "kind": "CronJob", "namespace": "data", "name": "dump", "root": "."}
            last = given[0]["series"].rstrip("}").rpartition(", ")[2].partition("=")
            about |= {last[0]: last[2].strip('"')} if last[0] in ("standing", "verdict") else {}
        alarms: list[dict[str, object]] = [{"eval_time": "0m", "alertname": name, "exp_alerts": []}]
        alarms += [
            {"eval_time": f"{minute}m", "alertname": other, "exp_alerts": []} for other, _, _ in ALARMS if other != name
        ]
        tests.append(
            {
                "interval": "30m",
                "input_series": given,
                "alert_rule_test": alarms,
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    },
                    {
                        "expr": f'group by ({", ".join(sorted(about))}) (ALERTS{{alertname="{name}"}})',
                        "eval_time": f"{minute}m",
                        "exp_samples": [
                            {"labels": "{" + ", ".join(f'{k}="{v}"' for k, v in about.items()) + "}", "value": 1}
                        ],
                    },
                ],
                "name": name,
            }
        )
    told = {"rule_files": ["rules.yaml"], "evaluation_interval": "30m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "tests.yaml")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
