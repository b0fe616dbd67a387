"""What runs pods, whatever kind of object asks for it.

Only what is certain is said: an autoscaler makes the number of replicas undecided, the values of a chart
whose defaults are not known make a workload partial, and a block that only an apply can know leaves its container open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from shoreup.facts.estate import Container, Image, Mount, Port, Volume, Workload
from shoreup.facts.fields import NOTHING, doubt, first, items, known_text, mapping, number, text, texts, truth, why_open
from shoreup.facts.products import Products
from shoreup.facts.storage.volumes import Storage
from shoreup.facts.versions.images import read_image, without_default_tag
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_POD_ROUTES: Mapping[str, Route] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}
_GROUPS = frozenset({"apps", "batch", "extensions", "argoproj.io", ""})
_COUNTED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
LONG_RUNNING = _COUNTED | {"DaemonSet", "Pod"}
"""Kinds whose pods are meant to stay."""
_RESTART_ALWAYS = "Always"
_NO_BODY: Mapping[str, Value] = NOTHING


def is_workload(resource: Resource) -> bool:
    """Whether the resource runs pods by itself."""
    if resource.kind not in _POD_ROUTES:
        return False
    group, slash, _ = resource.api_version.partition("/")
    return (group if slash else "") in _GROUPS and resource.api_version not in {"terraform", "compose", "helm"}


def read_workload(resource: Resource, products: Products, storage: Storage) -> Workload:
    """The workload that a resource (one that :func:`is_workload`) asks for."""
    route = _POD_ROUTES[resource.kind]
    pod, labels, pod_open = _pod(resource, route)
    claims = _claim_templates(resource)
    volumes = storage.read(resource, pod, route, claims)
    containers = [
        *_containers(resource, pod, route, "initContainers", products),
        *_containers(resource, pod, route, "containers", products),
    ]
    spec = mapping(resource.body.get("spec"))
    replicas = _replicas(resource.kind, spec)
    suspended = resource.kind in {"CronJob", "Job"} and truth(spec.get("suspend")) is True
    stopped = replicas == 0 and not isinstance(replicas, Unknown)
    return Workload(
        resource=resource,
        kind=resource.kind,
        namespace=resource.namespace or "default",
        name=resource.name,
        labels=labels,
        pod=pod,
        pod_route=route,
        containers=tuple(containers),
        volumes=volumes,
        replicas=replicas,
        enabled=not (suspended or stopped),
        partial=bool(pod_open),
        schedule=spec.get("schedule") if resource.kind == "CronJob" else None,
        service_account=text(first(pod.get("serviceAccountName"), pod.get("serviceAccount"))),
        open=pod_open,
    )


def _pod(resource: Resource, route: Route) -> tuple[Mapping[str, Value], Mapping[str, Value], str]:
    """The pod's spec, its labels, and why it is not wholly known."""
    metadata: Value = None
    holder: Mapping[str, Value] = resource.body
    for step in route:
        parent = holder
        value = parent.get(str(step))
        reason = doubt(value)
        if reason is not None:
            return _NO_BODY, _NO_BODY, reason.reason
        holder = mapping(value)
        if step == "spec":
            metadata = parent.get("metadata")
    labels = mapping(mapping(metadata).get("labels"))
    containers = why_open(holder.get("containers"))
    return holder, labels, containers


def _replicas(kind: str, spec: Mapping[str, Value]) -> int | Unknown | None:
    if kind not in _COUNTED:
        return None
    written = spec.get("replicas")
    if written is None:
        return 1
    reason = doubt(written)
    if reason is not None:
        return reason
    count = number(written)
    return count if count is not None else Unknown("replicas is not a number")


def _containers(
    resource: Resource, pod: Mapping[str, Value], route: Route, key: str, products: Products
) -> Iterable[Container]:
    for index, item in enumerate(items(pod.get(key))):
        if isinstance(item, dict):
            yield read_container(resource, item, (*route, key, index), key == "initContainers", products)


def read_container(
    resource: Resource, body: Mapping[str, Value], route: Route, init: bool, products: Products
) -> Container:
    """One container as it stands at ``route`` in the resource."""
    name = text(body.get("name"))
    place = Place(resource.key, (*route, "image"), container=name)
    policy = body.get("imagePullPolicy")
    image = read_image(body.get("image"), place, products, policy if isinstance(policy, str) else None)
    env, env_open = _env(body.get("env"))
    return Container(
        name=name,
        route=route,
        body=body,
        image=image,
        init=init,
        ports=_ports(body.get("ports")),
        mounts=_mounts(body.get("volumeMounts"), route),
        command=(*items(body.get("command")), *items(body.get("args"))),
        env=env,
        sidecar=init and body.get("restartPolicy") == _RESTART_ALWAYS,
        open=env_open,
    )


def _ports(value: Value) -> tuple[Port, ...]:
    return tuple(
        Port(text(port.get("name")), number(port.get("containerPort")), text(port.get("protocol")) or "TCP")
        for port in map(mapping, items(value))
        if port
    )


def _mounts(value: Value, route: Route) -> tuple[Mount, ...]:
    return tuple(
        Mount(
            text(mount.get("name")),
            text(mount.get("mountPath")),
            text(mount.get("subPath")),
            truth(mount.get("readOnly")) is True,
            (*route, "volumeMounts", index),
        )
        for index, mount in enumerate(map(mapping, items(value)))
        if mount
    )


def _env(value: Value) -> tuple[Mapping[str, Value], str]:
    if isinstance(value, Unknown):
        return _NO_BODY, value.reason
    found: dict[str, Value] = {}
    for item in items(value):
        if isinstance(item, dict):
            name = item.get("name")
            if isinstance(name, str) and "valueFrom" not in item:
                found[name] = item.get("value", "")
    return found, ""


def _claim_templates(resource: Resource) -> Sequence[Value]:
    if resource.kind != "StatefulSet":
        return ()
    return items(mapping(resource.body.get("spec")).get("volumeClaimTemplates"))


# ---------------------------------------------------------------------------------------------- autoscaling


_BOUNDS: Mapping[str, tuple[tuple[str, int], tuple[str, int | None]]] = {
    # kind: where the least and the most replicas stand, and what each is when nothing is said
    "HorizontalPodAutoscaler": (("minReplicas", 1), ("maxReplicas", None)),
    "ScaledObject": (("minReplicaCount", 0), ("maxReplicaCount", 100)),
}


def with_autoscalers(workloads: Sequence[Workload], resources: Iterable[Resource]) -> tuple[Workload, ...]:
    """The same workloads; those that an autoscaler scales have an undecided number of replicas."""
    scaled: dict[tuple[str, str, str], tuple[int | None, int | None]] = {}
    for resource in resources:
        spec = mapping(resource.body.get("spec"))
        target = mapping(spec.get("scaleTargetRef"))
        name = text(target.get("name"))
        if name:
            keys = _BOUNDS[resource.kind]
            least, most = (number(first(spec.get(key), usual)) for key, usual in keys)
            kind = text(target.get("kind")) or "Deployment"
            scaled[(resource.namespace or "default", kind, name)] = (least, most)
    if not scaled:
        return tuple(workloads)
    reason = Unknown("an autoscaler decides the number of replicas")
    return tuple(
        replace(
            workload,
            replicas=reason,
            least_replicas=scaled[identity][0],
            most_replicas=scaled[identity][1],
            enabled=True,
        )
        if (identity := (workload.namespace, workload.kind, workload.name)) in scaled
        else workload
        for workload in workloads
    )


# ---------------------------------------------------------------------------------- charts and compose files

BUILT_HERE = "built from this repository"
"""Why the tag of an image that a compose file builds itself says nothing."""
CHART_DEFAULT = "the chart decides it"
"""Why something that a chart's values do not say is undecided."""


def read_chart_values(resource: Resource, products: Products) -> Workload | None:
    """What a chart's values say of the pods it makes: images and replicas, nothing about what is absent."""
    containers: list[Container] = []
    replicas: int | Unknown | None = Unknown(CHART_DEFAULT)
    for index, component in enumerate(map(mapping, items(resource.body.get("components")))):
        name = ".".join(texts(component.get("path")))
        image = _stated_image(resource, mapping(component.get("image")), ("components", index, "image"), name, products)
        if image is not None:
            containers.append(
                Container(
                    name=name,
                    route=("components", index),
                    body=component,
                    image=image,
                    init=False,
                    ports=(),
                    mounts=(),
                    command=(),
                    env=_NO_BODY,
                )
            )
        count = number(component.get("replicas"))
        replicas = replicas if count is None else count
    if not containers:
        return None
    return Workload(
        resource=resource,
        kind="ChartValues",
        namespace=resource.namespace or "default",
        name=resource.name,
        labels=_NO_BODY,
        pod=_NO_BODY,
        pod_route=(),
        containers=tuple(containers),
        volumes=(),
        replicas=replicas,
        partial=True,
        open=CHART_DEFAULT,
    )


def _stated_image(
    resource: Resource, stated: Mapping[str, Value], route: Route, name: str, products: Products
) -> Image | None:
    """An image of which the values give the whole reference, or some parts while the chart keeps the others."""
    if stated.get("text") is not None:
        place = Place(resource.key, (*route, "text"), container=name)
        return without_default_tag(read_image(stated.get("text"), place, products), CHART_DEFAULT)
    tag, repository = stated.get("tag"), stated.get("repository")
    if tag is not None:
        place = Place(resource.key, (*route, "tag"), container=name)
        written = known_text(tag)
        return Image(
            place=place,
            text=f"*:{text(tag)}",
            registry="*",
            repository="*",
            tag=written or Unknown(why_open(tag) or CHART_DEFAULT),
            digest=Unknown(CHART_DEFAULT),
            tag_chars=(0, len(written)) if written else None,
        )
    if repository is not None:
        place = Place(resource.key, (*route, "repository"), container=name)
        return without_default_tag(read_image(repository, place, products), CHART_DEFAULT)
    return None


def read_compose_service(resource: Resource, products: Products) -> Workload:
    """A service of a compose file, as one container. Nothing of Kubernetes may be asked of it, so it is partial."""
    body = resource.body
    image = read_image(body.get("image"), Place(resource.key, ("image",), container=resource.name), products)
    if body.get("build") is not None:
        image = without_default_tag(image, BUILT_HERE)
        if image.tag == "latest":
            image = replace(image, tag=Unknown(BUILT_HERE), tag_chars=None)
    mounts, volumes = _compose_volumes(body.get("volumes"))
    command = body.get("command")
    container = Container(
        name=resource.name,
        route=(),
        body=body,
        image=image,
        init=False,
        ports=_compose_ports(body.get("ports"), body.get("expose")),
        mounts=mounts,
        command=tuple(items(command)) if isinstance(command, list) else (() if command is None else (command,)),
        env=_compose_env(body.get("environment")),
    )
    count = number(mapping(body.get("deploy")).get("replicas"))
    return Workload(
        resource=resource,
        kind="ComposeService",
        namespace=resource.namespace or "",
        name=resource.name,
        labels=_NO_BODY,
        pod=body,
        pod_route=(),
        containers=(container,),
        volumes=volumes,
        replicas=1 if count is None else count,
        enabled=count != 0,
        partial=True,
        open="a compose service is no pod",
    )


def _compose_env(value: Value) -> Mapping[str, Value]:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item is not None}
    found: dict[str, Value] = {}
    for item in items(value):
        name, equals, written = text(item).partition("=")
        if equals:
            found[name] = written if isinstance(item, str) else Unknown(why_open(item) or "not a string")
    return found


def _compose_ports(ports: Value, expose: Value) -> tuple[Port, ...]:
    found: list[Port] = []
    for item in (*items(ports), *items(expose)):
        if isinstance(item, dict):
            found.append(
                Port(text(item.get("name")), number(item.get("target")), text(item.get("protocol")).upper() or "TCP")
            )
        else:
            inner, _, protocol = known_text(item).partition("/")
            found.append(Port("", number(inner.rpartition(":")[2]), protocol.upper() or "TCP"))
    return tuple(found)


def _compose_volumes(value: Value) -> tuple[tuple[Mount, ...], tuple[Volume, ...]]:
    mounts: list[Mount] = []
    volumes: list[Volume] = []
    for index, item in enumerate(items(value)):
        route: Route = ("volumes", index)
        if isinstance(item, dict):
            source, target = text(item.get("source")), text(item.get("target"))
            read_only = truth(item.get("read_only")) is True
            bind = item.get("type") == "bind"
        else:
            source, _, rest = text(item).partition(":")
            target, _, mode = rest.partition(":")
            if not rest:
                source, target = "", source
            read_only = "ro" in mode.split(",")
            bind = source.startswith(("/", ".", "~"))
        name = source or f"anonymous-{index}"
        mounts.append(Mount(name, target, "", read_only, route))
        kind = "host-path" if bind else "claim"
        volumes.append(Volume(name, route, kind, claim="" if bind else source, path=source if bind else ""))
    return tuple(mounts), tuple(volumes)
