"""GPU work that no node of the estate will take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import text
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.accelerators import GpuClaim, gpu_claim
from shoreup.facts.scheduling.admission import adds_tolerations
from shoreup.facts.scheduling.placement import Node, fits, kept_out, nodes, wanted_labels
from shoreup.model.edit import Append, NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown, Value, is_known

_SET_BY_OTHERS = (
    "kubernetes.io/",
    "node.kubernetes.io/",
    "node-role.kubernetes.io/",
    "topology.kubernetes.io/",
    "feature.node.kubernetes.io/",
    "nvidia.com/",
    "amd.com/",
    "gpu.intel.com/",
    "intel.feature.node.kubernetes.io/",
)
"""Labels that the kubelet, a cloud or a discovery daemon sets, so that no repository holds them."""
_LABEL = Fix(
    "Ask for a label that a node has",
    Safety.SHOWN,
    "which of the two is mistaken, the label or the request, only its owner knows",
)


class GpuUnschedulable(Concern):
    """A workload asks for a GPU, and every node with one that the estate declares turns it away.

    **What**

    Either all declared GPU nodes have a taint that the pod does not tolerate, or its node selector asks for a value
    that none of them has, of a label that the estate itself sets on them. Nodes come from `Node` objects, labels and
    taints in Terraform, and node pools.

    **Why**

    The pod stays pending. A rollout that meets the taint later, when the old pod is gone, ends the service with no
    error anywhere but in the scheduler's events.

    **Example**

    A Deployment with `nvidia.com/gpu: 1` and no toleration is found when each GPU node carries
    `nvidia.com/gpu=present:NoSchedule`. Left open, not found: an estate that declares no GPU node, a taint named like
    the resource in a hosted cluster (some tolerate it for their pods), and a label that the estate sets nowhere, as
    nodes are often labelled by hand.

    **Fix safety**

    Unsafe: the toleration changes the pod template, so the pods restart, onto the GPU nodes.
    """

    id = "gpu-unschedulable"
    title = "GPU workload that no declared node takes"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "Kubernetes: taints and tolerations",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
        ),
        Source("Kubernetes: scheduling GPUs", "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload that claims a GPU."""
        declared = nodes(estate)
        for workload in estate.workloads:
            claim = gpu_claim(estate, workload) if workload.enabled and not workload.partial else None
            if claim is None:
                continue
            missing = _label_nowhere(workload, declared)
            if missing is not None:
                yield self._label(workload, claim, *missing)
                continue
            asked = _label_unknown(workload, declared)
            if asked:
                place = Place(workload.resource.key, (*workload.pod_route, "nodeSelector", asked))
                reason = f"no node that the estate declares says whether it has the label {asked}"
                yield self.undecided(place, unknown="labels of nodes", reason=reason)
            if claim.resource:
                yield from self._taints(estate, workload, claim, declared)

    def _taints(
        self, estate: Estate, workload: Workload, claim: GpuClaim, declared: Sequence[Node]
    ) -> Iterator[Outcome]:
        able = [node for node in declared if _has_gpu(node, claim.vendor) and fits(workload, node)]
        if not able:
            reason = "the estate declares no node with such a GPU, so its taints are not known"
            yield self.undecided(claim.place, unknown="taints of GPU nodes", reason=reason)
            return
        taints: list[tuple[Mapping[str, Value], Place]] = []
        for node in able:
            taint = kept_out(workload, node)
            if taint is None:
                return
            if isinstance(taint, Unknown):
                yield self.undecided(claim.place, unknown="tolerations", reason=taint.reason)
                return
            taints.append(taint)
        first, place = taints[0]
        helper = adds_tolerations(estate, first, claim.resource, hosted=any(node.cloud for node in able))
        if helper:
            yield self.undecided(claim.place, unknown="tolerations", reason=helper)
            return
        yield self._tainted(workload, claim, able, first, place)

    def _tainted(
        self, workload: Workload, claim: GpuClaim, able: Sequence[Node], taint: Mapping[str, Value], place: Place
    ) -> Outcome:
        subject = named(workload.resource)
        value = text(taint.get("value"))
        shown = f"{text(taint.get('key'))}{f'={value}' if value else ''}:{text(taint.get('effect'))}"
        if len(able) == 1:
            which = f"the GPU node {able[0].name} has"
        else:
            which = f"all {len(able)} GPU nodes ({', '.join(node.name for node in able[:4])}) have"
        return self.found(
            claim.place,
            field="tolerations",
            subject=subject,
            message=f"{subject} asks for {claim.asks}, {which} the taint {shown}, and it does not tolerate that.",
            consequence="No node takes the pod: it stays pending.",
            related=((place, f"this is the taint of {able[0].name}"),),
            fixes=(
                Fix(
                    f"Add a toleration for {text(taint.get('key'))}",
                    Safety.UNSAFE,
                    "the pod template changes, so the pods restart, onto the GPU nodes",
                ),
            ),
            confidence=Confidence.LIKELY,
        )

    def _label(self, workload: Workload, claim: GpuClaim, key: str, known: Sequence[tuple[str, str]]) -> Outcome:
        subject = named(workload.resource)
        wanted = text(wanted_labels(workload).get(key))
        values = ", ".join(f"{name} has {value}" for name, value in known[:4])
        return self.found(
            Place(workload.resource.key, (*workload.pod_route, "nodeSelector", key), container=claim.container.name),
            field="nodeSelector",
            subject=subject,
            message=f"{subject} asks for {claim.asks} on a node with {key}={wanted}, which none has: {values}.",
            consequence="No node takes the pod: it stays pending.",
            related=((claim.place, f"{claim.container.name} asks for {claim.asks}"),),
            fixes=(_LABEL,),
            confidence=Confidence.LIKELY,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A toleration of the taint that keeps it out of every node with such a GPU."""
        workload = workload_at(estate, draft.at)
        claim = gpu_claim(estate, workload) if workload else None
        if workload is None or claim is None or _LABEL in draft.fixes:
            return self.unrepaired(draft)
        able = [node for node in nodes(estate) if _has_gpu(node, claim.vendor) and fits(workload, node)]
        taint = kept_out(workload, able[0]) if able else None
        if taint is None or isinstance(taint, Unknown):
            return self.unrepaired(draft)
        value = text(taint[0].get("value"))
        entry: dict[str, Value] = {"key": text(taint[0].get("key")), "operator": "Equal" if value else "Exists"}
        if value:
            entry["value"] = value
        entry["effect"] = text(taint[0].get("effect"))
        return Repair(draft.fixes[0], (Append(workload.resource.key, (*workload.pod_route, "tolerations"), entry),))


def _has_gpu(node: Node, vendor: str) -> bool:
    if vendor and node.says(vendor):
        return True
    others = {"nvidia", "amd", "intel"} - {vendor}
    return node.says("gpu") and not any(node.says(other) for other in others)


def _label_nowhere(workload: Workload, declared: Sequence[Node]) -> tuple[str, Sequence[tuple[str, str]]] | None:
    """A label that the estate sets on nodes, always to another value than the workload asks for."""
    if any(node.open for node in declared):
        return None
    for key, value in wanted_labels(workload).items():
        if not is_known(value) or key.startswith(_SET_BY_OTHERS):
            continue
        known = [(node.name, node.labels[key]) for node in declared if key in node.labels]
        if known and all(text(value) != found for _, found in known):
            return key, known
    return None


def _label_unknown(workload: Workload, declared: Sequence[Node]) -> str:
    """A label that the workload asks for and that no declared node is known to have; empty where all is well."""
    for key in wanted_labels(workload):
        if not key.startswith(_SET_BY_OTHERS) and not any(key in node.labels for node in declared):
            return key
    return ""
