"""Containers that ask for nothing and get what is left."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.measured_resources import with_requests
from shoreup.concerns.wording.containers import RESTARTS, called, place_of
from shoreup.facts.estate import Estate
from shoreup.facts.lookup import container_at
from shoreup.facts.scheduling.resource_rules import REQUESTS, resource_rules
from shoreup.facts.scheduling.staying import staying
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_WORDS = {"cpu": "processor", "memory": "memory"}
_ADD = Fix(
    "Request what it uses on a usual day",
    Safety.UNSAFE,
    f"how much that is, only measurements can tell (fix --prometheus URL); {RESTARTS}",
)


class ResourcesRequestsMissing(Concern):
    """A container that runs on requests neither processor nor memory, or only one of them.

    **What**

    Neither the container nor its pod states a request (a limit counts as one), no LimitRange of the namespace gives
    one, no VerticalPodAutoscaler sets one. Jobs, init containers, workloads that are switched off and charts
    whose defaults are not known are left alone. Where a policy may write resources into pods, it is left open.

    **Why**

    The scheduler counts the container as nothing and fills its node beyond what it has. Under pressure, pods without
    requests are the first that the node evicts, and they get the smallest share of the processor.

    **Example**

    A `postgres` container without `resources` is found; `requests: {cpu: 100m, memory: 512Mi}` cures it, with numbers
    from its own measurements.

    **Fix safety**

    Unsafe: the pods restart. The numbers are the medians that a Prometheus has recorded (`--prometheus URL`), of the
    busiest pod at each moment. Without one nothing is written, and what to ask it is shown.
    """

    id = "resources-requests-missing"
    title = "Container that requests no processor or memory"
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
            missing = [what for what in ("cpu", "memory") if not rules.has(workload, container, REQUESTS, what)]
            if not missing:
                continue
            place = place_of(workload, container, "resources", REQUESTS)
            reason = rules.open(workload, container, REQUESTS)
            if reason:
                yield self.undecided(place, unknown="resources.requests", reason=reason)
                continue
            subject = called(workload, container)
            words = " and no ".join(_WORDS[what] for what in missing)
            yield self.found(
                place,
                field="resources.requests",
                subject=subject,
                message=f"{subject} requests no {words}, and nothing in its namespace gives it a request.",
                consequence=(
                    "The scheduler counts it as nothing, and it is among the first to be evicted when the node is full."
                    if "memory" in missing
                    else "On a busy node it gets the smallest share of the processor."
                ),
                severity=Severity.MEDIUM if "memory" in missing else Severity.LOW,
                fixes=(_ADD,),
                strict="memory" not in missing,
            )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Requests that a Prometheus has measured."""
        found = container_at(estate, draft.at)
        return with_requests(estate, *found) if found is not None else self.unrepaired(draft)
