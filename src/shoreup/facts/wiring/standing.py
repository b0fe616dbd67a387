"""How much stands on a workload: who else stops with it, each counted once."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from shoreup.facts.estate import Estate
from shoreup.facts.products import Product
from shoreup.facts.wiring.graph import RUNNING, SERVICE, WAY_IN, Node, Wiring
from shoreup.facts.wiring.reading import wiring
from shoreup.model.wording import some

_JOBS = frozenset({"CronJob", "Job"})
_BESIDE = frozenset({"exporter", "agent"})


def others(estate: Estate, resource: int) -> Sequence[Node]:
    """What else stops with what a resource declares.

    A way in counts only where what it leads to goes on, such as behind a sign-in; jobs do not count, as they run again.
    Of a product that is spared, such as a cache or a relay of mail, those count that call it themselves; what depends
    on them does where they are known to stop without it.
    """
    graph = wiring(estate)
    product = _product(estate, resource)
    found: dict[Node, None] = {}
    for node in graph.of(resource):
        running = graph.running(node)
        if product is not None and product.spared:
            running = tuple(_callers(estate, graph, node, product))
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


def stopped(estate: Estate, resource: int) -> Sequence[Node]:
    """Of :func:`others` those that are known to stop: of a product that is spared only what needs it."""
    product = _product(estate, resource)
    if product is None or not product.spared:
        return others(estate, resource)
    graph = wiring(estate)
    needing = [
        one
        for node in graph.of(resource)
        for one in _nearest(graph, node)
        if _runs(estate, one.resource) & set(product.needed_by)
    ]
    kept = {one for first in needing for one in (first, *graph.running(first))}
    return [one for one in others(estate, resource) if one in kept]


def _callers(estate: Estate, graph: Wiring, node: Node, product: Product) -> Iterator[Node]:
    for one in _nearest(graph, node):
        yield one
        if _runs(estate, one.resource) & set(product.needed_by):
            yield from graph.running(one)


def _nearest(graph: Wiring, node: Node) -> Iterator[Node]:
    """What does work of its own and depends on a node with nothing that works between them."""
    seen = {node}
    waiting = deque([node])
    while waiting:
        for edge in graph.needed.get(waiting.popleft(), ()):
            if edge.source not in seen:
                seen.add(edge.source)
                if edge.source.kind in RUNNING:
                    yield edge.source
                else:
                    waiting.append(edge.source)


def _product(estate: Estate, resource: int) -> Product | None:
    """The product that a resource runs, where it is one."""
    products = [
        product
        for one in _runs(estate, resource)
        if (product := estate.products.get(one)) and product.kind not in _BESIDE
    ]
    return products[0] if len(products) == 1 else None


def _runs(estate: Estate, resource: int) -> frozenset[str]:
    """The products that a resource runs; of a chart its name, which is mostly the product's."""
    return estate.once(_by_resource).get(resource, frozenset())


def _by_resource(estate: Estate) -> Mapping[int, frozenset[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for workload in estate.workloads:
        for container in workload.containers:
            if not container.init and container.image.product:
                found[workload.resource.key].add(container.image.product)
    for release in estate.releases:
        found[release.resource.key].add(release.chart.rstrip("/").rpartition("/")[2])
    for database in estate.databases:
        if database.product:
            found[database.resource.key].add(database.product)
    return {key: frozenset(products) for key, products in found.items()}


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
    return some(list(dict.fromkeys(node.name for node in nodes)), count)
