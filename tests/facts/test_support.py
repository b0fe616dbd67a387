"""Until when a version is supported, by the bundled data set."""

from __future__ import annotations

from datetime import date

import pytest

from shoreup.facts.products import with_products
from shoreup.facts.versions.support import Cycle, Support, support

PRODUCTS = with_products()
TODAY = date(2026, 11, 23)


def known(product: str, version: str, today: date = TODAY) -> Support | None:
    entry = PRODUCTS.get(product)
    assert entry is not None
    return support(entry, version, today)


def certain(product: str, version: str, today: date = TODAY) -> Support:
    found = known(product, version, today)
    assert found is not None
    return found


def test_mysql_9_2_is_an_innovation_release_out_of_support_since_april_2025() -> None:
    found = certain("mysql", "9.2.0")
    assert found.kind == "short-lived"
    assert not found.supported
    assert found.cycle is not None
    assert found.cycle.end is not None
    assert (found.cycle.end.year, found.cycle.end.month) == (2025, 4)
    product = PRODUCTS.get("mysql")
    assert product is not None
    assert product.short_lived == "innovation release"


def test_what_comes_next_is_never_short_lived_and_never_older() -> None:
    assert [line.name for line in certain("mysql", "9.2").successors] == ["9.7"]
    assert certain("mysql", "8.0").successors[0].name == "8.4"
    assert all(line.long_term for line in certain("mariadb", "11.7").successors)


@pytest.mark.parametrize(
    ("product", "version", "supported"),
    [
        ("postgresql", "16.2", True),
        ("postgresql", "12", False),
        ("postgresql", "8.0", False),
        ("mysql", "8.4.6", True),
        ("mysql", "5.7.44", False),
        ("redis", "7", True),
        ("redis", "6.0.20", False),
        ("nextcloud", "28", False),
        ("elasticsearch", "7.17.28", False),
        ("rabbitmq", "3", False),
    ],
)
def test_a_release_is_supported_or_is_not(product: str, version: str, supported: bool) -> None:
    assert certain(product, version).supported is supported


def test_support_ends_after_its_last_day() -> None:
    assert certain("postgresql", "14.5", date(2026, 11, 12)).supported
    assert not certain("postgresql", "14.5", date(2026, 11, 13)).supported


def test_a_version_newer_than_the_data_is_undecided() -> None:
    assert known("postgresql", "42") is None
    assert known("postgresql", "") is None


def test_a_candidate_is_one_whether_its_line_is_out_or_not() -> None:
    found = certain("postgresql", "18beta1")
    assert found.kind == "candidate"
    assert [line.name for line in found.successors] == ["18"]
    assert certain("postgresql", "43rc1").kind == "candidate"


def test_an_owner_knows_better() -> None:
    entry = PRODUCTS.get("postgresql")
    assert entry is not None
    bought = (Cycle("12", date(2019, 10, 3), date(2029, 12, 31), False, True, "12.22"),)
    found = support(entry, "12.18", TODAY, {"postgresql": bought})
    assert found is not None
    assert found.supported
