"""A finding is explained by the lines that prove it, the ways that lead to it, and its weight."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.cli.main import run
from shoreup.model.errors import UserError
from shoreup.model.explanation import Explanation
from shoreup.model.grades import Persona
from shoreup.report import explanation
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.explanation import Question, explain

TODAY = date(2026, 11, 23)
ESTATE = """apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: web}
spec:
  replicas: 1
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: nginx:latest
          env:
            - name: API_TOKEN
              value: kT8vQ2mZ4xLr9WcB7nYs
          ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: web}
spec:
  rules:
    - host: shop.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
"""


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(ESTATE)
    return tmp_path


def mark(root: Path, concern: str) -> str:
    account = audit([root], AuditOptions(select=(concern,), cache=False, today=TODAY))
    (one,) = [*account.findings, *(one.finding for one in account.suppressed)]
    return one.fingerprint


def ask(root: Path, concern: str, length: int = 8) -> Explanation:
    return explain(Question(mark(root, concern)[:length], (root,), today=TODAY), silent)


def test_the_lines_that_prove_it_are_shown_and_marked(estate: Path) -> None:
    (excerpt, *_) = ask(estate, "image-tag-latest").excerpts
    assert excerpt.file == "shop.yaml"
    assert [(line.number, line.text.strip()) for line in excerpt.lines if line.marked] == [(12, "image: nginx:latest")]
    assert [line.number for line in excerpt.lines] == [10, 11, 12, 13, 14]


def test_no_secret_is_shown_also_not_beside_the_line(estate: Path) -> None:
    for concern in ("image-tag-latest", "secret-in-plain-text"):
        page = explanation.render(ask(estate, concern))
        assert "kT8vQ2mZ4xLr9WcB7nYs" not in page
        assert "API_TOKEN" in page


def test_the_way_from_outside_is_shown_with_its_places(estate: Path) -> None:
    found = ask(estate, "image-tag-latest")
    (way,) = found.ways
    assert [step.name for step in way] == ["shop.example.org", "Service web/shop", "Deployment web/shop"]
    assert way[1].place == "shop.yaml:22"
    assert found.ways_left == 0


def test_rank_and_reasons_are_those_of_the_audit(estate: Path) -> None:
    found = ask(estate, "image-tag-latest")
    account = audit([estate], AuditOptions(cache=False, today=TODAY, persona=Persona.STRICT))
    (same,) = [one for one in account.findings if one.fingerprint == found.finding.fingerprint]
    assert (found.finding.rank, found.among) == (same.rank, len(account.findings))
    assert found.weights[0].startswith(f"{same.consequence_class.value}: ")
    assert found.weights[1].startswith(f"{same.severity.value}: ")


def test_what_is_accepted_is_explained_too(estate: Path) -> None:
    (estate / "shoreup.toml").write_text(
        '[[suppress]]\nids = ["image-tag-latest"]\nresource = "shop"\nreason = "a throw-away"\n'
    )
    assert ask(estate, "image-tag-latest").standing == "Accepted in shoreup.toml:1: a throw-away"


def test_a_fingerprint_that_nothing_or_too_much_has_is_an_error(estate: Path) -> None:
    with pytest.raises(UserError, match="No finding of this estate"):
        explain(Question("0" * 20, (estate,), today=TODAY), silent)


def test_the_command_takes_ids_fingerprints_and_says_what_neither_is(
    estate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "image-tag-latest"]) == 0
    assert "Why" in capsys.readouterr().out
    assert run(["explain", mark(estate, "image-tag-latest")[:8], str(estate), "--today", "2026-11-23"]) == 0
    page = capsys.readouterr().out
    assert [line for line in page.splitlines() if line in {"Weight", "Evidence", "Wiring", "Fix"}] == [
        "Weight",
        "Evidence",
        "Wiring",
        "Fix",
    ]
    assert ">  12 |" in page.replace("> 12", ">  12")
    assert run(["explain", "image-tag-lates"]) == 2
    assert "The nearest is image-tag-latest." in capsys.readouterr().err
    assert run(["explain", "abcdef00", str(estate)]) == 2
    assert "has the fingerprint 'abcdef00'" in capsys.readouterr().err


def test_lines_of_the_estate_cannot_speak_to_the_terminal(estate: Path) -> None:
    (estate / "shop.yaml").write_text(ESTATE.replace("nginx:latest", "nginx:latest # \u202eturned"))
    page = explanation.render(ask(estate, "image-tag-latest"))
    assert "\u202e" not in page
    assert "\\u202eturned" in page
