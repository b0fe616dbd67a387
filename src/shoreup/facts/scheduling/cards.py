"""How many graphics cards the estate says that there are, and how many are claimed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import mapping, number, text
from shoreup.facts.scheduling.accelerators import GpuClaim, gpu_claim
from shoreup.facts.scheduling.nodes import block
from shoreup.facts.scheduling.staying import stays
from shoreup.model.finding import Place
from shoreup.model.value import Value

_COUNT = re.compile(r"gpu[.-]count$|(?:^|/)gpus?[.-]?(?:count|number)$")
_SHARED = re.compile(r"timeSlicing|time-slicing|\bmps\b|mig\.strategy|migStrategy|sharing:|shared-gpu")
_SIGN = "gpu"


class Cards(Struct, frozen=True, eq=False):
    """Cards by what declares them. ``places`` name each with its number; ``open`` says why there may be more."""

    count: int
    places: tuple[tuple[Place, str], ...]
    open: str


class CountedClaim(Struct, frozen=True, eq=False):
    """A workload that asks the scheduler for cards: how many for all its replicas."""

    workload: Workload
    claim: GpuClaim
    count: int


def declared_cards(estate: Estate) -> Cards:
    """The cards of the nodes that the estate declares with their number."""
    places: list[tuple[Place, str]] = []
    count, opened = 0, ""
    seen: set[str] = set()
    for pool in estate.node_pools:
        labelled = next((number(value) for key, value in pool.labels.items() if _COUNT.search(key.lower())), None)
        if labelled is None:
            labelled = _accelerators(pool.resource.body) if pool.resource is not None else None
        says = any(_SIGN in key.lower() for key in pool.labels) or any(
            _SIGN in text(taint.get("key")).lower() for taint in pool.taints
        )
        if labelled is not None and pool.count is not None:
            seen.add(pool.name)
            count += labelled * pool.count
            places.append((pool.place, f"{pool.name} has {labelled * pool.count}"))
        elif labelled is not None or (says and "*" in pool.name):
            opened = f"how many nodes {pool.name} has is not decided"
    for pool in estate.node_pools:
        says = any(_SIGN in text(taint.get("key")).lower() for taint in pool.taints)
        if says and pool.name not in seen:
            opened = opened or f"how many cards {pool.name} has is not in the estate"
    return Cards(count, tuple(places), opened)


def _accelerators(body: Mapping[str, Value]) -> int | None:
    found = block(block(body.get("node_config")).get("guest_accelerator"))
    return number(found.get("count"))


def sliced(estate: Estate) -> str:
    """Why one card may be handed out several times; empty where nothing in the estate says so."""
    for release in estate.releases:
        if "gpu" in release.chart or "device-plugin" in release.chart:
            if release.open:
                return release.open
            written = repr(dict(release.values))
            if _SHARED.search(written) or mapping(release.values.get("config")) or "devicePlugin" in release.values:
                return f"{release.name} may hand out one card several times"
    for entry in estate.config:
        about = _SIGN in entry.name or "nvidia" in entry.name or "device-plugin" in entry.name
        if about and _SHARED.search(text(entry.value)):
            return f"{entry.kind} {entry.namespace}/{entry.name} hands out one card several times"
    return ""


def counted_claims(estate: Estate, resource: str) -> tuple[CountedClaim, ...]:
    """Workloads that run on and ask for cards by this resource, with the number for all replicas."""
    found: list[CountedClaim] = []
    for workload in estate.workloads:
        claim = gpu_claim(estate, workload) if stays(workload) else None
        if claim is None or claim.resource != resource:
            continue
        replicas = workload.least_replicas if workload.least_replicas is not None else workload.replicas
        times = replicas if isinstance(replicas, int) else 1
        each = 0
        for container in workload.containers:
            asked = mapping(container.body.get("resources"))
            amounts = (number(mapping(asked.get(kind)).get(resource)) or 0 for kind in ("limits", "requests"))
            each += max(amounts)
        if workload.kind != "DaemonSet" and each:
            found.append(CountedClaim(workload, claim, each * times))
    return tuple(found)
