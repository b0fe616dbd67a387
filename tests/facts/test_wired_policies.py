"""Network policies that the wiring shows: who may call whom in a namespace, and nobody else."""

from __future__ import annotations

from pathlib import Path

import yaml

from shoreup.stages.fix import FixOptions, fix

ESTATE = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9090"}
    spec:
      containers:
        - name: web
          image: shop:1.2.3
          env: [{name: DB_HOST, value: db.data.svc}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.org
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: data}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17.2"}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: prometheus, namespace: watch}
spec:
  selector: {matchLabels: {app: prometheus}}
  template:
    metadata: {labels: {app: prometheus}}
    spec: {containers: [{name: prometheus, image: "prom/prometheus:v3.5.0"}]}
"""


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def test_every_edge_of_the_wiring_has_its_entry(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    fixed = fix([tmp_path], FixOptions(select=("network-policy-missing",), unsafe=True), silent)
    texts = {one.finding.subject: one.text for one in fixed.amendment.not_fixed}
    assert not fixed.amendment.changes, "what calls from outside is for a person to add"

    shop = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(texts["Namespace shop"])}
    assert set(shop) == {"default-deny", "allow-dns", "web"}
    assert shop["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert [port["port"] for port in shop["allow-dns"]["egress"][0]["ports"]] == [53, 53]

    def elsewhere(namespace: str, app: str) -> object:
        labels = {"kubernetes.io/metadata.name": namespace}
        return {"namespaceSelector": {"matchLabels": labels}, "podSelector": {"matchLabels": {"app": app}}}

    assert shop["web"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 8080}]},
            {"from": [elsewhere("watch", "prometheus")], "ports": [{"protocol": "TCP", "port": 9090}]},
        ],
        "egress": [{"to": [elsewhere("data", "db")], "ports": [{"protocol": "TCP", "port": 5432}]}],
    }

    data = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(texts["Namespace data"])}
    assert data["db"]["ingress"] == [{"from": [elsewhere("shop", "web")], "ports": [{"protocol": "TCP", "port": 5432}]}]


def shown(folder: Path, text: str, name: str = "estate.yaml") -> str:
    (folder / name).write_text(text)
    fixed = fix([folder], FixOptions(select=("network-policy-missing",), unsafe=True), silent)
    return next(one.text for one in fixed.amendment.not_fixed if one.finding.subject == "Namespace shop")


def test_an_estate_of_cilium_is_shown_ciliums_own(tmp_path: Path) -> None:
    own = (
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: own, namespace: watch}\n"
        "spec: {endpointSelector: {}, ingress: [{}]}\n---\n"
    )
    policies = {one["metadata"]["name"]: one for one in yaml.safe_load_all(shown(tmp_path, own + ESTATE))}
    assert {one["kind"] for one in policies.values()} == {"CiliumNetworkPolicy"}
    assert policies["default-deny"]["spec"] == {"endpointSelector": {}, "ingress": [{}], "egress": [{}]}
    every = {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}

    def elsewhere(namespace: str, app: str) -> object:
        return {"matchLabels": {"k8s:io.kubernetes.pod.namespace": namespace, "app": app}}

    def port(number: str) -> object:
        return [{"ports": [{"port": number, "protocol": "TCP"}]}]

    assert policies["web"]["spec"] == {
        "endpointSelector": {"matchLabels": {"app": "web"}},
        "ingress": [
            {"fromEndpoints": [{"matchExpressions": [every]}], "toPorts": port("8080")},
            {"fromEndpoints": [elsewhere("watch", "prometheus")], "toPorts": port("9090")},
        ],
        "egress": [{"toEndpoints": [elsewhere("data", "db")], "toPorts": port("5432")}],
    }


def test_in_terraform_they_are_blocks_that_are_called_after_what_they_allow(tmp_path: Path) -> None:
    code = (
        'resource "kubernetes_namespace_v1" "this" {\n  for_each = toset(["shop"])\n\n'
        "  metadata {\n    name = each.key\n  }\n}\n\n"
        'resource "kubernetes_deployment_v1" "web" {\n'
        '  metadata {\n    name      = "web"\n    namespace = "shop"\n  }\n'
        '  spec {\n    selector {\n      match_labels = { app = "web" }\n    }\n    template {\n      metadata {\n'
        '        labels = { app = "web" }\n      }\n      spec {\n        container {\n          name  = "web"\n'
        '          image = "shop:1.2.3"\n        }\n      }\n    }\n  }\n}\n'
    )
    text = shown(tmp_path, code, "main.tf")
    assert text.startswith('# main.tf\nresource "kubernetes_network_policy_v1" "default_deny" {\n')
    assert '\n\nresource "kubernetes_network_policy_v1" "allow_dns" {\n' in text
    assert "for_each" not in text
