"""Services that wait five minutes on a dead node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.eviction import LOST, USUAL, eviction_seconds
from shoreup.facts.scheduling.placement import pinned
from shoreup.facts.scheduling.spreading import one_node
from shoreup.facts.scheduling.staying import single, stays
from shoreup.facts.storage.state import lasting
from shoreup.facts.wiring.standing import listed, others
from shoreup.model.edit import Append, Edit, NoRepair, Put, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown, Value

_ENOUGH = 3
_SOON = 30
"""Seconds that a node may be away, as for a restart of its kubelet."""
_SOONER = Fix(
    "Tolerate unreachable and not-ready nodes for 30 seconds",
    Safety.UNSAFE,
    "the pods restart; a node that is away for a moment then moves its pods sooner",
)


class RescheduleSlow(Concern):
    """A stateless service with one replica stays five minutes on a node that is gone.

    **What**

    A Deployment with one replica and no lasting volume, free to run on any node, leaves a lost node only after
    300 seconds, and its tier in the settings (`[tiers]`, `accepted-downtime`) allows less. Without a tier, a service
    that others depend on is shown to the strict persona. What keeps data on a volume is left alone: there
    the wait protects the data from two writers.

    **Why**

    Kubernetes lets every pod tolerate a silent node for 300 seconds. Until then nothing starts elsewhere, and whatever
    depends on the service waits with it.

    **Example**

    A sign-in proxy with `replicas: 1` in a tier with `accepted-downtime = "1m"` is found; tolerations of
    `node.kubernetes.io/unreachable` and `not-ready` with `tolerationSeconds: 30` cure it.

    **Fix safety**

    Unsafe: the pods restart, and a short loss of the network moves them.
    """

    id = "reschedule-slow"
    title = "Stateless service that stays on a dead node"
    severity = Severity.LOW
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: taints and tolerations",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
        ),
    )
    slow_facts = "wiring"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every stateless service with one replica."""
        if one_node(estate):
            return
        for workload in estate.workloads:
            if workload.kind != "Deployment" or not stays(workload) or not single(workload) or not _free(workload):
                continue
            allowed = estate.settings.accepted_downtime(f"{workload.namespace}/{workload.name}")
            if allowed is None or allowed < timedelta(seconds=USUAL):
                yield from self._wait(estate, workload, allowed)

    def _wait(self, estate: Estate, workload: Workload, allowed: timedelta | None) -> Iterator[Outcome]:
        standing = others(estate, workload.resource.key)
        if allowed is None and not standing:
            return
        seconds = eviction_seconds(workload)
        place = Place(workload.resource.key, (*workload.pod_route, "tolerations"))
        if isinstance(seconds, Unknown):
            if allowed is not None:
                yield self.undecided(place, unknown="tolerations", reason=seconds.reason)
            return
        limit = USUAL - 1 if allowed is None else allowed.total_seconds()
        if seconds is None or seconds <= limit:
            return
        subject = named(workload.resource)
        why = (
            ("one other depends on it" if len(standing) == 1 else f"{len(standing)} others depend on it")
            if allowed is None
            else f"its tier accepts {allowed.total_seconds():.0f} seconds"
        )
        away = f"it and {listed(standing)} are" if standing else "it is"
        yield self.found(
            place,
            field="tolerations",
            subject=subject,
            message=f"{subject} has one replica and leaves a lost node after {seconds} seconds, and {why}.",
            consequence=f"When its node dies, {away} away for that long before a new pod is started.",
            fixes=(_SOONER,),
            dependants=len(standing),
            strict=allowed is None,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A toleration of a short while for each of the two taints of a lost node."""
        workload = workload_at(estate, draft.at)
        if workload is None:
            return self.unrepaired(draft)
        allowed = estate.settings.accepted_downtime(f"{workload.namespace}/{workload.name}")
        seconds = _SOON if allowed is None else max(0, min(_SOON, int(allowed.total_seconds())))
        route = (*workload.pod_route, "tolerations")
        edits: list[Edit] = []
        for taint in LOST:
            index = next(
                (i for i, one in enumerate(items(workload.pod.get("tolerations"))) if mapping(one).get("key") == taint),
                None,
            )
            if index is not None:
                edits.append(Put(workload.resource.key, (*route, index, "tolerationSeconds"), seconds))
                continue
            entry: dict[str, Value] = {
                "key": taint,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": seconds,
            }
            edits.append(Append(workload.resource.key, route, entry))
        return Repair(_SOONER, tuple(edits))


def _free(workload: Workload) -> bool:
    """Whether it keeps nothing and may run elsewhere, as far as is known for certain."""
    if workload.pod.get("hostNetwork") or pinned(workload) is not None:
        return False
    return not any(volume.undecided or lasting(volume) for volume in workload.volumes)
