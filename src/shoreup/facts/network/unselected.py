"""Workloads that no network policy selects: of Kubernetes, of Cilium, of Calico, or made by an admission controller."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from posixpath import commonprefix

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import mapping, truth
from shoreup.facts.network.policy_subjects import CLUSTER_WIDE, NAMESPACED, PolicySubject, covers, policy_subjects
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_GENERATORS = ("ClusterPolicy", "GeneratingPolicy")
_OF_THE_CLUSTER = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces of the control plane: what runs there mostly uses the host's network, where no policy holds."""
_NO_PODS = frozenset({"ChartValues", "ComposeService"})
_POLICY_KEYS = frozenset({"networkpolicy", "networkpolicies", "ciliumnetworkpolicy"})
_DEEPEST = 6
_NO_PLATFORM = re.compile(r"(?:^|/)(?:examples?|tests?|fixtures?|testdata|samples?)(?:/|$)")


class OpenNamespace(Struct, frozen=True, eq=False):
    """A namespace with workloads that no policy of the estate selects. ``place`` is the Namespace, or a workload.

    ``running`` is the number of all that run there and could be selected. ``undecided`` says why it is not certain.
    """

    name: str
    workloads: tuple[Workload, ...]
    running: int
    place: Place
    undecided: str = ""


def open_namespaces(estate: Estate) -> tuple[OpenNamespace, ...]:
    """Every namespace with workloads that no policy selects."""
    return estate.once(_open_namespaces)


def _open_namespaces(estate: Estate) -> tuple[OpenNamespace, ...]:
    return tuple(_each_open(estate))


def _each_open(estate: Estate) -> Iterator[OpenNamespace]:
    running: dict[str, list[Workload]] = defaultdict(list)
    for workload in estate.workloads:
        if _NO_PLATFORM.search(workload.resource.root):
            continue
        if workload.kind not in _NO_PODS and workload.enabled and not _on_host(workload):
            running[workload.namespace].append(workload)
    policies = tuple(policy_subjects(estate))
    made = _generated(estate) or _for_any_namespace(estate)
    charts = _charts(estate)
    declared = sorted(estate.by_kind.get("Namespace", ()), key=_by_place, reverse=True)
    objects = {resource.name: resource for resource in declared}
    asked: set[str] = set()
    for name in sorted(running):
        if name in _OF_THE_CLUSTER or "*" in name:
            continue
        everything = sorted(running[name], key=lambda workload: _by_place(workload.resource))
        uncovered, unsure = _judge(everything, policies, objects)
        if not uncovered and not unsure:
            continue
        why = made or charts.get(name, "")
        if not why and not uncovered:
            workload, policy = unsure[0]
            whom = "it" if policy.kind in CLUSTER_WIDE else workload.name
            why = f"whether {policy.kind} {policy.name} selects {whom} is not decided"
        question = made or (why if not uncovered and unsure[0][1].kind in CLUSTER_WIDE else "")
        if question and question in asked:
            # It is one question, however many namespaces there are.
            continue
        asked.add(question)
        workloads = tuple(uncovered or [workload for workload, _ in unsure])
        yield OpenNamespace(
            name, workloads, len(everything), _place(_nearest(declared, name, everything), workloads), why
        )


def _judge(
    running: Sequence[Workload], policies: Sequence[PolicySubject], namespaces: Mapping[str, Resource]
) -> tuple[list[Workload], list[tuple[Workload, Resource]]]:
    """What certainly no policy selects, and what one may select, with that policy.

    Where policies select some of a namespace, its jobs are left aside: nothing listens in them.
    """
    uncovered: list[Workload] = []
    unsure: list[tuple[Workload, Resource]] = []
    covered = False
    for workload in running:
        answers = [(covers(policy, workload, namespaces), policy.resource) for policy in policies]
        if any(answer for answer, _ in answers):
            covered = True
            continue
        open_one = next((resource for answer, resource in answers if answer is None), None)
        if open_one is None:
            uncovered.append(workload)
        else:
            unsure.append((workload, open_one))
    if covered:
        uncovered = [workload for workload in uncovered if workload.kind in LONG_RUNNING]
        unsure = [one for one in unsure if one[0].kind in LONG_RUNNING]
    return uncovered, unsure


def _by_place(resource: Resource) -> tuple[str, str]:
    return resource.root, resource.address


def _nearest(declared: Sequence[Resource], name: str, workloads: Sequence[Workload]) -> Resource | None:
    """Of several objects for one namespace, as of a first installation too, the one applied nearest to what runs."""
    found = [resource for resource in reversed(declared) if resource.name == name]
    roots = [workload.resource.root.split("/") for workload in workloads]

    def shared(resource: Resource) -> int:
        own = resource.root.split("/")
        return max((len(commonprefix([own, root])) for root in roots), default=0)

    return max(found, key=shared, default=None)


def _place(found: Resource | None, workloads: Sequence[Workload]) -> Place:
    return Place((found or workloads[0].resource).key)


def _on_host(workload: Workload) -> bool:
    """A pod on its node's network, to which no policy applies."""
    return truth(workload.pod.get("hostNetwork")) is True


def _generated(estate: Estate) -> str:
    """Why an admission controller may have made policies; empty where none of the estate does."""
    for kind in _GENERATORS:
        for resource in estate.by_kind.get(kind, ()):
            if _generates(resource.body, 0):
                return f"{kind} {resource.name} makes policies"
    return ""


def _for_any_namespace(estate: Estate) -> str:
    """A policy for every pod of the namespace that a person names when applying it; empty where there is none."""
    for resource in estate.by_kind.get("NetworkPolicy", ()):
        named_one = mapping(resource.body.get("metadata")).get("namespace")
        everyone = mapping(resource.body.get("spec")).get("podSelector") == {}
        if resource.source == "manifest" and named_one is None and everyone:
            return f"NetworkPolicy {resource.name} names no namespace, so whoever applies it chooses"
    return ""


def _generates(value: Value | Mapping[str, Value], depth: int) -> bool:
    if depth > _DEEPEST + 4:
        return False
    if isinstance(value, Mapping):
        held = value
        if held.get("kind") in NAMESPACED:
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
