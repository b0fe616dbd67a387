"""The product data says where it comes from, and agrees with itself."""

from __future__ import annotations

import re
from datetime import date

import pytest

from shoreup.facts.operators import operated, route_of
from shoreup.facts.products import Product, with_products
from shoreup.facts.versions.support import cycles, data_date

PRODUCTS = with_products()
each_product = pytest.mark.parametrize("product", PRODUCTS.by_id.values(), ids=lambda product: product.id)


def test_there_are_the_images_that_platforms_run_most() -> None:
    assert len(PRODUCTS.by_id) >= 100
    assert {"postgresql", "mysql", "mariadb", "redis", "traefik", "authentik", "nextcloud"} <= PRODUCTS.by_id.keys()


def test_the_data_is_dated() -> None:
    assert date.fromisoformat(PRODUCTS.date) >= date(2026, 1, 1)
    assert date.fromisoformat(data_date()) >= date(2026, 1, 1)


@each_product
def test_each_product_has_a_source(product: Product) -> None:
    assert product.source.startswith("https://")


@each_product
def test_each_image_is_written_out_and_its_version_pattern_names_the_version(product: Product) -> None:
    for image, pattern in product.images.items():
        assert re.fullmatch(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+\*?", image), image
        if pattern:
            assert "v" in re.compile(pattern.removeprefix("repository:")).groupindex


@each_product
def test_each_reference_to_support_dates_exists(product: Product) -> None:
    if product.support:
        assert cycles(product.support)


@each_product
def test_a_probe_says_one_way_to_ask(product: Product) -> None:
    ways = {"exec", "http", "tcp"} & product.probe.keys()
    # A command that only some images hold stands before the way in which the others are asked.
    assert len(ways) == (2 if "only" in product.probe else 1 if product.probe else 0)
    if "http" in product.probe:
        assert product.probe["http"].startswith("/")
        assert product.probe.get("port")


@each_product
def test_what_keeps_data_says_where_and_by_how_many_writers(product: Product) -> None:
    assert product.writers in {"", "one", "quorum", "many"}
    if product.kind == "database":
        assert product.lasting
        assert product.data
        assert product.writers


def test_no_image_belongs_to_two_products() -> None:
    images = [image for product in PRODUCTS.by_id.values() for image in product.images]
    assert len(images) == len(set(images))


def test_every_operated_product_is_known() -> None:
    assert not list(operated({}))
    assert route_of("spec.image") == ("spec", "image")
