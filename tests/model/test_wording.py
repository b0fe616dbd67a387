"""What a sentence says of many."""

from __future__ import annotations

import pytest

from shoreup.model.wording import some


@pytest.mark.parametrize(
    ("names", "between", "said"),
    [
        ([], ", ", ""),
        (["a"], ", ", "a"),
        (["a", "b"], ", ", "a, b"),
        (["a", "b", "c"], ", ", "a, b and 1 more"),
        ([1, 2, 3, 4], "; ", "1; 2; and 2 more"),
    ],
)
def test_the_first_and_how_many_more(names: list[object], between: str, said: str) -> None:
    assert some(names, 2, between=between) == said
