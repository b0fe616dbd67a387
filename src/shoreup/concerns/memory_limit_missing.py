"""Containers that may take all memory of their node."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.measured_resources import with_limit
from shoreup.concerns.wording.containers import RESTARTS, called, place_of
from shoreup.facts.estate import Estate
from shoreup.facts.lookup import container_at
from shoreup.facts.scheduling.resource_rules import LIMITS, resource_rules
from shoreup.facts.scheduling.staying import staying
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_ADD = Fix(
    "Set a memory limit above what it needs on its worst day",
    Safety.UNSAFE,
    f"how much that is, only measurements can tell (fix --prometheus URL); {RESTARTS}",
)


class MemoryLimitMissing(Concern):
    """A container that runs on has no memory limit.

    **What**

    Neither the container nor its pod states a memory limit, and no LimitRange of the namespace gives one. A
    VerticalPodAutoscaler does not count: it scales limits only where there are some. Jobs, init containers, workloads
    that are switched off and charts whose defaults are not known are left alone. A limit on the processor is never
    asked for.

    **Why**

    A leak or one large request takes the memory of the whole node, and the kernel then ends whichever process it
    finds, a database as well as the culprit.

    **Example**

    A container with `requests: {memory: 256Mi}` and no limit is found; `limits: {memory: 512Mi}` cures it.

    **Fix safety**

    Unsafe: the pods restart, and a limit below what the program needs kills it. The number is the 99th percentile that
    a Prometheus has recorded (`--prometheus URL`) and a quarter more, never under the most that was seen; requests that
    are missing come with it, for Kubernetes would take the limit. Without a Prometheus nothing is written.
    """

    id = "memory-limit-missing"
    title = "Container without a memory limit"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.PERFORMANCE
    sources = (
        Source(
            "Kubernetes: requests and limits",
            "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
        ),
        Source(
            "Kubernetes: eviction under pressure",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container that runs on."""
        rules = resource_rules(estate)
        for workload, container in staying(estate):
            if rules.has(workload, container, LIMITS, "memory"):
                continue
            place = place_of(workload, container, "resources", LIMITS)
            reason = rules.open(workload, container, LIMITS)
            if reason:
                yield self.undecided(place, unknown="resources.limits.memory", reason=reason)
                continue
            subject = called(workload, container)
            yield self.found(
                place,
                field="resources.limits.memory",
                subject=subject,
                message=f"{subject} has no memory limit, and nothing in its namespace gives it one.",
                consequence="A leak takes the memory of the whole node, and other pods on it are killed.",
                fixes=(_ADD,),
            )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A limit with room over what a Prometheus has measured."""
        found = container_at(estate, draft.at)
        return with_limit(estate, *found) if found is not None else self.unrepaired(draft)
