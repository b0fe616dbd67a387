"""What a cluster changes about pods on their way in, as far as it decides where they may run."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.facts.estate import Estate
from shoreup.facts.fields import text
from shoreup.facts.naming import named
from shoreup.model.value import Value

_PLUGIN = "ExtendedResourceToleration"
_MUTATORS = ("ClusterPolicy", "Policy", "MutatingPolicy", "MutatingAdmissionPolicy", "Assign", "ModifySet")
_TOLERATIONS = "tolerations"
_DEPTH = 14


def adds_tolerations(estate: Estate, taint: Mapping[str, Value], resource: str, *, hosted: bool) -> str:
    """Why a pod that asks for ``resource`` may get a toleration for ``taint`` by itself; empty where nothing does that.

    Kubernetes' admission plugin of that purpose tolerates a taint that is named like the resource. It is off unless
    it is asked for; hosted clusters may have it on.
    """
    named_alike = text(taint.get("key")) == resource
    if named_alike and hosted:
        return "a hosted cluster may tolerate a taint named like the resource for its pods"
    if named_alike:
        for entry in estate.config:
            if _PLUGIN in text(entry.value):
                return f"{entry.kind} {entry.namespace}/{entry.name} turns on {_PLUGIN}"
    for kind in _MUTATORS:
        for policy in estate.by_kind.get(kind, ()):
            if _holds(dict(policy.body), 0):
                return f"{named(policy)} may add tolerations to pods"
    return ""


def _holds(value: Value, depth: int) -> bool:
    if depth > _DEPTH:
        return False
    if isinstance(value, dict):
        return any(_TOLERATIONS in key or _holds(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds(item, depth + 1) for item in value)
    return isinstance(value, str) and _TOLERATIONS in value
