"""Kubernetes' quantities as numbers."""

from __future__ import annotations

import pytest

from shoreup.facts.quantities import cores, flag_size, size, spoken_size
from shoreup.model.value import Unknown, Value


@pytest.mark.parametrize(
    ("written", "meant"),
    [("150m", 0.15), ("1", 1.0), (2, 2.0), (0.5, 0.5), ("1.5", 1.5), ("100u", 0.0001), ("1Gi", None), ("", None)],
)
def test_processors_are_counted_in_cores(written: Value, meant: float | None) -> None:
    assert cores(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1Ki", 1024), ("2Gi", 2 * 1024**3), ("1G", 10**9), ("1e3", 1000), (5, 5), ("0.5Mi", 524288), ("5GB", None)],
)
def test_sizes_are_counted_in_bytes(written: Value, meant: int | None) -> None:
    assert size(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("50GB", 50 * 1024**3), ("512MiB", 512 * 1024**2), ("1.5TB", 1649267441664)]
)
def test_flags_of_prometheus_count_by_1024(written: str, meant: int) -> None:
    assert flag_size(written) == meant


def test_what_is_not_decided_is_no_number() -> None:
    unknown = Unknown("a variable without a value")
    assert (cores(unknown), size(unknown), flag_size(unknown)) == (None, None, None)


@pytest.mark.parametrize(("count", "said"), [(1024, "1Ki"), (60 * 1024**3, "60Gi"), (1536, "1.5Ki"), (12, "12")])
def test_sizes_are_said_as_they_are_written(count: int, said: str) -> None:
    assert spoken_size(count) == said
