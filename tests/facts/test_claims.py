"""Comments that claim something missing, and the facts beside them."""

from __future__ import annotations

import pytest

from shoreup.facts.build import Extras
from shoreup.facts.comments.claims import contradicted_claims
from shoreup.facts.estate import Comment
from shoreup.model.location import Span
from small_estates import estate

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: n}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
        - name: a
          image: a:1.2.3
          readinessProbe: {httpGet: {path: /, port: 80}}
          livenessProbe: {httpGet: {path: /, port: 80}}
          resources: {limits: {memory: 1Gi}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: a, namespace: n}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: a}}}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: n}
spec: {tls: [{hosts: [a.example.org]}]}
"""


def claimed(text: str, manifests: str = DEPLOYMENT) -> list[str]:
    extras = Extras(comments=(Comment(Span("a.yaml", 0, 1), text, 0),))
    return [claim.missing for claim in contradicted_claims(estate(manifests, extras=extras)) if not claim.undecided]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("TODO: add probes", "a probe"),
        ("TODO(me) add a readiness probe", "a probe"),
        ("FIXME no health checks", "a probe"),
        ("there is no liveness probe yet", "a probe"),
        ("probes are missing", "a probe"),
        ("TODO set memory limits", "a limit or request"),
        ("no resource limits", "a limit or request"),
        ("TODO add a PDB", "a disruption budget"),
        ("missing pod disruption budget", "a disruption budget"),
    ],
)
def test_a_claim_that_the_code_contradicts(text: str, missing: str) -> None:
    assert claimed(text) == [missing]


@pytest.mark.parametrize(
    "text",
    [
        "no CPU limit on purpose: throttling hurts more than it helps",
        "TODO set CPU limits",
        "TODO add a startup probe",
        "TODO raise the memory limits",
        "without probes the rollout would not wait",
        "probes need the token header",
        "No limits beyond what a month of use showed",
        "TODO add resource requests",
        "TODO: rotate keys",
        "see https://example.org/no-probes",
        "",
    ],
)
def test_a_comment_that_is_right_or_claims_nothing(text: str) -> None:
    assert claimed(text) == []


def test_tls_of_an_ingress() -> None:
    assert claimed("TODO: enable TLS", INGRESS) == ["TLS"]
    assert claimed("TODO: enable TLS", INGRESS.replace("tls: [{hosts: [a.example.org]}]", "rules: []")) == []
    assert claimed("TODO: enable TLS") == []
