"""``shoreup runs``: what there is, what each is in, how one goes on or is undone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from operating import carried, elsewhere, executing, world
from shoreup.cli.main import run
from shoreup.operations.places import Place, locate


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("shoreup.operations.registry._KNOWN", {"write": "operating:writing"})
    root = tmp_path / "estate"
    root.mkdir()
    return locate(root)


def said(capsys: pytest.CaptureFixture[str], place: Place, *words: str, code: int = 0) -> str:
    assert run(["runs", *words, "--at", str(place.root)]) == code
    return capsys.readouterr().out


def test_nothing_was_run_yet(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No run yet" in said(capsys, place)
    assert json.loads(said(capsys, place, "--format", "json"))["runs"] == []
    assert run(["runs", "show", "2026", "--at", str(place.root)]) == 2
    assert "nothing was run yet" in capsys.readouterr().err
    assert place.file is not None and not place.file.exists(), "looking makes nothing"


def test_runs_are_listed_and_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    done = carried(place)
    failed = carried(place, {"fails": "two"})
    first, second = said(capsys, place).splitlines()
    assert first.split()[:2] == [failed.run, "undone"] and "no space left" in first
    assert second.split()[:2] == [done.run, "done"]
    told = json.loads(said(capsys, place, "show", failed.run, "--format", "json"))
    assert list(told) == [
        *("id", "operation", "subject", "state", "asked", "ended", "host", "step", "why", "left"),
        *("given", "results", "steps", "of"),
    ]
    assert [(one["name"], one["failed"]) for one in told["steps"]] == [
        ("one", ""),
        ("two", "no space left"),
        ("undo two", ""),
        ("undo one", ""),
    ]
    shown = said(capsys, place, "show", failed.run)
    assert "no space left" in shown and "never" in shown and "three" in shown


def test_what_was_interrupted_is_resumed_or_cancelled(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    first = elsewhere(place.root, "run", DIES_AT="two").said()
    assert f"shoreup runs resume {first}" in said(capsys, place)
    assert "done" in said(capsys, place, "resume", first)
    second = elsewhere(place.root, "run", DIES_AT="three").said()
    assert "cancelled" in said(capsys, place, "cancel", second)
    assert world(place.root, second)[-3:] == ["undo three", "undo two", "undo one"]
    assert run(["runs", "cancel", second, "--at", str(place.root)]) == 2
    assert "has ended (cancelled)" in capsys.readouterr().err


def test_what_waits_for_a_worker_is_not_resumed(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with executing(place) as executor:
        queued = executor.queue(executor.asked("write", "files", {}, waits=True))
    assert "waiting" in said(capsys, place)
    assert run(["runs", "resume", queued, "--at", str(place.root)]) == 2
    assert "shoreup worker" in capsys.readouterr().err
    assert "being cancelled" in said(capsys, place, "cancel", queued)


def test_help_needs_no_workflow_library() -> None:
    script = "import sys; from shoreup.cli.main import run; run(['runs', '--help']); print('dbos' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "False"
