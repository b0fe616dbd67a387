"""SARIF: what code hosts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from accounts import account, finding, homelab
from shoreup.model.finding import Category, Consequence, ReadError, Section, Severity
from shoreup.model.page import ConcernPage
from shoreup.report import sarif

OFFICIAL = (
    Path(__file__).parents[1] / "environment/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
)

CATALOGUE = (
    ConcernPage(
        "pdb-missing",
        "Replicas without a disruption budget",
        Severity.MEDIUM,
        Consequence.OUTAGE,
        Category.AVAILABILITY,
        Section.FRAGILE_AREAS,
        "What it is.\n\nWhy it matters.",
    ),
)


def run_of(page: str) -> dict[str, Any]:
    """The only run of a log."""
    runs: list[dict[str, Any]] = json.loads(page)["runs"]
    assert len(runs) == 1
    return runs[0]


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the SARIF schema comes from npm, and npm could not install it")
@pytest.mark.parametrize(
    "log",
    [
        homelab(),
        account(),
        account(finding(file="odd name%#?.tf", line=0, column=0, end_line=0, resource=None)),
        account(finding(file="caf\udce9.tf", message="\x1b")),
    ],
    ids=["whole", "empty", "odd file", "not unicode"],
)
def test_it_holds_to_the_official_schema(log: Any) -> None:
    schema = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    Draft7Validator(schema).validate(json.loads(sarif.render(log, CATALOGUE, prefix="infra/")))


def test_results_point_at_their_rules() -> None:
    run = run_of(sarif.render(homelab(), CATALOGUE))
    rules = run["tool"]["driver"]["rules"]
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_rules_carry_help_and_the_severity_that_code_hosts_sort_by() -> None:
    rules = {rule["id"]: rule for rule in run_of(sarif.render(homelab(), CATALOGUE))["tool"]["driver"]["rules"]}
    rule = rules["pdb-missing"]
    assert rule["shortDescription"] == {"text": "Replicas without a disruption budget"}
    assert rule["fullDescription"] == {"text": "What it is."}
    assert rule["help"]["markdown"] == "What it is.\n\nWhy it matters."
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"]["security-severity"] == "5.0"


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.CRITICAL, "error"), (Severity.HIGH, "error"), (Severity.MEDIUM, "warning"), (Severity.LOW, "note")],
)
def test_severity_becomes_a_level(severity: Severity, level: str) -> None:
    assert run_of(sarif.render(account(finding(severity=severity)), ()))["results"][0]["level"] == level


def test_a_result_says_where_and_stays_the_same_when_lines_move() -> None:
    result = run_of(sarif.render(homelab(), (), prefix="live/"))["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "live/infra/modules/backup/main.tf", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 41, "startColumn": 17}
    assert result["partialFingerprints"] == {"shoreup/v1": "2f1c9d0a7be4"}
    related = result["relatedLocations"][0]
    assert related["message"] == {"text": "this is the data it protects"}
    assert related["physicalLocation"]["region"] == {"startLine": 12}


def test_paths_are_uris() -> None:
    result = run_of(sarif.render(account(finding(file="a b/100%#.tf", line=0)), ()))["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/100%25%23.tf"
    assert "region" not in place, "line 0 is the whole file"


def test_what_is_not_a_failure_has_no_level() -> None:
    results = {result["ruleId"]: result for result in run_of(sarif.render(homelab(), ()))["results"]}
    assert (results["restore-unproven"]["kind"], results["restore-unproven"]["level"]) == ("review", "none")
    accepted = {"kind": "inSource", "justification": "there is one card in the house"}
    assert results["gpu-pinned"]["suppressions"] == [accepted]


def test_what_could_not_be_read_is_a_notification() -> None:
    run = run_of(sarif.render(account(errors=(ReadError("a.tf", 3, "broken", "the block"),)), ()))
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "broken. Left out: the block."
    assert note["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
