"""Which pods the scheduler puts before others when there is no room for all."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import number, text, truth, why_open

_BUILT_IN: Mapping[str, int] = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def priority(estate: Estate, workload: Workload) -> int | None:
    """The priority of a workload's pods; ``None`` where it is not decided."""
    values, usual = estate.once(_classes)
    written = workload.pod.get("priorityClassName")
    if why_open(written) or number(workload.pod.get("priority")) is not None:
        return number(workload.pod.get("priority")) if not why_open(written) else None
    name = text(written)
    return values.get(name) if name else usual


def _classes(estate: Estate) -> tuple[Mapping[str, int], int | None]:
    values = dict(_BUILT_IN)
    usual: int | None = 0
    for resource in estate.by_kind.get("PriorityClass", ()):
        value = number(resource.body.get("value"))
        if value is not None:
            values[resource.name] = value
        if truth(resource.body.get("globalDefault")) is True:
            usual = value
    return values, usual


def class_above(estate: Estate, value: int) -> str:
    """The lowest of the estate's own classes that is higher; empty where there is none."""
    values, _ = estate.once(_classes)
    return min(
        (name for name, one in values.items() if one > value and name not in _BUILT_IN),
        key=values.__getitem__,
        default="",
    )


def has_class(workload: Workload) -> bool:
    """Whether the workload names a class."""
    return bool(text(workload.pod.get("priorityClassName"))) or bool(workload.pod.get("priority"))
