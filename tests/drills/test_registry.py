"""Drills are found by import, and what they say of themselves agrees with everything else."""

from __future__ import annotations

from shoreup.concerns.registry import all_concerns
from shoreup.drills.registry import experiments
from shoreup.facts.proofs import Drill

CONCERNS = {concern.id for concern in all_concerns()}


def test_every_drill_is_found_in_the_file_of_its_name() -> None:
    assert Drill.RESTORE in {one.drill for one in experiments()}
    for one in experiments():
        assert type(one).__module__ == f"shoreup.drills.{one.drill.value.replace('-', '_')}"


def test_a_drill_answers_concerns_that_there_are() -> None:
    for one in experiments():
        assert one.proves <= CONCERNS
        assert one.title
        assert one.nothing.endswith(".")
