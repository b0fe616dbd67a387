"""Which namespaces any policy could protect: Kubernetes' own kinds, Cilium's, Calico's, and those that others make."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import mapping, text, truth
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_NAMESPACED = ("NetworkPolicy", "CiliumNetworkPolicy")
_CLUSTER_WIDE = (
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
)
_GENERATORS = ("ClusterPolicy", "GeneratingPolicy")
_OF_THE_CLUSTER = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces of the control plane: what runs there mostly uses the host's network, where no policy holds."""
_NO_PODS = frozenset({"ChartValues", "ComposeService"})
_POLICY_KEYS = frozenset({"networkpolicy", "networkpolicies", "ciliumnetworkpolicy"})
_DEEPEST = 6
_NO_PLATFORM = re.compile(r"(?:^|/)(?:examples?|tests?|fixtures?|testdata|samples?)(?:/|$)")


@dataclass(frozen=True, slots=True, eq=False)
class OpenNamespace:
    """A namespace with workloads that no policy of the estate protects. ``place`` is the Namespace, or a workload.

    ``undecided`` says why it is not certain.
    """

    name: str
    workloads: tuple[Workload, ...]
    place: Place
    undecided: str = ""


def open_namespaces(estate: Estate) -> Iterator[OpenNamespace]:
    """Every namespace with workloads that no NetworkPolicy covers."""
    protected = {resource.namespace or "default" for kind in _NAMESPACED for resource in estate.by_kind.get(kind, ())}
    elsewhere = _cluster_wide(estate)
    if elsewhere is None:
        return
    running: dict[str, list[Workload]] = defaultdict(list)
    for workload in estate.workloads:
        if _NO_PLATFORM.search(workload.resource.root):
            continue
        if workload.kind not in _NO_PODS and workload.enabled and not _on_host(workload):
            running[workload.namespace].append(workload)
    charts = _charts(estate)
    declared = sorted(estate.by_kind.get("Namespace", ()), key=_by_place, reverse=True)
    objects = {resource.name: resource for resource in declared}
    open_policy = next((name for name in protected if "*" in name), "")
    for name in sorted(running):
        workloads = sorted(running[name], key=lambda workload: _by_place(workload.resource))
        if name in protected or name in _OF_THE_CLUSTER or "*" in name:
            continue
        if elsewhere:
            # It is one question, however many namespaces there are.
            yield OpenNamespace(name, tuple(workloads), _place(objects.get(name), workloads), elsewhere)
            return
        why = charts.get(name, "")
        if not why and open_policy:
            why = "a NetworkPolicy's namespace is not decided"
        yield OpenNamespace(name, tuple(workloads), _place(objects.get(name), workloads), why)


def _by_place(resource: Resource) -> tuple[str, str]:
    return resource.root, resource.address


def _place(found: Resource | None, workloads: list[Workload]) -> Place:
    return Place((found or workloads[0].resource).key)


def _on_host(workload: Workload) -> bool:
    """A pod on its node's network, to which no policy applies."""
    return truth(workload.pod.get("hostNetwork")) is True


def _cluster_wide(estate: Estate) -> str | None:
    """Why a policy for the whole cluster may cover a namespace; ``None`` where one covers all."""
    reason = ""
    for kind in _CLUSTER_WIDE:
        for resource in estate.by_kind.get(kind, ()):
            selected = _selector(resource)
            if isinstance(selected, dict) and not selected:
                return None
            reason = f"{kind} {resource.name} may cover it"
    for kind in _GENERATORS:
        for resource in estate.by_kind.get(kind, ()):
            if _generates(resource.body, 0):
                reason = f"{kind} {resource.name} makes policies"
    return reason


def _selector(resource: Resource) -> Value:
    spec = mapping(resource.body.get("spec"))
    if resource.kind == "GlobalNetworkPolicy":
        return {} if text(spec.get("selector")) in ("", "all()") and not spec.get("namespaceSelector") else None
    if resource.kind == "CiliumClusterwideNetworkPolicy":
        return spec.get("endpointSelector")
    subject = mapping(spec.get("subject"))
    return subject.get("namespaces")


def _generates(value: Value | Mapping[str, Value], depth: int) -> bool:
    if depth > _DEEPEST + 4:
        return False
    if isinstance(value, Mapping):
        held = value
        if held.get("kind") in _NAMESPACED:
            return True
        return any(_generates(item, depth + 1) for item in held.values())
    return isinstance(value, list) and any(_generates(item, depth + 1) for item in value)


def _charts(estate: Estate) -> Mapping[str, str]:
    """Namespaces in which a chart's values speak of policies."""
    found: dict[str, str] = {}
    for release in estate.releases:
        if _speaks(release.values, 0):
            found[release.namespace] = f"the values of the release {release.name} speak of network policies"
    return found


def _speaks(value: Value | Mapping[str, Value], depth: int) -> bool:
    if depth > _DEEPEST or isinstance(value, Unknown):
        return False
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key.lower() in _POLICY_KEYS and truth(mapping(item).get("enabled")) is not False and item is not False:
                return True
            if _speaks(item, depth + 1):
                return True
    return any(_speaks(item, depth + 1) for item in value) if isinstance(value, list) else False
