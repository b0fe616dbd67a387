"""What gives containers requests and limits beside their own fields: LimitRanges, autoscalers, admission policies.

A LimitRange fills in what is missing when a pod is made. A VerticalPodAutoscaler sets requests, and scales limits only
where there are some. What a mutating policy writes is not worked out: where one may, nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import items, mapping, text, why_open
from shoreup.facts.naming import named
from shoreup.model.resource import Resource
from shoreup.model.value import Value

REQUESTS = "requests"
LIMITS = "limits"
_MUTATORS = ("ClusterPolicy", "Policy", "MutatingPolicy", "MutatingAdmissionPolicy", "Assign", "AssignMetadata")
_DEPTH = 14
_NO_UPDATES = frozenset({"Off"})


class ResourceRules(Struct, frozen=True, eq=False):
    """What the estate gives to containers that ask for nothing.

    ``mutator`` names a policy that may write requests or limits into pods, empty where there is none.
    """

    ranges: Mapping[str, tuple[Mapping[str, Value], ...]]
    scaled: frozenset[tuple[str, str, str]]
    mutator: str
    unplaced: str
    """A LimitRange whose namespace is not decided."""

    def has(self, workload: Workload, container: Container, kind: str, what: str) -> bool:
        """Whether the container certainly gets a request or limit (``kind``) of ``what``: ``cpu`` or ``memory``."""
        if self._own(container.body, kind, what) or self._own(workload.pod, kind, what):
            return True
        for limit in self.ranges.get(workload.namespace, ()):
            fields = ("default",) if kind == LIMITS else ("defaultRequest", "default", "max")
            if any(what in mapping(limit.get(field)) for field in (*fields, "max")):
                return True
        return kind == REQUESTS and (workload.namespace, workload.kind, workload.name) in self.scaled

    @staticmethod
    def _own(holder: Mapping[str, Value], kind: str, what: str) -> bool:
        resources = mapping(holder.get("resources"))
        asked = (kind,) if kind == LIMITS else (REQUESTS, LIMITS)
        return any(mapping(resources.get(one)).get(what) not in (None, "") for one in asked)

    def open(self, workload: Workload, container: Container, kind: str) -> str:
        """Why it is not decided whether the container has one; empty where that is decided."""
        resources = container.body.get("resources")
        for value in (resources, mapping(resources).get(kind), mapping(resources).get(LIMITS)):
            if why_open(value):
                return why_open(value)
        if why_open(workload.pod.get("resources")):
            return why_open(workload.pod.get("resources"))
        return self.mutator or self.unplaced


def resource_rules(estate: Estate) -> ResourceRules:
    """What the estate gives; worked out once."""
    return estate.once(_read)


def _read(estate: Estate) -> ResourceRules:
    ranges: dict[str, list[Mapping[str, Value]]] = defaultdict(list)
    unplaced = ""
    for resource in estate.by_kind.get("LimitRange", ()):
        namespace = resource.namespace or "default"
        if "*" in namespace:
            unplaced = f"the namespace of {named(resource)} is not decided"
        for limit in map(mapping, items(mapping(resource.body.get("spec")).get("limits"))):
            if text(limit.get("type")) == "Container":
                ranges[namespace].append(limit)
    scaled: set[tuple[str, str, str]] = set()
    for resource in estate.by_kind.get("VerticalPodAutoscaler", ()):
        spec = mapping(resource.body.get("spec"))
        if text(mapping(spec.get("updatePolicy")).get("updateMode")) not in _NO_UPDATES:
            target = mapping(spec.get("targetRef"))
            scaled.add((resource.namespace or "default", text(target.get("kind")), text(target.get("name"))))
    mutator = next(
        (
            f"{named(policy)} may set resources of pods"
            for kind in _MUTATORS
            for policy in estate.by_kind.get(kind, ())
            if _mutates(policy)
        ),
        "",
    )
    return ResourceRules({key: tuple(value) for key, value in ranges.items()}, frozenset(scaled), mutator, unplaced)


def _mutates(policy: Resource) -> bool:
    spec = mapping(policy.body.get("spec"))
    if policy.kind in {"ClusterPolicy", "Policy"}:
        changes: list[Value] = [mapping(rule).get("mutate") for rule in items(spec.get("rules"))]
        return any(_holds(change, 0) for change in changes if change is not None)
    return _holds(dict(spec), 0)


def _holds(value: Value, depth: int) -> bool:
    if depth > _DEPTH:
        return False
    if isinstance(value, dict):
        return any(key.strip("+()") in {REQUESTS, LIMITS} or _holds(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds(item, depth + 1) for item in value)
    return isinstance(value, str) and ("/resources" in value or f"{LIMITS}:" in value or f"{REQUESTS}:" in value)
