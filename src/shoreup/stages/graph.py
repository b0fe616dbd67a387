"""The wiring of an estate as a graph, and what stops when something of it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct, field

from shoreup.facts.estate import Estate
from shoreup.facts.wiring.graph import Edge, Node, Wiring
from shoreup.facts.wiring.reading import wiring
from shoreup.model.errors import UserError
from shoreup.model.finding import Place
from shoreup.model.graph import Graph, Link, Loss, Stopped, Thing
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.places import Places
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
_NAMED = 8
"""Names that an error offers."""


class Wired(Struct, frozen=True):
    """The graph, and what stops without a part of it where that was asked."""

    graph: Graph
    loss: Loss | None


def draw(paths: Sequence[Path], without: str, config: Path | None, say: Progress) -> Wired:
    """The wiring of the estate at ``paths``; with ``without``, what stops when all that is called so is gone at once.

    In a name ``*`` is anything.

    Raises :class:`UserError` where nothing is called so.
    """
    found = opened(paths, config=config)
    asked = Asked((), datetime.now(UTC).date(), given=found.given, whole=found.whole)
    reading = read(found.tree, None, say)
    say("following the wiring", 0, 0)
    pen = wired(understood(reading, asked), Places(reading.resources, reading.trace, found.tree.read))
    graph = pen.graph()
    return Wired(graph, pen.loss(without) if without else None)


def wired(estate: Estate, places: Places) -> Pen:
    """Draws the wiring of an estate that is understood already."""
    return Pen(estate, places)


class Pen(Struct, eq=False):
    """Turns nodes and edges into things and links, each once."""

    estate: Estate
    places: Places
    _things: dict[Node, Thing] = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        return wiring(self.estate)

    def graph(self) -> Graph:
        """The whole wiring."""
        taken: dict[str, int] = {}
        for node in self.wiring.nodes:
            self._things[node] = self._thing(node, taken)
        things = sorted(self._things.values(), key=lambda one: (one.namespace, one.kind, one.name, one.id))
        links = [self._link(edge) for edges in self.wiring.needs.values() for edge in edges]
        return Graph(tuple(things), tuple(sorted(links, key=lambda one: (one.source, one.target, one.how))))

    def loss(self, name: str) -> Loss:
        """What stops without all that is called so. :meth:`graph` has to be asked first."""
        gone = [node for node, thing in self._things.items() if _called(thing, name)]
        if not gone:
            raise UserError(_nobody(name, [thing.name for thing in self._things.values()]))
        gone.sort(key=lambda node: self._things[node].id)
        stopped = (Stopped(self._things[one], self._way(one, gone)) for one in self.wiring.without(*gone))
        return Loss(tuple(self._things[one] for one in gone), tuple(stopped))

    def _way(self, node: Node, gone: Sequence[Node]) -> tuple[Link, ...]:
        ways = [way for one in gone if (way := self.wiring.path(node, one))]
        nearest = min(ways, key=lambda way: len(way), default=())
        return tuple(map(self._link, nearest))

    def _thing(self, node: Node, taken: dict[str, int]) -> Thing:
        resource = self.estate.by_key.get(node.resource)
        namespace = (resource.namespace or "") if resource is not None else _namespace(node.name)
        file, line = self._where(Place(node.resource)) if resource is not None else ("", 0)
        name = f"{node.kind}/{node.name}"
        count = taken[name] = taken.get(name, 0) + 1
        identity = name if count == 1 else f"{name}#{count}"
        return Thing(
            id=identity,
            kind=node.kind,
            name=node.name,
            namespace=namespace,
            file=file,
            line=line,
            dependants=self.wiring.weight(node),
        )

    def _link(self, edge: Edge) -> Link:
        source, target = self._things[edge.source].id, self._things[edge.target].id
        return Link(source, target, edge.how, edge.note, *self._where(edge.place))

    def _where(self, place: Place) -> tuple[str, int]:
        found = self.places.location(place)
        return (found.file, found.line) if found is not None else ("", 0)


def _namespace(name: str) -> str:
    """Of what the estate names and does not declare: ``PersistentVolumeClaim web/data`` lies in ``web``."""
    behind = name.partition(" ")[2]
    return behind.partition("/")[0] if "/" in behind else ""


def _called(thing: Thing, pattern: str) -> bool:
    """Whether a person means it: by its whole name, by the part behind its kind, or by its last part."""
    behind = thing.name.partition(" ")[2]
    return any(fnmatchcase(name, pattern) for name in {thing.id, thing.name, behind, thing.name.rpartition("/")[2]})


def _nobody(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=_NAMED, cutoff=0.4)
    hint = f"There are {', '.join(near)}." if near else "'shoreup graph' lists what there is."
    return f"Nothing in the wiring is called {name!r}. {hint}"
