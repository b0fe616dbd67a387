"""What a change of an object does to what runs, from the fields that change.

Sources: Kubernetes' API conventions on immutable fields, and the documentation of workloads: any change under a pod
template makes a Deployment, StatefulSet or DaemonSet replace its pods; jobs take a new template at their next run.
"""

from __future__ import annotations

from collections.abc import Iterable

from shoreup.model.edit import Impact
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import at

_TEMPLATES = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})
_READ_BY_PODS = frozenset({"ConfigMap", "Secret"})
_TAKEN_WHILE_RUNNING = frozenset(
    {
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
        "Ingress",
        "IngressRoute",
        "Middleware",
        "HTTPRoute",
        "Gateway",
        "TraefikService",
        "ServersTransport",
        "Service",
    }
)
_NOTHING_RESTARTS = frozenset(
    {
        "PodDisruptionBudget", "NetworkPolicy", "CiliumNetworkPolicy", "Role", "ClusterRole", "RoleBinding",
        "ClusterRoleBinding", "ServiceAccount", "CronJob", "PriorityClass", "Namespace", "PrometheusRule",
        "ServiceMonitor", "PodMonitor", "HorizontalPodAutoscaler", "LimitRange", "ResourceQuota", "Kustomization",
    }
)  # fmt: skip
_IMMUTABLE: dict[str, tuple[Route, ...]] = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
        ("spec", "podManagementPolicy"),
    ),
    "Job": (("spec", "template"), ("spec", "selector"), ("spec", "completionMode")),
    "PersistentVolumeClaim": (("spec", "storageClassName"), ("spec", "accessModes"), ("spec", "volumeName")),
    "StorageClass": (("parameters",), ("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "Service": (("spec", "clusterIP"),),
    "Pod": (("spec",),),
}
_TEMPLATE: Route = ("spec", "template")


def impact(resource: Resource, routes: Iterable[Route]) -> Impact:
    """The worst that the changed routes of one object do. Of an object that is not known the worst is a restart."""
    worst = Impact.NONE
    for route in routes:
        one = _impact(resource, route)
        worst = max(worst, one, key=lambda impact: impact.order)
    return worst


def _impact(resource: Resource, route: Route) -> Impact:
    kind = resource.kind
    if resource.api_version == "ci":
        return Impact.NONE  # a pipeline takes its program at its next run
    if any(_touches(route, fixed) for fixed in _IMMUTABLE.get(kind, ())):
        return Impact.OUTAGE if kind == "Pod" else Impact.REPLACE
    if route[:1] == ("metadata",) and route[1:2] in (("name",), ("namespace",)):
        return Impact.REPLACE
    if kind in _TEMPLATES:
        if _touches(route, _TEMPLATE):
            return Impact.OUTAGE if _alone(resource) else Impact.RESTART
        return Impact.NONE
    if kind in _NOTHING_RESTARTS or kind in _IMMUTABLE:
        return Impact.NONE
    if kind in _READ_BY_PODS or kind in _TAKEN_WHILE_RUNNING:
        return Impact.RELOAD
    if route[:1] == ("metadata",):
        return Impact.NONE
    return Impact.RESTART


def _touches(route: Route, field: Route) -> bool:
    shared = min(len(route), len(field))
    return route[:shared] == field[:shared]


def _alone(resource: Resource) -> bool:
    """Whether nothing serves while the pod is replaced: one replica that ends before its successor starts."""
    body = dict(resource.body)
    replicas = at(body, "spec", "replicas")
    if resource.kind == "DaemonSet" or (replicas not in (None, 1)):
        return False
    strategy = at(body, "spec", "strategy", "type")
    return resource.kind == "StatefulSet" or strategy == "Recreate"
