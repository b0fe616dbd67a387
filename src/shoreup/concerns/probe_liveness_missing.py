"""Containers that hang unnoticed."""

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
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Section, Severity
from shoreup.model.page import Source


class ProbeLivenessMissing(Concern):
    """A container serves and has no liveness probe.

    **What**

    A Service leads to the container, or it declares a port, and nothing restarts it when its process hangs. Jobs, init
    containers, what is asked for metrics alone, and workloads that are switched off are left alone. It is low where the
    pod is there for another container.

    **Why**

    A process that has exited is restarted; one that hangs is not. It stays until a person sees it.

    **Example**

    A `postgres` container behind a Service without `livenessProbe` is found; `exec: [pg_isready]` cures it.

    **Fix safety**

    Unsafe: the pod template changes, so the pods restart, and a probe that is too strict restarts a slow process.
    """

    id = "probe-liveness-missing"
    title = "Container that serves without a liveness probe"
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
            probe = found.container.body.get("livenessProbe")
            why = why_open(probe)
            if why:
                yield self.undecided(probe_place(found, "livenessProbe"), unknown="livenessProbe", reason=why)
            elif not mapping(probe):
                yield self.found(
                    container_place(found),
                    field="livenessProbe",
                    subject=subject(found),
                    message=f"{subject(found)} {reached(found)} and has no liveness probe.",
                    consequence="A process that hangs is not restarted and stays down until a person sees it.",
                    severity=Severity.LOW if found.beside else Severity.HIGH if found.depended_on else Severity.MEDIUM,
                    confidence=Confidence.CERTAIN if found.services else Confidence.LIKELY,
                    fixes=(fitting_probe(found, "liveness"),),
                )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The probe that fits the product or the port, in the container."""
        return repaired_probe(serving_at(estate, draft.at), "liveness")
