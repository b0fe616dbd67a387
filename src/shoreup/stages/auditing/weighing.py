"""How much hangs on what a finding is about, and one place that shows it.

Concerns about outages say what is wrong with one object. What stops with it is in the wiring, the same for all of
them, so it is looked up here; a concern that has counted for itself is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from shoreup.facts.estate import Estate
from shoreup.facts.wiring.graph import WAY_IN, Edge, Node, Wiring
from shoreup.facts.wiring.reading import wiring
from shoreup.model.finding import Consequence, Draft, Place


def weighed(drafts: Iterable[Draft], estate: Estate) -> Iterator[Draft]:
    """The same drafts, in their order; those about outages with the number of their dependants and one of these."""
    graph: Wiring | None = None
    for draft in drafts:
        if draft.consequence_class is not Consequence.OUTAGE or draft.at.resource < 0 or draft.whole_estate:
            yield draft
            continue
        graph = graph or wiring(estate)
        yield _weighed(draft, graph)


def _weighed(draft: Draft, graph: Wiring) -> Draft:
    node = max(graph.of(draft.at.resource), key=graph.weight, default=None)
    count = graph.weight(node) if node is not None else 0
    if node is None or count == 0:
        return draft
    shown = _shown(graph, node, count)
    related = draft.related if shown is None else (*draft.related, shown)
    return replace(draft, dependants=draft.dependants or count, related=related)


def _shown(graph: Wiring, node: Node, count: int) -> tuple[Place, str] | None:
    """The nearest dependant that is more than a way in to the node itself, where the estate says that it is one."""
    found: Edge | None = next((edge for edge in graph.why(node) if edge.source.kind != WAY_IN), None)
    if found is None:
        return None
    by = f" ({found.note})" if found.how in {"calls", "reads"} and found.note else ""
    more = f", and {count - 1} more" if count > 1 else ""
    return found.place, f"{found.source.name}{by} depends on it{more}"
