"""How much stands on a workload: who else stops with it, each counted once."""

from __future__ import annotations

from collections.abc import Sequence

from shoreup.facts.estate import Estate
from shoreup.facts.wiring.graph import SERVICE, WAY_IN, Node, Wiring
from shoreup.facts.wiring.reading import wiring

_JOBS = frozenset({"CronJob", "Job"})


def others(estate: Estate, resource: int) -> Sequence[Node]:
    """What else stops with what a resource declares.

    A way in counts only where what it leads to goes on, such as behind a sign-in; jobs do not count, as they run again.
    """
    graph = wiring(estate)
    found: dict[Node, None] = {}
    for node in graph.of(resource):
        running = graph.running(node)
        stopped = {node, *running}
        for one in running:
            holder = estate.by_key.get(one.resource)
            if one.kind == WAY_IN:
                counts = not _leads_to(graph, one) & stopped
            else:
                counts = holder is None or holder.kind not in _JOBS
            if counts:
                found.setdefault(one)
    return tuple(found)


def _leads_to(graph: Wiring, way: Node) -> set[Node]:
    """The workloads that answer a way in."""
    found: set[Node] = set()
    for edge in graph.needs.get(way, ()):
        if edge.how == "routes" and edge.target.kind == SERVICE:
            found.update(step.target for step in graph.needs.get(edge.target, ()))
        elif edge.how == "routes":
            found.add(edge.target)
    return found


def listed(nodes: Sequence[Node], count: int = 5) -> str:
    """Their names for a sentence."""
    names = list(dict.fromkeys(node.name for node in nodes))
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
