"""What makes objects in a namespace beside what the estate writes down: charts, operators, controllers that copy.

Before anything is called missing, these are asked. A chart whose objects are not known may make anything in its
namespace; a custom object may be turned into anything by its operator, unless its kind is known to make no such thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, text
from shoreup.model.resource import Resource

_OWN_GROUPS = frozenset(
    {
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "node.k8s.io",
        "extensions",
        "events.k8s.io",
        "certificates.k8s.io",
        "snapshot.storage.k8s.io",
        "gateway.networking.k8s.io",
        "traefik.io",
        "traefik.containo.us",
        "monitoring.coreos.com",
        "source.toolkit.fluxcd.io",
        "kustomize.toolkit.fluxcd.io",
        "helm.toolkit.fluxcd.io",
        "notification.toolkit.fluxcd.io",
        "image.toolkit.fluxcd.io",
        "kustomize.config.k8s.io",
        "external-secrets.io",
        "generators.external-secrets.io",
        "cert-manager.io",
        "bitnami.com",
        "isindir.github.com",
        "cilium.io",
        "metallb.io",
        "autoscaling.k8s.io",
        "keda.sh",
        "volsync.backube",
        "k8s.cni.cncf.io",
        "crd.projectcalico.org",
        "projectcalico.org",
        "gateway.envoyproxy.io",
        "externaldns.k8s.io",
    }
)
"""Groups whose objects make no pods with labels of their own, no claims, no ConfigMaps and no accounts in their
namespace. (Prometheus and Alertmanager objects, which do, are told apart below.)"""
_RUNNING = frozenset({"Prometheus", "Alertmanager", "ThanosRuler", "PrometheusAgent", "CiliumEnvoyConfig", "Gateway"})
_FOREIGN = frozenset({"terraform", "compose", "ci", "helm"})


class Creators(Struct, frozen=True, eq=False):
    """Why a namespace may hold more than the estate writes down, for each that may."""

    by_namespace: Mapping[str, str]
    anywhere: str

    def of(self, namespace: str) -> str:
        """The reason; empty where everything in the namespace is in the estate."""
        return self.by_namespace.get(namespace, "") or self.anywhere


def creators(estate: Estate) -> Creators:
    """Ask the estate once."""
    return estate.once(_creators)


def _creators(estate: Estate) -> Creators:
    found: dict[str, str] = {"kube-system": "the cluster itself runs its own components there"}
    anywhere = ""
    known = _rendered(estate)
    for release in estate.releases:
        if release.resource.key not in known:
            if "*" in release.namespace:
                anywhere = anywhere or f"the chart of the release {release.name} may make it"
            found.setdefault(release.namespace, f"the chart of the release {release.name} may make it")
    for resource in estate.resources:
        if resource.api_version in _FOREIGN or not resource.namespace:
            continue
        group, slash, _ = resource.api_version.partition("/")
        if slash and (group not in _OWN_GROUPS or resource.kind in _RUNNING):
            found.setdefault(resource.namespace, f"the operator behind {resource.kind} {resource.name} may make it")
    return Creators(found, anywhere)


def _rendered(estate: Estate) -> frozenset[int]:
    """Releases whose objects are all in the estate."""
    made: dict[int, set[str]] = defaultdict(set)
    for resource in estate.resources:
        if resource.parent >= 0 and resource.kind != "ReleaseValues":
            made[resource.parent].add(resource.kind)
    return frozenset(key for key, kinds in made.items() if "ChartValues" not in kinds)


def made_secrets(estate: Estate) -> frozenset[tuple[str, str]]:
    """Secrets that controllers make from objects of the estate, by namespace and name."""
    return estate.once(_made_secrets)


_SECRET_MAKERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ExternalSecret": (("spec", "target", "name"),),
    "ClusterExternalSecret": (("spec", "externalSecretName"), ("spec", "externalSecretSpec", "target", "name")),
    "SealedSecret": (("spec", "template", "metadata", "name"),),
    "Certificate": (("spec", "secretName"),),
    "SopsSecret": (),
    "OnePasswordItem": (),
    "BitwardenSecret": (("spec", "secretName"),),
    "InfisicalSecret": (("spec", "managedSecretReference", "secretName"),),
    "VaultStaticSecret": (("spec", "destination", "name"),),
    "VaultDynamicSecret": (("spec", "destination", "name"),),
}


def _made_secrets(estate: Estate) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for kind, routes in _SECRET_MAKERS.items():
        for resource in estate.by_kind.get(kind, ()):
            names = {resource.name, *(_at(resource, route) for route in routes)}
            where = "*" if kind.startswith("Cluster") else resource.namespace or "default"
            found.update((where, name) for name in names if name)
    return frozenset(found)


def _at(resource: Resource, route: tuple[str, ...]) -> str:
    value = resource.body.get(route[0])
    for step in route[1:]:
        value = mapping(value).get(step)
    return text(value)
