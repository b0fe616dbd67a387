"""Several replicas that may all run on one node."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.replicas import pod_labels, spread
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import mapping, why_open
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.placement import Pin, pinned
from shoreup.facts.scheduling.spreading import one_node, spread_by_scheduler, spreader
from shoreup.facts.scheduling.staying import REPLICATED, stays
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_SPREAD = Fix(
    "Add a topologySpreadConstraint over kubernetes.io/hostname with whenUnsatisfiable: ScheduleAnyway",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart; the constraint is a preference and keeps no pod pending",
)


class ReplicasColocated(Concern):
    """A workload has several replicas, and nothing spreads them over nodes.

    **What**

    Two replicas or more, no `topologySpreadConstraints` and no pod anti-affinity, required or preferred. Workloads that
    run on every node, estates that declare a single node, clusters where a policy adds the constraint, and those whose
    scheduler is configured to spread over nodes by default are left alone.

    **Why**

    The scheduler's own preference is weak: after a node was drained or lost, all replicas often end on the nodes that
    were left, and stay there. The next lost node takes all of them, which is what the replicas were meant to prevent.

    **Example**

    A Deployment with `replicas: 2` and neither is found; a spread constraint on `kubernetes.io/hostname` cures it.

    **Fix safety**

    Unsafe: the pods restart. The constraint is proposed as a preference, so that no pod stays pending.
    """

    id = "replicas-colocated"
    title = "Several replicas that nothing spreads over nodes"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: topology spread constraints",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
        ),
        Source(
            "Kubernetes: assigning pods to nodes",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload with replicas."""
        if one_node(estate):
            return
        spreading = spreader(estate)
        by_default = spread_by_scheduler(estate)
        for workload in estate.workloads:
            if workload.kind not in REPLICATED or not stays(workload) or "*" in workload.name:
                continue
            count = workload.least_replicas if workload.least_replicas is not None else workload.replicas
            if not isinstance(count, int) or count < 2:
                continue
            place = Place(workload.resource.key, workload.pod_route)
            reason = _open(workload)
            if reason:
                yield self.undecided(place, unknown="topologySpreadConstraints", reason=reason)
            elif (
                workload.pod.get("topologySpreadConstraints")
                or _apart(workload)
                or (by_default and not isinstance(pinned(workload), Pin))
            ):
                continue
            elif spreading:
                yield self.undecided(place, unknown="topologySpreadConstraints", reason=spreading)
            else:
                yield self._together(workload, count)

    def _together(self, workload: Workload, count: int) -> Outcome:
        subject = named(workload.resource)
        least = "at least " if workload.least_replicas is not None else ""
        pin = pinned(workload)
        fixes: tuple[Fix, ...] = (_SPREAD,)
        where = "nothing in the estate asks for different nodes"
        if isinstance(pin, Pin):
            fixes = ()
            where = "all of them must run on one node"
        return self.found(
            Place(workload.resource.key, ("spec", "replicas")),
            field="topologySpreadConstraints",
            subject=subject,
            message=f"{subject} has {least}{count} replicas, and {where}.",
            consequence="One lost node may take all of them.",
            fixes=fixes,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A preference for different nodes, over the labels that the workload selects its pods by."""
        workload = workload_at(estate, draft.at)
        labels = pod_labels(workload) if workload else None
        if workload is None or labels is None:
            return self.unrepaired(draft, "the labels of the pods are not all known")
        if isinstance(pinned(workload), Pin):
            return self.unrepaired(
                draft, "it names the one node that it may run on; which others would do is not known"
            )
        return Repair(_SPREAD, (spread(workload, labels),))


def _apart(workload: Workload) -> bool:
    anti = mapping(mapping(workload.pod.get("affinity")).get("podAntiAffinity"))
    return any(anti.get(field) for field in anti if not why_open(anti.get(field)))


def _open(workload: Workload) -> str:
    affinity = workload.pod.get("affinity")
    anti = mapping(affinity).get("podAntiAffinity")
    unsure = (workload.pod.get("topologySpreadConstraints"), affinity, anti, *mapping(anti).values())
    return next((why_open(value) for value in unsure if why_open(value)), "")
