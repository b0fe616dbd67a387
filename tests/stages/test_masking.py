"""Evidence shows names and structure, and never a secret."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.stages.auditing.masking import MASK, masked

PLACES = [
    'db_password = "{}"',
    "password: {}",
    "password: '{}' # rotate some day",
    '"apiKey": "{}",',
    "- --requirepass={}",
    'command = ["redis-server", "--requirepass", "{}"]',
    'args: ["sh", "-c", "mysqldump -u root -p{} shop"]',
    'args: ["sh", "-c", "PGPASSWORD={} pg_dump shop"]',
    "export API_TOKEN={}",
    'url = "postgres://shop:{}@db.example.org/shop"',
    'curl -H "Authorization: Bearer {}" https://example.org',
    'env {{\n  name  = "DB_PASSWORD"\n  value = "{}"\n}}',
    "- name: DB_PASSWORD\n  value: {}",
    "- value: {}\n  name: DB_PASSWORD",
    'variable "db_password" {{\n  default = "{}"\n}}',
    "kind: Secret\nmetadata:\n  name: db\nstringData:\n  a: {}",
    "---\nkind: Secret\ndata:\n  name: {}",
    "kind: Secret\ndata:\n  a: |\n    first line\n    {}",
    "password: |\n  {}",
    "tokens:\n  - {}",
    "tokens:\n  - one\n  - '{}'",
    "key: |\n  -----BEGIN PRIVATE KEY-----\n  {}\n  -----END PRIVATE KEY-----",
    "smtp_auth = <<-EOT\n  user {}\nEOT",
    "x: ${{var.password}}-{}",
]


@pytest.mark.parametrize("secret", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_hidden_wherever_it_stands(place: str, secret: bool) -> None:
    text = place.format("hunter2horse")
    shown = masked(text, [range(1, 20)], secret=secret)
    assert len(shown) == text.count("\n") + 1
    assert "hunter2" not in "\n".join(shown.values())


@given(st.sampled_from(PLACES), st.text(string.ascii_letters + string.digits + "+/_.", min_size=8, max_size=40))
def test_whatever_it_looks_like(place: str, word: str) -> None:
    value = f"q9{word}"
    shown = "\n".join(masked(place.format(value), [range(1, 20)], secret=False).values())
    assert value not in shown


@pytest.mark.parametrize(
    "line",
    [
        'image = "postgres:16.4"',
        "image: ghcr.io/example/keycloak:26.0@sha256:" + "0123456789abcdef" * 4,
        "replicas: 1",
        'name: "authelia"',
        "secretName: shop-database",
        "- name: DB_PASSWORD",
        "api_key = var.api_key",
        "name = kubernetes_service_account_v1.housekeeper.metadata[0].name",
        'password = "${random_password.db.result}"',
        'resource "kubernetes_secret" "db" {',
        "mysqldump --single-transaction shop > /backup/shop.sql",
        'mysqldump -u root -p"$PASSWORD" shop',
        "kind: ExternalSecret",
        'path = "/var/lib/postgresql/data"',
        "---",
        "",
    ],
)
def test_what_is_evidence_stays(line: str) -> None:
    assert masked(line, [range(1, 2)], secret=False) == {1: line}


def test_evidence_about_a_secret_shows_no_literal_at_all() -> None:
    text = 'data = {\n  COLOUR = "something"\n  other  = var.colour\n}'
    shown = masked(text, [range(1, 10)], secret=True)
    assert shown[2] == f'  COLOUR = "{MASK}"'
    assert shown[3] == "  other  = var.colour"


def test_lines_outside_of_the_file_are_left_out() -> None:
    assert masked("a\nb", [range(-3, 50)], secret=False) == {1: "a", 2: "b"}


@given(st.text(alphabet=st.characters(exclude_categories=())), st.booleans())
def test_no_text_breaks_it(text: str, secret: bool) -> None:
    masked(text, [range(1, 30)], secret=secret)


def test_labels_and_words_of_the_scheduler_are_no_secrets() -> None:
    text = (
        'topology_key = "kubernetes.io/hostname"\n'
        "- key: node.kubernetes.io/unreachable\n"
        "  operator: Exists\n"
        "  effect: NoExecute\n"
        "- key: hunter2hunter2\n"
        "  operator: hunter2\n"
    )
    said = masked(text, [range(1, 8)], secret=False)
    assert [said[number] for number in range(1, 5)] == text.split("\n")[:4]
    assert "hunter2" not in "".join(said.values())
