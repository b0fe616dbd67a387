"""Taints and tolerations, as the scheduler compares them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shoreup.facts.scheduling.placement import tolerates
from shoreup.model.value import Unknown, Value

TAINT: Mapping[str, Value] = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "nvidia.com/gpu", "operator": "Exists"},
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "nvidia.com/gpu", "value": "present"},
        {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": ""},
    ],
)
def test_a_toleration_that_covers_the_taint(toleration: Mapping[str, Value]) -> None:
    assert tolerates(toleration, TAINT) is True


@pytest.mark.parametrize(
    "toleration",
    [
        {},
        {"key": "nvidia.com/gpu"},
        {"key": "nvidia.com/gpu", "value": "absent"},
        {"key": "dedicated", "operator": "Exists"},
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"},
    ],
)
def test_a_toleration_of_another_taint_covers_nothing(toleration: Mapping[str, Value]) -> None:
    assert tolerates(toleration, TAINT) is False


def test_what_is_not_decided_stays_open_unless_the_rest_rules_it_out() -> None:
    assert tolerates({"key": Unknown("var.key"), "operator": "Exists"}, TAINT) is None
    assert tolerates({"key": Unknown("var.key"), "operator": "Exists", "effect": "NoExecute"}, TAINT) is False
