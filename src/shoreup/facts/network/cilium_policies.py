"""A network policy of Kubernetes in Cilium's words, for estates that write theirs so.

Source: Cilium's documentation of layer 3 and layer 4 rules, 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, mapping, text
from shoreup.model.value import Value

_OF_NAMESPACE = "k8s:io.kubernetes.pod.namespace"
_NAME = "kubernetes.io/metadata.name"


def writes_cilium(estate: Estate) -> bool:
    """Whether an estate's own policies are Cilium's and none is Kubernetes'."""
    own = any(estate.by_kind.get(kind) for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"))
    return own and not estate.by_kind.get("NetworkPolicy")


def as_cilium(policy: Mapping[str, Value]) -> dict[str, Value]:
    """The same policy as a CiliumNetworkPolicy. A direction without a rule is denied by an empty one."""
    spec = mapping(policy.get("spec"))
    made: dict[str, Value] = {"endpointSelector": dict(mapping(spec.get("podSelector")))}
    for direction, peers, named in (("ingress", "from", "fromEndpoints"), ("egress", "to", "toEndpoints")):
        if direction.capitalize() in items(spec.get("policyTypes")):
            rules = [_rule(mapping(rule), peers, named) for rule in items(spec.get(direction))]
            made[direction] = [*rules] or [{}]
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": dict(mapping(policy.get("metadata"))),
        "spec": made,
    }


def _rule(rule: Mapping[str, Value], peers: str, named: str) -> dict[str, Value]:
    ports: list[Value] = [_port(mapping(port)) for port in items(rule.get("ports"))]
    made: dict[str, Value] = {named: [_endpoint(mapping(peer)) for peer in items(rule.get(peers))]}
    return {**made, "toPorts": [{"ports": ports}]} if ports else made


def _port(port: Mapping[str, Value]) -> dict[str, Value]:
    """Cilium writes numbers as text; without one every port of the protocol is meant."""
    number = port.get("port")
    return {"port": "0" if number is None else str(number), "protocol": text(port.get("protocol")) or "TCP"}


def _endpoint(peer: Mapping[str, Value]) -> dict[str, Value]:
    labels: dict[str, Value] = dict(mapping(mapping(peer.get("podSelector")).get("matchLabels")))
    namespace = peer.get("namespaceSelector")
    if namespace is None:
        return {"matchLabels": labels} if labels else {}
    named = mapping(mapping(namespace).get("matchLabels")).get(_NAME)
    if named is not None:
        return {"matchLabels": {_OF_NAMESPACE: named, **labels}}
    found: dict[str, Value] = {"matchExpressions": [{"key": _OF_NAMESPACE, "operator": "Exists"}]}
    return {"matchLabels": labels, **found} if labels else found
