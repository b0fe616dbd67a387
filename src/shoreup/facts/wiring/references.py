"""Names by which objects of the estate mean one another, and whether what they mean is there.

Said to be missing is only what nothing else could have made: no chart, no operator, no controller in that namespace, no
hand. Secrets are made by hand everywhere, so a missing one stays a question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import items, mapping, text, truth, why_open
from shoreup.facts.naming import named
from shoreup.facts.selection import matches_labels
from shoreup.facts.wiring.creators import creators, made_secrets
from shoreup.model.finding import Confidence, Place, Severity
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_ALWAYS_THERE = {
    "ConfigMap": frozenset({"kube-root-ca.crt"}),
    "ServiceAccount": frozenset({"default"}),
}
COPIES = ("reflector.v1.k8s.emberstack.com/", "replicator.v1.mittwald.de/", "kubed.appscode.com/")
"""Annotations by which a controller copies an object into other namespaces."""
_UNSUBSTITUTED = ("${", "{{")
_BY_CONTROLLERS = frozenset(
    {
        "apps.kubernetes.io/pod-index",
        "statefulset.kubernetes.io/pod-name",
        "controller-revision-hash",
        "pod-template-hash",
        "job-name",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
    }
)
BY_HAND = "nothing in the estate makes it; it may be made by hand"


class Dangling(Struct, frozen=True, eq=False):
    """Something that names what is not there.

    ``who`` names the object that asks, ``wanted`` what it asks for (``ConfigMap web/settings``). ``effect`` is what
    Kubernetes does about it. ``undecided`` says why it is not certain that it is missing. ``field`` is for the
    fingerprint. ``near`` is an object that may be meant, with a note. ``severity`` is given where it is not the
    concern's own.
    """

    place: Place
    who: str
    wanted: str
    field: str
    effect: str
    undecided: str = ""
    near: tuple[Place, str] | None = None
    confidence: Confidence = Confidence.CERTAIN
    severity: Severity | None = None


class _Wanted(Struct, frozen=True, eq=False):
    """One reference of a pod's spec. ``key`` is the entry that is meant, empty for the whole object."""

    kind: str
    name: Value
    place: Place
    optional: bool
    key: Value = None


def dangling(estate: Estate) -> Iterator[Dangling]:
    """Every reference whose target is not in the estate."""
    known = _Known(estate)
    for workload in estate.workloads:
        if workload.kind not in ("ChartValues", "ComposeService") and not workload.partial:
            yield from _of_workload(workload, known)
    yield from _services(estate, known)
    yield from _bindings(estate, known)
    yield from _chains(estate)


class _Known:
    """The estate's objects by what they are called."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.creators = creators(estate)
        self.secrets = made_secrets(estate)
        self._objects: dict[str, dict[tuple[str, str], list[Resource]]] = defaultdict(lambda: defaultdict(list))
        self._open: dict[str, set[str]] = defaultdict(set)
        self._copied: set[tuple[str, str]] = set()
        for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Role", "ClusterRole"):
            for resource in estate.by_kind.get(kind, ()):
                namespace = "" if kind == "ClusterRole" else resource.namespace or "default"
                self._objects[kind][(namespace, resource.name)].append(resource)
                if "*" in resource.name or "*" in namespace:
                    self._open[kind].add(namespace)
                if _is_copied(resource):
                    self._copied.add((kind, resource.name))
        self.bundles = {resource.name for resource in estate.by_kind.get("Bundle", ())}
        self._claims = {
            (workload.namespace, f"{volume.name}-{workload.name}-")
            for workload in estate.workloads
            if workload.kind == "StatefulSet"
            for volume in workload.volumes
            if volume.route[:2] == ("spec", "volumeClaimTemplates")
        }

    def objects(self, kind: str, namespace: str, name: str) -> Sequence[Resource]:
        """The objects of that name."""
        return self._objects[kind].get((namespace, name), ())

    def why_open(self, kind: str, namespace: str, name: str) -> str | None:
        """Why it may be there all the same; empty where it is certainly missing; ``None`` where it is there."""
        if name in _ALWAYS_THERE.get(kind, ()) or self.objects(kind, namespace, name):
            return None
        if kind == "Secret" and ((namespace, name) in self.secrets or ("*", name) in self.secrets):
            return None
        if kind == "ConfigMap" and name in self.bundles:
            return None
        if kind == "PersistentVolumeClaim" and any(
            namespace == where and name.startswith(start) for where, start in self._claims
        ):
            return None
        if (kind, name) in self._copied:
            return "a controller may copy it from another namespace"
        if any(where == namespace or "*" in where for where in self._open[kind]):
            return f"the name of another {kind} is not decided"
        return self.creators.of(namespace) or (BY_HAND if kind in ("Secret", "PersistentVolumeClaim") else "")

    def of_release(self, resource: Resource, name: str) -> bool:
        """Whether the name begins like the release that made the resource."""
        release = self.estate.by_key.get(resource.parent)
        return release is not None and name.startswith(release.name)


def _is_copied(resource: Resource) -> bool:
    annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
    return any(key.startswith(COPIES) for key in annotations)


# --------------------------------------------------------------------------------------------------- pods

_EFFECTS = {
    "ConfigMap": "the container does not start",
    "Secret": "the container does not start",
    "PersistentVolumeClaim": "the pod stays Pending",
    "ServiceAccount": "no pod is made",
}


def _of_workload(workload: Workload, known: _Known) -> Iterator[Dangling]:
    seen: set[tuple[str, str, str]] = set()
    for wanted in _wanted(workload):
        name = text(wanted.name)
        if wanted.optional or not name or "*" in name or any(mark in name for mark in _UNSUBSTITUTED):
            continue
        key = text(wanted.key)
        if (wanted.kind, name, key) in seen:
            continue
        seen.add((wanted.kind, name, key))
        why = known.why_open(wanted.kind, workload.namespace, name)
        if why == "" and known.of_release(workload.resource, name):
            why = "the chart of its release may make it under that name"
        called = f"{wanted.kind} {workload.namespace}/{name}"
        who = named(workload.resource, wanted.place.container)
        if why is not None:
            if (wanted.kind, name, "") not in seen or not key:
                seen.add((wanted.kind, name, ""))
                yield Dangling(
                    place=wanted.place,
                    who=who,
                    wanted=called,
                    field=f"{wanted.kind} {name}",
                    effect=_EFFECTS[wanted.kind],
                    undecided=why,
                )
        elif key and "*" not in key:
            objects = known.objects(wanted.kind, workload.namespace, name)
            if objects and all(_lacks(resource, key) for resource in objects):
                near = (Place(objects[0].key), f"the {wanted.kind} without that key")
                field = f"{wanted.kind} {name} {key}"
                effect = _EFFECTS[wanted.kind]
                yield Dangling(wanted.place, who, f"the key {key} of {called}", field, effect, near=near)


def _lacks(resource: Resource, key: str) -> bool:
    """Whether a ConfigMap or Secret certainly has no such key."""
    if resource.parent >= 0 and resource.source not in ("terraform", "manifest", "kustomize", "helm", "flux", "argo"):
        return False
    for field in ("data", "binaryData", "stringData"):
        held = resource.body.get(field)
        if isinstance(held, Unknown) or why_open(held) or key in mapping(held):
            return False
        if any("*" in name for name in mapping(held)):
            return False
    metadata = mapping(resource.body.get("metadata"))
    kept = mapping(metadata.get("annotations")).keys() | mapping(metadata.get("labels")).keys()
    # A controller fills in what the estate leaves empty: tokens, certificates, copies.
    filled = text(resource.body.get("type")).startswith("kubernetes.io/") or any("inject" in name for name in kept)
    has_some = any(mapping(resource.body.get(field)) for field in ("data", "binaryData", "stringData"))
    return has_some and not filled and not _is_copied(resource) and not _is_encrypted(resource)


def _is_encrypted(resource: Resource) -> bool:
    return "sops" in resource.body


def _wanted(workload: Workload) -> Iterator[_Wanted]:
    key, route = workload.resource.key, workload.pod_route
    account = workload.pod.get("serviceAccountName", workload.pod.get("serviceAccount"))
    if account is not None:
        yield _Wanted("ServiceAccount", account, Place(key, (*route, "serviceAccountName")), False)
    for index, volume in enumerate(map(mapping, items(workload.pod.get("volumes")))):
        yield from _of_volume(volume, key, (*route, "volumes", index))
    for container in workload.containers:
        yield from _of_container(container, key)


def _of_volume(volume: Mapping[str, Value], key: int, route: Route) -> Iterator[_Wanted]:
    for field, kind, name in (
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):
        held = mapping(volume.get(field))
        if held.get(name) is not None:
            place = Place(key, (*route, field, name))
            optional = truth(held.get("optional")) is not None and truth(held.get("optional")) is not False
            yield _Wanted(kind, held.get(name), place, optional or bool(why_open(held.get("optional"))))
            for index, item in enumerate(map(mapping, items(held.get("items")))):
                at = Place(key, (*route, field, "items", index))
                yield _Wanted(kind, held.get(name), at, optional, item.get("key"))


def _of_container(container: Container, key: int) -> Iterator[_Wanted]:
    for index, item in enumerate(map(mapping, items(container.body.get("env")))):
        source = mapping(item.get("valueFrom"))
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            held = mapping(source.get(field))
            if held:
                route: Route = (*container.route, "env", index, "valueFrom", field)
                place = Place(key, route, container=container.name)
                yield _Wanted(kind, held.get("name"), place, _may_lack(held), held.get("key"))
    for index, item in enumerate(map(mapping, items(container.body.get("envFrom")))):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            held = mapping(item.get(field))
            if held:
                route = (*container.route, "envFrom", index, field)
                yield _Wanted(kind, held.get("name"), Place(key, route, container=container.name), _may_lack(held))


def _may_lack(held: Mapping[str, Value]) -> bool:
    return truth(held.get("optional")) is True or bool(why_open(held.get("optional")))


# ----------------------------------------------------------------------------------------------- Services


def _services(estate: Estate, known: _Known) -> Iterator[Dangling]:
    by_namespace: dict[str, list[Workload]] = defaultdict(list)
    for workload in estate.workloads:
        by_namespace[workload.namespace].append(workload)
    open_namespace = any("*" in namespace for namespace in by_namespace)
    for service in estate.services:
        spec = mapping(service.resource.body.get("spec"))
        selector = mapping(spec.get("selector"))
        if service.workloads or not selector or text(spec.get("type")) == "ExternalName":
            continue
        beside = by_namespace.get(service.namespace, [])
        if any(matches_labels(_written(selector), workload.labels) is True for workload in beside):
            continue
        if any(mark in text(part) for part in (service.namespace, *selector.values()) for mark in _UNSUBSTITUTED):
            continue
        why = known.creators.of(service.namespace)
        if "*" in service.namespace or open_namespace:
            why = why or "a namespace is not decided"
        if any(matches_labels(selector, one.labels) is None or one.open for one in beside):
            why = why or "the labels of a workload in its namespace are not decided"
        if not any(one.resource.root == service.resource.root for one in beside):
            why = why or "no workload of its namespace is applied together with it"
        asked = ", ".join(f"{key}={text(value)}" for key, value in selector.items())
        yield Dangling(
            place=Place(service.resource.key, ("spec", "selector")),
            who=named(service.resource),
            wanted=f"a pod with {asked}",
            field="selector",
            effect="every connection to the Service is refused",
            undecided=why,
            near=_nearest(selector, sorted(beside, key=lambda one: (one.resource.root, one.resource.address))),
        )


def _written(selector: Mapping[str, Value]) -> Mapping[str, Value]:
    """The selector without the labels that controllers put on their pods themselves."""
    return {key: value for key, value in selector.items() if key not in _BY_CONTROLLERS}


def _nearest(selector: Mapping[str, Value], beside: Sequence[Workload]) -> tuple[Place, str] | None:
    for workload in beside:
        shared = [key for key in selector if key in workload.labels]
        if shared:
            there = ", ".join(f"{key}={text(workload.labels[key])}" for key in shared)
            route = (*workload.pod_route[:-1], "metadata", "labels")
            return Place(workload.resource.key, route), f"{named(workload.resource)} has {there}"
    return None


# ----------------------------------------------------------------------------------------------- bindings


def _bindings(estate: Estate, known: _Known) -> Iterator[Dangling]:
    asked: set[tuple[int, str]] = set()
    reached = {
        grant.resource.key
        for grant in estate.grants
        if grant.subject_kind != "ServiceAccount"
        or known.why_open("ServiceAccount", grant.subject_namespace or "default", grant.subject) is None
    }
    for grant in estate.grants:
        who = named(grant.resource)
        where = grant.resource.namespace or "default"
        # One binding for many accounts names those that are not installed too.
        if grant.subject_kind == "ServiceAccount" and grant.resource.key not in reached:
            namespace = grant.subject_namespace or where
            why = known.why_open("ServiceAccount", namespace, grant.subject)
            if why is not None and "*" not in grant.subject + namespace and "$" not in grant.subject:
                wanted = f"ServiceAccount {namespace}/{grant.subject}"
                why = why or _elsewhere(estate, namespace)
                yield Dangling(
                    place=grant.subject_place,
                    who=who,
                    wanted=wanted,
                    field=wanted,
                    effect="the rights go to nobody",
                    undecided=why,
                )
        if grant.role_kind == "Role" and (grant.resource.key, grant.role) not in asked and "*" not in grant.role:
            asked.add((grant.resource.key, grant.role))
            why = known.why_open("Role", where, grant.role)
            if why is not None and "*" not in where:
                wanted = f"Role {where}/{grant.role}"
                why = why or _elsewhere(estate, where)
                yield Dangling(
                    place=grant.place,
                    who=who,
                    wanted=wanted,
                    field=wanted,
                    effect="the binding gives no rights",
                    undecided=why,
                )


def _elsewhere(estate: Estate, namespace: str) -> str:
    """Why a namespace may be run by somebody else: the estate neither declares it nor runs anything in it."""
    declared = any(resource.name == namespace for resource in estate.by_kind.get("Namespace", ()))
    if declared or any(workload.namespace == namespace for workload in estate.workloads):
        return ""
    return f"the estate runs nothing in the namespace {namespace}"


# ------------------------------------------------------------------------------------------------- chains


def _chains(estate: Estate) -> Iterator[Dangling]:
    declared = {middleware.namespace for middleware in estate.middlewares}
    known = creators(estate)
    for way in estate.ways_in:
        for name in dict.fromkeys(way.missing):
            beside = next((where for where in declared if name.startswith(f"{where}-")), "")
            why = "" if beside else known.of(way.namespace) or "the estate declares no middleware beside it"
            yield Dangling(
                place=way.place,
                who=named(way.resource),
                wanted=f"the middleware {name}",
                field=f"middleware {name}",
                effect="Traefik leaves the whole router out, and its hosts answer 404",
                undecided=why,
            )
