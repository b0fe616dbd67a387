"""The changes that a kustomization makes to every object: namespace, names, labels, annotations, images, replicas.

Which fields they touch is Kustomize's own default configuration (version 5.8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from shoreup.model.location import Route
from shoreup.model.value import Value
from shoreup.sources.kustomize.provenance import Composed, Node, Object, Piece, at, child

CLUSTER_KINDS = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)
"""Kubernetes' own kinds without a namespace. Kustomize gives one to every kind that it does not know."""

UNNAMED_KINDS = frozenset({"CustomResourceDefinition", "APIService", "Namespace"})
"""Kinds whose names no prefix or suffix changes."""

POD_ROUTES: dict[str, Route] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where each kind keeps its pod; ``spec`` follows."""

_SELECTING = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"})
_SCALING = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"})
_IMAGE = re.compile(
    r"(?P<name>.*?)(?::(?P<tag>[A-Za-z0-9_][\w.-]*))?(?:@(?P<digest>[\w.+-]+:[0-9a-fA-F]+))?", re.DOTALL
)


def set_namespace(objects: Iterable[Object], namespace: str, node: Node) -> None:
    """Put objects into a namespace, with the subjects that follow them."""
    accounts = {"default"}
    objects = list(objects)
    for item in objects:
        if item.kind == "Namespace" and item.api_version == "v1":
            item.remember()
            item.put(("metadata", "name"), namespace, node)
        elif item.kind not in CLUSTER_KINDS:
            item.remember()
            if item.kind == "ServiceAccount":
                accounts.update(name for name, _ in item.names)
            item.put(("metadata", "namespace"), namespace, node)
    for item in objects:
        if item.kind in ("RoleBinding", "ClusterRoleBinding"):
            subjects = item.get("subjects")
            for index, subject in enumerate(subjects if isinstance(subjects, list) else ()):
                if not isinstance(subject, dict) or subject.get("kind") != "ServiceAccount":
                    continue
                if subject.get("name") in accounts:
                    item.put(("subjects", index, "namespace"), namespace, node)


def affix(objects: Iterable[Object], prefix: str, suffix: str, prefix_node: Node, suffix_node: Node) -> None:
    """Put text before and behind every object's name."""
    for item in objects:
        if item.kind in UNNAMED_KINDS or not item.name:
            continue
        item.remember()
        site = item.where("metadata", "name")
        pieces = [Piece(prefix_node, text=prefix)] if prefix else []
        pieces.append(Piece(site, text=item.name))
        if suffix:
            pieces.append(Piece(suffix_node, text=suffix))
        item.put(("metadata", "name"), f"{prefix}{item.name}{suffix}", Composed(site, tuple(pieces)))


def set_labels(
    objects: Iterable[Object], labels: dict[str, Value], node: Node, *, selectors: bool, templates: bool
) -> None:
    """Set labels; ``selectors`` in selectors and pods too, ``templates`` in pods."""
    for item in objects:
        _pairs(item, ("metadata", "labels"), labels, node)
        pod = POD_ROUTES.get(item.kind)
        if pod and (selectors or templates):
            _pairs(item, (*pod, "metadata", "labels"), labels, node)
        if pod and item.kind == "CronJob" and (selectors or templates):
            _pairs(item, ("spec", "jobTemplate", "metadata", "labels"), labels, node)
        if selectors:
            for route, create in _selectors(item):
                if create or isinstance(item.get(*route), dict):
                    _pairs(item, route, labels, node)


def set_annotations(objects: Iterable[Object], annotations: dict[str, Value], node: Node, *, pods: bool = True) -> None:
    """Set annotations of objects, and of the pods in them."""
    for item in objects:
        _pairs(item, ("metadata", "annotations"), annotations, node)
        pod = POD_ROUTES.get(item.kind)
        if pod and pods:
            _pairs(item, (*pod, "metadata", "annotations"), annotations, node)
            if item.kind == "CronJob":
                _pairs(item, ("spec", "jobTemplate", "metadata", "annotations"), annotations, node)


def _pairs(item: Object, route: Route, pairs: dict[str, Value], node: Node) -> None:
    for key, value in pairs.items():
        item.put((*route, key), value, child(node, key))


def _selectors(item: Object) -> Iterator[tuple[Route, bool]]:
    if item.kind in ("Service", "ReplicationController") and item.api_version == "v1":
        yield ("spec", "selector"), True
    elif item.kind in _SELECTING:
        yield ("spec", "selector", "matchLabels"), True
    elif item.kind == "CronJob":
        yield ("spec", "jobTemplate", "spec", "selector", "matchLabels"), False
    elif item.kind == "Job" or item.kind == "PodDisruptionBudget":
        yield ("spec", "selector", "matchLabels"), False
    elif item.kind == "NetworkPolicy":
        yield ("spec", "podSelector", "matchLabels"), False
        for side, peers in (("ingress", "from"), ("egress", "to")):
            rules = item.get("spec", side)
            for number, rule in enumerate(rules if isinstance(rules, list) else ()):
                listed = rule.get(peers) if isinstance(rule, dict) else None
                for index in range(len(listed) if isinstance(listed, list) else 0):
                    yield ("spec", side, number, peers, index, "podSelector", "matchLabels"), False
    pod = POD_ROUTES.get(item.kind)
    if pod is None:
        return
    for kind in ("podAffinity", "podAntiAffinity"):
        base = (*pod, "spec", "affinity", kind)
        for field, inner in (
            ("requiredDuringSchedulingIgnoredDuringExecution", ()),
            ("preferredDuringSchedulingIgnoredDuringExecution", ("podAffinityTerm",)),
        ):
            terms = item.get(*base, field)
            for index in range(len(terms) if isinstance(terms, list) else 0):
                yield (*base, field, index, *inner, "labelSelector", "matchLabels"), False
    spread = item.get(*pod, "spec", "topologySpreadConstraints")
    for index in range(len(spread) if isinstance(spread, list) else 0):
        yield (*pod, "spec", "topologySpreadConstraints", index, "labelSelector", "matchLabels"), False


def set_replicas(objects: Iterable[Object], name: str, count: Value, node: Node) -> bool:
    """Set the replicas of what has a name (now or before); whether anything did."""
    found = False
    for item in objects:
        if item.kind in _SCALING and (item.name == name or any(name == known for known, _ in item.names)):
            item.put(("spec", "replicas"), count, node)
            found = True
    return found


def set_images(objects: Iterable[Object], entry: dict[str, Value], node: Node) -> None:
    """Change every container's image that has the entry's name."""
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        return
    for item in objects:
        for route, image in list(_images(item.body)):
            found = _IMAGE.fullmatch(image)
            if found is None or found["name"] != name:
                continue
            value, composed = _image(found, entry, node, at(item.node, route))
            item.put(route, value, composed)


def _images(value: Value, route: Route = ()) -> Iterator[tuple[Route, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("containers", "initContainers") and isinstance(inner, list):
                for index, container in enumerate(inner):
                    image = container.get("image") if isinstance(container, dict) else None
                    if isinstance(image, str):
                        yield (*route, key, index, "image"), image
            else:
                yield from _images(inner, (*route, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _images(inner, (*route, index))


def _image(found: re.Match[str], entry: dict[str, Value], node: Node, site: Node) -> tuple[str, Composed]:
    new_name, tag, digest = (_text(entry.get(key)) for key in ("newName", "newTag", "digest"))
    suffix = _text(entry.get("tagSuffix"))
    main: Node = site
    if new_name:
        pieces = [Piece(child(node, "newName"), text=new_name)]
        main = child(node, "newName")
    else:
        pieces = [Piece(site, 0, found.end("name"), found["name"])]
    if digest:
        pieces += [Piece(text="@"), Piece(child(node, "digest"), text=digest)]
        main = child(node, "digest")
    elif tag:
        pieces += [Piece(text=":"), Piece(child(node, "newTag"), text=tag)]
        main = child(node, "newTag")
    elif found.end() > found.end("name"):
        pieces.append(Piece(site, found.end("name"), None, found[0][found.end("name") :]))
    if suffix and not digest:
        pieces.append(Piece(child(node, "tagSuffix"), text=suffix))
    return "".join(piece.text for piece in pieces), Composed(site, tuple(pieces), main)


def _text(value: Value) -> str:
    """A field that is text, also where YAML reads a version as a number."""
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, (str, int, float)) else ""


_POD_REFERENCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("volumes", "*", "configMap", "name"), "ConfigMap"),
    (("volumes", "*", "secret", "secretName"), "Secret"),
    (("volumes", "*", "projected", "sources", "*", "configMap", "name"), "ConfigMap"),
    (("volumes", "*", "projected", "sources", "*", "secret", "name"), "Secret"),
    (("volumes", "*", "persistentVolumeClaim", "claimName"), "PersistentVolumeClaim"),
    (("imagePullSecrets", "*", "name"), "Secret"),
    (("serviceAccountName",), "ServiceAccount"),
    (("priorityClassName",), "PriorityClass"),
    *(
        ((holder, "*", *route), kind)
        for holder in ("containers", "initContainers")
        for route, kind in (
            (("env", "*", "valueFrom", "configMapKeyRef", "name"), "ConfigMap"),
            (("env", "*", "valueFrom", "secretKeyRef", "name"), "Secret"),
            (("envFrom", "*", "configMapRef", "name"), "ConfigMap"),
            (("envFrom", "*", "secretRef", "name"), "Secret"),
        )
    ),
)
_REFERENCES: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "Ingress": (
        (("spec", "rules", "*", "http", "paths", "*", "backend", "service", "name"), "Service"),
        (("spec", "defaultBackend", "service", "name"), "Service"),
        (("spec", "tls", "*", "secretName"), "Secret"),
    ),
    "StatefulSet": ((("spec", "serviceName"), "Service"),),
    "ServiceAccount": ((("imagePullSecrets", "*", "name"), "Secret"), (("secrets", "*", "name"), "Secret")),
    "HorizontalPodAutoscaler": ((("spec", "scaleTargetRef", "name"), "="),),
    "RoleBinding": ((("subjects", "*", "name"), "="), (("roleRef", "name"), "=")),
    "ClusterRoleBinding": ((("subjects", "*", "name"), "="), (("roleRef", "name"), "=")),
    "PersistentVolumeClaim": (
        (("spec", "volumeName"), "PersistentVolume"),
        (("spec", "storageClassName"), "StorageClass"),
    ),
    "APIService": ((("spec", "service", "name"), "Service"),),
    "MutatingWebhookConfiguration": ((("webhooks", "*", "clientConfig", "service", "name"), "Service"),),
    "ValidatingWebhookConfiguration": ((("webhooks", "*", "clientConfig", "service", "name"), "Service"),),
}
"""Fields that name another object, with its kind; ``=`` where the field's neighbour ``kind`` says it."""


def follow_names(objects: Sequence[Object]) -> None:
    """Let references follow the objects whose names the build changed."""
    renamed: dict[tuple[str, str], list[Object]] = {}
    for item in objects:
        for name, _ in item.names:
            if name != item.name:
                found = renamed.setdefault((item.kind, name), [])
                if item not in found:
                    found.append(item)
    if not renamed:
        return
    for item in objects:
        fields = list(_REFERENCES.get(item.kind, ()))
        pod = POD_ROUTES.get(item.kind)
        if pod is not None:
            fields += [((*map(str, pod), "spec", *route), kind) for route, kind in _POD_REFERENCES]
        for pattern, kind in fields:
            for route in list(_matches(item.body, pattern)):
                _follow(item, route, kind, renamed)


def _follow(item: Object, route: Route, kind: str, renamed: dict[tuple[str, str], list[Object]]) -> None:
    name = item.get(*route)
    if not isinstance(name, str):
        return
    wanted = item.get(*route[:-1], "kind") if kind == "=" else kind
    candidates = renamed.get((wanted, name), []) if isinstance(wanted, str) else []
    if len(candidates) > 1:
        candidates = [one for one in candidates if one.namespace == item.namespace] or candidates
    if len({one.name for one in candidates}) != 1:
        return
    new = candidates[0].name
    site, source = at(item.node, route), candidates[0].where("metadata", "name")
    start = new.find(name)
    if start < 0:
        item.put(route, new, Composed(site, (Piece(source, text=new),)))
        return
    end = start + len(name)
    pieces = (Piece(source, 0, start, new[:start]), Piece(site, text=name), Piece(source, end, None, new[end:]))
    item.put(route, new, Composed(site, tuple(piece for piece in pieces if piece.text)))


def _matches(value: Value, pattern: tuple[str, ...], route: Route = ()) -> Iterator[Route]:
    if not pattern:
        yield route
    elif pattern[0] == "*":
        for index, inner in enumerate(value if isinstance(value, list) else ()):
            yield from _matches(inner, pattern[1:], (*route, index))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _matches(value[pattern[0]], pattern[1:], (*route, pattern[0]))
