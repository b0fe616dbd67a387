"""Version 1 of the chart: one controller, one main container, everything at the top of the values.

Its values are turned into the form of version 2, which can say all of it, and the rest goes on from there; each
value keeps the way back to where it stood. Rules read from 1.5.1. Add-ons (VPN, code-server) are not followed.
"""

from __future__ import annotations

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.editing import Like
from shoreup.sources.releases.apptemplate.chart import copied, put, switched_on
from shoreup.sources.releases.apptemplate.defaults import with_defaults
from shoreup.sources.releases.derive import DerivedTracer, From, Tree, lay_out
from shoreup.sources.releases.layers import Layer, Node, Stack, nowhere, root, stack
from shoreup.sources.releases.values import StackValues

FULL_NAME = '{{ include "bjw-s.common.lib.chart.names.fullname" . }}'
_POD = (
    "imagePullSecrets",
    "automountServiceAccountToken",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "dnsPolicy",
    "dnsConfig",
    "enableServiceLinks",
    "hostAliases",
    "nodeSelector",
    "affinity",
    "topologySpreadConstraints",
    "tolerations",
)
_CONTAINER = ("image", "command", "args", "securityContext", "lifecycle", "env", "envFrom", "resources", "probes")
_CONTROLLER = (
    "type",
    "annotations",
    "labels",
    "replicas",
    "strategy",
    "rollingUpdate",
    "revisionHistoryLimit",
    "cronjob",
    "enabled",
)
_AS_THEY_ARE = ("global", "serviceAccount", "secrets", "configMaps", "serviceMonitor", "route")


def is_legacy(values: Node) -> bool:
    """Whether values have the form of version 1."""
    return not values.has("controllers") and isinstance(values["image"].value, dict)


def modernised(old: Stack) -> Stack:
    """The values in the form of version 2, over that version's defaults."""
    values = root(old)
    made: dict[str, Tree] = {key: copied(values[key]) for key in _AS_THEY_ARE if values.has(key)}
    made["controllers"] = {"main": From(_controller(values), values["controller"].route)}
    made["service"] = {key: From(_service(node), node.route) for key, node in values["service"].items()}
    made["ingress"] = {key: From(_ingress(node), node.route) for key, node in values["ingress"].items()}
    made["persistence"] = {
        key: From(_persistence(key, node), node.route) for key, node in values["persistence"].items()
    }
    body, marks = lay_out(made)
    assert isinstance(body, dict)
    tracer = DerivedTracer(body, marks, old.trace, nowhere)
    modern = with_defaults(stack((Layer(body, tracer.trace, _Legacy(old)),)))
    return Stack(modern.layers, modern.values, old.open_reason)


class _Legacy:
    """Writes values in the form of version 1; routes are those of version 2."""

    def __init__(self, old: Stack) -> None:
        self._values = old.values
        self._old = StackValues(old)

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give the value at ``route``."""
        return self._old.put(self._old_route(route), value, read, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to a list."""
        return self._old.append(self._old_route(route), value, read, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away what stands at ``route``."""
        return self._old.remove(self._old_route(route), read, alone=alone)

    def _old_route(self, route: Route) -> Route:
        main: Route = ("controllers", "main")
        if route[:2] == main and len(route) > 2:
            rest = route[2:]
            if rest[:2] == ("containers", "main") and len(rest) > 2 and rest[2] in _CONTAINER:
                return rest[2:]
            if rest[0] in ("containers", "initContainers") and rest[2:3] == ("spec",):
                keys = ("initContainers",) if rest[0] == "initContainers" else ("sidecars", "additionalContainers")
                for key in keys:
                    if at(self._values, key, rest[1]) is not None:
                        return (key, rest[1], *rest[3:])
            if rest[0] == "pod" and len(rest) > 1:
                renamed = {
                    "securityContext": "podSecurityContext",
                    "annotations": "podAnnotations",
                    "labels": "podLabels",
                }
                if rest[1] in _POD:
                    return rest[1:]
                if rest[1] in renamed:
                    return (renamed[str(rest[1])], *rest[2:])
            if rest[0] in _CONTROLLER:
                return ("controller", *rest)
        elif route[:1] in (("global",), ("serviceAccount",), ("secrets",), ("configMaps",), ("serviceMonitor",)):
            return route
        raise CannotWrite("how version 1 of the chart is told this is not known")


def _controller(values: Node) -> Tree:
    old = values["controller"]
    made: dict[str, Tree] = {key: copied(old[key]) for key in _CONTROLLER if old.has(key)}
    made["statefulset"] = {
        key: copied(node)
        for key, node in (
            ("podManagementPolicy", old["podManagementPolicy"]),
            ("volumeClaimTemplates", values["volumeClaimTemplates"]),
        )
        if node.value is not None
    }
    pod: dict[str, Tree] = {key: copied(values[key]) for key in _POD if values[key].value is not None}
    for key, node in (
        ("securityContext", values["podSecurityContext"]),
        ("annotations", values["podAnnotations"]),
        ("labels", values["podLabels"]),
        ("terminationGracePeriodSeconds", values.dig("termination", "gracePeriodSeconds")),
        ("restartPolicy", old["restartPolicy"]),
    ):
        put(pod, key, node)
    made["pod"] = pod
    made["containers"] = {
        "main": From(_main(values), ("image",)),
        **_plain_containers(values, "sidecars", "additionalContainers"),
    }
    made["initContainers"] = _plain_containers(values, "initContainers")
    return made


def _main(values: Node) -> Tree:
    made: dict[str, Tree] = {key: copied(values[key]) for key in _CONTAINER if values[key].value is not None}
    made["nameOverride"] = FULL_NAME
    put(made, "terminationMessagePath", values.dig("termination", "messagePath"))
    put(made, "terminationMessagePolicy", values.dig("termination", "messagePolicy"))
    ports: list[Tree] = [
        From(_port(name, port), port.route)
        for service in switched_on(values["service"]).values()
        for name, port in switched_on(service["ports"]).items()
        if port["port"].value is not None
    ]
    if ports:
        made["ports"] = ports
    return made


def _port(name: str, port: Node) -> Tree:
    target = port["targetPort"] if isinstance(port["targetPort"].value, int) else port["port"]
    protocol = port["protocol"]
    spoken: Tree = "TCP" if protocol.value in (None, "", "HTTP", "HTTPS", "TCP") else copied(protocol)
    return {"name": name, "containerPort": copied(target), "protocol": spoken}


def _plain_containers(values: Node, *keys: str) -> dict[str, Tree]:
    """Further containers are written as Kubernetes has them, by name."""
    return {
        name: From({"dependsOn": "main" if key != "initContainers" else None, "spec": copied(node)}, node.route)
        for key in keys
        for name, node in values[key].items()
        if isinstance(node.value, dict)
    }


def _service(node: Node) -> Tree:
    made: dict[str, Tree] = {key: copied(item) for key, item in node.items()}
    made["controller"] = "main"
    return made


def _ingress(node: Node) -> Tree:
    made: dict[str, Tree] = {
        key: copied(item) for key, item in node.items() if key not in ("ingressClassName", "hosts")
    }
    put(made, "className", node["ingressClassName"])
    made["hosts"] = [From(_host(host), host.route) for host in node["hosts"].entries()]
    return made


def _host(host: Node) -> Tree:
    paths: list[Tree] = []
    for path in host["paths"].entries():
        item: dict[str, Tree] = {key: copied(path[key]) for key in ("path", "pathType") if path.has(key)}
        service: dict[str, Tree] = {}
        put(service, "port", path.dig("service", "port"))
        name = path.dig("service", "name")
        service["name"] = "main" if name.empty else copied(name)
        item["service"] = service
        paths.append(From(item, path.route))
    return {"host": copied(host["host"]), "paths": paths}


def _persistence(name: str, node: Node) -> Tree:
    left_out = ("mountPath", "subPath", "readOnly", "mountPropagation", "type", "enabled")
    made: dict[str, Tree] = {key: copied(item) for key, item in node.items() if key not in left_out}
    kind = node["type"]
    made["enabled"] = node["enabled"].value is True
    made["type"] = "persistentVolumeClaim" if kind.value in (None, "pvc") else copied(kind)
    mounts: list[Tree] = []
    if isinstance(node["subPath"].value, list):
        for item in node["subPath"].entries():
            mount: dict[str, Tree] = {"subPath": copied(item["path"]), "path": copied(item["mountPath"])}
            for key in ("readOnly", "mountPropagation"):
                put(mount, key, item[key])
            mounts.append(From(mount, item.route))
    elif node["mountPath"].value != "-":
        path = node["hostPath"] if kind.value == "hostPath" else Node(f"/{name}", node.route)
        single: dict[str, Tree] = {"path": copied(path if node["mountPath"].empty else node["mountPath"])}
        for key in ("subPath", "readOnly", "mountPropagation"):
            put(single, key, node[key])
        mounts.append(From(single, node.route))
    if mounts:
        made["advancedMounts"] = {"main": {"main": mounts}}
    else:
        made["globalMounts"] = []
        made["advancedMounts"] = {"main": {"nobody": [{"path": "-"}]}}
    return made
