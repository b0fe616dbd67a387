"""What leads to the pods: services, ingresses, Gateway routes, network policies."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.sources.releases.apptemplate.chart import Chart, copied, primary_port, put, switched_on
from shoreup.sources.releases.apptemplate.templating import plain
from shoreup.sources.releases.derive import From, Tree
from shoreup.sources.releases.layers import Node

Made = tuple[str, str, str, Tree]
"""An object as ``(apiVersion, kind, name, tree)``."""

_SERVICE_FIELDS = (
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "loadBalancerClass",
    "externalName",
    "clusterIP",
    "internalTrafficPolicy",
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
    "sessionAffinity",
    "sessionAffinityConfig",
    "externalIPs",
    "publishNotReadyAddresses",
    "ipFamilyPolicy",
    "ipFamilies",
    "trafficDistribution",
)


def service_name(chart: Chart, identifier: str) -> str | None:
    """The name of an enabled service."""
    declared = chart.enabled("service")
    node = declared.get(identifier)
    if node is None:
        return None
    count = len(declared)
    if chart.rules.override_names:
        primary = node["primary"].value is True or (chart.rules.main_is_plain and identifier == "main")
        if chart.rules.main_is_plain and node["nameOverride"].empty:
            return chart.scope.full_name if primary else f"{chart.scope.full_name}-{identifier}"
        count = 1 if primary else count
    return chart.name(identifier, node, count)


def services(chart: Chart) -> Iterator[Made]:
    """The enabled services."""
    for identifier, node in chart.enabled("service").items():
        name = service_name(chart, identifier) or identifier
        controller = node["controller"].text or chart.only_controller()
        spec: dict[str, Tree] = {"type": "ClusterIP" if node["type"].empty else copied(node["type"])}
        for key in _SERVICE_FIELDS:
            if isinstance(node[key].value, bool) or not node[key].empty:
                spec[key] = copied(node[key])
        spec["ports"] = From(list(_ports(node["ports"])), node["ports"].route)
        selector = chart.controller_selector(controller)
        selector.update({key: copied(item) for key, item in node["extraSelectorLabels"].items()})
        spec["selector"] = selector
        metadata = chart.metadata(node, name, {"app.kubernetes.io/service": name})
        yield "v1", "Service", name, _object("v1", "Service", metadata, spec, node)


def _ports(ports: Node) -> Iterator[Tree]:
    for name, port in switched_on(ports).items():
        protocol = port["protocol"]
        spoken = "TCP" if protocol.value in (None, "", "HTTP", "HTTPS", "TCP") else copied(protocol)
        span = port["portRange"]
        if port["port"].empty and isinstance(span.value, dict):
            start, end = span["start"].value, span["end"].value
            if isinstance(start, int) and isinstance(end, int):
                for number in range(start, min(end, start + 65535) + 1):
                    made: Tree = {"port": number, "targetPort": number, "name": f"{name}-{number}", "protocol": spoken}
                    yield From(made, span.route)
            continue
        target = port["port"] if port["targetPort"].empty else port["targetPort"]
        item: dict[str, Tree] = {
            "port": copied(port["port"]),
            "targetPort": copied(target),
            "protocol": spoken,
            "name": name,
        }
        for key in ("nodePort", "appProtocol"):
            put(item, key, port[key])
        yield From(item, port.route)


def ingresses(chart: Chart) -> Iterator[Made]:
    """The enabled ingresses."""
    declared = chart.enabled("ingress")
    for identifier, node in declared.items():
        name = chart.name(identifier, node, 1 if node["primary"].value is True else len(declared))
        spec: dict[str, Tree] = {}
        put(spec, "ingressClassName", node["className"])
        if not node["tls"].empty:
            spec["tls"] = From([_tls(chart, item) for item in node["tls"].entries()], node["tls"].route)
        if not node["defaultBackend"].empty:
            spec["defaultBackend"] = copied(node["defaultBackend"])
        else:
            spec["rules"] = From([_rule(chart, item) for item in node["hosts"].entries()], node["hosts"].route)
        metadata = chart.metadata(node, name)
        yield (
            "networking.k8s.io/v1",
            "Ingress",
            name,
            _object("networking.k8s.io/v1", "Ingress", metadata, spec, node),
        )


def _tls(chart: Chart, node: Node) -> Tree:
    made: dict[str, Tree] = {"hosts": chart.tpl(node["hosts"])}
    if not node["secretName"].empty and plain(node["secretName"], chart.scope) != "":
        made["secretName"] = chart.tpl(node["secretName"])
    return From(made, node.route)


def _rule(chart: Chart, node: Node) -> Tree:
    paths: list[Tree] = []
    for path in node["paths"].entries():
        kind = path["pathType"]
        item: dict[str, Tree] = {
            "path": chart.tpl(path["path"]),
            "pathType": "Prefix" if kind.empty else copied(kind),
            "backend": {"service": _backend(chart, path["service"])},
        }
        paths.append(From(item, path.route))
    made: Tree = {"host": chart.tpl(node["host"]), "http": {"paths": From(paths, node["paths"].route)}}
    return From(made, node.route)


def _backend(chart: Chart, node: Node) -> Tree:
    declared = chart.enabled("service")
    identifier = _identifier(chart, node)
    service = declared.get(identifier)
    made: dict[str, Tree] = {}
    name = service_name(chart, identifier)
    if not node["name"].empty and (service is None or not chart.rules.main_is_plain):
        made["name"] = chart.tpl(node["name"])
    elif name is not None:
        made["name"] = name
    port = node["port"]
    number: Tree = copied(port)
    if port.empty:
        main = None if service is None else primary_port(service)
        number = None if main is None else copied(main["port"])
    elif isinstance(port.value, str) and service is not None:
        number = copied(service["ports"][port.value]["port"])
    made["port"] = {"number": number}
    return From(made, node.route)


def _identifier(chart: Chart, node: Node) -> str:
    if node["identifier"].text:
        return node["identifier"].text
    declared = chart.enabled("service")
    if chart.rules.main_is_plain and node["name"].text in declared:  # up to version 2 the name may be the identifier
        return node["name"].text
    if node["name"].empty and len(declared) == 1:
        return next(iter(declared))
    return ""


def routes(chart: Chart) -> Iterator[Made]:
    """The enabled Gateway routes. The newest stable API version is assumed for HTTP and gRPC."""
    declared = chart.enabled("route")
    for identifier, node in declared.items():
        name = chart.name(identifier, node, len(declared))
        kind = node["kind"].word("HTTPRoute")
        version = "v1" if kind in ("HTTPRoute", "GRPCRoute") else "v1alpha2"
        spec: dict[str, Tree] = {
            "parentRefs": From([_parent(item) for item in node["parentRefs"].entries()], node["parentRefs"].route)
        }
        if kind not in ("TCPRoute", "UDPRoute") and not node["hostnames"].empty:
            spec["hostnames"] = chart.tpl(node["hostnames"])
        spec["rules"] = _rules(chart, kind, node)
        api = f"gateway.networking.k8s.io/{version}"
        yield api, kind, name, _object(api, kind, chart.metadata(node, name), spec, node)


def _parent(node: Node) -> Tree:
    made: dict[str, Tree] = {
        "group": "gateway.networking.k8s.io" if node["group"].empty else copied(node["group"]),
        "kind": "Gateway" if node["kind"].empty else copied(node["kind"]),
    }
    for key in ("name", "namespace", "sectionName", "port"):
        put(made, key, node[key])
    return From(made, node.route)


def _rules(chart: Chart, kind: str, node: Node) -> Tree:
    rules = node["rules"]
    if rules.empty:
        if len(chart.enabled("service")) != 1 or chart.rules.override_names:
            return []
        return [{"backendRefs": [_reference(chart, Node({}, node.route))]}]
    made: list[Tree] = []
    for rule in rules.entries():
        references = [_reference(chart, item) for item in rule["backendRefs"].entries()]
        item: dict[str, Tree] = {"backendRefs": From(references, rule["backendRefs"].route)}
        if kind in ("HTTPRoute", "GRPCRoute"):
            for key in ("matches", "filters", "sessionPersistence"):
                put(item, key, rule[key])
        if kind == "HTTPRoute":
            put(item, "timeouts", rule["timeouts"])
        made.append(From(item, rule.route))
    return From(made, rules.route)


def _reference(chart: Chart, node: Node) -> Tree:
    identifier = _identifier(chart, node)
    service = chart.enabled("service").get(identifier)
    name = service_name(chart, identifier)
    made: dict[str, Tree] = {
        "group": "" if node["group"].empty else copied(node["group"]),
        "kind": "Service" if node["kind"].empty else copied(node["kind"]),
        "name": name if name is not None and service is not None else chart.tpl(node["name"]),
        "namespace": chart.scope.namespace if node["namespace"].empty else copied(node["namespace"]),
        "weight": 1 if node["weight"].value is None else copied(node["weight"]),
    }
    if not node["port"].empty:
        made["port"] = copied(node["port"])
    elif service is not None:
        main = primary_port(service)
        if main is not None:
            made["port"] = copied(main["port"])
    return From(made, node.route)


def policies(chart: Chart) -> Iterator[Made]:
    """The enabled network policies."""
    declared = chart.enabled("networkpolicies")
    for identifier, node in declared.items():
        name = chart.name(identifier, node, len(declared))
        controller = node["controller"].text or chart.only_controller()
        selector: Tree = {"matchLabels": chart.controller_selector(controller)}
        spec: dict[str, Tree] = {
            "podSelector": copied(node["podSelector"]) if node.has("podSelector") else selector,
        }
        put(spec, "policyTypes", node["policyTypes"])
        for key in ("ingress", "egress"):
            if not node.dig("rules", key).empty:
                spec[key] = chart.tpl(node.dig("rules", key))
        api = "networking.k8s.io/v1"
        yield api, "NetworkPolicy", name, _object(api, "NetworkPolicy", chart.metadata(node, name), spec, node)


def _object(api_version: str, kind: str, metadata: Tree, spec: Tree, node: Node) -> Tree:
    return From({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}, node.route)
