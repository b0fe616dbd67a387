"""What a plan says before anything is looked into."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.cli.main import run

COMPOSE = "services:\n  db:\n    image: postgres%s\n    volumes: [./data:/var/lib/postgresql/data]\n"


@pytest.mark.parametrize(
    ("tag", "to", "code", "words"),
    [
        (":15.6", "14", 4, "no way from version 15.6 to 14"),
        (":15.6", "15", 4, "no way from version 15.6 to 15"),
        (":15.6", "17", 0, "PostgreSQL 15.6 -> 17"),
        ("", "17", 0, "Which version runs is not known."),
    ],
)
def test_a_plan_names_a_way_only_where_there_is_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tag: str,
    to: str,
    code: int,
    words: str,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "compose.yaml").write_text(COMPOSE % tag, encoding="utf-8")
    assert run(["upgrade", "postgres", "plan", str(tmp_path), "--to", to]) == code
    assert words in " ".join(capsys.readouterr().out.split())
