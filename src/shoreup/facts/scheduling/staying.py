"""Which pods are meant to stay, and are wholly known: only of these may something be concluded from what is absent."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.workloads import LONG_RUNNING

REPLICATED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
"""Kinds of which several replicas may run."""


_REPLICAS = ("spec", "replicas")


def stays(workload: Workload) -> bool:
    """Whether it runs on and on, is switched on, and its pod is known: no job, no chart's values, nothing at zero."""
    ends = workload.kind == "Pod" and workload.pod.get("restartPolicy") in ("Never", "OnFailure")
    return workload.kind in LONG_RUNNING and not workload.partial and workload.enabled and not ends


def idle(estate: Estate) -> frozenset[int]:
    """The keys of what is suspended or scaled to nothing, where nothing beside the code scales it again."""
    return estate.once(_idle)


def _idle(estate: Estate) -> frozenset[int]:
    scaled = {one.resource.key for one in estate.ignored_changes if one.all_fields or one.route[:2] == _REPLICAS}
    off = {workload.resource.key for workload in estate.workloads if not workload.enabled}
    return frozenset(off - scaled - {workload.resource.key for workload in estate.workloads if workload.enabled})


def staying(estate: Estate) -> Iterator[tuple[Workload, Container]]:
    """Every container that runs on: those of :func:`stays`, without init containers that end."""
    for workload in estate.workloads:
        if stays(workload):
            for container in workload.containers:
                if not container.init or container.sidecar:
                    yield workload, container


def single(workload: Workload) -> bool:
    """Whether it certainly runs one replica, and nothing scales it."""
    return workload.kind in REPLICATED and workload.replicas == 1 and workload.least_replicas is None
