"""What ``shoreup fix`` says of what it left alone: the reason of each, and no more text than a person can read."""

from __future__ import annotations

import pytest

from accounts import finding
from shoreup.model.amendment import Amendment, Applied, NotFixed
from shoreup.model.edit import Impact
from shoreup.model.finding import Safety
from shoreup.report.amendment import FEW, render

TEXT = "image: <name>:<version>"


def left(count: int) -> str:
    """What is said where the texts of so many concerns are left to a person."""
    ones = tuple(
        NotFixed(finding(concern=f"concern-{number}"), "a person has to decide", TEXT) for number in range(count)
    )
    return render(Amendment(not_fixed=ones))


@pytest.mark.parametrize("count", [1, FEW])
def test_the_texts_of_few_concerns_are_shown(count: int) -> None:
    assert left(count).count(TEXT) == count


def test_those_of_many_are_named_and_every_reason_stays() -> None:
    said = left(FEW + 1)
    assert TEXT not in said
    assert said.count("a person has to decide") == FEW + 1
    assert "'shoreup fix --select ID' shows it" in " ".join(said.split())


def test_what_unsafe_would_cure_is_counted() -> None:
    said = render(Amendment(not_fixed=(NotFixed(finding(), "unsafe: pods restart; --unsafe makes it", ""),)))
    assert "--unsafe cures 1 more." in said
    assert "--unsafe cures" not in left(1)


def cured(concern: str, *opens: str) -> Applied:
    """A finding that an edit cures."""
    return Applied(
        finding=finding(concern=concern),
        title=f"Edit {concern}",
        safety=Safety.UNSAFE,
        reason="it begins to count",
        impact=Impact.NONE,
        files=("a.yaml",),
        opens=opens,
    )


def test_what_comes_up_with_an_edit_is_counted_and_told_from_what_is_cured_too() -> None:
    applied = (cured("field-unknown", "pdb-missing", "replicas-colocated"), cured("pdb-missing"))
    said = " ".join(render(Amendment(applied=applied, before={"high": 3}, after={"medium": 3})).split())
    assert "It opens pdb-missing. It opens replicas-colocated, which these edits do not cure." in said
    assert "2 of 5 findings are cured by these edits, which let 2 of them come up; 3 are left." in said


def test_where_nothing_comes_up_what_was_there_is_what_is_cured_and_left() -> None:
    said = " ".join(render(Amendment(applied=(cured("pdb-missing"),), before={"high": 3}, after={"high": 2})).split())
    assert "1 of 3 findings are cured by these edits, 2 are left." in said


def test_what_several_edits_may_have_opened_is_said_once() -> None:
    applied = (cured("field-unknown", "reference-dangling"), cured("image-tag-latest", "reference-dangling"))
    said = " ".join(render(Amendment(applied=applied, before={"high": 2}, after={"high": 1})).split())
    assert "Some of these open reference-dangling, which these edits do not cure." in said
    assert said.count("reference-dangling") == 1
