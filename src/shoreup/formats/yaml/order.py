"""Where a person would put a new key among those that are there.

Sorted keys stay sorted. Else a key joins those of its kind: a probe the other probes, a limit its request; what
people write before a long block comes before it. Everything else goes to the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

_SORTED_FROM = 4
"""Fewer keys may be sorted by chance."""

_BESIDE: dict[str, tuple[str, ...]] = {
    "readinessProbe": ("livenessProbe", "startupProbe"),
    "livenessProbe": ("readinessProbe", "startupProbe"),
    "startupProbe": ("readinessProbe", "livenessProbe"),
    "readiness": ("liveness", "startup"),
    "liveness": ("readiness", "startup"),
    "startup": ("readiness", "liveness"),
    "limits": ("requests",),
    "imagePullPolicy": ("image",),
    "args": ("command",),
    "digest": ("tag",),
    "tag": ("repository",),
    "labels": ("namespace", "name"),
    "annotations": ("labels", "namespace", "name"),
    "namespace": ("name",),
    "replicas": ("type",),
    "strategy": ("replicas", "revisionHistoryLimit"),
    "affinity": ("nodeSelector", "tolerations"),
    "tolerations": ("nodeSelector", "affinity"),
    "topologySpreadConstraints": ("affinity", "tolerations", "nodeSelector"),
}
_BEFORE: dict[str, tuple[str, ...]] = {
    "replicas": ("strategy", "selector", "template", "pod", "initContainers", "containers"),
    "strategy": ("selector", "template", "pod", "initContainers", "containers"),
    "pod": ("initContainers", "containers"),
    "updateStrategy": ("selector", "template"),
    "affinity": ("initContainers", "containers"),
    "tolerations": ("initContainers", "containers"),
    "topologySpreadConstraints": ("initContainers", "containers"),
    "priorityClassName": ("initContainers", "containers"),
    "nodeSelector": ("initContainers", "containers"),
    "metadata": ("spec",),
    "data": ("stringData",),
}
_MAY_BE_FIRST = frozenset({"replicas", "strategy", "pod"})


def place_for(key: str, names: Sequence[str | None]) -> int:
    """The index of the entry behind which a new key comes; -1 before all others."""
    known = [name for name in names if name is not None]
    if len(known) == len(names) and len(names) >= _SORTED_FROM and list(known) == sorted(known):
        return bisect_left(known, key) - 1
    for beside in _BESIDE.get(key, ()):
        if beside in names:
            return list(names).index(beside)
    for before in _BEFORE.get(key, ()):
        if before in names and (list(names).index(before) or key in _MAY_BE_FIRST):
            return list(names).index(before) - 1
    return len(names) - 1
