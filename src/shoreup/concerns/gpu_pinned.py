"""GPU work that one named node alone can run."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import lies_on
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.accelerators import GpuClaim, gpu_claim
from shoreup.facts.scheduling.operated_accelerators import OperatedPin, operated_pins
from shoreup.facts.scheduling.placement import HOSTNAME, REQUIRED, Pin, pinned
from shoreup.model.edit import Append, NoRepair, Remove, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.location import Route
from shoreup.model.page import Source
from shoreup.model.value import Unknown, Value

_EVERYWHERE = "DaemonSet"
_OF_THE_NODE = frozenset({"host-path", "local"})
_LOOSEN = Fix(
    "Prefer this node instead of requiring it; the claim itself asks for a node with such a card",
    Safety.UNSAFE,
    "the pods restart, and may then run on another node; their volumes must reach there",
)
_PREFER = Fix(
    "Require a label that every suitable node has, and prefer this node instead of requiring it",
    Safety.UNSAFE,
    "the pods restart, and may then run on another node; their volumes must reach there",
)


class GpuPinned(Concern):
    """A workload claims a GPU, and one node, named by its host name, is the only one that may run it.

    **What**

    The pod has a `nodeName`, a `nodeSelector` on `kubernetes.io/hostname`, or a required node affinity whose every
    term names the same single host. A claim is an extended resource such as `nvidia.com/gpu`, a
    resource claim of a GPU's device class, NVIDIA's runtime, or `/dev/dri` mounted from the node. The objects of an
    operator that makes such pods (LLMKube's `InferenceService`) count too.

    **Why**

    While that node is down, drained or renamed, the workload stays pending, whatever other cards the cluster has. A
    card that is added later does nothing for it.

    **Example**

    `nodeSelector: {kubernetes.io/hostname: forge}` beside `nvidia.com/gpu: 1` is found. A selector on a label that
    several nodes may have, or a preferred affinity, is not; nor is the same selector without a GPU.

    **Fix safety**

    Unsafe: the pods restart and may move. Where only one node has a card, the fix is a second card; no work
    without a card is proposed, as not every image can do that.
    """

    id = "gpu-pinned"
    title = "GPU workload that one named node alone can run"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: assigning pods to nodes",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/",
        ),
        Source("Kubernetes: scheduling GPUs", "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/"),
        Source("Objects of operators of accelerators", "facts/data/accelerator_objects.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload that claims a GPU."""
        for workload in estate.workloads:
            claim = gpu_claim(estate, workload) if workload.enabled and workload.kind != _EVERYWHERE else None
            if claim is None:
                continue
            pin = pinned(workload)
            if isinstance(pin, Unknown):
                place = Place(workload.resource.key, (*workload.pod_route, "nodeSelector"))
                yield self.undecided(place, unknown="node", reason=pin.reason)
            elif pin is not None:
                yield self._pinned(workload, claim, pin)
        for operated in operated_pins(estate):
            yield self._operated(operated)

    def _pinned(self, workload: Workload, claim: GpuClaim, pin: Pin) -> Outcome:
        subject = named(workload.resource)
        node = _node(pin)
        return self.found(
            pin.place,
            field="nodeSelector",
            subject=subject,
            message=f"{subject} asks for {claim.asks} and may run on {node} alone.",
            consequence="While that node is down or drained it stays pending, whatever other cards there are.",
            related=((claim.place, f"{claim.container.name} asks for {claim.asks}"),),
            fixes=(_PREFER,),
        )

    def _operated(self, operated: OperatedPin) -> Outcome:
        subject = named(operated.resource)
        return self.found(
            operated.pin.place,
            field="nodeSelector",
            subject=subject,
            message=f"{subject} asks for a GPU and may run on {_node(operated.pin)} alone.",
            consequence="While that node is down or drained it stays pending, whatever other cards there are.",
            related=((operated.claim, "its model asks for a GPU"),),
            fixes=(_PREFER,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The requirement becomes a preference, where the claim itself asks for nodes that have such a card."""
        workload = workload_at(estate, draft.at)
        claim = gpu_claim(estate, workload) if workload else None
        pin = pinned(workload) if workload else None
        if workload is None or claim is None or not isinstance(pin, Pin) or "*" in pin.node:
            return self.unrepaired(draft)
        if not claim.resource:
            return self.unrepaired(
                draft, "the pod claims no device, so nothing but this node's name tells where a card is"
            )
        here = next((one for one in workload.volumes if one.kind in _OF_THE_NODE and not one.read_only), None)
        if here is not None:
            return self.unrepaired(draft, f"on another node {lies_on(here)} is another one, without its data")
        gone = _requirement(workload, pin)
        if gone is None:
            return self.unrepaired(draft, "the node is named among other requirements")
        key, affinity = workload.resource.key, (*workload.pod_route, "affinity", "nodeAffinity")
        expression: dict[str, Value] = {"key": HOSTNAME, "operator": "In", "values": [pin.node]}
        preferred: dict[str, Value] = {"weight": 100, "preference": {"matchExpressions": [expression]}}
        append = Append(key, (*affinity, "preferredDuringSchedulingIgnoredDuringExecution"), preferred)
        return Repair(
            _LOOSEN, (Remove(key, gone), append), cost="it may start where its volumes have to be attached anew"
        )


def _requirement(workload: Workload, pin: Pin) -> Route | None:
    """What to take away so that the node is not required any more; ``None`` where other things would go with it."""
    route, pod = pin.place.route, workload.pod_route
    if route == (*pod, "nodeName"):
        return route
    if route == (*pod, "nodeSelector", HOSTNAME):
        alone = len(mapping(workload.pod.get("nodeSelector"))) == 1
        return (*pod, "nodeSelector") if alone else route
    affinity = mapping(mapping(workload.pod.get("affinity")).get("nodeAffinity"))
    required = mapping(affinity.get(REQUIRED))
    terms = [mapping(term) for term in items(required.get("nodeSelectorTerms"))]
    if len(terms) == 1 and sum(len(items(one)) for one in terms[0].values()) == 1:
        return (*pod, "affinity", "nodeAffinity", REQUIRED)
    return None


def _node(pin: Pin) -> str:
    return "one node, which a value outside the repository names" if "*" in pin.node else f"the node {pin.node}"
