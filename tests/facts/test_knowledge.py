"""The tables of product knowledge: each row says where it is from, and no table lies about unread."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

import shoreup.facts
from shoreup.facts.alerting.present_rules import alert_subjects
from shoreup.facts.alerting.programs import alerting_programs, exporters

FACTS = Path(shoreup.facts.__path__[0])
TABLES = sorted((FACTS / "data").glob("*.json"))
UNDATED = frozenset({"operators"})
"""Tables whose rows do not say yet when they were looked at."""


def rows(table: Path) -> list[dict[str, str]]:
    """The rows of a table; none where it is a data set with one source for all of it."""
    content = json.loads(table.read_bytes())
    return content if isinstance(content, list) else []


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_each_row_has_a_source_and_the_day_that_it_was_looked_at(table: Path) -> None:
    for row in rows(table):
        assert row["source"].startswith("https://")
        if table.stem not in UNDATED:
            date.fromisoformat(row["checked"])


def test_every_table_is_read_by_some_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in FACTS.rglob("*.py"))
    read = set(re.findall(r'\btable\(\s*"(\w+)"|"(\w+)\.json"', code))
    assert {path.stem for path in TABLES} - {name for pair in read for name in pair} == set()


def test_what_exports_for_a_rule_is_known_for_every_subject_of_rules() -> None:
    assert set(exporters()) == set(alert_subjects())


def test_a_chart_belongs_to_one_program() -> None:
    charts = [chart for one in alerting_programs() for chart in one.charts]
    assert len(charts) == len(set(charts))
