"""Steps in their order, and the way back when one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shoreup.operations.steps import Operation, Plain, Run, Step, Undone, carry_out


def operation(world: list[str], *, fails: str = "", stuck: str = "") -> Operation:
    """Three steps that write what they do into the world, of which some fail."""

    def step(name: str) -> Step:
        def does(run: Run) -> Plain:
            world.append(name)
            if name == fails:
                raise OSError("no space left")
            return " ".join(sorted(run.results))

        def undoes(run: Run) -> None:
            if name == stuck:
                raise OSError("busy")
            world.append(f"undo {name}")

        return Step(name, does, "what was written is removed", undoes)

    return Operation("write", tuple(step(name) for name in ("one", "two", "three")))


def test_each_step_knows_what_those_before_it_gave(tmp_path: Path) -> None:
    world: list[str] = []
    results = carry_out(operation(world), Run("r", {}, tmp_path))
    assert world == ["one", "two", "three"]
    assert results["three"] == "one two"


def test_a_failure_takes_back_what_was_done_from_the_last_to_the_first(tmp_path: Path) -> None:
    world: list[str] = []
    with pytest.raises(Undone, match="two: no space left") as told:
        carry_out(operation(world, fails="two"), Run("r", {}, tmp_path))
    assert world == ["one", "two", "undo two", "undo one"]
    assert (told.value.step, told.value.left) == ("two", ())


def test_what_cannot_be_taken_back_is_named_and_the_rest_is(tmp_path: Path) -> None:
    world: list[str] = []
    with pytest.raises(Undone) as told:
        carry_out(operation(world, fails="three", stuck="two"), Run("r", {}, tmp_path))
    assert world == ["one", "two", "three", "undo three", "undo one"]
    assert told.value.left == ("two (busy; what was written is removed)",)


def test_who_executes_may_remember(tmp_path: Path) -> None:
    world: list[str] = []
    kept: dict[str, Plain] = {}

    def remembered(name: str, work: Callable[[], Plain]) -> Plain:
        if name not in kept:
            kept[name] = work()
        return kept[name]

    first = carry_out(operation(world), Run("r", {}, tmp_path), remembered)
    assert carry_out(operation(world), Run("r", {}, tmp_path), remembered) == first
    assert world == ["one", "two", "three"]
