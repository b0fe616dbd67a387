"""Network policies for a namespace, as the wiring shows who talks to whom: deny by default, an entry for each edge.

What the estate does not show is not in them: who calls from outside, and where a program goes beyond the cluster. So
they are a text for a person to complete, and say where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate, Service, Workload
from shoreup.facts.fields import items, mapping, number, text
from shoreup.facts.network.cilium_policies import as_cilium, writes_cilium
from shoreup.facts.wiring.graph import WAY_IN, Node
from shoreup.facts.wiring.reading import wiring
from shoreup.model.value import Value

_NAMESPACE = "kubernetes.io/metadata.name"
"""The label that Kubernetes gives every namespace itself. Source: Kubernetes' documentation, 2026-11-23."""
_DNS: list[Value] = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
_SCRAPED = "prometheus.io/"


class _Peer(Struct, frozen=True):
    """Pods of one workload, as a policy names them; without labels all of its namespace, ``*`` for any namespace."""

    namespace: str
    labels: tuple[tuple[str, str], ...]

    def written(self, own: str) -> dict[str, Value]:
        """The peer, seen from the namespace ``own``."""
        if self.namespace == "*":
            return {"namespaceSelector": {}}
        if not self.labels and self.namespace != own:
            return {"namespaceSelector": {"matchLabels": {_NAMESPACE: self.namespace}}}
        pods: dict[str, Value] = {"podSelector": {"matchLabels": dict(self.labels)} if self.labels else {}}
        if self.namespace == own:
            return pods
        return {"namespaceSelector": {"matchLabels": {_NAMESPACE: self.namespace}}, **pods}


def wired_policies(estate: Estate, namespace: str) -> list[dict[str, Value]]:
    """The policies of a namespace: the denial, name resolution, and one for each workload that is wired to others.

    They are of the kind that the estate's own are of.
    """
    made = [
        _policy("default-deny", namespace, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        _policy("allow-dns", namespace, _dns()),
    ]
    wires = _Wires(estate)
    for workload in estate.workloads:
        if workload.namespace == namespace and workload.enabled and (peer := _peer(workload)) is not None:
            spec = wires.spec(workload, peer)
            if spec is not None:
                made.append(_policy(workload.name, namespace, spec))
    return [*map(as_cilium, made)] if writes_cilium(estate) else made


def _dns() -> dict[str, Value]:
    to: dict[str, Value] = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [to], "ports": _DNS}]}


def _policy(name: str, namespace: str, spec: dict[str, Value]) -> dict[str, Value]:
    metadata: dict[str, Value] = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


class _Wires:
    """Who talks to whom, by workload."""

    def __init__(self, estate: Estate) -> None:
        self._graph = wiring(estate)
        self._estate = estate
        self._workloads = {one.resource.key: one for one in estate.workloads}
        self._releases = {one.resource.key: one.namespace for one in estate.releases}
        self._services: dict[int, list[Service]] = {}
        self._of_service = {one.resource.key: one for one in estate.services}
        for service in estate.services:
            for workload in service.workloads:
                self._services.setdefault(workload.resource.key, []).append(service)
        self._scrapers = [
            peer
            for one in estate.workloads
            if any(container.image.product == "prometheus" for container in one.containers)
            and (peer := _peer(one)) is not None
        ]

    def spec(self, workload: Workload, peer: _Peer) -> dict[str, Value] | None:
        """The policy of one workload; ``None`` where nothing is wired to it or by it."""
        ingress = [*self._ingress(workload), *self._scraped(workload)]
        egress = list(self._egress(workload))
        if not ingress and not egress:
            return None
        kinds: list[Value] = [*(["Ingress"] if ingress else []), *(["Egress"] if egress else [])]
        spec: dict[str, Value] = {"podSelector": {"matchLabels": dict(peer.labels)}, "policyTypes": kinds}
        if ingress:
            spec["ingress"] = ingress
        if egress:
            spec["egress"] = egress
        return spec

    def _ingress(self, workload: Workload) -> Iterator[Value]:
        for service in self._services.get(workload.resource.key, ()):
            callers: dict[_Peer, None] = {}
            for node in self._graph.of(service.resource.key):
                for edge in self._graph.needed.get(node, ()):
                    callers.update(dict.fromkeys(self._callers(edge.source)))
            callers.pop(_peer(workload) or _Peer("", ()), None)
            if callers:
                yield {"from": [one.written(workload.namespace) for one in callers], "ports": list(_ports(service))}

    def _callers(self, node: Node) -> Iterator[_Peer]:
        """The pods that call: a workload itself, or the proxy that serves a way in."""
        workload = self._workloads.get(node.resource)
        release = self._releases.get(node.resource, "")
        if workload is not None or release:
            known = _peer(workload) if workload is not None else None
            yield known or _Peer(workload.namespace if workload is not None else release, ())
            return
        if node.kind == WAY_IN:
            served = [edge.target for edge in self._graph.needs.get(node, ()) if edge.how == "served"]
            found = [peer for target in served for peer in self._callers(target)]
            # A proxy that the estate does not show would be cut off with everything behind it.
            yield from found or (_Peer("*", ()),)

    def _egress(self, workload: Workload) -> Iterator[Value]:
        seen: dict[int, None] = {}
        for node in self._graph.of(workload.resource.key):
            for edge in self._graph.needs.get(node, ()):
                if edge.target.resource in self._of_service:
                    seen[edge.target.resource] = None
        for key in seen:
            service = self._of_service[key]
            peers = [peer for one in service.workloads if (peer := _peer(one)) is not None]
            if peers:
                yield {"to": [one.written(workload.namespace) for one in peers], "ports": list(_ports(service))}

    def _scraped(self, workload: Workload) -> Iterator[Value]:
        """Where Prometheus comes for numbers: by the pods' annotations, or by a monitor of their Service."""
        if not self._scrapers:
            return
        template = _template(workload)
        notes = mapping(mapping(template.get("metadata")).get("annotations"))
        ports: list[Value] = []
        if text(notes.get(f"{_SCRAPED}scrape")) == "true":
            port = number(notes.get(f"{_SCRAPED}port"))
            if port is not None:
                ports.append({"protocol": "TCP", "port": port})
        for monitor in self._estate.by_kind.get("ServiceMonitor", ()):
            spec = mapping(monitor.body.get("spec"))
            wanted = mapping(mapping(spec.get("selector")).get("matchLabels"))
            for service in self._services.get(workload.resource.key, ()):
                labels = mapping(mapping(service.resource.body.get("metadata")).get("labels"))
                if wanted and all(labels.get(key) == value for key, value in wanted.items()):
                    named = {text(mapping(one).get("port")) for one in items(spec.get("endpoints"))}
                    both = zip(_ports(service), service.ports, strict=True)
                    ports += [port for port, declared in both if declared.name in named]
        unique = [port for index, port in enumerate(ports) if port not in ports[:index]]
        if unique:
            yield {"from": [one.written(workload.namespace) for one in self._scrapers], "ports": unique}


def _template(workload: Workload) -> Mapping[str, Value]:
    held: Value = dict(workload.resource.body)
    for step in workload.pod_route[:-1]:
        held = mapping(held).get(str(step))
    return mapping(held)


def _peer(workload: Workload) -> _Peer | None:
    """How policies name the pods: by the labels that the workload selects them by; ``None`` where those are open."""
    spec = mapping(workload.resource.body.get("spec"))
    chosen = mapping(mapping(spec.get("selector")).get("matchLabels")) or workload.labels
    labels = tuple((key, value) for key, value in chosen.items() if isinstance(value, str))
    if not labels or len(labels) != len(chosen) or "*" in workload.namespace:
        return None
    return _Peer(workload.namespace, labels)


def _ports(service: Service) -> Sequence[Value]:
    made: list[Value] = []
    for port, target in zip(service.ports, service.target_ports, strict=True):
        known = target if isinstance(target, int | str) and not isinstance(target, bool) else port.number
        made.append({"protocol": port.protocol, "port": known} if known is not None else {"protocol": port.protocol})
    return made
