"""A star stands for anything, and nothing else for anything but itself."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.patterns import fits

NAMES = st.text(alphabet="ab/.", max_size=8)


@given(NAMES, st.text(alphabet="ab/.**", max_size=7))
def test_a_name_fits_as_it_would_with_the_standard_library(name: str, pattern: str) -> None:
    assert fits(name, pattern) == fnmatchcase(name, pattern)


def test_other_signs_mean_themselves() -> None:
    assert fits("a[b]?c", "a[b]?*")
    assert not fits("abxc", "a[b]?*")
