"""How long a pod stays bound to a node that does not answer before another one is started elsewhere."""

from __future__ import annotations

from shoreup.facts.estate import Workload
from shoreup.facts.fields import items, known_text, mapping, number, why_open
from shoreup.model.value import Unknown

USUAL = 300
"""Seconds, unless a toleration says otherwise: what Kubernetes adds to every pod."""
LOST = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
"""The taints that a node gets which does not answer."""


def eviction_seconds(workload: Workload) -> int | Unknown | None:
    """Seconds until the pod leaves a node that is lost; ``None`` where it never does."""
    tolerations = workload.pod.get("tolerations")
    if why_open(tolerations):
        return Unknown(why_open(tolerations))
    slowest = 0
    for taint in LOST:
        seconds: int | None = USUAL
        for entry in items(tolerations):
            toleration = mapping(entry)
            if why_open(entry) or why_open(toleration.get("key")):
                return Unknown(why_open(entry) or why_open(toleration.get("key")))
            key, effect = known_text(toleration.get("key")), known_text(toleration.get("effect"))
            if key not in ({taint, ""} if toleration.get("operator") == "Exists" else {taint}):
                continue
            if effect not in {"", "NoExecute"}:
                continue
            written = toleration.get("tolerationSeconds")
            if why_open(written):
                return Unknown(why_open(written))
            seconds = number(written) if written is not None else None
        if seconds is None:
            return None
        slowest = max(slowest, seconds)
    return slowest
