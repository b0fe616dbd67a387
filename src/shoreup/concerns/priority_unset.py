"""What many depend on, and the scheduler treats like everything else."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.priorities import class_above, has_class, priority
from shoreup.facts.scheduling.spreading import ranker
from shoreup.facts.scheduling.staying import REPLICATED, stays
from shoreup.facts.wiring.standing import listed, others
from shoreup.model.edit import Add, NoRepair, Put, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Value

_ENOUGH = 5
_FEWEST = 3
"""With fewer than enough, from so many on, only the strict persona hears of it."""
_NAME = "depended-on"
_VALUE = 1_000_000
"""Far above the default of 0, far below what Kubernetes keeps for itself (from a thousand million on)."""
_CLASS = Fix(
    "Give it a PriorityClass above the default",
    Safety.UNSAFE,
    "the pods restart; when the cluster is full, pods without the class are evicted to make room",
)


class PriorityUnset(Concern):
    """What many depend on has no higher priority than what nobody depends on.

    **What**

    Five others or more depend on the workload, it names no priority class, and a workload that nobody depends on has
    the same priority or a higher one. With three or four others only the strict persona sees it. A class marked as the
    default counts; where a class is not in the estate, nothing is said.

    **Why**

    When a node is lost and the rest cannot hold all pods, the scheduler takes them in the order of their
    priority. Without one the start page may get the last place, while the database waits, and everything with it.

    **Example**

    A sign-in service before ten routes without `priorityClassName`, beside a drawing tool without one, is found.

    **Fix safety**

    Unsafe: the pods restart, and with a priority come evictions of others when the cluster is full.
    """

    id = "priority-unset"
    title = "No priority for what many depend on"
    severity = Severity.LOW
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: priority and preemption",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/",
        ),
        Source(
            "Kubernetes: eviction under pressure",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
        ),
    )
    slow_facts = "wiring"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Compare what many depend on with what nobody does."""
        ranked: list[tuple[Workload, int, int]] = []
        for workload in estate.workloads:
            if workload.kind in REPLICATED and stays(workload):
                value = priority(estate, workload)
                if value is not None:
                    ranked.append((workload, value, len(others(estate, workload.resource.key))))
        leaves = [(value, workload) for workload, value, count in ranked if count == 0]
        highest = max((value for value, _ in leaves), default=None)
        if highest is None:
            return
        policy = ranker(estate)
        for workload, value, count in ranked:
            if count >= _FEWEST and not has_class(workload) and value <= highest:
                if policy:
                    place = Place(workload.resource.key, workload.pod_route)
                    yield self.undecided(place, unknown="priorityClassName", reason=policy)
                    return  # it is one question, however many it may rank
                beside = [leaf for at, leaf in leaves if at >= value]
                yield self._unset(estate, workload, beside)

    def _unset(self, estate: Estate, workload: Workload, beside: list[Workload]) -> Outcome:
        subject = named(workload.resource)
        standing = others(estate, workload.resource.key)
        example = named(beside[0].resource)
        more = f" and {len(beside) - 1} more" if len(beside) > 1 else ""
        return self.found(
            Place(workload.resource.key, workload.pod_route),
            field="priorityClassName",
            subject=subject,
            message=(
                f"{len(standing)} others depend on {subject}, "
                f"and it has no higher priority than {example}{more}, on which nothing depends."
            ),
            consequence=(
                "When nodes are full, it may stay pending, and is missing to what depends on it, directly or through "
                f"others: {listed(standing)}."
            ),
            fixes=(_CLASS,),
            dependants=len(standing),
            strict=len(standing) < _ENOUGH,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The lowest class of the estate that is above what nobody depends on; a new one where there is none."""
        workload = workload_at(estate, draft.at)
        if workload is None:
            return self.unrepaired(draft)
        name = class_above(estate, _highest_leaf(estate))
        put = Put(workload.resource.key, (*workload.pod_route, "priorityClassName"), name or _NAME)
        if name:
            return Repair(_CLASS, (put,))
        body: dict[str, Value] = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": _NAME},
            "value": _VALUE,
            "globalDefault": False,
            "description": "What many others depend on.",
        }
        return Repair(_CLASS, (Add(workload.resource.key, body), put))


def _highest_leaf(estate: Estate) -> int:
    """The highest priority of what nothing depends on."""
    values = [
        value
        for workload in estate.workloads
        if workload.kind in REPLICATED and stays(workload) and not others(estate, workload.resource.key)
        if (value := priority(estate, workload)) is not None
    ]
    return max(values, default=0)
