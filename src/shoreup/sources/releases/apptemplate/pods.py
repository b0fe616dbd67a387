"""Pods: the options of a pod, its volumes, and the controllers that run it."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.model.value import Unknown, pattern
from shoreup.sources.releases.apptemplate.chart import Chart, copied, number, put, switched_on
from shoreup.sources.releases.apptemplate.containers import containers, image
from shoreup.sources.releases.apptemplate.templating import plain
from shoreup.sources.releases.derive import From, Tree
from shoreup.sources.releases.layers import Node, merge

_OPTIONS = (
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "hostname",
    "hostUsers",
    "shareProcessNamespace",
    "dnsConfig",
    "hostAliases",
    "imagePullSecrets",
    "terminationGracePeriodSeconds",
    "resources",
    "resourceClaims",
    "restartPolicy",
    "nodeSelector",
    "tolerations",
    "schedulingGates",
)


def controllers(chart: Chart) -> Iterator[tuple[str, str, str, Tree]]:
    """Each controller as ``(apiVersion, kind, name, object)``."""
    enabled = chart.enabled("controllers")
    for identifier, node in enabled.items():
        name = chart.name(identifier, node, len(enabled))
        label = chart.pod_label(identifier)
        metadata = chart.metadata(node, name, label)
        made = _MAKERS.get(node["type"].word("deployment"))
        if made is None:
            continue
        api_version, kind, make = made
        spec = make(chart, identifier, node)
        yield api_version, kind, name, From(_object(api_version, kind, metadata, spec), node.route)
        budget = node["podDisruptionBudget"]
        if isinstance(budget.value, dict):
            yield "policy/v1", "PodDisruptionBudget", name, From(_budget(chart, identifier, name, budget), budget.route)


def _object(api_version: str, kind: str, metadata: Tree, spec: Tree) -> Tree:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _budget(chart: Chart, identifier: str, name: str, node: Node) -> Tree:
    spec: dict[str, Tree] = {"selector": {"matchLabels": chart.controller_selector(identifier)}}
    put(spec, "minAvailable", node["minAvailable"])
    put(spec, "maxUnavailable", node["maxUnavailable"])
    return _object("policy/v1", "PodDisruptionBudget", chart.metadata(node, name), spec)


def _deployment(chart: Chart, identifier: str, node: Node) -> Tree:
    spec: dict[str, Tree] = {"revisionHistoryLimit": number(node["revisionHistoryLimit"], 3)}
    if not node.has("replicas"):
        spec["replicas"] = node.said("replicas").value if node.open_reason else 1
    elif node["replicas"].value is not None:
        spec["replicas"] = copied(node["replicas"])
    strategy: dict[str, Tree] = {"type": "Recreate" if node["strategy"].empty else copied(node["strategy"])}
    rolling = node["rollingUpdate"]
    steps: dict[str, Tree] = {}
    for key, short in (("maxUnavailable", "unavailable"), ("maxSurge", "surge")):
        if node["strategy"].value == "RollingUpdate":
            put(steps, key, rolling[key] if rolling.has(key) else rolling[short])
    if steps:
        strategy["rollingUpdate"] = From(steps, rolling.route)
    spec["strategy"] = strategy
    return {**spec, **_pods(chart, identifier, node)}


def _statefulset(chart: Chart, identifier: str, node: Node) -> Tree:
    settings = node["statefulset"]
    spec: dict[str, Tree] = {"revisionHistoryLimit": number(node["revisionHistoryLimit"], 3)}
    if node["replicas"].value is not None:
        spec["replicas"] = copied(node["replicas"])
    policy = settings["podManagementPolicy"]
    spec["podManagementPolicy"] = "OrderedReady" if policy.empty else copied(policy)
    update: dict[str, Tree] = {"type": "RollingUpdate" if node["strategy"].empty else copied(node["strategy"])}
    if not node.dig("rollingUpdate", "partition").empty:
        update["rollingUpdate"] = {"partition": copied(node.dig("rollingUpdate", "partition"))}
    spec["updateStrategy"] = update
    service = settings["serviceName"]
    if isinstance(service.value, dict):
        services = chart.enabled("service")
        wanted = service["identifier"].text
        spec["serviceName"] = (
            chart.name(wanted, services[wanted], len(services)) if wanted in services else copied(service["identifier"])
        )
    else:
        spec["serviceName"] = chart.scope.full_name if service.empty else chart.tpl(service)
    put(spec, "persistentVolumeClaimRetentionPolicy", settings["persistentVolumeClaimRetentionPolicy"])
    templates: list[Tree] = [From(_claim_template(chart, item), item.route) for item in _claims(settings)]
    if templates:
        spec["volumeClaimTemplates"] = templates
    return {**spec, **_pods(chart, identifier, node)}


def _claims(settings: Node) -> list[Node]:
    return [item for item in settings["volumeClaimTemplates"].entries() if item["enabled"].value is not False]


def _claim_template(chart: Chart, node: Node) -> Tree:
    metadata: dict[str, Tree] = {"name": copied(node["name"])}
    for key in ("labels", "annotations"):
        put(metadata, key, node[key])
    return {"metadata": metadata, "spec": claim_spec(chart, node)}


def claim_spec(chart: Chart, node: Node) -> dict[str, Tree]:
    """The spec of a claim from its short form; a storage class of ``-`` is the empty class."""
    spec: dict[str, Tree] = {
        "accessModes": [copied(node["accessMode"])],
        "resources": {"requests": {"storage": copied(node["size"])}},
    }
    storage = node["storageClass"]
    if not storage.empty:
        spec["storageClassName"] = From("" if storage.value == "-" else storage.value, storage.route)
    put(spec, "volumeName", node["volumeName"])
    for key in ("dataSource", "dataSourceRef"):
        if not node[key].empty:
            spec[key] = chart.tpl(node[key])
    return spec


def _daemonset(chart: Chart, identifier: str, node: Node) -> Tree:
    return {"revisionHistoryLimit": number(node["revisionHistoryLimit"], 3), **_pods(chart, identifier, node)}


def _cronjob(chart: Chart, identifier: str, node: Node) -> Tree:
    settings = node["cronjob"]
    spec: dict[str, Tree] = {
        "suspend": False if settings["suspend"].empty else copied(settings["suspend"]),
        "concurrencyPolicy": "Forbid" if settings["concurrencyPolicy"].empty else copied(settings["concurrencyPolicy"]),
        "startingDeadlineSeconds": number(settings["startingDeadlineSeconds"], 30),
        "schedule": copied(settings.said("schedule")),
        "successfulJobsHistoryLimit": number(settings["successfulJobsHistory"], 1),
        "failedJobsHistoryLimit": number(settings["failedJobsHistory"], 1),
    }
    put(spec, "timeZone", settings["timeZone"])
    spec["jobTemplate"] = {
        "spec": {**_job_fields(settings), "template": _template(chart, identifier, node, restarts="Never")}
    }
    return spec


def _job(chart: Chart, identifier: str, node: Node) -> Tree:
    settings = node["job"]
    spec: dict[str, Tree] = {"suspend": False if settings["suspend"].empty else copied(settings["suspend"])}
    spec.update(_job_fields(settings))
    for key in ("completions", "completionMode"):
        put(spec, key, settings[key])
    spec["template"] = _template(chart, identifier, node, restarts="Never")
    return spec


def _job_fields(settings: Node) -> dict[str, Tree]:
    made: dict[str, Tree] = {"backoffLimit": number(settings["backoffLimit"], 6)}
    for key in ("activeDeadlineSeconds", "ttlSecondsAfterFinished", "parallelism"):
        put(made, key, settings[key])
    return made


_MAKERS = {
    "deployment": ("apps/v1", "Deployment", _deployment),
    "statefulset": ("apps/v1", "StatefulSet", _statefulset),
    "daemonset": ("apps/v1", "DaemonSet", _daemonset),
    "cronjob": ("batch/v1", "CronJob", _cronjob),
    "job": ("batch/v1", "Job", _job),
}


def _pods(chart: Chart, identifier: str, node: Node) -> dict[str, Tree]:
    return {
        "selector": {"matchLabels": chart.controller_selector(identifier)},
        "template": _template(chart, identifier, node),
    }


def _template(chart: Chart, identifier: str, node: Node, *, restarts: str = "") -> Tree:
    defaults, own = chart.values["defaultPodOptions"], node["pod"]
    labels: dict[str, Tree] = dict(chart.controller_selector(identifier))
    annotations: dict[str, Tree] = {}
    if chart.values.dig("global", "propagateGlobalMetadataToPods").value is True:
        labels.update({key: chart.tpl(item) for key, item in chart.values.dig("global", "labels").items()})
        annotations.update(chart.annotations(Node(None, ())))
    for options in (defaults, own):
        labels.update({key: copied(item) for key, item in options["labels"].items()})
        annotations.update({key: copied(item) for key, item in options["annotations"].items()})
    metadata: dict[str, Tree] = {"labels": labels}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": _spec(chart, identifier, node, restarts)}


def _spec(chart: Chart, identifier: str, node: Node, restarts: str) -> Tree:
    host_network = _option(chart, node, "hostNetwork")
    policy = _option(chart, node, "dnsPolicy")
    made: dict[str, Tree] = {
        "enableServiceLinks": _flag(chart, node, "enableServiceLinks", chart.rules.service_links),
        "serviceAccountName": _account(chart, node),
        "automountServiceAccountToken": _flag(chart, node, "automountServiceAccountToken", chart.rules.mounts_token),
        "hostIPC": _flag(chart, node, "hostIPC", False),
        "hostNetwork": _flag(chart, node, "hostNetwork", False),
        "hostPID": _flag(chart, node, "hostPID", False),
    }
    if policy.empty:
        made["dnsPolicy"] = "ClusterFirstWithHostNet" if host_network.value is True else "ClusterFirst"
    else:
        made["dnsPolicy"] = copied(policy)
    for key in _OPTIONS:
        option = _option(chart, node, key)
        if isinstance(option.value, bool) or not option.empty:
            made[key] = copied(option)
    if restarts and "restartPolicy" not in made:
        made["restartPolicy"] = restarts
    for key in ("affinity", "topologySpreadConstraints"):
        option = _option(chart, node, key)
        if not option.empty:
            made[key] = chart.tpl(option)
    for key, init in (("initContainers", True), ("containers", False)):
        listed = containers(chart, identifier, node, init=init)
        if listed:
            made[key] = From(listed, node[key].route)
    volumes = _volumes(chart, identifier)
    if volumes:
        made["volumes"] = volumes
    return made


def _option(chart: Chart, node: Node, key: str) -> Node:
    default, own = chart.values["defaultPodOptions"][key], node["pod"][key]
    if isinstance(own.value, dict):
        if chart.values["defaultPodOptionsStrategy"].value == "merge" and isinstance(default.value, dict):
            return Node(merge(default.value, own.value), own.route, own.open_reason)
        return own
    if isinstance(own.value, bool) or not own.empty:
        return own
    return default


def _flag(chart: Chart, node: Node, key: str, default: bool) -> Tree:
    option = _option(chart, node, key)
    return default if option.value is None else copied(option)


def _account(chart: Chart, node: Node) -> Tree:
    reference = node["serviceAccount"]
    if isinstance(reference.value, dict):
        if reference.has("identifier"):
            return account_name(chart, reference["identifier"].text)
        if reference.has("name"):
            return copied(reference["name"])
    declared = accounts(chart)
    if chart.rules.override_names:
        return account_name(chart, "default")
    if len(declared) == 1:
        (identifier,) = declared
        return identifier if chart.rules.account_by_identifier else account_name(chart, identifier)
    if not declared and chart.rules.default_account and default_account(chart):
        return chart.scope.full_name
    return "default"


def default_account(chart: Chart) -> bool:
    """Whether the chart makes a ServiceAccount of its own because none is declared."""
    wanted = chart.values.dig("global", "createDefaultServiceAccount").value
    return chart.rules.default_account and wanted is not False and not chart.values.has("serviceAccount")


def accounts(chart: Chart) -> dict[str, Node]:
    """The declared ServiceAccounts by identifier, in the form of the chart's version."""
    values = chart.values["serviceAccount"]
    if not chart.rules.override_names:
        return switched_on(values)
    found = {"default": values} if values["create"].value is True else {}
    for key, node in values["extraServiceAccounts"].items():
        if isinstance(node.value, dict) and node["create"].value is not False:
            found[key] = node
    return found


def account_name(chart: Chart, identifier: str) -> str:
    """The name of a ServiceAccount."""
    declared = accounts(chart)
    if chart.rules.override_names:
        node = declared.get(identifier)
        if node is None:
            given = chart.values.dig("serviceAccount", "name")
            return pattern(given.value) if identifier == "default" and not given.empty else "default"
        if not node["name"].empty:
            return pattern(plain(node["name"], chart.scope))
        full = chart.scope.full_name
        return full if identifier == "default" else f"{full}-{identifier}"
    if identifier in declared:
        return chart.name(identifier, declared[identifier], len(declared))
    return identifier


def _volumes(chart: Chart, controller: str) -> list[Tree]:
    made: list[Tree] = []
    for identifier, node in chart.enabled("persistence").items():
        everywhere = not node["globalMounts"].empty
        anywhere = node["globalMounts"].empty and node["advancedMounts"].empty
        here = not node.dig("advancedMounts", controller).empty
        if everywhere or anywhere or here:
            made.append(From({"name": identifier, **_source(chart, identifier, node)}, node.route))
    return made


def claim_name(chart: Chart, identifier: str, node: Node) -> str:
    """The name of the claim that the chart makes for a persistence item."""
    return chart.name(identifier, node, len(claims(chart)), always=chart.rules.override_names)


def claims(chart: Chart) -> dict[str, Node]:
    """The persistence items for which the chart makes a claim."""
    return {
        identifier: node
        for identifier, node in chart.enabled("persistence").items()
        if _kind(node) == "persistentVolumeClaim" and node["existingClaim"].empty
    }


def _kind(node: Node) -> str | Unknown:
    value = node["type"].value
    return value if isinstance(value, Unknown) else node["type"].word("persistentVolumeClaim")


def _source(chart: Chart, identifier: str, node: Node) -> dict[str, Tree]:
    kind = _kind(node)
    made: dict[str, Tree] = {}
    match kind:
        case "persistentVolumeClaim":
            existing = node["existingClaim"]
            made["claimName"] = claim_name(chart, identifier, node) if existing.empty else chart.tpl(existing)
        case "configMap" | "secret":
            made["name" if kind == "configMap" else "secretName"] = _named(chart, f"{kind}s", node)
            for key in ("defaultMode", "items"):
                put(made, key, node[key])
        case "emptyDir":
            for key in ("medium", "sizeLimit"):
                put(made, key, node[key])
        case "hostPath":
            put(made, "path", node["hostPath"])
            put(made, "type", node["hostPathType"])
        case "nfs":
            put(made, "server", node["server"])
            put(made, "path", node["path"])
        case "image":
            made["reference"] = image(chart, node["image"])
            put(made, "pullPolicy", node["pullPolicy"])
        case "ephemeral":
            return {"ephemeral": {"volumeClaimTemplate": {"spec": claim_spec(chart, node)}}}
        case "custom":
            spec = node["volumeSpec"]
            return {key: copied(item) for key, item in spec.items()}
        case Unknown():
            return {"unknown": copied(node["type"])}
        case _:
            return {}
    return {str(kind): made}


def _named(chart: Chart, objects: str, node: Node) -> Tree:
    if not node["name"].empty:
        return chart.tpl(node["name"])
    declared = chart.enabled(objects)
    wanted = node["identifier"].text
    if wanted in declared:
        return chart.name(wanted, declared[wanted], len(declared), always=chart.rules.override_names)
    return copied(node["identifier"])
