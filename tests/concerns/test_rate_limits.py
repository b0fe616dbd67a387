"""A rate limit in a route's chain, in the words of its proxy, to the letter."""

from __future__ import annotations

from pathlib import Path

from shoreup.stages.fix import FixOptions, fix


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def limited(folder: Path, text: str) -> tuple[str, str]:
    """The file after the fix, and what it costs."""
    (folder / "estate.yaml").write_text(text)
    fixed = fix([folder], FixOptions(select=("rate-limit-missing",), unsafe=True), silent)
    assert not fixed.amendment.dropped
    (change,) = fixed.amendment.changes
    return change.after.decode(), fixed.amendment.applied[0].cost


ROUTE = """\
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  name: headers
  namespace: web
spec:
  headers:
    frameDeny: true
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: photos
  namespace: web
spec:
  entryPoints: [web-public]
  routes:
    - match: Host(`photos.example.org`)
      kind: Rule
      middlewares:
        - name: headers   # always
      services:
        - name: photos
          port: 80
"""
LIMIT = """\
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  name: {name}
  namespace: {namespace}
spec:
  rateLimit:
    average: {average}
    burst: {burst}
"""
CHAINED = ROUTE.replace("- name: headers   # always\n", "- name: headers   # always\n        - name: {name}\n")


def test_a_generous_limit_where_the_estate_has_none(tmp_path: Path) -> None:
    after, cost = limited(tmp_path, ROUTE)
    made = LIMIT.format(name="rate-limit", namespace="web", average=100, burst=200)
    assert after == CHAINED.format(name="rate-limit") + made
    assert "100 requests a second, 200 at once" in cost


def test_the_limit_that_is_there_already(tmp_path: Path) -> None:
    own = LIMIT.format(name="calm", namespace="web", average=20, burst=50)
    after, cost = limited(tmp_path, ROUTE + own)
    assert after == CHAINED.format(name="calm") + own
    assert "20 requests a second" in cost


def test_the_numbers_of_another_namespace(tmp_path: Path) -> None:
    other = LIMIT.format(name="calm", namespace="other", average=20, burst=50)
    after, _ = limited(tmp_path, ROUTE + other)
    made = LIMIT.format(name="rate-limit", namespace="web", average=20, burst=50)
    assert after == CHAINED.format(name="rate-limit") + other + made


def test_an_annotation_for_nginx(tmp_path: Path) -> None:
    ingress = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: photos
  namespace: web
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  ingressClassName: external-nginx
  rules:
    - host: photos.example.org
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: photos, port: {number: 80}}}}
"""
    line = "    cert-manager.io/cluster-issuer: letsencrypt\n"
    after, _ = limited(tmp_path, ingress)
    added = (
        '    nginx.ingress.kubernetes.io/limit-rps: "100"\n'
        '    nginx.ingress.kubernetes.io/limit-burst-multiplier: "2"\n'
    )
    assert after == ingress.replace(line, line + added)
