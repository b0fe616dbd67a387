"""Workloads that many ways in must pass: sign-in that a proxy asks, bot filters, the proxies themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Estate, Workload
from shoreup.facts.fields import text
from shoreup.facts.storage.state import lasting
from shoreup.facts.wiring.graph import GATE, SERVICE, WAY_IN, WORKLOAD, Edge, Node, Wiring
from shoreup.facts.wiring.reading import wiring
from shoreup.model.finding import Place

_PASSED = frozenset({"ingress", "gate", "tunnel"})
"""Kinds of product that pass requests on, so that what a way leads to lies behind them."""
_PASSES_ON = re.compile(r"\bproxy_pass\b|\breverse_proxy\b|\bProxyPass\b")


class Gate(Struct, frozen=True, eq=False):
    """A workload in the way of others. ``routes`` are the ways in behind it, with what leads each through it."""

    workload: Workload
    routes: Mapping[Node, Place]


def gates(estate: Estate) -> tuple[Gate, ...]:
    """Every gate, the one with the most routes first; worked out once."""
    return estate.once(_gates)


def _gates(estate: Estate) -> tuple[Gate, ...]:
    graph = wiring(estate)
    by_key = {workload.resource.key: workload for workload in estate.workloads}
    found: list[Gate] = []
    for node in graph.nodes:
        workload = by_key.get(node.resource) if node.kind == WORKLOAD else None
        if workload is None:
            continue
        carries = _carries(estate, workload)
        routes: dict[Node, Place] = {}
        for edge in _before(graph, node):
            if edge.source.kind == GATE:
                routes.update((way.source, way.place) for way in graph.needed.get(edge.source, ()))
            elif edge.source.kind == WAY_IN and (edge.how == "served" or carries):
                routes[edge.source] = edge.place
        if routes:
            found.append(Gate(workload, routes))
    return tuple(sorted(found, key=lambda gate: -len(gate.routes)))


def _before(graph: Wiring, node: Node) -> Iterator[Edge]:
    """The edges that lead to a workload, seen past its Services."""
    for edge in graph.needed.get(node, ()):
        if edge.source.kind == SERVICE:
            yield from graph.needed.get(edge.source, ())
        else:
            yield edge


def _carries(estate: Estate, workload: Workload) -> bool:
    """Whether the workload passes requests on to others."""
    kinds = {estate.products.kind(container.image.product) for container in workload.containers if not container.init}
    if kinds & _PASSED:
        return True
    if "web" not in kinds:
        return False
    sources = {volume.source for volume in workload.volumes if volume.kind == "config-map"}
    held = estate.once(_config_maps)
    return any(_PASSES_ON.search(written) for name in sources for written in held.get((workload.namespace, name), ()))


def _config_maps(estate: Estate) -> Mapping[tuple[str, str], Iterable[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for entry in estate.config:
        if _readable(entry):
            found.setdefault((entry.namespace, entry.name), []).append(text(entry.value))
    return found


def _readable(entry: ConfigEntry) -> bool:
    return entry.kind == "ConfigMap" and not entry.binary


def alone(workload: Workload) -> Iterator[tuple[str, str, Place]]:
    """The volumes by which a second replica is kept out: name, storage class or kind, and place."""
    for volume in workload.volumes:
        many = "ReadWriteMany" in volume.access_modes or volume.kind == "nfs"
        if lasting(volume) and not volume.read_only and not many:
            yield volume.name, volume.storage_class or volume.kind, Place(workload.resource.key, volume.route)
