"""Who depends on whom: from a way in over its gates and services to workloads, and on to what those read and call.

An edge leads from what stops to what stops it, and carries the place where the estate says so. What only watches
others (monitoring, exporters) does not stop with them and has no edges to them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct, field

from shoreup.model.finding import Place

WAY_IN = "way in"
GATE = "middleware"
SERVICE = "service"
WORKLOAD = "workload"
RELEASE = "release"
DATABASE = "database"
VOLUME = "volume"
SERVER = "server"
CONFIG = "config"
RUNNING = frozenset({WAY_IN, WORKLOAD, RELEASE, DATABASE})
"""Kinds of node that stop doing their work; the others are only what stands between them."""


class Node(Struct, frozen=True):
    """Something that others may depend on.

    ``kind`` is one of the constants above. ``name`` is for people. ``resource`` is the key of the resource that
    declares it, -1 where none does (a server, an object that the estate does not declare); ``part`` tells apart what
    one resource declares.
    """

    kind: str
    name: str
    resource: int = -1
    part: str = ""


class Edge(Struct, frozen=True):
    """``source`` depends on ``target``.

    ``how`` says by what: ``routes``, ``guarded``, ``served`` (by which proxy), ``answers``, ``mounts``, ``reads``,
    ``calls``, ``lies-on``. ``note`` is the same for people, such as the variable that names the host. ``place`` is
    where the estate says it.
    """

    source: Node
    target: Node
    how: str
    place: Place
    note: str = ""


class Wiring(Struct, eq=False):
    """The whole graph. Cycles are allowed: two that call each other both stop."""

    nodes: dict[Node, None] = field(default_factory=dict)
    needs: dict[Node, list[Edge]] = field(default_factory=dict)
    needed: dict[Node, list[Edge]] = field(default_factory=dict)
    _by_resource: dict[int, list[Node]] = field(default_factory=dict)
    _joined: set[tuple[Node, Node, str]] = field(default_factory=set)
    _counted: dict[Node, int] = field(default_factory=dict)

    def add(self, node: Node) -> Node:
        """Add a node once."""
        if node not in self.nodes:
            self.nodes[node] = None
            if node.resource >= 0:
                self._by_resource.setdefault(node.resource, []).append(node)
        return node

    def join(self, source: Node, target: Node, how: str, place: Place, note: str = "") -> None:
        """Say that ``source`` depends on ``target``; the first place that says so is kept."""
        if source == target:
            return
        if (source, target, how) in self._joined:
            return
        self._joined.add((source, target, how))
        edge = Edge(source, target, how, place, note)
        self.needs.setdefault(source, []).append(edge)
        self.needed.setdefault(target, []).append(edge)

    def of(self, resource: int) -> Sequence[Node]:
        """What a resource declares."""
        return self._by_resource.get(resource, ())

    def dependants(self, node: Node) -> tuple[Node, ...]:
        """Everything that depends on a node, directly or over others, the nearest first."""
        return tuple(_reached(node, self._sources))

    def dependencies(self, node: Node) -> tuple[Node, ...]:
        """Everything that a node depends on, the nearest first."""
        return tuple(_reached(node, self._targets))

    def running(self, node: Node) -> tuple[Node, ...]:
        """The dependants that do work of their own: ways in, workloads, releases, databases."""
        return tuple(one for one in self.dependants(node) if one.kind in RUNNING)

    def weight(self, node: Node) -> int:
        """How many do work of their own and depend on the node."""
        if node not in self._counted:
            self._counted[node] = len(self.running(node))
        return self._counted[node]

    def without(self, *nodes: Node) -> tuple[Node, ...]:
        """What else stops when the nodes are gone. A service goes on while one of its workloads is left."""
        gone = set(nodes)
        left = Counter({source: sum(edge.how == "answers" for edge in edges) for source, edges in self.needs.items()})
        waiting = deque(nodes)
        stopped: list[Node] = []
        while waiting:
            for edge in self.needed.get(waiting.popleft(), ()):
                if edge.source in gone:
                    continue
                if edge.how == "answers":
                    left[edge.source] -= 1
                    if left[edge.source] > 0:
                        continue
                gone.add(edge.source)
                stopped.append(edge.source)
                waiting.append(edge.source)
        return tuple(stopped)

    def path(self, source: Node, target: Node) -> tuple[Edge, ...]:
        """One of the shortest ways by which ``source`` depends on ``target``; empty where it does not."""
        came: dict[Node, Edge] = {}
        waiting = deque([source])
        while waiting and target not in came:
            for edge in self.needs.get(waiting.popleft(), ()):
                if edge.target not in came and edge.target != source:
                    came[edge.target] = edge
                    waiting.append(edge.target)
        found: list[Edge] = []
        at = target
        while at in came:
            found.append(came[at])
            at = came[at].source
        return tuple(reversed(found)) if at == source else ()

    def why(self, node: Node) -> Iterator[Edge]:
        """The places that say that something depends on the node, seen past the services before it."""
        seen = {node}
        waiting = deque([node])
        while waiting:
            for edge in self.needed.get(waiting.popleft(), ()):
                if edge.source in seen:
                    continue
                seen.add(edge.source)
                if edge.source.kind in RUNNING:
                    yield edge
                else:
                    waiting.append(edge.source)

    def _sources(self, node: Node) -> Iterable[Node]:
        return (edge.source for edge in self.needed.get(node, ()))

    def _targets(self, node: Node) -> Iterable[Node]:
        return (edge.target for edge in self.needs.get(node, ()))


def _reached(start: Node, step: Callable[[Node], Iterable[Node]]) -> Iterator[Node]:
    seen = {start}
    waiting = deque([start])
    while waiting:
        for node in step(waiting.popleft()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
                yield node
