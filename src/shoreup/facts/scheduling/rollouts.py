"""How a Deployment replaces its pods: whether an old and a new one run at the same time.

A rolling update starts new pods before it ends old ones, as many as ``maxSurge`` says (25 % unless told otherwise,
rounded up: one at least). ``Recreate`` ends all first, and so does, in effect, a surge of none.
"""

from __future__ import annotations

from shoreup.facts.estate import Workload
from shoreup.facts.fields import known_text, mapping, why_open
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Unknown

_STRATEGY: Route = ("spec", "strategy")
_ROLLING = "RollingUpdate"
_NONE = frozenset({"0", "0%"})


def overlaps(workload: Workload) -> bool | Unknown:
    """Whether a rollout runs old and new pods together. Only a Deployment does; a StatefulSet ends a pod first."""
    if workload.kind != "Deployment":
        return False
    spec = mapping(workload.resource.body.get("spec"))
    strategy = spec.get("strategy")
    kind = mapping(strategy).get("type")
    rolling = mapping(strategy).get("rollingUpdate")
    surge = mapping(rolling).get("maxSurge")
    if isinstance(kind, str) and kind != _ROLLING:
        return False
    if known_text(surge) in _NONE:
        return False
    unsure = (workload.resource.body.get("spec"), strategy, kind, rolling, surge)
    reason = next((why_open(value) for value in unsure if why_open(value)), "")
    return Unknown(reason) if reason else True


def strategy_place(workload: Workload) -> Place:
    """The strategy's type where it stands, else where it would stand."""
    strategy = mapping(mapping(workload.resource.body.get("spec")).get("strategy"))
    return Place(workload.resource.key, (*_STRATEGY, "type") if "type" in strategy else _STRATEGY)


def says_rolling(workload: Workload) -> bool:
    """Whether the strategy is written down, rather than left to Kubernetes."""
    return mapping(mapping(workload.resource.body.get("spec")).get("strategy")).get("type") == _ROLLING
