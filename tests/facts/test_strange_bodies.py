"""Bodies come from strangers: any field may be absent, undecided, or of another type, and facts must stand it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shoreup.concerns.registry import all_concerns
from shoreup.facts.build import build
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value

UNKNOWN = Unknown("a test")
STRANGE: Sequence[Value] = (
    None, True, False, 0, -1, 3.5, "", "x", "*", "a:b@c", "${X}", [], {}, [None], [{}], {"name": None}, UNKNOWN,
    PartialText((UNKNOWN,)), PartialText(("a", UNKNOWN)), PartialText((UNKNOWN, "/b:1")), [UNKNOWN], {"name": UNKNOWN},
)  # fmt: skip

POD: Value = {
    "serviceAccountName": "account",
    "initContainers": [{"name": "first", "image": "busybox:1.36", "restartPolicy": "Always"}],
    "containers": [
        {
            "name": "app",
            "image": "postgres:16.2",
            "imagePullPolicy": "Always",
            "command": ["sh", "-c", "pg_dump -h db app > /backup/$(date +%F).sql"],
            "args": ["x"],
            "ports": [{"name": "db", "containerPort": 5432, "protocol": "TCP"}],
            "env": [
                {"name": "A", "value": "b"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "x", "readOnly": False}],
            "readinessProbe": {"exec": {"command": ["pg_isready"]}},
        }
    ],
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "nfs", "nfs": {"server": "nas", "path": "/pool"}},
        {"name": "tmp", "emptyDir": {"medium": "Memory"}},
        {"name": "conf", "configMap": {"name": "conf"}},
        {"name": "csi", "csi": {"driver": "nfs.csi.k8s.io", "volumeAttributes": {"server": "nas", "share": "/x"}}},
    ],
}
META: Value = {"name": "x", "labels": {"app": "x"}, "annotations": {"kubernetes.io/ingress.class": "nginx"}}
TEMPLATE: Value = {"metadata": {"labels": {"app": "x"}}, "spec": POD}
BODIES: Sequence[tuple[str, str, dict[str, Value]]] = (
    ("apps/v1", "Deployment", {"metadata": META, "spec": {"replicas": 2, "template": TEMPLATE}}),
    ("apps/v1", "StatefulSet", {"spec": {"template": TEMPLATE, "volumeClaimTemplates": [
        {"metadata": {"name": "data"}, "spec": {"storageClassName": "nfs", "accessModes": ["ReadWriteOnce"],
         "resources": {"requests": {"storage": "1Gi"}}}}]}}),
    ("batch/v1", "CronJob", {"spec": {"schedule": "@daily", "suspend": False,
                                      "jobTemplate": {"spec": {"template": TEMPLATE}}}}),
    ("v1", "Pod", {"metadata": META, "spec": POD}),
    ("v1", "Service", {"spec": {"selector": {"app": "x"}, "ports": [{"name": "db", "port": 1, "targetPort": "db"}]}}),
    ("v1", "PersistentVolumeClaim", {"spec": {"volumeName": "pv", "storageClassName": "nfs", "accessModes": ["RWO"]}}),
    ("v1", "PersistentVolume", {"spec": {"nfs": {"server": "nas", "path": "/x"}, "accessModes": ["ReadWriteMany"],
                                         "claimRef": {"namespace": "n", "name": "x"}}}),
    ("storage.k8s.io/v1", "StorageClass", {"provisioner": "p", "parameters": {"server": "nas", "share": "/x"}}),
    ("v1", "ConfigMap", {"data": {"config.yaml": "ingress:\n- hostname: a.b\n  service: http://x.n:80\n",
                                  "traefik.yml": "entryPoints:\n  web:\n    http:\n      middlewares: [a-b]\n",
                                  "PASSWORD": "hunter22"}, "binaryData": {"a": "AAAA"}}),
    ("v1", "Secret", {"data": {"a": "YQ=="}, "stringData": {"b": "c"}}),
    ("networking.k8s.io/v1", "Ingress", {"metadata": META, "spec": {
        "ingressClassName": "external", "rules": [{"host": "a.example.com", "http": {"paths": [
            {"path": "/", "backend": {"service": {"name": "x", "port": {"number": 1}}}}]}}],
        "defaultBackend": {"service": {"name": "x"}}}}),
    ("traefik.io/v1alpha1", "IngressRoute", {"metadata": META, "spec": {"entryPoints": ["web"], "routes": [
        {"match": "Host(`a.example.com`)", "middlewares": [{"name": "chain", "namespace": "n"}],
         "services": [{"name": "x", "port": 1}]}]}}),
    ("traefik.io/v1alpha1", "Middleware", {"spec": {"chain": {"middlewares": [{"name": "x"}, {"name": "limit"}]},
                                                    "ipAllowList": {"sourceRange": ["10.0.0.0/8"]}}}),
    ("gateway.networking.k8s.io/v1", "HTTPRoute", {"spec": {"parentRefs": [{"name": "external"}], "hostnames": ["a.b"],
        "rules": [{"filters": [{"type": "ExtensionRef", "extensionRef": {"kind": "Middleware", "name": "x"}}],
                   "backendRefs": [{"name": "x"}]}]}}),
    ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy", {"spec": {
        "targetRefs": [{"kind": "HTTPRoute", "name": "x"}], "rateLimit": {"type": "Global"}}}),
    ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "x"},
                                                            "minReplicas": 2}}),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"selector": {"matchLabels": {"app": "x"}, "matchExpressions": [
        {"key": "a", "operator": "In", "values": ["b"]}]}}}),
    ("kyverno.io/v1", "ClusterPolicy", {"spec": {"rules": [{"generate": {"kind": "PodDisruptionBudget"}}]}}),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "account", "namespace": "n"}]}),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", {"rules": [{"verbs": ["*"], "resources": ["*"]}]}),
    ("postgresql.cnpg.io/v1", "Cluster", {"spec": {"imageName": "ghcr.io/cloudnative-pg/postgresql:12.1",
                                                   "storage": {"size": "1Gi"}, "instances": 2}}),
    ("acid.zalan.do/v1", "postgresql", {"spec": {"postgresql": {"version": "13"}, "volume": {"size": "1Gi"}}}),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"spec": {
        "chart": {"spec": {"chart": "traefik", "version": "1", "sourceRef": {"kind": "HelmRepository", "name": "x"}}},
        "values": {"ports": {"web": {"middlewares": ["a-b"]}}, "additionalArguments": ["--x"],
                   "nfs": {"server": "nas"}, "storageClass": {"name": "nfs", "parameters": {"server": "nas"}}}}}),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"spec": {"chartRef": {"kind": "OCIRepository", "name": "x"}}}),
    ("source.toolkit.fluxcd.io/v1", "OCIRepository", {"spec": {"url": "oci://a/b", "ref": {"tag": "1"}}}),
    ("argoproj.io/v1alpha1", "Application", {"spec": {"source": {"chart": "x", "targetRevision": "1", "repoURL": "u",
                                                                 "helm": {"valuesObject": {}, "releaseName": "x"}},
                                                      "sources": [{"chart": "y"}], "destination": {"namespace": "n"}}}),
    ("terraform", "helm_release", {"chart": "x", "version": "1", "repository": "r", "values": ["a: b"]}),
    ("terraform", "cloudflare_ruleset", {"phase": "http_ratelimit", "zone_id": "z", "rules": [{"enabled": True}]}),
    ("terraform", "cloudflare_record", {
        "name": "a", "zone_id": "z", "type": "A", "content": "1.1.1.1", "proxied": True}),
    ("terraform", "cloudflare_zone", {"zone": "example.com", "id": "z"}),
    ("terraform", "cloudflare_tunnel_config", {
        "config": [{"ingress_rule": [{"hostname": "a.b", "service": "http://x.n"}]}]}),
    ("terraform", "kubernetes_labels", {"kind": "Node", "metadata": [{"name": "a"}], "labels": {"gpu": "true"}}),
    ("terraform", "kubernetes_node_taint", {
        "metadata": [{"name": "a"}], "taint": [{"key": "k", "effect": "NoSchedule"}]}),
    ("terraform", "google_container_node_pool", {"node_config": [{"labels": {"a": "b"}, "taint": [{"key": "k"}]}]}),
    ("karpenter.sh/v1", "NodePool", {
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"taints": []}}}}),
    ("cert-manager.io/v1", "ClusterIssuer", {"spec": {"acme": {"server": "https://acme.letsencrypt.org",
                                                               "solvers": [{"http01": {}}]}}}),
    ("helm", "ChartValues", {"chart": "x", "components": [{"path": ["a"], "image": {"text": "a:1", "tag": "1"},
                                                           "replicas": 2}]}),
    ("compose", "service", {"image": "redis:7", "ports": ["80:80/tcp", {"target": 1}], "volumes": ["./a:/b:ro", "c:/d",
                            {"type": "bind", "source": "/a", "target": "/b"}], "environment": ["A=b"], "command": "x"}),
)  # fmt: skip


def spoil(value: Value, path: list[int], strange: Value) -> Value:
    """The value with one place, chosen by ``path``, replaced."""
    if not path:
        return strange
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and value:
        key = sorted(value)[step % len(value)]
        return {**value, key: spoil(value[key], rest, strange)}
    if isinstance(value, list) and value:
        index = step % len(value)
        return [*value[:index], spoil(value[index], rest, strange), *value[index + 1 :]]
    return strange


def judged(bodies: Sequence[dict[str, Value]]) -> None:
    resources = [
        Resource(version, kind, "n", "x", body, "", ".", "terraform" if version == "terraform" else "manifest", key)
        for key, ((version, kind, _), body) in enumerate(zip(BODIES, bodies, strict=True))
    ]
    estate = build(resources)
    for concern in all_concerns():
        list(concern().check(estate))


PLACES = st.lists(
    st.tuples(
        st.integers(0, len(BODIES) - 1),
        st.lists(st.integers(0, 11), min_size=1, max_size=9),
        st.sampled_from(STRANGE),
    ),
    min_size=1,
    max_size=6,
)


def test_bodies_as_they_should_be_crash_no_concern() -> None:
    judged([body for _, _, body in BODIES])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLACES)
@example([(0, [1, 0], UNKNOWN)])
def test_with_a_few_strange_places(places: list[tuple[int, list[int], Value]]) -> None:
    bodies = [body for _, _, body in BODIES]
    for index, path, strange in places:
        spoiled = spoil(bodies[index], path, strange)
        assert isinstance(spoiled, dict)
        bodies[index] = spoiled
    judged(bodies)


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_with_every_place_spoiled_once(strange: Value) -> None:
    """Each field of each body in turn, so that none is left to chance."""
    whole = [body for _, _, body in BODIES]
    paths = [_paths(body) for body in whole]
    for turn in range(max(len(found) for found in paths)):
        bodies: list[dict[str, Value]] = []
        for body, found in zip(whole, paths, strict=True):
            spoiled = spoil(body, found[turn % len(found)], strange)
            assert isinstance(spoiled, dict)
            bodies.append(spoiled)
        judged(bodies)


def _paths(value: Value) -> list[list[int]]:
    inner: list[Value] = []
    if isinstance(value, dict):
        inner = [value[key] for key in sorted(value)]
    elif isinstance(value, list):
        inner = value
    return [[step, *rest] for step, item in enumerate(inner) for rest in ([], *_paths(item))]
