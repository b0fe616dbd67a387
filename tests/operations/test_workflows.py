"""What was begun goes on, whatever happens to the process that began it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from operating import carried, elsewhere, executing, world
from shoreup.model.errors import UserError
from shoreup.model.run import State
from shoreup.operations.inheritance import adopt, resume
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import Place, locate
from shoreup.operations.steps import Operation, Step
from shoreup.operations.workflows import Executor


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The runs of an empty estate."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "estate"
    root.mkdir()
    return locate(root)


def killed(place: Place, at: str) -> str:
    """A run whose process was killed in the middle of a step."""
    process = elsewhere(place.root, "run", DIES_AT=at)
    assert process.code() == -signal.SIGKILL
    return process.said()


def test_a_run_that_was_killed_goes_on_with_the_step_in_which_it_was(place: Place) -> None:
    run = killed(place, "two")
    with executing(place) as executor:
        assert executor.runs.one(run).state is State.INTERRUPTED
        resume(executor, run)
        assert executor.wait(run).ended is Ended.DONE
    assert world(place.root, run) == ["one", "two", "two", "three"]


def test_the_next_run_on_this_machine_finds_what_the_dead_have_left(place: Place) -> None:
    run = killed(place, "three")
    with executing(place) as executor:
        assert adopt(executor) == (run,)
        assert executor.wait(run).ended is Ended.DONE
        assert adopt(executor) == ()
    assert world(place.root, run) == ["one", "two", "three", "three"]


def test_a_step_that_fails_is_undone_with_those_before_it(place: Place) -> None:
    done = carried(place, {"fails": "two"})
    assert (done.ended, done.step, done.why) == (Ended.UNDONE, "two", "no space left")
    assert world(place.root, done.run) == ["one", "two", "undo two", "undo one"]


def test_what_cannot_be_undone_is_named(place: Place) -> None:
    done = carried(place, {"fails": "three", "stuck": "two"})
    assert (done.ended, done.left) == (Ended.STUCK, ("two (busy; two is taken back)",))
    assert world(place.root, done.run)[-3:] == ["undo three", "undo two", "undo one"]


def test_a_run_that_is_to_be_cancelled_is_undone_before_its_next_step(place: Place) -> None:
    run = killed(place, "two")
    with executing(place) as executor:
        executor.records.wish_cancelled(run)
        resume(executor, run)
        done = executor.wait(run)
        assert executor.runs.one(run).state is State.CANCELLED
    assert (done.ended, done.step) == (Ended.CANCELLED, "two")
    assert world(place.root, run) == ["one", "two", "undo two", "undo one"]


def test_of_two_on_one_subject_one_is_refused_until_the_other_has_ended(place: Place) -> None:
    run = killed(place, "one")
    with executing(place) as executor:
        refused = executor.wait(executor.begin(executor.asked("write", "files", {})))
        assert (refused.ended, run in refused.why) == (Ended.REFUSED, True)
        assert executor.wait(executor.begin(executor.asked("write", "other files", {}))).ended is Ended.DONE
        resume(executor, run)
        executor.wait(run)
        assert executor.wait(executor.begin(executor.asked("write", "files", {}))).ended is Ended.DONE
    assert world(place.root, refused.run) == []


def test_a_result_that_cannot_be_kept_is_an_error_of_its_step(place: Place) -> None:
    strange = Operation("strange", (Step("odd", lambda _: float("nan"), "nothing to take back"),))
    with executing(place, lambda _: strange) as executor:
        done = executor.wait(executor.begin(executor.asked("strange", "", {})))
    assert (done.ended, done.step) == (Ended.UNDONE, "odd")


def test_a_damaged_database_says_what_to_do(place: Place) -> None:
    assert place.file is not None
    carried(place)
    place.file.write_bytes(b"torn " * 4096)
    with pytest.raises(UserError, match="move it away") as told:
        Executor(place)
    assert place.shown in told.value.message


def test_a_server_that_only_the_audited_tree_names_is_not_called(place: Place) -> None:
    far = locate(place.root, "postgresql://me:hidden@db.invalid/runs")
    with pytest.raises(UserError, match="--config") as told:
        Executor(far)
    assert "hidden" not in told.value.message
