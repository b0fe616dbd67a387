"""Containers that get traffic before they can answer it."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.probes import (
    container_place,
    fitting_probe,
    probe_place,
    reached,
    repaired_probe,
    subject,
)
from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, why_open
from shoreup.facts.network.serving import serving, serving_at
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Place, Section, Severity
from shoreup.model.page import Source


class ProbeReadinessMissing(Concern):
    """A container serves and has no readiness probe.

    **What**

    A Service leads to the container, or it declares a port, and nothing tells Kubernetes when it can answer. Jobs,
    init containers, what is asked for metrics alone, and workloads that are switched off are left alone; so is a
    container that serves beside the one that the pod is there for: its probe would take that one out of the Service.

    **Why**

    Kubernetes sends traffic as soon as the process has started, and a rollout goes on to the next pod although this
    one cannot answer yet: each start and each update is a short outage.

    **Example**

    A `postgres` container behind a Service without `readinessProbe` is found; `exec: [pg_isready]` cures it.

    **Fix safety**

    Unsafe: the pod template changes, so the pods restart; a probe that never passes takes the pod out of its Service.
    """

    id = "probe-readiness-missing"
    title = "Container that serves without a readiness probe"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: liveness, readiness and startup probes",
            "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
        ),
        Source(
            "Kubernetes: how a pod ends and is replaced",
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container that serves."""
        for found in serving(estate):
            if found.beside:
                continue  # a pod is in its Services or out of them as a whole: this one would take the main one out
            probe = found.container.body.get("readinessProbe")
            why = why_open(probe)
            if why:
                yield self.undecided(probe_place(found, "readinessProbe"), unknown="readinessProbe", reason=why)
            elif not mapping(probe):
                yield self.found(
                    container_place(found),
                    field="readinessProbe",
                    subject=subject(found),
                    message=f"{subject(found)} {reached(found)} and has no readiness probe.",
                    consequence="Each start and each rollout sends requests to it that it cannot answer yet.",
                    severity=Severity.HIGH if found.depended_on else Severity.MEDIUM,
                    confidence=Confidence.CERTAIN if found.services else Confidence.LIKELY,
                    related=tuple(
                        (Place(service.resource.key), "this Service sends traffic to it")
                        for service in found.services[:2]
                    ),
                    fixes=(fitting_probe(found, "readiness"),),
                )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The probe that fits the product or the port, in the container."""
        return repaired_probe(serving_at(estate, draft.at), "readiness")
