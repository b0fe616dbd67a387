"""One replica that many ways in must pass."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.replicas import pod_labels, second_replica
from shoreup.facts.estate import Estate
from shoreup.facts.fields import filled, mapping
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.placement import Pin, pinned
from shoreup.facts.scheduling.staying import REPLICATED, single, stays
from shoreup.facts.ways_in.bottlenecks import Gate, alone, gates
from shoreup.facts.wiring.reading import wiring
from shoreup.facts.wiring.standing import listed
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_FEWEST = 3
"""Fewer routes are an application with a proxy of its own."""
_LISTED = 8
_REPLICATE = Fix(
    "Run two replicas, spread over nodes, with a budget of maxUnavailable: 1",
    Safety.UNSAFE,
    "the pods restart; sessions must be kept outside the pod, or users sign in again",
)
_SHOW = Fix(
    "Keep its state in a database or on a shared volume, then run two replicas, spread over nodes",
    Safety.SHOWN,
    "as it stands two replicas could not use its state together",
)
_OPEN = Fix(
    "Let the proxy pass requests on while the filter does not answer",
    Safety.SHOWN,
    "whether a route may be open for a while without its filter is the owner's to decide",
)


class GateSingle(Concern):
    """One workload with one replica stands in the way of three routes or more and fails closed.

    **What**

    A sign-in that a proxy asks before it passes a request (forward-auth, `auth-url`, external authorization), a bot
    filter or a proxy that routes lead through, with a single replica. Routes are counted through Services,
    middlewares and chains. One that the proxy passes over when it does not answer (`failOpen`) is left alone, and so is
    one that runs on every node.

    **Why**

    While the one pod restarts, is drained or its node is down, the proxy answers every request behind it with an
    error, although all that lies behind works.

    **Example**

    An `authelia` Deployment with `replicas: 1` behind a `forwardAuth` middleware that ten routes pass is found, with
    the routes, the nodes that it may run on and the volume that keeps a second replica out.

    **Fix safety**

    Unsafe: the pods restart. Where its state lies on a volume that one pod alone may use, or the product cannot run
    several, more replicas are not proposed as they are.
    """

    id = "gate-single"
    title = "One replica in the way of many routes"
    severity = Severity.CRITICAL
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.SCALING_LIMITS
    sources = (
        Source(
            "Kubernetes: disruptions and budgets", "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"
        ),
        Source(
            "Site Reliability Engineering: cascading failures",
            "https://sre.google/sre-book/addressing-cascading-failures/",
        ),
    )
    slow_facts = "wiring"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every gate."""
        for gate in gates(estate):
            workload = gate.workload
            if len(gate.routes) < _FEWEST or workload.kind not in REPLICATED or not stays(workload):
                continue
            place = Place(workload.resource.key, ("spec", "replicas"))
            if single(workload):
                yield self._single(estate, gate, place)
            elif isinstance(workload.replicas, Unknown) and (workload.least_replicas or 0) < 2:
                yield self.undecided(place, unknown="replicas", reason=workload.replicas.reason)

    def _single(self, estate: Estate, gate: Gate, place: Place) -> Outcome:
        subject = named(gate.workload.resource)
        behind = listed(tuple(gate.routes), _LISTED)
        where, reason = _nodes(gate)
        held = list(alone(gate.workload))
        kept = f" and keeps state on {held[0][0]} ({held[0][1]})" if held else ""
        related = [(at, f"{node.name} passes it") for node, at in list(gate.routes.items())[:_LISTED]]
        related += [(reason, f"it may run on {where} alone")] if reason else []
        related += [(at, "a second replica cannot use this volume") for _, _, at in held[:1]]
        writers = {
            product.writers
            for container in gate.workload.containers
            if (product := estate.products.get(container.image.product)) is not None
        }
        movable = not held and writers == {"many"}
        fixes = [_REPLICATE if movable else _SHOW]
        if any(estate.products.kind(container.image.product) == "gate" for container in gate.workload.containers):
            fixes.append(_OPEN)
        graph = wiring(estate)
        weight = max((graph.weight(node) for node in graph.of(gate.workload.resource.key)), default=0)
        return self.found(
            place,
            field="replicas",
            subject=subject,
            message=(
                f"{subject} has one replica and stands in the way of {len(gate.routes)} routes; "
                f"it runs on {where}{kept}."
            ),
            consequence=(f"While it restarts or its node is down, these answer with an error: {behind}."),
            related=tuple(related),
            fixes=tuple(fixes),
            dependants=max(weight, len(gate.routes)),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Two replicas on different nodes and a budget, where the finding says that two may run."""
        workload = workload_at(estate, draft.at)
        labels = pod_labels(workload) if workload else None
        if _REPLICATE not in draft.fixes or workload is None or labels is None:
            return self.unrepaired(draft)
        edits = second_replica(estate, workload, labels)
        if isinstance(edits, str):
            return self.unrepaired(draft, edits)
        return Repair(_REPLICATE, edits, cost="twice the memory and processor")


def _nodes(gate: Gate) -> tuple[str, Place | None]:
    """The nodes that it may run on, and where that is written."""
    workload = gate.workload
    pin = pinned(workload)
    if isinstance(pin, Pin):
        return f"the node {pin.node}", pin.place
    labels = mapping(workload.pod.get("nodeSelector"))
    if labels:
        spoken = ", ".join(f"{key}={filled(value)}" for key, value in labels.items())
        return f"nodes with {spoken}", Place(workload.resource.key, (*workload.pod_route, "nodeSelector"))
    return "any node", None
