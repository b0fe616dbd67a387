"""The name that a misspelt one stands for: one name, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.nearest import nearest, slips

FIELDS = ("image", "imagePullPolicy", "livenessProbe", "name", "ports", "readinessProbe", "resources", "volumeMounts")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("livenesProbe", "livenessProbe"),
        ("livenessProbes", "livenessProbe"),
        ("recources", "resources"),
        ("resuorces", "resources"),
        ("resource", "resources"),
        ("image_pull_policy", "imagePullPolicy"),
        ("imagepullpolicy", "imagePullPolicy"),
        ("Image", "image"),
        ("port", "ports"),
    ],
)
def test_a_slip_or_two_is_the_same_word(written: str, meant: str) -> None:
    assert nearest(written, FIELDS) == meant


@pytest.mark.parametrize("written", ["healthcheck", "vol", "sprt", "", "probe"])
def test_another_word_is_no_slip(written: str) -> None:
    assert nearest(written, FIELDS) == ""


def test_of_two_that_are_as_near_neither_is_meant() -> None:
    assert nearest("hostIC", ["hostIP", "hostID"]) == ""
    assert nearest("host_ip", ["hostIP", "hostIp"]) == ""


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_count_the_same_from_both_sides(one: str, other: str) -> None:
    assert slips(one, other, 9) == slips(other, one, 9)
    assert (slips(one, other, 9) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= slips(one, other, 9) <= max(len(one), len(other))
    assert slips(one, other, 1) == min(slips(one, other, 9), 2)
