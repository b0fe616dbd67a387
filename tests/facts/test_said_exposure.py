"""What the owner says of who reaches what outranks what the estate seems to say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.facts.products import Product
from shoreup.facts.versions.support import own_cycles, support
from shoreup.facts.ways_in.exposure import Exposure, only_private
from shoreup.model.settings import Exposure as Said
from shoreup.model.settings import Reach, SupportDate
from shoreup.stages.audit import AuditOptions, audit

INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: web
  annotations: {annotations}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: shop, port: {{number: 80}}}}}}
"""


def exposure(**said: Reach) -> Exposure:
    return Exposure(tunnel_rules=(), records={}, proven_issuers=frozenset(), zone_limits=(), said=Said(**said))


def test_one_open_host_opens_and_only_all_closed_hosts_close() -> None:
    both = exposure(internet=Reach(hosts=("*.example.org",)), lan=Reach(hosts=("*.home.arpa",)))
    assert both.said_of_hosts(("a.home.arpa", "a.example.org")) is True
    assert both.said_of_hosts(("a.home.arpa", "b.home.arpa")) is False
    assert both.said_of_hosts(("a.home.arpa", "a.example.com")) is None
    assert both.said_of_hosts(()) is None


def test_entry_points_and_gateways_are_one_kind_of_name() -> None:
    both = exposure(internet=Reach(entry_points=("websecure",)), lan=Reach(gateways=("internal*",)))
    assert both.said_of_names(("", "WebSecure")) is True
    assert both.said_of_names(("internal-2",)) is False
    assert both.said_of_names(("", "other")) is None


def test_networks_of_the_owner_count_as_inside_and_outside() -> None:
    assert only_private(["8.8.8.7/32"], inside=["8.8.8.0/24"])
    assert not only_private(["8.8.8.7/32"])
    assert not only_private(["8.8.0.0/20"], inside=["8.8.8.0/24"])
    assert not only_private(["10.1.0.0/16"], outside=["10.0.0.0/8"])
    assert only_private(["fd00::/8", "10.0.0.0/8"], inside=["2001:db8::/32"], outside=["8.8.8.0/24"])


@pytest.mark.parametrize(
    ("settings", "annotations", "found"),
    [
        ("", "{}", False),
        ('[exposure.internet]\nhosts = ["shop.example.org"]', "{}", True),
        ('[exposure.internet]\ngateways = ["nginx"]', "{}", True),
        (
            '[exposure.internet]\ngateways = ["nginx"]\n[exposure.lan]\nhosts = ["shop.*"]',
            "{}",
            False,
        ),
        (
            '[exposure.internet]\ngateways = ["nginx"]\n[exposure.lan]\nnetworks = ["8.8.8.7/32"]',
            '{nginx.ingress.kubernetes.io/whitelist-source-range: "8.8.8.7/32"}',
            False,
        ),
    ],
)
def test_an_audit_hears_it(tmp_path: Path, settings: str, annotations: str, found: bool) -> None:
    (tmp_path / "shop.yaml").write_text(INGRESS.format(annotations=annotations))
    (tmp_path / "shoreup.toml").write_text(settings)
    account = audit([tmp_path], AuditOptions(select=("rate-limit-missing",), cache=False))
    assert bool(account.findings) is found


def test_the_threshold_of_lines_is_the_owner_s(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("locals {}\n" * 20)
    options = AuditOptions(select=("module-oversized",), cache=False)
    assert not audit([tmp_path], options).findings
    (tmp_path / "shoreup.toml").write_text("[thresholds]\nmodule-lines = 19\n")
    assert len(audit([tmp_path], options).findings) == 1


def test_support_dates_of_the_owner_are_laid_over_the_data_set() -> None:
    product = Product("postgresql", "PostgreSQL", "database", {}, "a test", support="postgresql")
    day = date(2026, 11, 23)
    bundled = support(product, "12.18", day)
    assert bundled
    assert not bundled.supported
    own = own_cycles(product, [SupportDate("postgresql", "12", date(2028, 1, 1)), SupportDate("mysql", "8", day)])
    bought = support(product, "12.18", day, own)
    assert bought
    assert bought.supported
    other = support(product, "16.4", day, own)
    assert other
    assert other.supported
    assert own_cycles(product, []) == {}
