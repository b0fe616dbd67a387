"""What several replicas of one workload want, as edits: a place on different nodes, and a budget for drains."""

from __future__ import annotations

from shoreup.facts.estate import Workload
from shoreup.facts.fields import mapping
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


def second_replica(workload: Workload, labels: dict[str, Value]) -> tuple[Edit, ...]:
    """Two replicas instead of one, on different nodes, of which a drain may take one at a time."""
    edits: list[Edit] = [Put(workload.resource.key, ("spec", "replicas"), 2)]
    if not workload.pod.get("topologySpreadConstraints") and not mapping(workload.pod.get("affinity")).get(
        "podAntiAffinity"
    ):
        edits.append(spread(workload, labels))
    return (*edits, budget_beside(workload, labels))
