"""Graphics cards that hang unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.scheduling.accelerators import GpuClaim, gpu_claim, undecided_claim
from shoreup.facts.scheduling.staying import stays
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_ASKED_BY = {"nvidia": "nvidia-smi", "amd": "amd-smi"}
"""Makers of cards with a program that says whether the card answers."""
_ASKS = re.compile(
    r"nvidia-smi|amd-smi|rocm-smi|rocminfo|dcgmi|cuda|torch|vainfo|intel_gpu_top|xpu-smi|clinfo|vulkaninfo|/dev/dri"
)
_WATCHES = re.compile(
    r"dcgm|gpu[-_]?exporter|nvidia[-_]smi|gpu[-_]?operator|gpu[-_]?monitor|rocm[-_]?exporter|device-metrics-exporter|"
    r"nvtop|node-problem-detector|gpu-health|drm[-_]?exporter|xpu[-_]?manager|xpumanager|intel_gpu_top"
)


_PROPOSAL = """livenessProbe:   # where the image has nvidia-smi; a hung card does not answer
  exec:
    command: [nvidia-smi, --query-gpu=uuid, --format=csv]
  periodSeconds: <seconds>
  timeoutSeconds: <seconds>
  failureThreshold: 3"""


class GpuUnwatched(Concern):
    """A workload works on a graphics card, and nothing asks whether the card answers.

    **What**

    The container claims a card, none of its probes asks the card, and the estate runs no exporter for cards. A claim
    is an extended resource, a resource claim of a GPU's device class, NVIDIA's runtime, or the device mounted from the
    node. Where no program of the card's maker asks it by one word (`nvidia-smi`, `amd-smi`), as for most cards that
    only work on video, it is low, and the strict persona alone sees it.

    **Why**

    Cards fall off the bus, hang in a driver's fault or lose their device files after an update of the node. The program
    goes on answering its probes, and every piece of work fails or is done slowly on the processor.

    **Example**

    `ollama` with `nvidia.com/gpu: 1` and an HTTP probe is found. A liveness probe that runs `nvidia-smi`, or NVIDIA's
    DCGM exporter, cures it.

    **Fix safety**

    Shown: an exporter is another program to run, and the probe's command must be in the image.
    """

    id = "gpu-unwatched"
    title = "GPU work without a health check of the card"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.MISSING_FEATURES
    sources = (
        Source(
            "Kubernetes: liveness, readiness and startup probes",
            "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
        ),
        Source("Kubernetes: scheduling GPUs", "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload on a card."""
        if _watched(estate):
            return
        for workload in estate.workloads:
            if not stays(workload) or workload.kind == "DaemonSet" or _asked(workload):
                continue
            claim = gpu_claim(estate, workload)
            if claim is not None:
                yield self._unwatched(workload, claim)
                continue
            unsure = undecided_claim(workload)
            if unsure is not None:
                yield self.undecided(unsure[0], unknown="whether it works on a card", reason=unsure[1])

    def _unwatched(self, workload: Workload, claim: GpuClaim) -> Outcome:
        subject = named(workload.resource)
        tool = _ASKED_BY.get(claim.vendor)
        or_probe = f", or a liveness probe that runs {tool}" if tool else ""
        return self.found(
            claim.place,
            field="gpu",
            subject=subject,
            message=f"{subject} asks for {claim.asks}, and no probe or exporter asks whether the card answers.",
            consequence="When the card hangs, the pod stays ready and its work fails or crawls.",
            fixes=(
                Fix(
                    f"Run an exporter for cards with an alert{or_probe}",
                    Safety.SHOWN,
                    "what fits depends on the monitoring, and on what the image holds",
                ),
            ),
            severity=None if tool else Severity.LOW,
            strict=tool is None,
        )


def _watched(estate: Estate) -> bool:
    """Whether the estate runs something that asks every card."""
    images = (f"{image.repository} {image.text}" for image in estate.images)
    charts = (f"{release.chart} {release.name}" for release in estate.releases)
    return any(_WATCHES.search(name) for name in (*images, *charts))


def _asked(workload: Workload) -> bool:
    """Whether a probe of the workload asks the card, or runs a script of which that is not known."""
    for container in workload.containers:
        for field in ("livenessProbe", "readinessProbe", "startupProbe"):
            command = mapping(mapping(container.body.get(field)).get("exec")).get("command")
            if _ASKS.search(" ".join(text(word) for word in items(command))):
                return True
    return False
