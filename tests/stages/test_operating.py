"""An operation as a command asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from operating import elsewhere, executing, world
from shoreup.model.errors import UserError
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import Place, locate
from shoreup.stages.running.operating import operate


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("shoreup.operations.registry._KNOWN", {"write": "operating:writing"})
    root = tmp_path / "estate"
    root.mkdir()
    return locate(root)


def test_what_the_dead_have_left_goes_on_first(place: Place) -> None:
    left = elsewhere(place.root, "run", DIES_AT="two").said()
    heard: list[str] = []
    done = operate("write", {}, place, subject="files", say=lambda what, *_: heard.append(what))
    assert done.ended is Ended.DONE
    assert heard == [f"going on with {left}: two", f"going on with {left}: three", "one", "two", "three"]
    assert [line.split()[0] for line in world(place.root)] == [left] * 4 + [done.run] * 3


def test_what_went_wrong_is_one_sentence_that_says_what_is_left(place: Place) -> None:
    with pytest.raises(UserError, match=r"write failed at 'two' \(run .*\): no space left. What was done is undone."):
        operate("write", {"fails": "two"}, place)
    with pytest.raises(UserError, match=r"could not be undone, and needs you: two \(busy; two is taken back\)."):
        operate("write", {"fails": "three", "stuck": "two"}, place)
    with pytest.raises(UserError, match="no operation 'nothing'"):
        operate("nothing", {}, place)


def test_a_second_one_on_the_subject_is_refused_with_the_first_ones_name(place: Place) -> None:
    with executing(place) as executor:
        waiting = executor.queue(executor.asked("write", "files", {}, waits=True))
        assert executor.records.take_turn("files", waiting, executor.runs.ended) == waiting
    with pytest.raises(UserError, match=f"Run {waiting} of the same is waiting"):
        operate("write", {}, place, subject="files")
