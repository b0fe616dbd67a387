"""The JSON contract: what is printed, the schema and the model say the same."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts import accepted, account, finding, homelab
from shoreup.model.amendment import Amendment, Applied, Dropped, NotFixed
from shoreup.model.edit import Impact
from shoreup.model.finding import Category, Confidence, Consequence, Safety, Section, Severity
from shoreup.report import amendment as fixing
from shoreup.report import contract

SCHEMA: dict[str, Any] = json.loads(contract.schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_a_whole_account_holds_to_the_schema() -> None:
    VALIDATOR.validate(json.loads(contract.render(homelab())))
    VALIDATOR.validate(json.loads(contract.render(account())))


@pytest.mark.parametrize("key", ["rank", "class", "fingerprint", "related"])
def test_the_schema_refuses_a_finding_without_its_keys(key: str) -> None:
    document = json.loads(contract.render(homelab()))
    del document["findings"][0][key]
    assert not VALIDATOR.is_valid(document)


def test_the_schema_refuses_what_the_contract_does_not_name() -> None:
    document = json.loads(contract.render(homelab()))
    document["findings"][0]["consequence_class"] = "outage"
    assert not VALIDATOR.is_valid(document)


def test_keys_come_in_the_order_of_the_contract() -> None:
    document = json.loads(contract.render(homelab()))
    assert list(document) == SCHEMA["required"]
    assert list(document["findings"][0]) == SCHEMA["$defs"]["finding"]["required"]
    assert list(document["findings"][0]["resource"]) == SCHEMA["$defs"]["resource"]["required"]
    assert list(document["undecided"][0]) == SCHEMA["$defs"]["undecided"]["required"]
    assert list(document["suppressed"][0]) == SCHEMA["$defs"]["suppressed"]["required"]
    assert list(document["notices"][0]) == SCHEMA["$defs"]["notice"]["required"]
    assert list(document["errors"][0]) == ["file", "line", "cause", "skipped"]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("severity", Severity),
        ("confidence", Confidence),
        ("class", Consequence),
        ("category", Category),
        ("section", Section),
    ],
)
def test_the_schema_knows_every_value_of_the_model(key: str, values: type[Severity]) -> None:
    assert SCHEMA["$defs"]["finding"]["properties"][key]["enum"] == [value.value for value in values]


def test_the_schema_knows_every_safety() -> None:
    fixes = SCHEMA["$defs"]["finding"]["properties"]["fixes"]["items"]["properties"]
    assert fixes["safety"]["enum"] == [safety.value for safety in Safety]


def test_a_finding_reads_as_the_contract_says() -> None:
    document = json.loads(contract.render(homelab()))
    assert document["findings"][0] == {
        "rank": 1,
        "concern": "backup-retention-missing",
        "severity": "high",
        "confidence": "certain",
        "class": "data-loss",
        "category": "backups",
        "section": "missing-features",
        "subject": "CronJob data/mysql-backup",
        "message": "Writes a new dump to nas:/backups/mysql each night, and nothing here removes old ones.",
        "consequence": "The volume fills up, and from then on every backup fails.",
        "file": "infra/modules/backup/main.tf",
        "line": 41,
        "column": 17,
        "end_line": 41,
        "resource": {
            "root": "infra",
            "address": "module.backup.kubernetes_cron_job_v1.mysql",
            "kind": "CronJob",
            "namespace": "data",
            "name": "mysql-backup",
            "container": "dump",
        },
        "related": [{"file": "infra/modules/mysql/main.tf", "line": 12, "note": "this is the data it protects"}],
        "fingerprint": "2f1c9d0a7be4",
        "fixes": [
            {
                "title": "Remove dumps older than 30 days, keeping at least 7",
                "safety": "unsafe",
                "reason": "The job deletes files.",
            }
        ],
        "dependants": 0,
        "strict": False,
    }


def test_a_finding_about_a_file_has_no_resource() -> None:
    document = json.loads(contract.render(account(finding(resource=None))))
    assert document["findings"][0]["resource"] is None
    VALIDATOR.validate(document)


def test_names_that_are_no_unicode_do_not_break_it() -> None:
    page = contract.render(account(finding(file="caf\udce9.tf", subject="\x1b[31m")))
    page.encode("utf-8")
    document = json.loads(page)
    assert document["findings"][0]["file"] == "caf\ufffd.tf"
    assert document["findings"][0]["subject"] == "\x1b[31m", "JSON escapes by itself; programs get the true name"
    assert "\x1b" not in page


def test_an_accepted_finding_says_why_how_long_and_where() -> None:
    document = json.loads(contract.render(account(suppressed=(accepted(finding(), "soon gone", date(2027, 1, 31)),))))
    VALIDATOR.validate(document)
    (one,) = document["suppressed"]
    assert (one["concern"], one["reason"], one["until"]) == ("backup-retention-missing", "soon gone", "2027-01-31")
    assert one["where"] == {"file": "infra/modules/backup/main.tf", "line": 41}


def test_what_is_known_is_listed_apart() -> None:
    document = json.loads(contract.render(account(known=(finding(3),), compared="the baseline")))
    VALIDATOR.validate(document)
    assert document["findings"] == []
    assert [one["rank"] for one in document["known"]] == [3]


AMENDMENT: dict[str, Any] = json.loads(fixing.schema())


def an_amendment() -> Amendment:
    one = finding(1)
    applied = Applied(
        one, "Set it", Safety.UNSAFE, "pods restart", Impact.RESTART, ("a.tf",), "disk", ("state-local",), 2
    )
    return Amendment(
        applied=(applied,),
        not_fixed=(NotFixed(finding(2), "a person has to decide", "text"),),
        dropped=tuple(Dropped(finding(3), "Set it", check, "seen") for check in CHECKS),
        written=("a.tf",),
        before={"high": 3},
        after={"high": 2},
        timing={"audit": 1.0, "fix": 2.0},
    )


CHECKS = AMENDMENT["$defs"]["dropped"]["properties"]["check"]["enum"]


def test_what_fixing_came_to_holds_to_its_schema() -> None:
    Draft202012Validator.check_schema(AMENDMENT)
    validator = Draft202012Validator(AMENDMENT)
    document = json.loads(fixing.render_json(an_amendment()))
    validator.validate(document)
    validator.validate(json.loads(fixing.render_json(Amendment())))
    assert list(document) == AMENDMENT["required"]
    for key in ("applied", "not_fixed", "dropped"):
        assert list(document[key][0]) == AMENDMENT["$defs"][key]["required"]
    del document["applied"][0]["impact"]
    assert not validator.is_valid(document)


def test_the_schema_knows_every_impact() -> None:
    assert AMENDMENT["$defs"]["applied"]["properties"]["impact"]["enum"] == [one.value for one in Impact]
