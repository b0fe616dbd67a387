"""Slow starters that are killed before they are up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.probes import container_place, probe_place, subject
from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, number, why_open
from shoreup.facts.network.serving import serving, serving_at
from shoreup.model.edit import NoRepair, Put, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.location import Route
from shoreup.model.page import Source
from shoreup.model.value import Value, unknowns

_USUAL = {"initialDelaySeconds": 0, "periodSeconds": 10, "failureThreshold": 3}
ENOUGH = 150
"""Seconds. Slow products take longer after an update or a crash; most starts are done by then."""
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_ADD = Fix(
    "Add a startup probe that asks the same as the liveness probe and waits up to ten minutes",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart; the liveness probe then waits until the start is done",
)


class ProbeStartupMissing(Concern):
    """A product that may start slowly has a liveness probe that gives up soon, and no startup probe.

    **What**

    The container runs a product that is known to start slowly (migrations, crash recovery, indexes to load), its
    liveness probe gives up within 150 seconds of the start, and nothing holds that probe back. Without a liveness
    probe nothing kills a slow start, so that is another finding (`probe-liveness-missing`).

    **Why**

    After an update or a crash the start takes longer than usual. The probe kills it in the middle, the next start has
    the same work before it, and the pod never comes up; a database may be killed in the middle of its recovery, time
    after time.

    **Example**

    `nextcloud` with a liveness probe of `initialDelaySeconds: 30`, `periodSeconds: 30` and no `startupProbe` gets two
    minutes for a migration and is found. `failureThreshold: 30` on a startup probe cures it.

    **Fix safety**

    Unsafe: the pods restart once.
    """

    id = "probe-startup-missing"
    title = "Slow starter without a startup probe"
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
        """Look at every container that serves and is slow to start."""
        for found in serving(estate):
            if found.product is None or not found.product.slow:
                continue
            startup, liveness = found.container.body.get("startupProbe"), found.container.body.get("livenessProbe")
            if mapping(startup) or (not mapping(liveness) and not why_open(liveness)):
                continue
            patience = patience_of(mapping(liveness))
            unsure = [
                (name, why_open(probe)) for name, probe in (("startupProbe", startup), ("livenessProbe", liveness))
            ]
            opened = next(((name, why) for name, why in unsure if why), None)
            if opened is not None:
                yield self.undecided(probe_place(found, opened[0]), unknown=opened[0], reason=opened[1])
            elif isinstance(patience, str):
                yield self.undecided(probe_place(found, "livenessProbe"), unknown="livenessProbe", reason=patience)
            elif patience < ENOUGH:
                title = found.product.title
                yield self.found(
                    container_place(found),
                    field="startupProbe",
                    subject=subject(found),
                    message=(
                        f"{subject(found)} runs {title}, which may start slowly; its liveness probe ends a start "
                        f"of more than {patience} seconds, and no startup probe holds it back."
                    ),
                    consequence="A start that takes longer, as after an update or a crash, is killed again and again.",
                    confidence=Confidence.LIKELY,
                    related=((probe_place(found, "livenessProbe"), "this probe ends the start"),),
                    fixes=(_ADD,),
                )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A startup probe that asks what the liveness probe asks."""
        found = serving_at(estate, draft.at)
        liveness = mapping(found.container.body.get("livenessProbe")) if found else {}
        action = next((name for name in _ACTIONS if mapping(liveness.get(name))), "")
        if found is None or not action or next(unknowns(liveness[action]), None) is not None:
            return self.unrepaired(draft, "what the liveness probe asks is not all known")
        route = found.container.route
        probe = {action: liveness[action], "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 60}
        like: tuple[tuple[Route, Route], ...] = ()
        if "port" in mapping(liveness[action]):
            like = (((action, "port"), (*route, "livenessProbe", action, "port")),)
        return Repair(_ADD, (Put(found.workload.resource.key, (*route, "startupProbe"), probe, like),))


def patience_of(probe: Mapping[str, Value]) -> int | str:
    """Seconds from the start until the probe has the container killed, or why that is not decided."""
    numbers: dict[str, int] = {}
    for name, usual in _USUAL.items():
        written = probe.get(name)
        why = why_open(written)
        if why:
            return why
        given = number(written)
        numbers[name] = usual if given is None else given
    return numbers["initialDelaySeconds"] + max(numbers["periodSeconds"], 1) * max(numbers["failureThreshold"], 1)
