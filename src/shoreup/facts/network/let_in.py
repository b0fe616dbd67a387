"""Which pods a workload's NetworkPolicies let in, as far as the estate says it.

Policies add up: a pod that none selects is open to all, and a pod that some select is open to what any of them
allows. Policies of a network plugin's own kind are seen and not read, so they leave the question open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping, number, text, why_open
from shoreup.facts.selection import selects
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_OWN_KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy")
_NAME_LABEL = "kubernetes.io/metadata.name"


class Admission(Struct, frozen=True):
    """Who may reach a port. ``everyone`` without any policy.

    ``namespaces`` are those of which every pod may; ``undecided`` says why it is not known.
    """

    everyone: bool
    namespaces: tuple[str, ...] = ()
    policies: tuple[Resource, ...] = ()
    undecided: str = ""


def admission(estate: Estate, workload: Workload, ports: Sequence[int]) -> Admission:
    """Who may reach these ports of a workload's pods."""
    for kind in _OWN_KINDS:
        for resource in estate.by_kind.get(kind, ()):
            if kind != "CiliumNetworkPolicy" or (resource.namespace or "default") == workload.namespace:
                return Admission(False, undecided=f"what the {kind} {resource.name} lets in is not known")
    selecting: list[Resource] = []
    for resource in estate.by_kind.get("NetworkPolicy", ()):
        if not resource.api_version.startswith("networking.k8s.io/"):
            return Admission(False, undecided=f"what the policy {resource.name} lets in is not known")
        if (resource.namespace or "default") != workload.namespace:
            continue
        spec = mapping(resource.body.get("spec"))
        types = [text(one) for one in items(spec.get("policyTypes"))]
        if types and "Ingress" not in types:
            continue
        chosen = selects(spec.get("podSelector"), workload.labels)
        if chosen is None:
            return Admission(False, undecided=f"whether the NetworkPolicy {resource.name} is for it is not decided")
        if chosen:
            selecting.append(resource)
    if not selecting:
        return Admission(True)
    return _allowed(workload, selecting, ports)


def _allowed(workload: Workload, policies: Sequence[Resource], ports: Sequence[int]) -> Admission:
    namespaces: list[str] = []
    for policy in policies:
        ingress = mapping(policy.body.get("spec")).get("ingress")
        if why_open(ingress):
            return Admission(False, undecided=why_open(ingress))
        for rule in map(mapping, items(ingress)):
            if not _covers(rule.get("ports"), ports):
                continue
            peers = rule.get("from")
            if why_open(peers):
                return Admission(False, undecided=why_open(peers))
            if not items(peers):
                return Admission(True, policies=tuple(policies))
            for names in _whole_namespaces(items(peers), workload.namespace):
                if not names:
                    return Admission(True, policies=tuple(policies))
                namespaces.extend(names)
    return Admission(False, tuple(dict.fromkeys(namespaces)), tuple(policies))


def _covers(allowed: Value, ports: Sequence[int]) -> bool:
    if not items(allowed):
        return True
    for entry in map(mapping, items(allowed)):
        held = number(entry.get("port"))
        # A port by name, or a range, may be the one.
        if held is None or held in ports or entry.get("endPort") is not None or not ports:
            return True
    return False


def _whole_namespaces(peers: Sequence[Value], own: str) -> Iterator[tuple[str, ...]]:
    """The namespaces of which a rule lets in every pod; an empty tuple for all of them."""
    for peer in map(mapping, peers):
        pods, spaces = peer.get("podSelector"), peer.get("namespaceSelector")
        if pods is not None and _chooses(mapping(pods)):
            continue
        if spaces is None:
            if pods is not None:
                yield (own,)
            continue
        labels = mapping(mapping(spaces).get("matchLabels"))
        if not _chooses(mapping(spaces)):
            yield ()
        elif _NAME_LABEL in labels:
            yield (text(labels.get(_NAME_LABEL)),)
        else:
            yield tuple(f"{key}={text(value)}" for key, value in labels.items()) or ("some",)


def _chooses(selector: Mapping[str, Value]) -> bool:
    return bool(mapping(selector.get("matchLabels")) or items(selector.get("matchExpressions")))
