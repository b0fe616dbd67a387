"""Strategic merge: a patch that looks like the object, with lists of the core types merged item by item.

Which lists merge, and by what, is Kubernetes' own schema (``x-kubernetes-patch-merge-key``, version 1.37); for
kinds that it does not know, lists are replaced, as Kustomize does.
"""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.model.location import Route
from shoreup.model.value import Value
from shoreup.sources.kustomize.provenance import Changed, Node, child, items_of, listed, with_child

CORE_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "extensions",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
    }
)

MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "resourceClaims": ("name",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
    "webhooks": ("name",),
}
"""Lists by the field that holds them, with the keys that tell items apart: the first that the items have."""

_SETS = frozenset({"finalizers"})
_SECOND_KEYS = {"ports": ("protocol", "TCP"), "topologySpreadConstraints": ("whenUnsatisfiable", None)}
_DIRECTIVES = ("$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys")


def merged(
    base: Value, base_node: Node, patch: Value, patch_node: Node, *, core: bool, route: Route = ()
) -> tuple[Value, Node]:
    """The base with the patch merged in. ``core``: the object is of a kind that Kubernetes' own schema knows."""
    if not isinstance(patch, dict):
        if isinstance(patch, list) and isinstance(base, list) and core and route:
            return _lists(base, base_node, patch, patch_node, route)
        return patch, patch_node
    if patch.get("$patch") == "replace" or not isinstance(base, dict):
        return _cleaned(patch, patch_node)
    body = dict(base)
    node = base_node if isinstance(base_node, Changed) else Changed(base_node)
    result: Node = node
    for key, value in patch.items():
        if key == "$patch" or key.startswith(_DIRECTIVES):
            continue
        if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            body.pop(key, None)
            continue
        below, below_node = merged(
            body.get(key), child(base_node, key), value, child(patch_node, key), core=core, route=(*route, key)
        )
        body[key] = below
        result = with_child(result, key, below_node)
    return body, result


def _cleaned(patch: dict[str, Value], node: Node) -> tuple[Value, Node]:
    """A patch as a value of its own: without directives and removals."""
    body: dict[str, Value] = {}
    result: Node = node
    for key, value in patch.items():
        if key == "$patch" or key.startswith(_DIRECTIVES) or value is None:
            continue
        if isinstance(value, dict):
            if value.get("$patch") == "delete":
                continue
            value, below = _cleaned(value, child(node, key))
            if isinstance(below, Changed):
                result = with_child(result, key, below)
        body[key] = value
    return body, result


def _lists(
    base: list[Value], base_node: Node, patch: list[Value], patch_node: Node, route: Route
) -> tuple[Value, Node]:
    """Items that the patch names come first, in its order, as Kustomize has it; then the rest."""
    field = str(route[-1])
    nodes = items_of(base_node, len(base))
    if field in _SETS:
        new = [(item, child(patch_node, number)) for number, item in enumerate(patch) if item not in base]
        return [*base, *(item for item, _ in new)], listed(base_node, [*nodes, *(node for _, node in new)])
    keys = MERGE_KEYS.get(field)
    replaced = any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch)
    if keys is None or replaced or "annotations" in route or "labels" in route:
        kept = [
            (item, child(patch_node, number))
            for number, item in enumerate(patch)
            if not (isinstance(item, dict) and "$patch" in item)
        ]
        return [item for item, _ in kept], listed(patch_node, [node for _, node in kept])
    rest = list(zip(base, nodes, strict=True))
    front: list[tuple[Value, Node]] = []
    for number, change in enumerate(patch):
        where = child(patch_node, number)
        index = next((index for index, (item, _) in enumerate(rest) if _same(item, change, field, keys)), -1)
        present = rest.pop(index) if index >= 0 else None
        if isinstance(change, dict) and change.get("$patch") == "delete":
            continue
        if present is not None:
            front.append(merged(*present, change, where, core=True, route=(*route, number)))
        else:
            front.append(_cleaned(change, where) if isinstance(change, dict) else (change, where))
    both = front + rest
    return [item for item, _ in both], listed(base_node, [node for _, node in both])


def _same(item: Value, change: Value, field: str, keys: tuple[str, ...]) -> bool:
    if not isinstance(item, dict) or not isinstance(change, dict):
        return False
    key = next((key for key in keys if key in change), None)
    if key is None or item.get(key) != change[key]:
        return False
    second = _SECOND_KEYS.get(field)
    if second is None:
        return True
    name, default = second
    return item.get(name, default) == change.get(name, default) or (default is None and name not in change)
