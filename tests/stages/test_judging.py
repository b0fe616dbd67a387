"""Who asks the concerns: one process or two, and which of the two."""

from __future__ import annotations

from dataclasses import replace  # noqa: TID251  # an estate is one
from datetime import date
from pathlib import Path
from typing import NoReturn

import pytest

from shoreup.concerns.registry import all_concerns
from shoreup.facts.estate import Estate
from shoreup.facts.programs import scripts
from shoreup.facts.wiring import reading as wiring
from shoreup.formats.files import FileTree
from shoreup.stages.auditing import judging
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "homelab"


@pytest.fixture(scope="module")
def homelab() -> Estate:
    reading = read(FileTree(EXAMPLE), None, lambda *_: None)
    return understood(reading, Asked(all_concerns(), date(2026, 11, 23)))


def test_two_processes_say_what_one_says(homelab: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "WORTH_IT", len(homelab.resources) + 1)
    alone = judging.judge(homelab, all_concerns())
    monkeypatch.setattr(judging, "WORTH_IT", 0)
    shared = judging.judge(homelab, all_concerns())
    assert alone.drafts and alone.unproven and not alone.errors
    assert repr(shared) == repr(alone)


def test_what_a_dead_second_process_should_have_asked_is_asked_here(
    homelab: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = judging.judge(homelab, all_concerns())
    monkeypatch.setattr(judging, "WORTH_IT", 0)
    monkeypatch.setattr(judging, "_second", lambda *_: None)
    assert repr(judging.judge(homelab, all_concerns())) == repr(alone)


class _Asked(BaseException):
    """Nobody takes it for a concern's mistake."""


def _asked(*_: object) -> NoReturn:
    raise _Asked


def test_who_asks_for_what_takes_long_says_so(homelab: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "_shell", _asked)
    monkeypatch.setattr(scripts, "_python", _asked)
    monkeypatch.setattr(wiring, "_wiring", _asked)
    asking = replace(homelab, find_backups=_asked)
    silent: set[str] = set()
    for kind in all_concerns():
        try:
            list(kind().check(asking))
        except _Asked:
            if not kind.slow_facts:
                silent.add(kind.id)
    assert silent == set(), "these ask for backups, programs or the wiring: their slow_facts must say so"
