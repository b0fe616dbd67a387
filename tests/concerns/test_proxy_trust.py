"""A proxy that believes whom the estate names: what its settings say afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.stages.fix import FixOptions, fix

VALUES = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: traefik, namespace: ingress}
spec:
  chart:
    spec:
      chart: traefik
      version: 33.2.1
      sourceRef: {kind: HelmRepository, name: traefik}
  values:
    ports:
      web:
        forwardedHeaders:
          trustedIPs: [10.42.0.0/16]
      websecure:
        forwardedHeaders:
          insecure: true
"""
ARGUMENTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: traefik, namespace: ingress}
spec:
  selector: {matchLabels: {app: traefik}}
  template:
    metadata: {labels: {app: traefik}}
    spec:
      containers:
        - name: traefik
          image: traefik:3.2.1
          args:
            - --entrypoints.web.forwardedHeaders.trustedIPs=10.42.0.0/16,10.43.0.0/16
            - --entrypoints.websecure.forwardedHeaders.insecure
            - --api.insecure=true
"""
DASHBOARD = """\
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: dashboard, namespace: ingress}
spec:
  entryPoints: [websecure]
  routes:
    - match: Host(`traefik.example.org`)
      kind: Rule
      middlewares: [{name: auth}]
      services: [{name: api@internal, kind: TraefikService}]
"""


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def trusted(folder: Path, text: str) -> tuple[str, list[str]]:
    """The file after the fix, and the texts for what a person completes."""
    (folder / "proxy.yaml").write_text(text)
    fixed = fix([folder], FixOptions(select=("proxy-trusts-anyone",), unsafe=True), silent)
    assert not fixed.amendment.dropped
    after = next((one.after.decode() for one in fixed.amendment.changes), text)
    return after, [one.text for one in fixed.amendment.not_fixed]


def test_values_of_a_chart(tmp_path: Path) -> None:
    after, _ = trusted(tmp_path, VALUES)
    assert "insecure" not in after
    assert after.count("10.42.0.0/16") == 2


def test_arguments_name_whom_the_proxy_believes(tmp_path: Path) -> None:
    after, texts = trusted(tmp_path, ARGUMENTS)
    old = "--entrypoints.websecure.forwardedHeaders.insecure"
    new = '"--entrypoints.websecure.forwardedHeaders.trustedIPs=10.42.0.0/16,10.43.0.0/16"'
    assert after == ARGUMENTS.replace(old, new)
    assert ["api@internal" in one for one in texts] == [True]


def test_the_api_is_closed_where_a_route_serves_it(tmp_path: Path) -> None:
    after, _ = trusted(tmp_path, ARGUMENTS + DASHBOARD)
    assert "--api.insecure=false" in after


@pytest.mark.parametrize("named", ["0.0.0.0/0", ""])
def test_without_an_address_that_the_estate_names_nothing_is_guessed(named: str, tmp_path: Path) -> None:
    line = "            - --entrypoints.web.forwardedHeaders.trustedIPs=10.42.0.0/16,10.43.0.0/16\n"
    other = line.replace("10.42.0.0/16,10.43.0.0/16", named) if named else ""
    text = ARGUMENTS.replace(line, other)
    after, texts = trusted(tmp_path, text)
    assert after == text
    assert any("trustedIPs" in one for one in texts)
