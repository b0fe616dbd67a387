"""``shoreup backup`` from the command line: what it prints, what it exits with, and what programs read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backups_here import flip, written
from shoreup.cli.main import run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings, and notes to back up."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO note (text) VALUES (?)", [("hunter",) for _ in range(50)])
        connection.commit()
    yield written(tmp_path, f"sqlite:{path}", more="keep = { at-least = 1, daily = 1, weekly = 0, monthly = 0 }\n")
    # The workflow library keeps the stream that it found first, which is gone with this test.
    logging.getLogger("dbos").handlers.clear()


def shoreup(home: Path, *words: str) -> int:
    return run(["backup", *words, "--at", str(home)])


def told(home: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert shoreup(home, *words, "--format", "json") == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_backup_is_taken_listed_verified_pruned_and_restored(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoreup(home, "run", "bank") == 0
    said = capsys.readouterr()
    assert "TAKEN  bank  000001-" in said.out and "50 rows in 1 table" in said.out and said.err == ""
    taken = told(home, capsys, "run", "bank")
    assert set(taken) == {"name", "store", "taken"}
    (group,) = told(home, capsys, "list")["backups"]
    assert set(group) == {"name", "store", "error", "kept"}
    assert set(group["kept"][1]) == {
        *("id", "state", "moment", "product", "version", "position", "size", "content", "tables", "rows"),
        *("encrypted", "verified", "looked", "why", "remarks"),
    }
    assert group["kept"][1] == taken["taken"]
    assert (group["kept"][1]["state"], group["kept"][1]["rows"], group["kept"][1]["verified"]) == (
        "good",
        50,
        "written",
    )
    verified = told(home, capsys, "verify", "bank", "--drill")["verified"]
    assert (verified[0]["good"], verified[0]["how"], verified[0]["proof"]["verdict"]) == (True, "restored", "pass")
    decided = told(home, capsys, "prune", "bank", "--dry-run")
    assert decided["dry_run"] is True
    assert [one["stays"] for one in decided["decisions"]] == [True, False]
    assert shoreup(home, "prune", "bank") == 0
    assert "1 of 2 was removed." in capsys.readouterr().out
    restored = told(home, capsys, "restore", "bank", "--to", str(home / "new"))["restored"]
    assert restored == {
        "id": taken["taken"]["id"],
        "place": str(home / "new" / "bank.sqlite"),
        "compared": "every table holds what it held: 50 rows",
    }


def test_what_is_damaged_is_said_with_an_exit_code(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoreup(home, "run", "bank") == 0
    (file,) = (home / "store" / "bank").glob("*.zst")
    flip(file, 30)
    capsys.readouterr()
    assert shoreup(home, "verify", "bank", "0") == 4
    assert "other bytes than were written" in capsys.readouterr().out
    assert shoreup(home, "list", "bank") == 0
    assert "damaged" in capsys.readouterr().out
    assert shoreup(home, "restore", "bank", "--to", str(home / "new")) == 2
    assert "there is no good backup of bank" in capsys.readouterr().err
    assert not (home / "new").exists()


def test_over_what_is_there_only_with_the_name_typed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoreup(home, "run", "bank") == 0
    capsys.readouterr()
    for words in (["--over"], ["--over", "--confirm", "band"]):
        assert shoreup(home, "restore", "bank", *words) == 2
        assert "--confirm bank" in capsys.readouterr().err
    assert shoreup(home, "restore", "bank", "--over", "--confirm", "bank") == 0
    assert "what was there before is" in capsys.readouterr().out.replace("\n  ", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nothing"], "There is no [backup.nothing] in shoreup.toml. There are bank."),
        (["verify", "bank"], "There is no backup of bank"),
        (["verify", "bank", "7"], "There is no backup of bank"),
        (["restore", "bank"], "Name one place"),
        (["restore", "bank", "--to", "x", "--into", "y"], "Name one place"),
    ],
)
def test_what_cannot_be_done_says_what_can(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert shoreup(home, *words) == 2
    assert said in capsys.readouterr().err


def test_a_store_that_is_gone_is_said_for_each_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "store").rmdir()
    assert shoreup(home, "list") == 5
    assert "make it, or mount what should lie there" in capsys.readouterr().out.replace("\n  ", " ")
    assert shoreup(home, "run", "bank") == 2
    assert "make it, or mount what should lie there" in capsys.readouterr().err
