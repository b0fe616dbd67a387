"""Asking a Prometheus over HTTP: credentials from the environment alone, and every bad answer is one sentence."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shoreup.live.prometheus import Prometheus, PrometheusError
from shoreup.model.errors import UserError

GOOD = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2.5"]}]}}


class Double(ThreadingHTTPServer):
    """A server that says what it is told to, and remembers what it was sent."""

    status = 200
    body = json.dumps(GOOD).encode()
    seen: str | None = None


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Double)
        server.seen = self.headers.get("Authorization")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(server.status)
        self.send_header("Location", "http://192.0.2.1/")
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(double: Double, environment: dict[str, str] | None = None) -> dict[str, float]:
    with Prometheus(f"http://127.0.0.1:{double.server_port}/prometheus/", environment or {}) as server:
        return dict(server.by_container("up", 1.0))


def test_an_answer_is_a_number_by_container(double: Double) -> None:
    assert ask(double) == {"": 2.5}
    assert double.seen is None


def test_credentials_come_from_the_environment(double: Double, tmp_path: Path) -> None:
    ask(double, {"SHOREUP_PROMETHEUS_TOKEN": "word"})
    assert double.seen == "Bearer word"
    (tmp_path / "token").write_text("from-file\n", encoding="utf-8")
    ask(double, {"SHOREUP_PROMETHEUS_TOKEN_FILE": str(tmp_path / "token")})
    assert double.seen == "Bearer from-file"
    ask(double, {"SHOREUP_PROMETHEUS_USER": "me", "SHOREUP_PROMETHEUS_PASSWORD": "pw"})
    assert double.seen == f"Basic {base64.b64encode(b'me:pw').decode()}"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, b"", "wants a log-in"),
        (302, b"", "sends elsewhere"),
        (200, b"<html>", "not as Prometheus does"),
        (200, b"[]", "not as Prometheus does"),
        (200, b'{"status": "success", "data": {"resultType": "matrix", "result": []}}', "does not"),
        (200, b'{"status": "success", "data": {"resultType": "vector", "result": [{"value": 3}]}}', "does not"),
        (422, b'{"status": "error", "error": "too many samples"}', "422: too many samples"),
        (200, b"x" * (17 * 1024 * 1024), "more than 16 MiB"),
    ],
)
def test_a_bad_answer_is_one_sentence(double: Double, status: int, body: bytes, why: str) -> None:
    double.status, double.body = status, body
    with pytest.raises(PrometheusError, match=why):
        ask(double, {"SHOREUP_PROMETHEUS_TOKEN": "word"})


def test_no_number_is_no_answer(double: Double) -> None:
    sample = {"metric": {"container": "a"}, "value": [1, "NaN"]}
    double.body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [sample]}}).encode()
    assert ask(double) == {}


@pytest.mark.parametrize("url", ["", "prometheus:9090", "file:///etc/passwd", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="no address"):
        Prometheus(url, {})


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UserError) as refused:
        Prometheus("http://me:hunter2@prometheus.example", {})
    assert "hunter2" not in str(refused.value)


def test_a_token_that_no_header_may_hold_is_refused() -> None:
    with pytest.raises(UserError, match="no token"):
        Prometheus("http://prometheus.example", {"SHOREUP_PROMETHEUS_TOKEN": "a\nb"})
