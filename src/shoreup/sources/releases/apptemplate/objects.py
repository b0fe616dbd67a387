"""What the pods lean on: claims, configuration, secrets, accounts and their rights, and objects given in full."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.model.value import pattern
from shoreup.sources.releases.apptemplate.chart import Chart, copied, put, switched_on
from shoreup.sources.releases.apptemplate.network import Made, service_name
from shoreup.sources.releases.apptemplate.pods import (
    account_name,
    accounts,
    claim_name,
    claim_spec,
    claims,
    default_account,
)
from shoreup.sources.releases.apptemplate.templating import plain
from shoreup.sources.releases.derive import From, Tree
from shoreup.sources.releases.layers import Node

_RBAC = "rbac.authorization.k8s.io/v1"


def volume_claims(chart: Chart) -> Iterator[Made]:
    """The claims of persistence items that bring no claim of their own."""
    for identifier, node in claims(chart).items():
        name = claim_name(chart, identifier, node)
        body: Tree = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": chart.metadata(node, name),
            "spec": claim_spec(chart, node),
        }
        yield "v1", "PersistentVolumeClaim", name, From(body, node.route)


def config_maps(chart: Chart) -> Iterator[Made]:
    """ConfigMaps and Secrets written in the values."""
    for key, kind, fields in (
        ("configMaps", "ConfigMap", ("data", "binaryData")),
        ("secrets", "Secret", ("stringData",)),
    ):
        declared = chart.enabled(key)
        for identifier, node in declared.items():
            name = chart.name(identifier, node, len(declared), always=chart.rules.override_names)
            body: dict[str, Tree] = {"apiVersion": "v1", "kind": kind, "metadata": chart.metadata(node, name)}
            for field in fields:
                if not node[field].empty:
                    body[field] = chart.tpl(node[field])
            if kind == "Secret":
                put(body, "type", node["type"])
            yield "v1", kind, name, From(body, node.route)


def service_accounts(chart: Chart) -> Iterator[Made]:
    """The ServiceAccounts that are declared, or the one that the chart makes by itself."""
    declared = accounts(chart)
    if not declared and default_account(chart):
        name = chart.scope.full_name
        body: Tree = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": chart.metadata(Node(None, ()), name),
        }
        yield "v1", "ServiceAccount", name, From(body, ())
    for identifier, node in declared.items():
        name = account_name(chart, identifier)
        made: Tree = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": chart.metadata(node, name)}
        yield "v1", "ServiceAccount", name, From(made, node.route)


def rights(chart: Chart) -> Iterator[Made]:
    """Roles and bindings."""
    roles = switched_on(chart.values.dig("rbac", "roles"))
    for identifier, node in roles.items():
        kind = node["type"].text or "Role"
        name = chart.name(identifier, node, len(roles))
        body: dict[str, Tree] = {
            "apiVersion": _RBAC,
            "kind": kind,
            "metadata": chart.metadata(node, name, scoped=kind == "Role"),
        }
        if not node["rules"].empty:
            body["rules"] = chart.tpl(node["rules"])
        yield _RBAC, kind, name, From(body, node.route)
    bindings = switched_on(chart.values.dig("rbac", "bindings"))
    for identifier, node in bindings.items():
        kind = node["type"].text or "RoleBinding"
        name = chart.name(identifier, node, len(bindings))
        made: Tree = {
            "apiVersion": _RBAC,
            "kind": kind,
            "metadata": chart.metadata(node, name, scoped=kind == "RoleBinding"),
            "roleRef": _role(chart, node["roleRef"], roles),
            "subjects": From([_subject(chart, item) for item in node["subjects"].entries()], node["subjects"].route),
        }
        yield _RBAC, kind, name, From(made, node.route)


def _role(chart: Chart, node: Node, roles: dict[str, Node]) -> Tree:
    made: dict[str, Tree] = {"apiGroup": "rbac.authorization.k8s.io"}
    role = roles.get(node["identifier"].text)
    if role is not None:
        made["kind"] = role["type"].text or "Role"
        made["name"] = From(chart.name(node["identifier"].text, role, len(roles)), node["identifier"].route)
    else:
        made["kind"], made["name"] = copied(node["kind"]), copied(node["name"])
    return From(made, node.route)


def _subject(chart: Chart, node: Node) -> Tree:
    if node.has("identifier"):
        name = From(account_name(chart, node["identifier"].text), node["identifier"].route)
        return From({"kind": "ServiceAccount", "name": name, "namespace": chart.scope.namespace}, node.route)
    made: dict[str, Tree] = {}
    for key in ("kind", "name", "namespace"):
        if not node[key].empty:
            made[key] = chart.tpl(node[key])
    return From(made, node.route)


def raw_resources(chart: Chart) -> Iterator[Made]:
    """Objects given in full. From version 5 they stand below ``manifest``, before that below ``spec``."""
    declared = chart.enabled("rawResources")
    for identifier, node in declared.items():
        name = chart.name(identifier, node, len(declared))
        manifest = node["manifest"] if isinstance(node["manifest"].value, dict) else node
        body: dict[str, Tree] = {}
        if manifest is node:
            spec = node["spec"]
            body.update({key: chart.tpl(item) for key, item in spec.items()})
        else:
            body.update({key: chart.tpl(item) for key, item in manifest.items() if key != "name"})
        body["metadata"] = chart.metadata(manifest["metadata"] if manifest is not node else node, name, scoped=False)
        body["apiVersion"], body["kind"] = copied(manifest["apiVersion"]), copied(manifest["kind"])
        api, kind = (pattern(plain(manifest[key], chart.scope)) for key in ("apiVersion", "kind"))
        yield api, kind, name, From(body, node.route)


def monitors(chart: Chart) -> Iterator[Made]:
    """ServiceMonitors, which tell what is watched."""
    declared = chart.enabled("serviceMonitor")
    for identifier, node in declared.items():
        name = chart.name(identifier, node, len(declared))
        selector: Tree = {"matchLabels": {"app.kubernetes.io/service": _watched(chart, node), **chart.selector()}}
        spec: dict[str, Tree] = {
            "namespaceSelector": {"matchNames": [chart.scope.namespace]},
            "selector": selector if node["selector"].empty else chart.tpl(node["selector"]),
            "endpoints": chart.tpl(node["endpoints"]),
        }
        put(spec, "targetLabels", node["targetLabels"])
        api = "monitoring.coreos.com/v1"
        body: Tree = {
            "apiVersion": api,
            "kind": "ServiceMonitor",
            "metadata": chart.metadata(node, name),
            "spec": spec,
        }
        yield api, "ServiceMonitor", name, From(body, node.route)


def _watched(chart: Chart, node: Node) -> Tree:
    if not node["serviceName"].empty:
        return chart.tpl(node["serviceName"])
    services = chart.enabled("service")
    wanted = node.dig("service", "identifier").text or (next(iter(services)) if len(services) == 1 else "")
    if wanted:
        return service_name(chart, wanted)
    return chart.tpl(node.dig("service", "name"))
