"""What an image reference says, and what it leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.products import product_from_mapping, with_products
from shoreup.facts.versions.images import parse, read_image
from shoreup.model.finding import Place
from shoreup.model.value import PartialText, Unknown, Value, join_text

WHY = Unknown("a variable without a value")
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", None, None),
        ("nginx:1.29", "docker.io", "library/nginx", "1.29", None),
        ("bitnami/redis:7.4.1", "docker.io", "bitnami/redis", "7.4.1", None),
        ("index.docker.io/library/nginx:1", "docker.io", "library/nginx", "1", None),
        ("docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("localhost/app:1", "localhost", "app", "1", None),
        ("localhost:5000/app", "localhost:5000", "app", None, None),
        ("Registry.example.com:5000/a/b/c:v1", "registry.example.com:5000", "a/b/c", "v1", None),
        (f"ghcr.io/a/b@{DIGEST}", "ghcr.io", "a/b", None, DIGEST),
        (f"ghcr.io/a/b:1.2@{DIGEST}", "ghcr.io", "a/b", "1.2", DIGEST),
    ],
)
def test_a_reference_has_its_parts(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = parse(text)
    assert (found.registry, found.repository, found.tag, found.digest) == (registry, repository, tag, digest)


@pytest.mark.parametrize(
    ("value", "tag", "digest"),
    [
        (PartialText((WHY, "/app:1.2")), "1.2", None),
        (PartialText((WHY, "/app")), None, None),
        (PartialText((WHY, ":1.2")), "1.2", None),
        (PartialText((WHY, f"@{DIGEST}")), WHY, DIGEST),
        (PartialText(("app:", WHY)), WHY, WHY),
        (PartialText(("app:1.2", WHY)), WHY, WHY),
        (PartialText(("app", WHY)), WHY, WHY),
        (PartialText(("app:", WHY, "-alpine")), WHY, None),
        (PartialText(("reg/", WHY, "/app")), None, None),
        (PartialText(("app:", WHY, f"@{DIGEST}")), WHY, DIGEST),
        (WHY, WHY, WHY),
    ],
)
def test_an_unknown_part_opens_no_more_than_it_must(value: Value, tag: object, digest: object) -> None:
    found = parse(value)
    assert (found.tag, found.digest) == (tag, digest)


@pytest.mark.parametrize("text", ["${REGISTRY}/app:1.2", "{{ .Values.registry }}/app:1.2", "$(REGISTRY)/app:1.2"])
def test_a_placeholder_is_as_open_as_a_variable(text: str) -> None:
    found = parse(text)
    assert (found.registry, found.tag) == ("*", "1.2")
    assert found.tag_chars is not None
    assert text[slice(*found.tag_chars)] == "1.2"


@pytest.mark.parametrize("value", [None, "", "  ", "not an image", {"repository": "a"}, [], True])
def test_what_is_no_reference_decides_nothing(value: Value) -> None:
    assert isinstance(parse(value).tag, Unknown)


NAMES = st.text("abz0-", min_size=1, max_size=6)
PARTS = st.lists(st.one_of(st.text("ab/:@.1$\0 {", max_size=6), st.just(WHY)), max_size=5)


@given(st.lists(NAMES, min_size=1, max_size=3), st.one_of(st.none(), NAMES), st.integers(0, 2))
def test_the_characters_of_the_tag_are_the_tag(path: list[str], tag: str | None, lead: int) -> None:
    text = " " * lead + "/".join(path) + (f":{tag}" if tag else "")
    found = parse(text)
    assert found.tag == tag
    if found.tag_chars is not None:
        assert text[slice(*found.tag_chars)] == tag


@given(PARTS)
def test_any_text_is_read_and_the_tag_stands_where_it_says(parts: list[str | Unknown]) -> None:
    value = join_text(parts)
    found = parse(value)
    if found.tag_chars is not None:
        known = value if isinstance(value, str) else "".join(part for part in parts if isinstance(part, str))
        assert known[slice(*found.tag_chars)] == found.tag


@pytest.mark.parametrize(
    ("text", "product", "version"),
    [
        ("postgres:16.2-alpine", "postgresql", "16.2"),
        ("postgres:18beta1", "postgresql", "18beta1"),
        ("postgres:alpine", "postgresql", ""),
        ("ghcr.io/cloudnative-pg/postgresql:16.4", "postgresql", "16.4"),
        ("pgvector/pgvector:pg16", "postgresql", "16"),
        ("pgvector/pgvector:0.8.0-pg17-trixie", "postgresql", "17"),
        ("timescale/timescaledb:2.14.2-pg15", "postgresql", "15"),
        ("bitnami/postgresql:15.3.0-debian-11-r7", "postgresql", "15.3.0"),
        ("tensorchord/pgvecto-rs:pg14-v0.2.0", "postgresql", "14"),
        ("ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0", "postgresql", "14"),
        ("registry.opensource.zalan.do/acid/spilo-15:3.0-p1", "postgresql", "15"),
        ("mirror.gcr.io/redis:7.4", "redis", "7.4"),
        ("mirror.gcr.io/grafana/grafana:12.1.0", "grafana", "12.1.0"),
        ("public.ecr.aws/docker/library/eclipse-mosquitto:2.0.22", "mosquitto", "2.0.22"),
        ("harbor.example.com/hub/library/mysql:8.4", "mysql", "8.4"),
        ("traefik:v3.5.2", "traefik", "3.5.2"),
        ("ghcr.io/berriai/litellm-database:main-v1.80.0", "litellm", ""),
        ("registry.example.com/postgres:16", "", ""),
        ("ghcr.io/example/app:1.0", "", ""),
    ],
)
def test_products_and_their_versions(text: str, product: str, version: str) -> None:
    image = read_image(text, Place(), with_products())
    assert (image.product, image.version) == (product, version)


def test_an_unknown_registry_hides_a_single_name_but_not_a_well_known_path() -> None:
    products = with_products()
    assert read_image(PartialText((WHY, "/postgres:16")), Place(), products).product == ""
    assert read_image(PartialText((WHY, "/bitnami/postgresql:16.1.0")), Place(), products).product == "postgresql"


def test_an_owner_adds_a_product_or_replaces_one() -> None:
    own = product_from_mapping(
        {
            "id": "postgresql",
            "title": "Our PostgreSQL",
            "kind": "database",
            "images": {"registry.example.com/postgres": ""},
            "source": "our own registry",
            "support": "postgresql",
        }
    )
    products = with_products([own])
    assert read_image("registry.example.com/postgres:16", Place(), products).product == "postgresql"
    assert read_image("postgres:16", Place(), products).product == ""
    with pytest.raises(ValueError, match="titel"):
        product_from_mapping({"id": "x", "titel": "X", "kind": "app", "images": {}, "source": "", "title": ""})
