"""Nodes that the estate itself declares: their labels, their taints, how many.

A node that is labelled by hand is in no repository, so the absence of a label here proves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.facts.estate import NodePool
from shoreup.facts.fields import items, known_text, mapping, number, text
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_CLOUD_POOLS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # by kind: (where the labels are, where the taints are, where the number of nodes is)
    "google_container_node_pool": (("node_config", "labels"), ("node_config", "taint"), ("node_count",)),
    "aws_eks_node_group": (("labels",), ("taint",), ("scaling_config", "desired_size")),
    "azurerm_kubernetes_cluster_node_pool": (("node_labels",), ("node_taints",), ("node_count",)),
    "digitalocean_kubernetes_node_pool": (("labels",), ("taint",), ("node_count",)),
    "linode_lke_node_pool": (("labels",), ("taint",), ("node_count",)),
    "scaleway_k8s_pool": (("labels",), ("taints",), ("size",)),
    "vultr_kubernetes_node_pools": (("labels",), ("taints",), ("node_quantity",)),
    "civo_kubernetes_node_pool": (("labels",), ("taint",), ("node_count",)),
}


def read_node_pools(by_kind: Mapping[str, Sequence[Resource]]) -> tuple[NodePool, ...]:
    """Every node or group of nodes that the estate declares."""
    return (
        *_nodes(by_kind),
        *_labelled(by_kind.get("kubernetes_labels", ())),
        *_tainted(by_kind.get("kubernetes_node_taint", ())),
        *_cloud(by_kind),
        *_karpenter(by_kind.get("NodePool", ())),
    )


def block(value: Value) -> Mapping[str, Value]:
    """A Terraform block, which may be kept as itself or as a list of one."""
    if isinstance(value, list):
        return mapping(value[0]) if value else {}
    return mapping(value)


def _nodes(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[NodePool]:
    for resource in by_kind.get("Node", ()):
        labels = _labels(mapping(resource.body.get("metadata")).get("labels"))
        taints = _taints(mapping(resource.body.get("spec")).get("taints"))
        yield NodePool(
            resource=resource, name=resource.name, labels=labels, taints=taints, count=1, place=Place(resource.key)
        )


def _labelled(resources: Sequence[Resource]) -> Iterator[NodePool]:
    for resource in resources:
        if text(resource.body.get("kind")) == "Node":
            name = text(block(resource.body.get("metadata")).get("name")) or resource.name
            labels = _labels(resource.body.get("labels"))
            yield NodePool(
                resource=resource, name=name, labels=labels, taints=(), count=1, place=Place(resource.key, ("labels",))
            )


def _tainted(resources: Sequence[Resource]) -> Iterator[NodePool]:
    for resource in resources:
        name = text(block(resource.body.get("metadata")).get("name")) or resource.name
        yield NodePool(
            resource=resource,
            name=name,
            labels={},
            taints=_taints(resource.body.get("taint")),
            count=1,
            place=Place(resource.key, ("taint",)),
        )


def _cloud(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[NodePool]:
    for kind, (labels, taints, count) in _CLOUD_POOLS.items():
        for resource in by_kind.get(kind, ()):
            if resource.api_version == "terraform":
                body = resource.body
                yield NodePool(
                    resource=resource,
                    name=text(body.get("name")) or resource.name,
                    labels=_labels(_inside(body, labels)),
                    taints=_taints(_inside(body, taints)),
                    count=number(_inside(body, count)),
                    place=Place(resource.key),
                )


def _karpenter(resources: Sequence[Resource]) -> Iterator[NodePool]:
    for resource in resources:
        if resource.api_version.startswith("karpenter.sh/"):
            template = mapping(mapping(resource.body.get("spec")).get("template"))
            labels = _labels(mapping(template.get("metadata")).get("labels"))
            taints = _taints(mapping(template.get("spec")).get("taints"))
            yield NodePool(
                resource=resource,
                name=resource.name,
                labels=labels,
                taints=taints,
                count=None,
                place=Place(resource.key),
            )


def _inside(body: Mapping[str, Value], route: Sequence[str]) -> Value:
    holder = body
    for step in route[:-1]:
        holder = block(holder.get(step))
    return holder.get(route[-1])


def _labels(value: Value) -> Mapping[str, str]:
    return {key: known_text(item) for key, item in mapping(value).items() if known_text(item)}


def _taints(value: Value) -> tuple[Mapping[str, Value], ...]:
    entries = [value] if isinstance(value, dict) else items(value)
    found: list[Mapping[str, Value]] = []
    for entry in entries:
        if isinstance(entry, dict):
            effect = known_text(entry.get("effect"))
            found.append({**entry, "effect": _EFFECTS.get(effect, effect)})
        elif isinstance(entry, str):
            pair, _, effect = entry.partition(":")
            key, _, wanted = pair.partition("=")
            found.append({"key": key, "value": wanted, "effect": effect})
    return tuple(found)
