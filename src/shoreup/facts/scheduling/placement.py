"""Where a pod may run: the nodes that it names, the labels that it asks for, the taints that it tolerates.

Only requirements count. Preferences move a pod, they never keep it from running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from shoreup.facts.estate import Estate, NodePool, Workload
from shoreup.facts.fields import NOTHING, filled, first, items, known_text, mapping, text, why_open
from shoreup.facts.scheduling.nodes import block
from shoreup.facts.selection import same
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Unknown, Value, unknowns

HOSTNAME = "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_KEEPS_OUT = frozenset({"NoSchedule", "NoExecute"})


class Pin(Struct, frozen=True):
    """The one node that a pod may run on. ``node`` shows ``*`` for what is not decided; it is one node all the same."""

    node: str
    place: Place


def pinned(workload: Workload) -> Pin | Unknown | None:
    """The single node that a workload names, why that is not decided, or ``None`` when it names none or several."""
    pod, route = workload.pod, workload.pod_route
    name = pod.get("nodeName")
    if name not in (None, ""):
        # A variable that holds the whole name may as well hold none.
        if isinstance(name, Unknown):
            return name
        return Pin(filled(name), Place(workload.resource.key, (*route, "nodeName")))
    selector = pod.get("nodeSelector")
    if HOSTNAME in mapping(selector):
        place = Place(workload.resource.key, (*route, "nodeSelector", HOSTNAME))
        return Pin(filled(mapping(selector).get(HOSTNAME)), place)
    affinity = mapping(pod.get("affinity")).get("nodeAffinity")
    required = mapping(affinity).get(REQUIRED)
    terms = mapping(required).get("nodeSelectorTerms")
    one = _one_node(workload, items(terms))
    if one is not None:
        return one
    unsure = (selector, pod.get("affinity"), affinity, required, terms, *items(terms))
    reason = next((why_open(value) for value in unsure if why_open(value)), "")
    return Unknown(reason) if reason else None


def _one_node(workload: Workload, terms: Sequence[Value]) -> Pin | None:
    """The node that all terms name. Terms are alternatives, so each of them must name it."""
    named: set[str] = set()
    first_place: Place | None = None
    base: Route = (*workload.pod_route, "affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms")
    for index, term in enumerate(map(mapping, terms)):
        found: Place | None = None
        for key, label in (("matchExpressions", HOSTNAME), ("matchFields", "metadata.name")):
            for position, expression in enumerate(map(mapping, items(term.get(key)))):
                values = items(expression.get("values"))
                if expression.get("key") == label and expression.get("operator") == "In" and len(values) == 1:
                    named.add(filled(values[0]))
                    found = Place(workload.resource.key, (*base, index, key, position))
        if found is None:
            return None
        first_place = first_place or found
    if first_place is None or len(named) != 1 or (len(terms) > 1 and "*" in next(iter(named))):
        return None
    return Pin(named.pop(), first_place)


class Node(Struct):
    """A node, or a group of equal ones, with everything that the estate says of it in whatever place."""

    name: str
    cloud: bool
    """Whether it belongs to a hosted cluster, which may tolerate taints for its pods."""
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[tuple[Mapping[str, Value], Place]] = field(default_factory=list)
    open: bool = False
    """Whether it has labels that are not decided."""

    def says(self, word: str) -> bool:
        """Whether a label or taint of the node has the word in it and does not deny it."""
        for key, value in self.labels.items():
            if (word in key.lower() and value.lower() not in _DENIALS) or word in value.lower():
                return True
        return any(word in text(taint.get("key")).lower() for taint, _ in self.taints)


_DENIALS = frozenset({"false", "no", "none", "0", "off", "absent"})


def nodes(estate: Estate) -> tuple[Node, ...]:
    """The nodes that the estate declares; what several resources say of one name is laid together."""
    found: dict[str, Node] = {}
    for pool in estate.node_pools:
        hosted = pool.resource is not None and pool.resource.kind not in _OWN
        key = pool.name if "*" not in pool.name else f"{pool.name} {pool.place.resource}"
        node = found.setdefault(key, Node(pool.name, hosted))
        node.labels.update(pool.labels)
        node.open = node.open or _open(pool)
        node.taints.extend((taint, pool.place) for taint in pool.taints)
    return tuple(found.values())


def _open(pool: NodePool) -> bool:
    """Whether labels of the pool are not decided; the facts hold only those that are."""
    body = pool.resource.body if pool.resource is not None else NOTHING
    holders = (body, mapping(body.get("metadata")), mapping(body.get("spec")), block(body.get("node_config")))
    return any(
        next(unknowns(holder.get(key)), None) is not None for holder in holders for key in ("labels", "node_labels")
    )


_OWN = frozenset({"Node", "kubernetes_labels", "kubernetes_node_taint"})


def wanted_labels(workload: Workload) -> Mapping[str, Value]:
    """The labels that a node must have, by the node selector."""
    return mapping(workload.pod.get("nodeSelector")) or NOTHING


def fits(workload: Workload, node: Node) -> bool:
    """Whether the node may have the labels that the workload asks for. One that the estate does not set, it may."""
    return all(
        key not in node.labels or same(value, node.labels[key]) is not False
        for key, value in wanted_labels(workload).items()
    )


def kept_out(workload: Workload, node: Node) -> tuple[Mapping[str, Value], Place] | Unknown | None:
    """The first taint of the node that the workload does not tolerate, with its place; ``None`` where it may run."""
    tolerations = workload.pod.get("tolerations")
    reason = why_open(tolerations)
    for taint, place in node.taints:
        if known_text(taint.get("effect")) not in _KEEPS_OUT:
            continue
        answers = [None if why_open(one) else tolerates(mapping(one), taint) for one in items(tolerations)]
        if True in answers:
            continue
        if reason or None in answers:
            return Unknown(reason or "whether a toleration matches the taint is not decided")
        return taint, place
    return None


def tolerates(toleration: Mapping[str, Value], taint: Mapping[str, Value]) -> bool | None:
    """Whether a toleration covers a taint; ``None`` when that is not decided."""
    key, effect = toleration.get("key"), toleration.get("effect")
    operator = first(toleration.get("operator"), "Equal")
    answers: list[bool | None] = []
    if why_open(operator):
        answers.append(None)
    if key not in (None, "") or operator != "Exists":
        answers.append(same(key, taint.get("key")))
    if effect not in (None, ""):
        answers.append(same(effect, taint.get("effect")))
    if operator == "Equal":
        answers.append(same(first(toleration.get("value"), "-"), first(taint.get("value"), "-")))
    return False if False in answers else None if None in answers else True
