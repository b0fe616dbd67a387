"""What looks like a secret and what only sounds like one. Every secret here is made up."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.secrets.recognition import (
    GAP,
    encoded_key,
    filler,
    likenesses,
    mark_of,
    open_names,
    secret_name,
    secret_path,
)

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAA\n" * 4 + "-----END"


def seen(text: str, name: str = "config") -> list[tuple[str, str]]:
    """Kind and text of each likeness."""
    return [(one.kind, text[one.start : one.end]) for one in likenesses(text, name)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (KEY, "private key"),
        ("key: AKIA" + "Q3EGRWXZ5TYHN2JM", "AWS access key"),
        ("x ghp_" + "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3bC5", "GitHub token"),
        ("xoxb-" + "123456789012-abcdefghijklmnop", "Slack token"),
        ("https://hooks.slack.com/services/" + "T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx", "Slack webhook"),
        ("admin:$2y$10$" + "abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV0123456789a", "password hash"),
        ("alice:$apr1$" + "abcdefgh$0123456789abcdefghijkl", "password hash"),
        ("PresharedKey = QJxk1eHc0v8m3L1xA9yTtq7mWb5dS2fGh4jKl6Zx8nU=", "WireGuard key"),
        ("redis://:hunter22@cache:6379/0", "password in a connection URL"),
        ("tskey-auth-" + "kAbCdEfGhI-abcdefghijklmnopqrstuvwx", "Tailscale key"),
    ],
)
def test_a_secret_is_known_by_its_form(text: str, kind: str) -> None:
    assert [one.kind for one in likenesses(text, "file")] == [kind]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("password: Sommer2019", "Sommer2019"),
        ("  api_key = 'abc123def'", "abc123def"),
        ('"clientSecret": "q1w2e3r4",', "q1w2e3r4"),
        ("SMTP_PASSWORD=hunter2", "hunter2"),
        ("export ADMIN_TOKEN=a1b2c3d4", "a1b2c3d4"),
        ("<ApiKey>0123456789abcdef0123456789abcdef</ApiKey>", "0123456789abcdef0123456789abcdef"),
        ("password: changeme # for now", "changeme"),
        ("secret_key_base: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
    ],
)
def test_a_value_is_a_secret_by_the_name_that_it_is_given(line: str, secret: str) -> None:
    assert [text for _, text in seen(f"other: thing\n{line}\n")] == [secret]


@pytest.mark.parametrize(
    "line",
    [
        "password: ${DB_PASSWORD}",
        "password: $DB_PASSWORD",
        "password: {{ .password }}",
        "password: <your password>",
        "password: your-password-here",
        "password = $__file{/run/secrets/x}",
        "password: !secret db_password",
        "password: vault:secret/data/db#password",
        "password: op://home/db/password",
        "password: ENC[AES256_GCM,data:abc=]",
        "password:",
        "password: password",
        "password: *shared",
        'password="&operhash;"',
        'password: ""',
        "password: null",
        "password: '********'",
        "password_file: /run/secrets/password",
        "passwordSecretName: db-credentials",
        "secret: grafana-oauth",
        "secretName: tls-example-com",
        "token: bearer",
        "max_tokens: 4096",
        "token_url: https://auth.example.com/token",
        "public_key: AAAAC3NzaC1lZDI1NTE5AAAAIJ8f7Zk3Qm1vX9wB2nR5tY6uI0oP4s",
        "# password: hunter2",
        "// token = a1b2c3d4",
        "url: postgres://app:${PASSWORD}@db/app",
        "url: https://example.com:8443/a@b",
        "password = os.environ['PASSWORD']",
        "token = get_token()",
        "checksum: 9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "image: app@sha256:9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0",
    ],
)
def test_what_gives_nothing_away(line: str) -> None:
    assert seen(f"other: thing\n{line}\nmore: things\n") == []


def test_random_text_counts_under_a_name_that_speaks_of_keys() -> None:
    random = "Zx8nUq7mWb5dS2fGh4jKl6QJxk1eHc0v8m3L1xA9"
    assert seen(random, "cookie_salt") == [("key", random)]
    assert seen(random, "build_id") == []


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "apiKey", "api-key", "client_secret", "AUTH_TOKEN", "privateKey"]
)
def test_names_of_secrets(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["passwordFile", "secretName", "token_ttl", "key", "publicKey", "max_token", "existingSecret", "keyboard", ""],
)
def test_names_of_other_things(name: str) -> None:
    assert not secret_name(name)


def test_files_that_hold_keys() -> None:
    assert secret_path("keys/git-crypt-key")
    assert secret_path("files/id_ed25519")
    assert not secret_path("files/id_ed25519.pub")
    assert not secret_path("templates/app.conf")


def test_a_part_that_is_not_known_is_no_secret_but_an_open_question() -> None:
    text = f"user: app\npassword: {GAP}\nurl: postgres://app:{GAP}@db/app\n"
    assert seen(text) == []
    assert [name for name, _, _ in open_names(text)] == ["password"]


def test_a_git_crypt_key_is_known_by_its_first_bytes() -> None:
    assert encoded_key("AEdJVENSWVBUS0VZAAAAAgAAAAAAAAABAAAABAAAAAA=") == "git-crypt key"
    assert encoded_key("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ") == ""
    assert encoded_key("not base64 at all!") == ""


def test_a_mark_gives_nothing_away() -> None:
    assert "hunter2" not in mark_of("hunter2")
    assert mark_of("hunter2") == mark_of("hunter2") != mark_of("hunter3")


@given(st.text(max_size=300), st.text(max_size=20))
def test_any_text_can_be_read(text: str, name: str) -> None:
    for one in likenesses(text, name):
        assert 0 <= one.start < one.end <= len(text)


@pytest.mark.parametrize(
    "piece", ["password: ", "a" * 50, " ", "://:", '"', "<a>", "-----BEGIN ", "sk-", "$", " AKIAQ3EGRWXZ5TYHN2JM"]
)
def test_a_long_text_takes_no_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    start = time.perf_counter()
    list(likenesses(text, "data"))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("value", "fills"),
    [
        ("changeme", True),
        ("CHANGE-ME-please", True),
        ("my-db-password", True),
        ("P@ssw0rd123", True),
        ("e2e_password", True),
        ("xxxx", True),
        ("Shop", True),
        ("Sommer2019!", False),
        ("kR8mQ2vL", False),
        ("1" * 4000 + "x", False),
        ("pass" * 900 + "q", False),
    ],
)
def test_what_only_fills_the_place_of_a_secret(value: str, fills: bool) -> None:
    assert filler(value, {"shop"}) is fills
