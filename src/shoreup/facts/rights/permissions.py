"""What a role's rules amount to: everything, a wildcard, or a way to get more rights than were given.

Only rules that reach Kubernetes' own objects count: every operator may do anything with the objects of its own group.
The objects that tell a deployer what to apply are the exception, for it applies them with its own rights.
A rule that names its objects (``resourceNames``) reaches those alone and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from shoreup.facts.fields import items, mapping, text, why_open
from shoreup.facts.rights.deployers import steered
from shoreup.model.location import Route
from shoreup.model.value import Value

_OWN_GROUPS = frozenset({"", "*", "apps", "batch", "rbac.authorization.k8s.io"})
"""Kubernetes' groups whose objects run pods, hold Secrets or give rights."""
_RBAC = frozenset({"*", "rbac.authorization.k8s.io"})
_CORE = frozenset({"", "*"})
_READ = frozenset({"get", "list", "watch", "*"})
_REACHING = frozenset({
    "secrets", "pods", "serviceaccounts", "nodes", "persistentvolumes", "replicationcontrollers",
    "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs",
    "roles", "clusterroles", "rolebindings", "clusterrolebindings",
})  # fmt: skip
"""Objects of which every verb is more than use: with them one runs pods, reads Secrets or gives rights."""
_CHANGING = frozenset({"create", "update", "patch", "*"})
_FOLLOWED_BY_MORE = ("escalate", "bind")

DEPLOY = "deploy"
"""The id of the power to have a deployer apply anything; it is one only where that has more rights itself."""


class Weight(IntEnum):
    """How far a power reaches."""

    WILDCARD = 1
    ESCALATION = 2
    EVERYTHING = 3


class Power(Struct, frozen=True):
    """Something that rules allow.

    ``what`` completes "may ...", ``id`` names it in data, ``route`` leads into the role.
    """

    id: str
    what: str
    weight: Weight
    route: Route


class _Rule(Struct, frozen=True):
    index: int
    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]

    def reaches(self, groups: frozenset[str], resource: str, verbs: frozenset[str]) -> bool:
        """Whether the rule, without any wildcard over resources, allows one of the verbs."""
        return bool(self.groups & groups) and resource in self.resources and bool(self.verbs & verbs)


def open_rules(body: Mapping[str, Value]) -> str:
    """Why the rules of a role are not wholly known; empty when they are."""
    if mapping(body.get("aggregationRule")):
        return "the cluster fills the role with the rules of others"
    reason = why_open(body.get("rules"))
    for rule in items(body.get("rules")):
        fields = mapping(rule)
        for value in (rule, *(fields.get(key) for key in ("apiGroups", "resources", "verbs"))):
            reason = reason or why_open(value) or next((why for one in items(value) if (why := why_open(one))), "")
    return reason


def powers(body: Mapping[str, Value], cluster_wide: bool) -> tuple[Power, ...]:
    """What the rules of a role allow beyond plain use, the farthest first, each thing once."""
    found: dict[str, Power] = {}
    for rule in _rules(body):
        for power in _powers(rule, cluster_wide):
            found.setdefault(power.id, power)
    ordered = sorted(found.values(), key=lambda power: -power.weight)
    if ordered and ordered[0].weight is Weight.EVERYTHING:
        return tuple(power for power in ordered if power.weight is Weight.EVERYTHING)
    return tuple(ordered)


def _rules(body: Mapping[str, Value]) -> Iterator[_Rule]:
    for index, rule in enumerate(map(mapping, items(body.get("rules")))):
        if items(rule.get("resourceNames")) or why_open(rule.get("resourceNames")):
            continue
        yield _Rule(index, _set(rule.get("apiGroups")), _set(rule.get("resources")), _set(rule.get("verbs")))


def _set(value: Value) -> frozenset[str]:
    # A part that is not decided shows as ``*`` in text and must not be taken for a wildcard.
    return frozenset(text(item) for item in items(value) if isinstance(item, str))


def _powers(rule: _Rule, cluster_wide: bool) -> Iterator[Power]:
    verbs: Route = ("rules", rule.index, "verbs")
    resources: Route = ("rules", rule.index, "resources")
    program = steered(rule.groups, rule.resources) if rule.verbs & _CHANGING else ""
    if program:
        yield Power(DEPLOY, f"have {program} apply anything with {program}'s own rights", Weight.ESCALATION, resources)
    if not rule.groups & _OWN_GROUPS:
        return
    anything = "*" in rule.resources
    if anything and "*" in rule.verbs and "*" in rule.groups:
        yield Power("everything", "do anything with every object", Weight.EVERYTHING, verbs)
        return
    if anything and "*" in rule.verbs:
        groups = _listed(sorted(group or "core" for group in rule.groups & _OWN_GROUPS))
        yield Power(f"all-{groups}", f"do anything with every object of the group {groups}", Weight.ESCALATION, verbs)
    elif anything and rule.verbs - _READ:
        done = _listed(sorted(rule.verbs - _READ))
        yield Power("change-all", f"{done} objects of every kind", Weight.ESCALATION, resources)
    elif anything and rule.verbs & _READ and rule.groups & _CORE:
        weight = Weight.ESCALATION if cluster_wide else Weight.WILDCARD
        yield Power("read-all", "read objects of every kind, Secrets among them", weight, resources)
    elif "*" in rule.verbs:
        touched = sorted(rule.resources & _REACHING)
        if touched:
            yield Power(f"all-{touched[0]}", f"do anything with {_listed(touched)}", Weight.WILDCARD, verbs)
    yield from _escalations(rule, cluster_wide, verbs, resources)


def _escalations(rule: _Rule, cluster_wide: bool, verbs: Route, resources: Route) -> Iterator[Power]:
    for verb in _FOLLOWED_BY_MORE:
        if verb in rule.verbs and rule.groups & _RBAC and rule.resources & {"roles", "clusterroles", "*"}:
            what = "write roles with more rights than its own" if verb == "escalate" else "bind any role to anyone"
            yield Power(verb, what, Weight.ESCALATION, verbs)
    if "impersonate" in rule.verbs and rule.groups & _CORE:
        who = sorted(rule.resources & {"users", "groups", "serviceaccounts"})
        if who:
            yield Power("impersonate", f"act as other {_listed(who)}", Weight.ESCALATION, verbs)
    if cluster_wide and rule.reaches(_CORE, "secrets", _READ):
        yield Power("secrets", "read the Secrets of every namespace", Weight.ESCALATION, resources)
    if rule.reaches(_CORE, "pods/exec", frozenset({"create", "get", "*"})):
        where = "run commands in any pod"
        yield Power("exec", where, Weight.ESCALATION if cluster_wide else Weight.WILDCARD, resources)
    if rule.reaches(_CORE, "nodes/proxy", frozenset({"create", "get", "*"})):
        yield Power("nodes-proxy", "run commands in any pod through the kubelet", Weight.ESCALATION, resources)
    if rule.reaches(_CORE, "serviceaccounts/token", frozenset({"create", "*"})):
        weight = Weight.ESCALATION if cluster_wide else Weight.WILDCARD
        yield Power("tokens", "make tokens of any ServiceAccount", weight, resources)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
