"""Which tags move: branches and channels, never one build of them."""

from __future__ import annotations

import pytest

from shoreup.facts.products import with_products
from shoreup.facts.versions.images import read_image
from shoreup.facts.versions.tags import Movement, is_branch, movement
from shoreup.model.finding import Place
from shoreup.model.value import Unknown, join_text

PRODUCTS = with_products()


@pytest.mark.parametrize(
    "tag",
    ["main", "master", "stable", "nightly", "edge", "16-master", "stable-alpine", "main-cuda", "release", "3.19-dev"],
)
def test_a_branch_or_channel_moves(tag: str) -> None:
    assert is_branch(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "1.2.3",
        "1.2.3-dev",
        "main-4f2c9d1",
        "nightly-20260801",
        "master-1842",
        "sha-4f2c9d1",
        "v1.124.2-cuda",
        "2.0-beta",
        "alpine",
        "mainframe",
        "20260801-nightly",
    ],
)
def test_one_build_does_not(tag: str) -> None:
    assert not is_branch(tag)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("nginx", "latest"),
        ("nginx:latest", "latest"),
        ("ghcr.io/example/app:main", "branch"),
        ("redis:7-alpine", "floating"),
        ("postgres:16", "floating"),
        ("postgres:16.4", None),
        ("ghcr.io/example/app:7", None),
        ("nginx:latest@sha256:" + "0123456789abcdef" * 4, None),
    ],
)
def test_how_an_image_moves(reference: str, expected: Movement | None) -> None:
    assert movement(read_image(reference, Place(), PRODUCTS), PRODUCTS) == expected


def test_a_tag_that_is_not_decided_is_not_said_to_move() -> None:
    reference = join_text(["ghcr.io/example/app:", Unknown("the variable tag has no value")])
    assert movement(read_image(reference, Place(), PRODUCTS), PRODUCTS) is None
