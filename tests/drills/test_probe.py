"""Probes on real servers: what fix proposes tells every state apart, and what would hurt is seen to hurt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engines_here import chosen
from shoreup.cli.main import run
from shoreup.drills.probing.patients import led
from shoreup.drills.probing.trial import Answer, Asks, ProbeSpec, State, verdict
from shoreup.engines.choosing import Wanted
from shoreup.model.proof import ProofSubject

ESTATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: store, namespace: data}}
spec:
  selector: {{matchLabels: {{app: store}}}}
  template:
    metadata: {{labels: {{app: store}}}}
    spec:
      containers:
        - name: store
          image: {image}
          ports: [{{containerPort: {port}}}]
{probes}
---
apiVersion: v1
kind: Service
metadata: {{name: store, namespace: data}}
spec: {{selector: {{app: store}}, ports: [{{port: {port}}}]}}
"""
DECLARED = """\
          readinessProbe: {{exec: {{command: [{0}]}}, timeoutSeconds: 1}}
          livenessProbe: {{exec: {{command: [{1}]}}, timeoutSeconds: 1}}
"""


def drilled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], image: str, port: int, probes: str = ""
) -> tuple[int, dict[str, object]]:
    (tmp_path / "store.yaml").write_text(ESTATE.format(image=image, port=port, probes=probes), encoding="utf-8")
    code = run(["drill", "probe", str(tmp_path), "--format", "json", "--ledger", "sqlite:///ledger.sqlite"])
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    return code, proof


@pytest.mark.parametrize(
    ("product", "image", "port"),
    [
        ("postgresql", "postgres:17.2", 5432),
        ("mariadb", "mariadb:10.11", 3306),
        ("redis", "redis:7.0", 6379),
        ("pgbouncer", "edoburu/pgbouncer:v1.18.0-p0", 5432),
    ],
)
def test_what_fix_proposes_tells_every_state_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], product: str, image: str, port: int
) -> None:
    chosen(product)
    code, proof = drilled(tmp_path, capsys, image, port)
    assert (code, proof["verdict"]) == (0, "pass"), proof["after"]
    control = proof["control"]
    assert isinstance(control, dict)
    assert control["refused"] is True


@pytest.mark.parametrize(
    ("ready", "alive", "words"),
    [
        # A full Redis says so and closes: without -e the client fails only where it reads nothing any more.
        (
            "redis-cli, ping",
            "redis-cli, -e, ping",
            ["says yes to a server that is still starting", "whose connections are all taken"],
        ),
        ("'true'", "'true'", ["the liveness probe (true) does not notice that the server hangs"]),
    ],
)
def test_a_probe_that_would_hurt_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ready: str, alive: str, words: list[str]
) -> None:
    chosen("redis")
    code, proof = drilled(tmp_path, capsys, "redis:7.0", 6379, DECLARED.format(ready, alive))
    assert (code, proof["verdict"]) == (4, "fail")
    assert [one for one in words if one not in str(proof["after"])] == []


ASKED = """\
          readinessProbe: {{httpGet: {{path: /healthz, port: 80}}, timeoutSeconds: 1}}
          livenessProbe: {0}
"""


@pytest.mark.parametrize("product", ["nginx", "haproxy", "caddy"])
def test_a_path_notices_a_web_server_that_hangs_and_a_connection_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], product: str
) -> None:
    chosen(product)
    by_path = ASKED.format("{httpGet: {path: /healthz, port: 80}, timeoutSeconds: 1}")
    code, proof = drilled(tmp_path, capsys, f"{product}:2.8", 80, by_path)
    assert (code, proof["verdict"]) == (0, "pass"), proof["after"]
    code, proof = drilled(tmp_path, capsys, f"{product}:2.8", 80, ASKED.format("{tcpSocket: {port: 80}}"))
    assert (code, proof["verdict"]) == (4, "fail")
    assert "the liveness probe (a connection) does not notice that the server hangs" in str(proof["after"])


def test_a_command_that_only_the_image_has_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen("redis")
    code, proof = drilled(tmp_path, capsys, "redis:7.0", 6379, DECLARED.format("/opt/health.sh", "/opt/health.sh"))
    assert (code, proof["verdict"]) == (5, "could-not-verify")
    assert "it is in the estate's own image" in str(proof["after"])


RIGHT = {
    "readiness": {State.STARTING: False, State.HEALTHY: True, State.FULL: False, State.HUNG: False},
    "liveness": {State.STARTING: True, State.HEALTHY: True, State.FULL: True, State.HUNG: False},
}


@pytest.mark.parametrize(
    ("name", "state", "wrong"),
    [
        ("readiness", State.STARTING, True),
        ("readiness", State.HEALTHY, True),
        ("readiness", State.FULL, False),
        ("readiness", State.HUNG, True),
        ("liveness", State.STARTING, True),
        ("liveness", State.HEALTHY, True),
        ("liveness", State.FULL, True),
        ("liveness", State.HUNG, True),
    ],
)
def test_each_answer_that_would_hurt_is_told(name: str, state: State, wrong: bool) -> None:
    ready, alive = Asks(("ready",), 1.0), Asks(("alive",), 1.0)
    spec = ProbeSpec(ProofSubject(), Wanted("redis"), ready, alive, held_back=False, inputs={})
    both = {"readiness": ready, "liveness": alive}
    answers = {(both[whose], at): Answer(said, 0.0) for whose, row in RIGHT.items() for at, said in row.items()}
    assert verdict(spec, answers) == []
    answers[both[name], state] = Answer(not RIGHT[name][state], 0.0)
    assert len(verdict(spec, answers)) == wrong


def test_a_startup_probe_holds_a_liveness_probe_back() -> None:
    alive = Asks(("alive",), 1.0)
    answers = {(alive, state): Answer(state is State.HEALTHY or state is State.FULL, 0.0) for state in State}
    for held, count in ((True, 0), (False, 1)):
        spec = ProbeSpec(ProofSubject(), Wanted("redis"), None, alive, held_back=held, inputs={})
        assert len(verdict(spec, answers)) == count


@pytest.mark.parametrize(
    ("words", "led_to"),
    [
        (["redis-cli", "-h", "127.0.0.1", "ping"], ["redis-cli", "-s", "/s", "ping"]),
        (["sh", "-c", "redis-cli -p 6379 ping | grep PONG"], ["sh", "-c", "redis-cli -s /s ping | grep PONG"]),
        (["/bin/sh", "-c", "/usr/bin/redis-cli ping"], ["/bin/sh", "-c", "/usr/bin/redis-cli -s /s ping"]),
        (["sh", "-c", "my-redis-cli-wrapper"], ["sh", "-c", "my-redis-cli-wrapper"]),
    ],
)
def test_a_command_is_led_to_the_scratch_server(words: list[str], led_to: list[str]) -> None:
    assert led(words, {"redis-cli": ["-s", "/s"]}, ("-h", "-p")) == led_to
