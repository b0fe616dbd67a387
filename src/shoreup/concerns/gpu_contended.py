"""More work for graphics cards than there are cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.naming import named
from shoreup.facts.scheduling.accelerators import GpuClaim, gpu_claim
from shoreup.facts.scheduling.cards import CountedClaim, counted_claims, declared_cards, sliced
from shoreup.facts.scheduling.placement import Pin, pinned
from shoreup.facts.scheduling.staying import stays
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_NVIDIA = "nvidia.com/gpu"
_RESOURCES = (_NVIDIA, "amd.com/gpu")
_SLICE = Fix(
    "Share the card by time slices or MPS in the device plugin's configuration, or give the work a queue",
    Safety.SHOWN,
    "whether the programs fit into one card's memory together, only measurements tell",
)


_PROPOSAL = """# the device plugin's configuration: one card is offered several times, without isolation of memory
version: v1
sharing:
  timeSlicing:
    resources:
      - name: nvidia.com/gpu
        replicas: <programs that share a card>"""


class GpuContended(Concern):
    """More cards are claimed than the estate has, or several workloads use one without sharing being set up.

    **What**

    The nodes say how many cards they have (a label such as `nvidia.com/gpu.count`, an accelerator of a node pool), and
    the workloads that run on ask for more. Or several workloads reach the same card through NVIDIA's runtime,
    all of them bound to one node, without the scheduler counting. Jobs do not count, as they wait their turn. A device
    plugin that slices cards leaves the question open.

    **Why**

    A card that is handed out whole belongs to one pod until it ends: the last workload stays pending, after a reboot
    perhaps a different one each time. Without counting, they start all and run out of memory at the worst moment.

    **Example**

    Three Deployments with `nvidia.com/gpu: 1` and two nodes with one card each are found.

    **Fix safety**

    Shown: sharing is a matter of what fits into the card's memory.
    """

    id = "gpu-contended"
    title = "More GPU work than cards"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.SCALING_LIMITS
    sources = (
        Source("Kubernetes: scheduling GPUs", "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/"),
        Source(
            "Kubernetes: device plugins",
            "https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/",
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Count cards and claims."""
        shared = sliced(estate)
        for resource in _RESOURCES:
            yield from self._counted(estate, resource, shared)
        if not shared:
            yield from self._uncounted(estate)

    def _counted(self, estate: Estate, resource: str, shared: str) -> Iterator[Outcome]:
        claims = counted_claims(estate, resource)
        cards = declared_cards(estate)
        asked = sum(claim.count for claim in claims)
        if not claims or not cards.count or asked <= cards.count:
            return
        place = claims[-1].claim.place
        if shared or cards.open:
            yield self.undecided(place, unknown=resource, reason=shared or cards.open)
            return
        names = ", ".join(named(claim.workload.resource) for claim in claims[:4])
        plural = "card" if cards.count == 1 else "cards"
        yield self.found(
            place,
            field=resource,
            subject=resource,
            message=f"{len(claims)} workloads ask for {asked} {resource}, and the nodes have {cards.count} {plural}.",
            consequence=f"One of these stays pending: {names}.",
            confidence=Confidence.LIKELY,
            related=(*(_claimed(claim) for claim in claims[:5]), *cards.places[:3]),
            fixes=(_SLICE,),
            dependants=len(claims),
            whole_estate=True,
        )

    def _uncounted(self, estate: Estate) -> Iterator[Outcome]:
        together: dict[str, list[tuple[Workload, GpuClaim, Place]]] = defaultdict(list)
        for workload in estate.workloads:
            claim = gpu_claim(estate, workload) if stays(workload) else None
            if claim is None or claim.resource or claim.vendor != "nvidia":
                continue
            pin = pinned(workload)
            if isinstance(pin, Pin) and "*" not in pin.node:
                together[pin.node].append((workload, claim, pin.place))
        for node, users in together.items():
            if len(users) < 2:
                continue
            names = " and ".join(named(workload.resource) for workload, _, _ in users[:3])
            yield self.found(
                users[-1][1].place,
                field="runtimeClassName",
                subject=node,
                message=f"{len(users)} workloads use the cards of the node {node} at once, and nothing divides them.",
                consequence=f"{names} take each other's memory on the card, and fail when it is full.",
                confidence=Confidence.LIKELY,
                related=tuple((claim.place, f"{named(workload.resource)} uses it") for workload, claim, _ in users[:5]),
                fixes=(_SLICE,),
                dependants=len(users),
            )


def _claimed(claim: CountedClaim) -> tuple[Place, str]:
    return claim.claim.place, f"{named(claim.workload.resource)} asks for {claim.count}"
