"""Reads the wiring of an estate: which names lead where, and who uses them.

A host's name is followed as the cluster would: a Service in the same namespace, one in another by its longer name, a
name that an operator or a chart makes, a public name that is one of the estate's own ways in. What leads out of the
estate, or to a name that fits several things equally well, is no edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.facts.databases.hosts import operator_hosts
from shoreup.facts.estate import ConfigEntry, Container, Estate, Release, Service, Volume, WayIn, Workload
from shoreup.facts.fields import filled, items, known_text, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.network.addresses import Address, addresses
from shoreup.facts.wiring.graph import (
    CONFIG,
    DATABASE,
    GATE,
    RELEASE,
    SERVER,
    SERVICE,
    VOLUME,
    WAY_IN,
    WORKLOAD,
    Edge,
    Node,
    Wiring,
)
from shoreup.facts.wiring.onlookers import onlooking_charts, onlooking_products
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value

__all__ = ["Edge", "Node", "Wiring", "wiring"]

_WATCHING = frozenset({"monitoring", "exporter", "agent"})
"""Kinds of products that look at others."""
_SIGN_IN = ("ISSUER", "OIDC", "OAUTH", "AUTH", "SSO", "DISCOVERY", "OPENID")
_PROXY_OF: Mapping[str, tuple[str, ...]] = {
    "traefik": ("traefik",),
    "nginx": ("ingress-nginx",),
    "haproxy": ("haproxy",),
    "kong": ("kong",),
    "cloudflared": ("cloudflared",),
}
"""The products behind the word by which a way in says who serves it."""
_DEEPEST = 12
Key = tuple[str, str]
T = TypeVar("T")


def wiring(estate: Estate) -> Wiring:
    """The estate's wiring; worked out once."""
    return estate.once(_wiring)


def _wiring(estate: Estate) -> Wiring:
    return _Builder(estate).build()


class _Text(Struct, frozen=True):
    """A text that a workload reads, where it stands, and how a person would call the place."""

    value: str
    name: str
    place: Place
    note: str


class _Builder(Struct, eq=False):
    estate: Estate
    graph: Wiring = field(default_factory=Wiring)
    services: dict[Key, list[tuple[str, Node]]] = field(default_factory=lambda: defaultdict(list))
    ports: dict[Node, frozenset[int]] = field(default_factory=dict)
    made: dict[Key, list[tuple[str, Node]]] = field(default_factory=lambda: defaultdict(list))
    """Hosts that operators make."""
    charts: dict[str, list[tuple[str, str, Node]]] = field(default_factory=lambda: defaultdict(list))
    """By namespace: the names of releases whose objects are not known, each with its root and node."""
    public: dict[str, Node] = field(default_factory=dict)
    texts: dict[tuple[str, str, str], list[_Text]] = field(default_factory=lambda: defaultdict(list))
    """By kind, namespace and name: what a ConfigMap or Secret holds."""
    entries: dict[tuple[str, str, str], list[ConfigEntry]] = field(default_factory=lambda: defaultdict(list))
    config_nodes: dict[tuple[str, str, str], Node] = field(default_factory=dict)
    proxies: dict[str, list[tuple[str, Node]]] = field(default_factory=lambda: defaultdict(list))
    _named: dict[tuple[str, str], Sequence[Address]] = field(default_factory=dict)
    _found: dict[tuple[str, str, str], Node | None] = field(default_factory=dict)

    def build(self) -> Wiring:
        self._name_things()
        self._read_config()
        for workload in self.estate.workloads:
            if workload.kind != "ChartValues" and workload.resource.api_version != "compose":
                self._workload(workload)
        for release in self.estate.releases:
            self._release(release)
        for way in self.estate.ways_in:
            self._way_in(way)
        return self.graph

    # ------------------------------------------------------------------------------------ names

    def _name_things(self) -> None:
        estate, graph = self.estate, self.graph
        values = {"ChartValues", "ReleaseValues"}
        expanded = {one.parent for one in estate.resources if one.parent >= 0 and one.kind not in values}
        for service in estate.services:
            node = graph.add(_service_node(service))
            self.services[(service.namespace, service.name)].append((service.resource.root, node))
            self.ports[node] = frozenset(port.number for port in service.ports if port.number is not None)
        for workload in estate.workloads:
            kind = RELEASE if workload.kind == "ChartValues" else WORKLOAD
            node = graph.add(Node(kind, named(workload.resource), workload.resource.key))
            for product in {container.image.product for container in workload.containers} - {""}:
                self.proxies[product].append((workload.resource.root, node))
        for service in estate.services:
            node = _service_node(service)
            for workload in service.workloads:
                target = _workload_node(workload)
                graph.join(node, target, "answers", Place(service.resource.key, ("spec", "selector")), "selects it")
        for database in estate.databases:
            if database.workload is None:
                node = graph.add(Node(DATABASE, named(database.resource), database.resource.key))
                for host in operator_hosts(database.name):
                    self.made[(database.namespace, host)].append((database.resource.root, node))
        for release in estate.releases:
            if release.resource.key in expanded:
                continue
            node = self._release_node(release)
            self.charts[release.namespace].append((release.name, release.resource.root, node))
            product = release.chart.rpartition("/")[2]
            if not any(known == node for _, known in self.proxies[product]):
                self.proxies[product].append((release.resource.root, node))

    def _release_node(self, release: Release) -> Node:
        for key in (release.resource.key, *self._children().get(release.resource.key, ())):
            for node in self.graph.of(key):
                if node.kind == RELEASE:
                    return node
        return self.graph.add(Node(RELEASE, named(release.resource), release.resource.key, release.name))

    def _children(self) -> Mapping[int, Sequence[int]]:
        return self.estate.once(_chart_values_by_release)

    # ------------------------------------------------------------------------------------ config

    def _read_config(self) -> None:
        for entry in self.estate.config:
            self.entries[(entry.kind, entry.namespace, entry.name)].append(entry)
        for resource in self.estate.by_kind.get("ExternalSecret", ()):
            target = mapping(mapping(resource.body.get("spec")).get("target"))
            name = text(target.get("name")) or resource.name
            key = ("Secret", resource.namespace or "default", name)
            self.config_nodes.setdefault(key, self.graph.add(Node(CONFIG, named(resource), resource.key)))
            for field_name, value in mapping(mapping(target.get("template")).get("data")).items():
                route: Route = ("spec", "target", "template", "data", field_name)
                place = Place(resource.key, route)
                self.texts[key].append(_Text(filled(value), field_name, place, f"{field_name} in Secret {name}"))

    # --------------------------------------------------------------------------------- workloads

    def _workload(self, workload: Workload) -> None:
        node = _workload_node(workload)
        for volume in workload.volumes:
            self._volume(node, workload, volume)
        for container in workload.containers:
            kind = self.estate.products.kind(container.image.product)
            watching = kind in _WATCHING or container.image.product in onlooking_products()
            for read in self._reads(workload, container):
                if not watching:
                    self._calls(node, workload.namespace, workload.resource.root, read)

    def _volume(self, node: Node, workload: Workload, volume: Volume) -> None:
        place = Place(workload.resource.key, volume.route)
        if volume.kind in {"config-map", "secret"} and volume.source:
            kind = "ConfigMap" if volume.kind == "config-map" else "Secret"
            self._uses(node, kind, workload.namespace, volume.source, place)
            return
        lies = node
        if volume.kind == "claim" and volume.claim and "*" not in volume.claim:
            key = f"{workload.namespace}/{volume.claim}"
            lies = self.graph.add(Node(VOLUME, f"PersistentVolumeClaim {key}", -1, f"{workload.resource.root}:{key}"))
            self.graph.join(node, lies, "mounts", place, f"mounts {volume.claim}")
        if volume.server and "*" not in volume.server:
            server = self.graph.add(Node(SERVER, volume.server))
            self.graph.join(lies, server, "lies-on", place, f"its data lies on {volume.server}")

    def _uses(self, node: Node, kind: str, namespace: str, name: str, place: Place) -> Sequence[_Text]:
        if not name or "*" in name:
            return ()
        key = (kind, namespace, name)
        target = self.config_nodes.get(key)
        if target is None:
            held = self.entries.get(key)
            declared = held[0].resource.key if held else -1
            target = self.graph.add(Node(CONFIG, f"{kind} {namespace}/{name}", declared))
            self.config_nodes[key] = target
            for entry in held or ():
                written = "" if entry.binary else text(entry.value)
                if written:
                    note = f"{entry.key} in {kind} {name}"
                    self.texts[key].append(_Text(written, entry.key, Place(entry.resource.key, entry.route), note))
        self.graph.join(node, target, "reads", place, f"reads {kind} {name}")
        return self.texts.get(key, ())

    def _reads(self, workload: Workload, container: Container) -> Iterator[_Text]:
        """Everything that a container is told: variables, arguments, the files mounted into it."""
        node, key = _workload_node(workload), workload.resource.key
        for index, item in enumerate(map(mapping, items(container.body.get("env")))):
            route: Route = (*container.route, "env", index)
            name = text(item.get("name"))
            if item.get("value") is not None:
                yield _Text(
                    filled(item.get("value")), name, Place(key, (*route, "value"), container=container.name), name
                )
            source = mapping(item.get("valueFrom"))
            for ref, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                wanted = mapping(source.get(ref))
                if wanted:
                    place = Place(key, route, container=container.name)
                    for held in self._uses(node, kind, workload.namespace, text(wanted.get("name")), place):
                        if held.name == text(wanted.get("key")):
                            yield replace(held, name=f"{name} {held.name}")
        for index, item in enumerate(map(mapping, items(container.body.get("envFrom")))):
            for ref, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                wanted = mapping(item.get(ref))
                if wanted:
                    place = Place(key, (*container.route, "envFrom", index), container=container.name)
                    yield from self._uses(node, kind, workload.namespace, text(wanted.get("name")), place)
        for field_name in ("command", "args"):
            for index, value in enumerate(items(container.body.get(field_name))):
                written = filled(value)
                if written:
                    place = Place(key, (*container.route, field_name, index), container=container.name)
                    yield _Text(written, "", place, "its command line")
        mounted = {mount.volume for mount in container.mounts}
        for volume in workload.volumes:
            if volume.name in mounted and volume.kind in {"config-map", "secret"}:
                kind = "ConfigMap" if volume.kind == "config-map" else "Secret"
                for held in self.texts.get((kind, workload.namespace, volume.source), ()):
                    yield replace(held, name="")

    def _calls(self, node: Node, namespace: str, root: str, read: _Text) -> None:
        for address in self._addresses(read.value, read.name):
            target = self._follow(address, namespace, root, read.name)
            if target is not None:
                self.graph.join(node, target, "calls", read.place, read.note)

    def _addresses(self, value: str, name: str) -> Sequence[Address]:
        """The addresses in a text. The same text is read by many: a shared file, the same time zone everywhere."""
        asked = (value, name)
        if asked not in self._named:
            self._named[asked] = tuple(addresses(value, name))
        return self._named[asked]

    # ------------------------------------------------------------------------------------- hosts

    def _follow(self, address: Address, namespace: str, root: str, name: str) -> Node | None:
        """What an address leads to, if anything of the estate."""
        asked = (address.host, namespace, root)
        if asked not in self._found:
            self._found[asked] = self._host(address.host, namespace, root)
        target = self._found[asked]
        if target is not None and not address.sure and address.port not in self.ports.get(target, frozenset()):
            return None
        if target is None and address.url and any(sign in name.upper() for sign in _SIGN_IN):
            return self.public.get(address.host) or self._ways().get(address.host)
        return target

    def _host(self, host: str, namespace: str, root: str) -> Node | None:
        labels = host.strip(".").split(".")
        if len(labels) > 3 and labels[3] == "svc":  # POD.SERVICE.NAMESPACE.svc
            labels = labels[1:]
        if len(labels) > 2 and labels[2] != "svc":
            return None
        where = labels[1] if len(labels) > 1 else namespace
        key = (where, labels[0])
        found = nearest(self.services.get(key, ()), root) or nearest(self.made.get(key, ()), root)
        if found is not None or len(labels) < 2:
            return found
        fitting = [
            (len(name), known, node)
            for name, known, node in self.charts.get(where, ())
            if labels[0] == name or labels[0].startswith(f"{name}-")
        ]
        longest = max((length for length, _, _ in fitting), default=0)
        return nearest([(known, node) for length, known, node in fitting if length == longest], root)

    def _ways(self) -> Mapping[str, Node]:
        if not self.public:
            for way in self.estate.ways_in:
                for host in way.hosts:
                    if "*" not in host:
                        self.public.setdefault(host.lower(), _way_node(way))
        return self.public

    # ----------------------------------------------------------------------------------- releases

    def _release(self, release: Release) -> None:
        nodes = [node for node in self._own_nodes(release) if node.kind == RELEASE]
        if not nodes or release.chart.rpartition("/")[2] in onlooking_charts():
            return
        for route, name, written in _strings(dict(release.values), ()):
            place = Place(release.resource.key, (*release.values_route, *route))
            self._calls(nodes[0], release.namespace, release.resource.root, _Text(written, name, place, name))

    def _own_nodes(self, release: Release) -> Iterator[Node]:
        yield from self.graph.of(release.resource.key)
        for key in self._children().get(release.resource.key, ()):
            yield from self.graph.of(key)

    # ------------------------------------------------------------------------------------ ways in

    def _way_in(self, way: WayIn) -> None:
        node = self.graph.add(_way_node(way))
        for service in way.services:
            self.graph.join(node, _service_node(service), "routes", way.place, "routes to it")
        known = {service.name for service in way.services}
        for name in way.service_names:
            if name not in known:
                target = self._host(f"{name}.{way.namespace}", way.namespace, way.resource.root)
                if target is not None:
                    self.graph.join(node, target, "routes", way.place, "routes to it")
        for piece in way.middlewares:
            resource = self.estate.by_key.get(piece.place.resource)
            if resource is None:
                continue
            gate = self.graph.add(
                Node(GATE, f"{resource.kind} {piece.namespace}/{piece.name}", resource.key, piece.name)
            )
            self.graph.join(node, gate, "guarded", way.place, f"passes {piece.name}")
            for target, place in self._guards(resource, piece.place, piece.namespace):
                self.graph.join(gate, target, "calls", place, f"{piece.name} asks it")
        for product in _PROXY_OF.get(way.controller, ()):
            proxy = nearest(self.proxies.get(product, ()), way.resource.root)
            if proxy is not None:
                self.graph.join(node, proxy, "served", way.place, "is served by it")

    def _guards(self, resource: Resource, place: Place, namespace: str) -> Iterator[tuple[Node, Place]]:
        """What a middleware asks before it lets a request pass."""
        root = resource.root
        if place.route:
            annotation = known_text(_at(resource, place.route))
            yield from self._asked(annotation, namespace, root, place)
            return
        spec = mapping(resource.body.get("spec"))
        forward = mapping(spec.get("forwardAuth"))
        yield from self._asked(
            filled(forward.get("address")), namespace, root, Place(resource.key, ("spec", "forwardAuth", "address"))
        )
        for protocol in ("http", "grpc"):
            backend = mapping(mapping(spec.get("extAuth")).get(protocol))
            for one in (backend.get("backendRef"), *items(backend.get("backendRefs"))):
                entry = mapping(one)
                if text(entry.get("name")):
                    where = text(entry.get("namespace")) or namespace
                    target = self._host(f"{text(entry.get('name'))}.{where}", where, root)
                    if target is not None:
                        yield target, Place(resource.key, ("spec", "extAuth", protocol))

    def _asked(self, written: str, namespace: str, root: str, place: Place) -> Iterator[tuple[Node, Place]]:
        for address in addresses(written, "URL"):
            target = self._follow(address, namespace, root, "AUTH")
            if target is not None:
                yield target, place
                return


def nearest(candidates: Iterable[tuple[str, T]], root: str) -> T | None:
    """What is applied together with the asker, else what lies next to it in the tree; ``None`` where several do."""
    found = list(candidates)
    if len(found) < 2:
        return found[0][1] if found else None
    best = max(_shared(known, root) for known, _ in found)
    closest = [one for known, one in found if _shared(known, root) == best]
    return closest[0] if len(closest) == 1 else None


def _shared(one: str, other: str) -> int:
    if one == other:
        return 1_000
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count


def _service_node(service: Service) -> Node:
    return Node(SERVICE, f"Service {service.namespace}/{service.name}", service.resource.key)


def _workload_node(workload: Workload) -> Node:
    kind = RELEASE if workload.kind == "ChartValues" else WORKLOAD
    return Node(kind, named(workload.resource), workload.resource.key)


def _way_node(way: WayIn) -> Node:
    name = next((host for host in way.hosts if "*" not in host), "") or named(way.resource)
    return Node(WAY_IN, name, way.resource.key, "/".join(str(step) for step in way.place.route))


def _chart_values_by_release(estate: Estate) -> Mapping[int, Sequence[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for workload in estate.workloads:
        if workload.kind == "ChartValues":
            found[workload.resource.parent].append(workload.resource.key)
    return found


def _at(resource: Resource, route: Route) -> Value:
    value: Value = dict(resource.body)
    for step in route:
        value = mapping(value).get(str(step))
    return value


def _strings(value: Value, route: Route, depth: int = 0) -> Iterator[tuple[Route, str, str]]:
    """Every string in a release's values, with its route and the key that it stands under."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        named_value = value.get("name")
        for key, item in value.items():
            # ``{name: DB_HOST, value: pg}`` is a variable, whatever the chart calls the list.
            called = named_value if key == "value" and isinstance(named_value, str) else key
            if isinstance(item, (dict, list)):
                yield from _strings(item, (*route, key), depth + 1)
            elif text(item):
                yield (*route, key), called, filled(item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _strings(item, (*route, index), depth + 1)
            elif text(item):
                yield (*route, index), str(route[-1]) if route else "", filled(item)
