"""What ``shoreup fix`` says of what it left alone: the reason of each, and no more text than a person can read."""

from __future__ import annotations

import pytest

from accounts import finding
from shoreup.model.amendment import Amendment, NotFixed
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
