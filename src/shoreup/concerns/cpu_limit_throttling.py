"""Limits on the processor that slow a program down at every request."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.probes import reached, subject
from shoreup.concerns.wording.containers import RESTARTS, place_of
from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import known_text, mapping, why_open
from shoreup.facts.lookup import container_at
from shoreup.facts.naming import named
from shoreup.facts.network.serving import serving
from shoreup.facts.quantities import cores
from shoreup.facts.scheduling.measured import millicores, use_of
from shoreup.facts.scheduling.resource_rules import LIMITS, resource_rules
from shoreup.model.edit import Edit, NoRepair, Put, Remove, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.location import Route
from shoreup.model.measured import Use
from shoreup.model.page import Source

_BURSTY = frozenset({"app", "auth", "cache", "database", "gate", "ingress", "pooler", "queue", "search", "web"})
"""Kinds of product that wait for requests and then want a whole core for a moment."""
_TOO_LITTLE = 0.2
"""Cores: 20 ms of each 100 ms. Below it, a single request of an ordinary program waits for several periods."""
_DROP = Fix(
    "Drop the limit and keep the request",
    Safety.UNSAFE,
    f"{RESTARTS}; the request still guarantees its share when the node is busy",
)


class CpuLimitThrottling(Concern):
    """A container that answers requests is limited to less than 200 millicores.

    **What**

    A container of a known product that waits for requests (an application, database, proxy, sign-in) serves, and its
    own processor limit is under `200m`. Of exporters, agents and programs that are not known only the strict persona
    hears.

    **Why**

    The kernel hands out the processor in periods of 100 ms. With `150m` a program that needs 60 ms of work for an
    answer runs 15 ms, is stopped, and runs again in the next period: the answer takes over 300 ms on an idle node.
    Probes time out for the same reason.

    **Example**

    `limits: {cpu: 150m}` on a `gitea` container is found. `requests: {cpu: 150m}` without a limit is not.

    **Fix safety**

    Unsafe: the pods restart. A limit is never proposed where there is none.
    """

    id = "cpu-limit-throttling"
    title = "Processor limit that throttles every answer"
    severity = Severity.MEDIUM
    consequence_class = Consequence.HYGIENE
    category = Category.AVAILABILITY
    section = Section.PERFORMANCE
    sources = (
        Source("Linux: bandwidth control of the scheduler", "https://docs.kernel.org/scheduler/sched-bwc.html"),
        Source(
            "Kubernetes: requests and limits",
            "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container that serves."""
        for found in serving(estate):
            bursty = found.product is not None and found.product.kind in _BURSTY
            resources = found.container.body.get("resources")
            limits = mapping(mapping(resources).get("limits"))
            limit = cores(limits.get("cpu"))
            written = (resources, mapping(resources).get("limits"), limits.get("cpu"))
            reason = next((why_open(value) for value in written if why_open(value)), "")
            if bursty and reason:
                place = place_of(found.workload, found.container, "resources", "limits", "cpu")
                yield self.undecided(place, unknown="processor limit", reason=reason)
            if limit is None or not 0 < limit < _TOO_LITTLE:
                continue
            shown = known_text(limits.get("cpu"))
            yield self.found(
                place_of(found.workload, found.container, "resources", "limits", "cpu"),
                field="resources.limits.cpu",
                subject=subject(found),
                message=f"{subject(found)} {reached(found)} and is limited to {shown} of a processor.",
                consequence=(
                    f"It works {limit * 100:.3g} ms of every 100 ms and is then stopped, "
                    "so that answers are slow on an idle node too."
                ),
                confidence=Confidence.LIKELY,
                severity=Severity.MEDIUM if bursty else Severity.LOW,
                fixes=(_DROP,),
                strict=not bursty,
            )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The limit goes; what it also meant, a request of as much, is written down where nothing else is."""
        found = container_at(estate, draft.at)
        if found is None:
            return self.unrepaired(draft)
        workload, container = found
        key, route = workload.resource.key, (*container.route, "resources")
        resources = mapping(container.body.get("resources"))
        limits = mapping(resources.get("limits"))
        gone: Route = ("limits", "cpu") if len(limits) > 1 else ("limits",)
        edits: list[Edit] = [Remove(key, (*route, *gone))]
        given = resource_rules(estate).has(workload, _without_own(container), LIMITS, "cpu")
        if given:
            reason = "without its own limit it would get that of the namespace's LimitRange or of its pod"
            return NoRepair(reason, _RAISED)
        quota = _asked_by_quota(estate, workload)
        if quota:
            return NoRepair(f"{quota} counts limits on the processor, and refuses pods without one", _RAISED)
        use = use_of(estate, workload, container.name)
        measured = use.cpu_median if isinstance(use, Use) else None
        if mapping(resources.get("requests")).get("cpu") is None:
            request = limits.get("cpu") if measured is None else millicores(measured)
            edits.append(Put(key, (*route, "requests", "cpu"), request))
        return Repair(_seen(estate, use), tuple(edits), cost="it may take what others leave, up to the whole node")


def _asked_by_quota(estate: Estate, workload: Workload) -> str:
    """The ResourceQuota of the namespace by which every pod has to have a limit, if there is one."""
    for quota in estate.by_kind.get("ResourceQuota", ()):
        near = (quota.namespace or "default") == workload.namespace or "*" in (quota.namespace or "")
        if near and "limits.cpu" in mapping(mapping(quota.body.get("spec")).get("hard")):
            return named(quota)
    return ""


def _without_own(container: Container) -> Container:
    body = {field: value for field, value in container.body.items() if field != "resources"}
    return replace(container, body=body)


def _seen(estate: Estate, use: Use | str) -> Fix:
    """The fix, with how often the limit has stopped the container where that was measured."""
    if isinstance(use, str) or use.throttled is None or estate.measured is None:
        return _DROP
    stopped = f"the limit stopped it in {use.throttled:.0%} of its periods ({estate.measured.said()})"
    return Fix(_DROP.title, _DROP.safety, f"{_DROP.reason}; {stopped}")


_RAISED = """resources:
  limits:
    cpu: <at least what one request needs of a whole core, such as "1">"""
