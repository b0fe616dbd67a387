"""``shoreup proofs --metrics``: what a scrape of an estate with backups of its own says."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backups_here import written
from shoreup.cli.main import run
from shoreup.cli.metrics import metrics


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)")
        connection.commit()
    yield written(tmp_path, f"sqlite:{path}")
    # The workflow library keeps the stream that it found first, which is gone with this test.
    logging.getLogger("dbos").handlers.clear()


def numbers(text: str, name: str) -> list[tuple[str, float]]:
    lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
    return [(line.rpartition(" ")[0], float(line.rpartition(" ")[2])) for line in lines]


def test_age_and_size_of_the_newest_backup_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = metrics(home)
    assert numbers(before, "shoreup_backup_timestamp_seconds") == []
    assert [value for _, value in numbers(before, "shoreup_backup_store_up")] == [1]
    assert run(["backup", "run", "bank", "--at", str(home)]) == 0
    target = home.parent / "shoreup.prom"
    assert run(["proofs", str(home), "--metrics", str(target)]) == 0
    after = target.read_text(encoding="utf-8")
    ((labels, size),) = numbers(after, "shoreup_backup_size_bytes")
    assert 'backup="bank"' in labels
    assert size > 0
    ((_, moment),) = numbers(after, "shoreup_backup_timestamp_seconds")
    ((_, now),) = numbers(after, "shoreup_metrics_timestamp_seconds")
    assert 0 <= now - moment < 600
    assert [value for labels, value in numbers(after, "shoreup_backups") if 'state="good"' in labels] == [1]


def test_a_ledger_that_takes_no_proof_stops_a_drill_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shoreup.drills.proving import reach
    from shoreup.ledger.location import locate
    from shoreup.model.errors import UserError

    where = locate(tmp_path, "postgresql+psycopg://me:sesame@127.0.0.1:1/x")
    assert where is not None
    with pytest.raises(UserError, match="takes no proof") as refused:
        reach(where)
    assert "sesame" not in refused.value.message
    assert "see that the server runs" in refused.value.message
