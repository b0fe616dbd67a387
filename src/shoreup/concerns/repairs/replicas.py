"""What several replicas of one workload want, as edits: a place on different nodes, and a budget for drains."""

from __future__ import annotations

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping
from shoreup.facts.scheduling.placement import Pin, pinned
from shoreup.facts.selection import selects
from shoreup.model.edit import Add, Append, Edit, Put
from shoreup.model.location import Route
from shoreup.model.value import Value, at, unknowns

LABELS: Route = ("spec", "selector", "matchLabels")


def pod_labels(workload: Workload) -> dict[str, Value] | None:
    """The labels by which a workload selects its own pods; ``None`` where they are not all known."""
    labels = dict(mapping(at(dict(workload.resource.body), *LABELS)))
    return labels if labels and next(unknowns(labels), None) is None else None


def spread(workload: Workload, labels: dict[str, Value]) -> Append:
    """A preference for different nodes. It keeps no pod pending."""
    constraint: dict[str, Value] = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    like = ((("labelSelector", "matchLabels"), LABELS),)
    return Append(workload.resource.key, (*workload.pod_route, "topologySpreadConstraints"), constraint, like)


def budget_beside(workload: Workload, labels: dict[str, Value]) -> Add:
    """A budget of ``maxUnavailable: 1`` beside the workload, named like it."""
    metadata: dict[str, Value] = {"name": workload.name}
    like: list[tuple[Route, Route]] = [(("metadata", "name"), ("metadata", "name"))]
    if mapping(workload.resource.body.get("metadata")).get("namespace") is not None:
        metadata["namespace"] = workload.namespace
        like.append((("metadata", "namespace"), ("metadata", "namespace")))
    like.append((("spec", "selector", "matchLabels"), LABELS))
    body: dict[str, Value] = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
    }
    return Add(workload.resource.key, body, tuple(like))


def second_replica(estate: Estate, workload: Workload, labels: dict[str, Value]) -> tuple[Edit, ...] | str:
    """Two replicas instead of one, on different nodes, of which a drain may take one at a time; or why not."""
    why_not = _one_only(workload)
    if why_not:
        return why_not
    edits: list[Edit] = [Put(workload.resource.key, ("spec", "replicas"), 2)]
    if not workload.pod.get("topologySpreadConstraints") and not mapping(workload.pod.get("affinity")).get(
        "podAntiAffinity"
    ):
        edits.append(spread(workload, labels))
    near = [one for one in estate.budgets if (one.namespace or "default") == workload.namespace]
    # Two budgets over one pod make every eviction fail, so that no drain ends.
    held = any(
        selects(mapping(one.body.get("spec")).get("selector"), workload.labels) is not False
        for one in near
        if mapping(one.body.get("spec")).get("selector") is not None
    )
    return tuple(edits) if held else (*edits, budget_beside(workload, labels))


def _one_only(workload: Workload) -> str:
    """Why a second replica would not start, or not be the same as the first; empty where nothing says so."""
    spec = mapping(workload.resource.body.get("spec"))
    if mapping(spec.get("strategy")).get("type") == "Recreate":
        return "its strategy Recreate says that two must not run at a time, and every rollout would end both"
    if spec.get("volumeClaimTemplates"):
        return "each replica would keep a volume of its own, and answer from other data than the first"
    ports = (port for one in workload.containers for port in items(one.body.get("ports")))
    taken = workload.pod.get("hostNetwork") is True or any(mapping(port).get("hostPort") for port in ports)
    if taken:
        return "it takes a port of its node, so that a second one needs another node and an address to be reached by"
    if isinstance(pinned(workload), Pin):
        return "it names the one node that it may run on; a second replica there is lost together with the first"
    return ""
