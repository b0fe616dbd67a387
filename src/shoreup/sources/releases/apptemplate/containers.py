"""Containers: image, command, environment, probes and mounts as the chart writes them from its values."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.model.value import Unknown, Value
from shoreup.sources.releases.apptemplate.chart import Chart, copied, ordered, primary_port, put
from shoreup.sources.releases.apptemplate.templating import go_string, pieces
from shoreup.sources.releases.derive import From, Piece, Text, Tree
from shoreup.sources.releases.layers import Node, merge

NO_TAG = "the chart needs an image tag and the values give none"

_COPIED_BEFORE = ("workingDir", "securityContext", "lifecycle", "terminationMessagePath", "terminationMessagePolicy")
_COPIED_AFTER = ("resources", "restartPolicy", "stdin", "tty")
_DECIDES = ("securityContext", "resources", "lifecycle")


def containers(chart: Chart, controller: str, values: Node, *, init: bool) -> list[Tree]:
    """A controller's containers in the order in which the pod lists them."""
    key = "initContainers" if init else "containers"
    enabled = {
        identifier: node
        for identifier, node in values[key].items()
        if isinstance(node.value, dict) and node["enabled"].value is not False
    }
    made: list[Tree] = []
    for identifier in ordered(enabled):
        plain = enabled[identifier]["spec"]
        if not chart.rules.pod_label and isinstance(plain.value, dict):
            made.append(From(_as_kubernetes(chart, identifier, plain), plain.route))
            continue
        node = _with_defaults(values, enabled[identifier], init=init)
        made.append(From(_container(chart, controller, identifier, node), enabled[identifier].route))
    return made


def _as_kubernetes(chart: Chart, identifier: str, node: Node) -> Tree:
    """Version 1 takes containers beside the main one as Kubernetes has them, but for the environment."""
    made: dict[str, Tree] = {"name": identifier, **{key: chart.tpl(item) for key, item in node.items()}}
    environment = _environment(chart, node["env"])
    if environment is not None:
        made["env"] = environment
    return made


class _Defaulted(Node, frozen=True, kw_only=True):
    """A container over its controller's ``defaultContainerOptions``: what a key does not say comes from there."""

    defaults: Node

    def __getitem__(self, key: str) -> Node:
        own = Node.__getitem__(self, key)
        default = self.defaults[key]
        return default if own.empty and default.value is not None else own


def _with_defaults(controller: Node, node: Node, *, init: bool) -> Node:
    defaults = controller["defaultContainerOptions"]
    if defaults.empty or (init and controller["applyDefaultContainerOptionsToInitContainers"].value is False):
        return node
    if controller["defaultContainerOptionsStrategy"].value == "merge":
        if isinstance(defaults.value, dict) and isinstance(node.value, dict):
            return Node(merge(defaults.value, node.value), node.route, node.open_reason)
        return node
    return _Defaulted(node.value, node.route, node.open_reason, defaults=defaults)


def _container(chart: Chart, controller: str, identifier: str, node: Node) -> Tree:
    made: dict[str, Tree] = {}
    override = node["nameOverride"]
    made["name"] = identifier if override.empty else chart.tpl(override)
    made["image"] = image(chart, node["image"])
    put(made, "imagePullPolicy", node.dig("image", "pullPolicy"))
    for key in ("command", "args"):
        if not node[key].empty:
            made[key] = _words(node[key])
    for key in _COPIED_BEFORE:
        put(made, key, node[key])
    environment = _environment(chart, node["env"])
    if environment:
        made["env"] = environment
    if not node["envFrom"].empty:
        made["envFrom"] = _environment_sources(chart, node["envFrom"])
    put(made, "ports", node["ports"])
    made.update(_probes(chart, controller, node["probes"]))
    for key in _COPIED_AFTER:
        put(made, key, node[key])
    mounts = _mounts(chart, controller, identifier)
    if mounts:
        made["volumeMounts"] = mounts
    if node.open_reason:
        _admit(made, node)
    return made


def _admit(made: dict[str, Tree], node: Node) -> None:
    """With open values an absence is a question: what the chart would have put there is unknown."""
    unknown = Unknown(node.open_reason)
    for key in _DECIDES:
        if key not in made and not node.has(key):
            made[key] = unknown
    for probe in ("liveness", "readiness", "startup"):
        if f"{probe}Probe" not in made and node.dig("probes", probe, "enabled").value is None:
            made[f"{probe}Probe"] = unknown


def image(chart: Chart, node: Node) -> Tree:
    """An image reference, put together from its parts or taken as it stands."""
    if not isinstance(node.value, dict):
        if node.value is None:
            return Unknown(node.open_reason or NO_TAG)
        return chart.tpl(node)
    repository, tag, digest = node.said("repository"), node.said("tag"), node["digest"]
    parts = list(pieces(repository, chart.scope))
    if tag.empty and digest.empty and chart.rules.image_needs_tag:
        return From(Unknown(NO_TAG), node.route)
    if not tag.empty:
        parts += [Piece(":"), *pieces(tag, chart.scope)]
    if not digest.empty:
        parts += [Piece("@"), *pieces(digest, chart.scope)]
    return Text(tuple(parts), node.route)


def _words(node: Node) -> Tree:
    return From([copied(node)], node.route) if isinstance(node.value, str) else copied(node)


def _environment(chart: Chart, node: Node) -> Tree | None:
    made: list[Tree] = []
    if isinstance(node.value, list):
        for entry in node.entries():
            if isinstance(entry.value, dict):
                made.append(From(_variable(chart, copied(entry["name"]), entry, {"name"}), entry.route))
            else:
                made.append(copied(entry))
    elif isinstance(node.value, dict):
        items = dict(node.items())
        for name in ordered(items):
            entry = items[name]
            if isinstance(entry.value, dict):
                made.append(From(_variable(chart, name, entry, {"dependsOn"}), entry.route))
            else:
                made.append(From({"name": name, "value": _literal(chart, entry)}, entry.route))
    elif node.unknown:
        return copied(node)
    return made or None


def _variable(chart: Chart, name: Tree, entry: Node, without: set[str]) -> Mapping[str, Tree]:
    if entry.has("value"):
        return {"name": name, "value": _literal(chart, entry["value"])}
    if entry.has("valueFrom"):
        return {"name": name, "valueFrom": chart.tpl(entry["valueFrom"])}
    return {"name": name, "valueFrom": {key: copied(item) for key, item in entry.items() if key not in without}}


def _literal(chart: Chart, node: Node) -> Tree:
    if isinstance(node.value, (bool, int, float)):
        return Text((Piece(go_string(node.value), node.route, None, "toString"),), node.route)
    return chart.tpl(node)


def _environment_sources(chart: Chart, node: Node) -> Tree:
    made: list[Tree] = []
    for entry in node.entries():
        item: dict[str, Tree] = {}
        for short, long, objects in (("configMap", "configMapRef", "configMaps"), ("secret", "secretRef", "secrets")):
            if entry.has(short):
                item[long] = {"name": _object_name(chart, objects, entry[short])}
            elif entry.has(long):
                reference = entry[long]
                if reference.has("identifier"):
                    item[long] = {"name": _object_name(chart, objects, reference["identifier"])}
                else:
                    item[long] = {"name": chart.tpl(reference["name"])}
        put(item, "prefix", entry["prefix"])
        if item:
            made.append(From(item, entry.route))
    return From(made if isinstance(node.value, list) else node.value, node.route)


def _object_name(chart: Chart, kind: str, identifier: Node) -> Tree:
    declared = chart.enabled(kind)
    if identifier.text in declared:
        return chart.name(identifier.text, declared[identifier.text], len(declared), always=chart.rules.override_names)
    return chart.tpl(identifier)


_TIMES = (("initialDelaySeconds", 0), ("failureThreshold", 3), ("timeoutSeconds", 1), ("periodSeconds", 10))


def _probes(chart: Chart, controller: str, node: Node) -> dict[str, Tree]:
    made: dict[str, Tree] = {}
    for name, probe in node.items():
        enabled = probe["enabled"].value
        if probe.unknown or isinstance(enabled, Unknown):
            made[f"{name}Probe"] = copied(probe if probe.unknown else probe["enabled"])
        elif enabled is True:
            definition = _custom(chart, probe) if not probe["custom"].empty else _generated(chart, controller, probe)
            if definition:
                made[f"{name}Probe"] = From(definition, probe.route)
    if node.unknown:
        made.update({f"{name}Probe": copied(node) for name in ("liveness", "readiness", "startup")})
    return made


def _custom(chart: Chart, probe: Node) -> Tree | None:
    spec = probe["spec"]
    return None if spec.empty else chart.tpl(spec)


def _generated(chart: Chart, controller: str, probe: Node) -> Tree | None:
    service = chart.primary_service(controller)
    port = None if service is None else primary_port(service)
    if port is None and chart.rules.probes_need_service:
        return None
    spec = probe["spec"]
    made: dict[str, Tree] = {key: default if spec[key].value is None else copied(spec[key]) for key, default in _TIMES}
    kind: Value = probe["type"].value if probe["type"].unknown else probe["type"].word("TCP")
    if probe.has("command") and (not probe.has("type") or kind == "AUTO"):
        made["exec"] = {"command": chart.tpl(probe["command"])}
        return made
    if kind == "AUTO":
        kind = None if port is None else port["protocol"].value
    target: dict[str, Tree] = {}
    if kind in ("HTTP", "HTTPS"):
        put(target, "path", probe["path"])
        target["scheme"] = kind
    elif kind == "GRPC":
        put(target, "service", probe["service"])
    if not probe["port"].empty:
        target["port"] = chart.tpl(probe["port"])
    elif port is not None and not port["targetPort"].empty:
        target["port"] = copied(port["targetPort"])
    elif port is not None and not port["port"].empty:
        target["port"] = copied(port["port"])
    if isinstance(kind, Unknown):
        return kind
    made[{"HTTP": "httpGet", "HTTPS": "httpGet", "GRPC": "grpc"}.get(str(kind), "tcpSocket")] = target
    return made


def _mounts(chart: Chart, controller: str, container: str) -> list[Tree]:
    items: dict[str, tuple[Node, list[Node], bool]] = {}
    for identifier, node in chart.enabled("persistence").items():
        advanced = list(node.dig("advancedMounts", controller, container).entries())
        asked = not (node["globalMounts"].empty and node["advancedMounts"].empty)
        items[identifier] = (node, [*node["globalMounts"].entries(), *advanced], asked)
    for node in chart.values.dig("controllers", controller, "statefulset", "volumeClaimTemplates").entries():
        if node["enabled"].value is not False:
            advanced = list(node.dig("advancedMounts", container).entries())
            asked = not (node["globalMounts"].empty and node["advancedMounts"].empty)
            items[str(node["name"].value)] = (node, [*node["globalMounts"].entries(), *advanced], asked)
    made: list[Tree] = []
    for identifier in sorted(items):
        node, mounts, asked = items[identifier]
        made.extend(_volume_mounts(chart, identifier, node, mounts, asked))
    return made


def _volume_mounts(chart: Chart, identifier: str, node: Node, mounts: list[Node], asked: bool) -> list[Tree]:
    path: Tree = f"/{identifier}"
    if node["type"].value == "hostPath":
        path = copied(node["hostPath"])
    if not asked:
        return [From({"name": identifier, "mountPath": path}, node.route)]
    made: list[Tree] = []
    for mount in mounts:
        if not mount["path"].empty:  # the chart keeps the last path for mounts that name none
            path = chart.tpl(mount["path"])
        item: dict[str, Tree] = {"name": identifier, "mountPath": path}
        if not mount["subPath"].empty:
            item["subPath"] = chart.tpl(mount["subPath"])
        for key in ("subPathExpr", "readOnly", "mountPropagation"):
            put(item, key, mount[key])
        made.append(From(item, mount.route))
    return made
