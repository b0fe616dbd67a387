"""An unknown anywhere crashes nothing, nor does a value of a wrong type.

Estates are written by strangers and read before any apply: a field may be undecided, absent, empty or nonsense. Facts
and concerns then say less; they never fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from shoreup.concerns.registry import all_concerns
from shoreup.facts.build import Extras, build
from shoreup.formats.files import FileTree
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.stages.auditing.extras import extras
from shoreup.stages.auditing.reading import Reading, read

EXAMPLE = Path(__file__).parents[2] / "examples" / "homelab"
STRANGE: Sequence[Value] = (
    Unknown("a test"),
    Unknown("a test"),
    PartialText(("a", Unknown("a test"))),
    PartialText((Unknown("a test"), ":b")),
    None,
    [],
    {},
    3,
    -1,
    0.5,
    True,
    "",
    "x",
    "*",
    "a/b:c@d",
    [Unknown("a test")],
    [None],
    [[]],
    {"x": Unknown("a test")},
)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read(FileTree(EXAMPLE), None, lambda *_: None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.003, 0.02, 0.1])
def test_strange_values_anywhere_crash_nothing(reading: Reading, seed: int, share: float) -> None:
    random = Random(f"{seed} {share}")
    examine(reading, [_disturbed(resource, random, share) for resource in reading.resources])


@pytest.mark.parametrize("strange", STRANGE[2:], ids=repr)
def test_a_field_of_every_resource_may_be_anything(reading: Reading, strange: Value) -> None:
    random = Random(repr(strange))
    resources = [
        replace(resource, body={**resource.body, random.choice(sorted(resource.body)): strange})
        for resource in reading.resources
        if resource.body
    ]
    examine(reading, resources)


def examine(reading: Reading, resources: list[Resource]) -> None:
    """Build the facts and ask every concern."""
    estate = build(resources, extras(reading, Extras()))
    for concern in all_concerns():
        for said in concern().check(estate):
            assert said is not None


def _disturbed(resource: Resource, random: Random, share: float) -> Resource:
    body = _with_strange(dict(resource.body), random, share)
    return replace(resource, body=body if isinstance(body, dict) else {})


def _with_strange(value: Value, random: Random, share: float) -> Value:
    if random.random() < share:
        return random.choice(STRANGE)
    if isinstance(value, dict):
        return {key: _with_strange(item, random, share) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_strange(item, random, share) for item in value]
    return value
