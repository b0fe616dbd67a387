"""Tools that an estate runs to look after itself: scanners of images, and what disturbs it on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.facts.estate import Estate

_SCANNERS = frozenset({
    "trivy-operator", "starboard-operator", "kubescape", "kubescape-operator", "neuvector", "anchore-engine",
    "vuls", "image-scanner", "clair", "kubeclarity", "openclarity",
})  # fmt: skip
_DISTURBERS = frozenset({
    "chaos-mesh", "litmus", "litmus-core", "litmus-agent", "chaoskube", "kube-monkey", "powerfulseal", "chaosmonkey",
    "krkn", "pod-reaper", "chaos-operator",
})  # fmt: skip
_DISTURBER_GROUPS = ("chaos-mesh.org/", "litmuschaos.io/", "chaostoolkit.org/")


def scanner(estate: Estate) -> str:
    """What scans the images that the estate runs; empty where nothing in the estate does."""
    return next((name for name in _names(estate) if name in _SCANNERS), "")


def disturber(estate: Estate) -> str:
    """What disturbs the estate on purpose; empty where nothing in the estate does."""
    for resource in estate.resources:
        if resource.api_version.startswith(_DISTURBER_GROUPS):
            return resource.kind
    return next((name for name in _names(estate) if name in _DISTURBERS), "")


def _names(estate: Estate) -> Iterator[str]:
    for release in estate.releases:
        yield release.chart.rpartition("/")[2]
    for workload in estate.workloads:
        if workload.enabled:
            for container in workload.containers:
                yield container.image.repository.rpartition("/")[2]
