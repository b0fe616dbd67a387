"""Edits that could not be made, as text for a person."""

from __future__ import annotations

import yaml

from shoreup.model.edit import Append, Erase, Put, Remove
from shoreup.model.location import Span
from shoreup.model.value import Unknown, Value
from shoreup.stages.fixing.wording import worded

PROBE: Value = {"tcpSocket": {"port": 5432}, "periodSeconds": 10}


def test_a_field_is_said_with_its_way() -> None:
    text = worded([Put(0, ("spec", "containers", 0, "readinessProbe"), PROBE), Remove(0, ("spec", "x"))])
    assert text.startswith("# spec.containers.0.readinessProbe\n")
    assert text.endswith("# without spec.x")
    assert yaml.safe_load(text) == {"readinessProbe": PROBE}


def test_an_item_is_a_list() -> None:
    assert yaml.safe_load(worded([Append(0, ("spec", "tolerations"), {"effect": "NoSchedule"})])) == {
        "tolerations": [{"effect": "NoSchedule"}]
    }


def test_what_is_no_field_or_not_known_is_not_said() -> None:
    assert worded([Erase(Span("a.tf", 0, 1))]) == ""
    assert worded([Put(0, ("spec",), {"a": Unknown("later")})]) == ""


def test_a_secret_is_not_said() -> None:
    assert "hunter2hunter2" not in worded([Put(0, ("data", "password"), "hunter2hunter2")])
