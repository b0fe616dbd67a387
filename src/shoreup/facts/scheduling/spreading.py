"""What spreads or ranks pods beside their own fields, and whether there is more than one node to spread them over."""

from __future__ import annotations

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items
from shoreup.facts.naming import named
from shoreup.facts.scheduling.placement import nodes
from shoreup.model.value import Value

_MUTATORS = ("ClusterPolicy", "Policy", "MutatingPolicy", "MutatingAdmissionPolicy", "Assign", "ModifySet")
_SPREADING = ("topologySpreadConstraints", "podAntiAffinity", "defaultConstraints")
_HOST = "kubernetes.io/hostname"
_DEPTH = 14


def spreader(estate: Estate) -> str:
    """The policy, or the scheduler's configuration, that may spread pods by itself; empty where there is none."""
    for kind in (*_MUTATORS, "KubeSchedulerConfiguration"):
        for policy in estate.by_kind.get(kind, ()):
            if _holds(dict(policy.body), _SPREADING, 0):
                return f"{named(policy)} may spread pods over nodes"
    return ""


def spread_by_scheduler(estate: Estate) -> bool:
    """Whether the scheduler itself, as the estate configures it, prefers different nodes for a workload's replicas."""
    return any(
        resource.api_version == "node" and _HOST in items(resource.body.get("topologyKeys"))
        for resource in estate.by_kind.get("scheduler-defaults", ())
    )


def ranker(estate: Estate) -> str:
    """The policy that may give pods a priority by itself; empty where there is none."""
    for kind in _MUTATORS:
        for policy in estate.by_kind.get(kind, ()):
            if _holds(dict(policy.body), ("priorityClassName",), 0):
                return f"{named(policy)} may give pods a priority"
    return ""


def one_node(estate: Estate) -> bool:
    """Whether the estate declares its nodes, each by its own name, and there is exactly one that can run pods."""
    declared = [pool for pool in estate.node_pools if pool.resource is not None and pool.resource.kind == "Node"]
    return len(declared) == 1 and len(nodes(estate)) == 1


def _holds(value: Value, words: tuple[str, ...], depth: int) -> bool:
    if depth > _DEPTH:
        return False
    if isinstance(value, dict):
        return any(any(word in key for word in words) or _holds(item, words, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds(item, words, depth + 1) for item in value)
    return isinstance(value, str) and any(word in value for word in words)
