"""What configures the control plane, where a repository brings it: k3s, RKE2, kubeadm, variables of Ansible.

Such files are read by programs on the nodes; no cluster stores them. They become resources with ``api_version``
``node``. Talos encrypts and audits by itself and is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.formats.files import FileTree
from shoreup.model.resource import Resource
from shoreup.model.value import Value
from shoreup.sources.documents import Documents, DocumentTracer
from shoreup.sources.reading import Found

_SIGNS = (
    b"kube-apiserver-arg", b"write-kubeconfig-mode", b"flannel-backend", b"cluster-init", b"tls-san",
    b"secrets-encryption", b"etcd-snapshot", b"kubeadm.k8s.io", b"server_args", b"server_config", b"rke2_server",
    b"k3s_server",
)  # fmt: skip
"""A file without any of these is not opened as YAML again."""
_SERVER_KEYS = frozenset({
    "write-kubeconfig-mode", "tls-san", "disable", "flannel-backend", "cluster-init", "kube-apiserver-arg",
    "kube-controller-manager-arg", "kube-scheduler-arg", "secrets-encryption", "etcd-snapshot-schedule-cron",
    "etcd-snapshot-retention", "cluster-cidr", "service-cidr", "disable-cloud-controller", "disable-network-policy",
    "disable-kube-proxy", "audit-policy-file", "etcd-expose-metrics", "cni", "profile", "datastore-endpoint",
})  # fmt: skip
_RKE2_KEYS = frozenset({"cni", "profile", "audit-policy-file"})
_ENOUGH = 2
_VARIABLES = re.compile(
    r"^(?:extra_server_args|(?:k3s|rke2)_(?:extra_)?server(?:_extra)?_(?:args|config|options)|server_config_yaml|k3s_server|"
    r"(?:k3s|rke2)_server_(?:config|opts))$"
)


def read_node_files(tree: FileTree) -> Iterator[Found]:
    """Every file of the tree that configures a control plane."""
    documents = Documents(tree)
    for path in tree.files:
        if not path.endswith((".yaml", ".yml")):
            continue
        content = tree.read(path)
        if content is None or not any(sign in content for sign in _SIGNS):
            continue
        for index, document in enumerate(documents.of(path)):
            value = document.value
            if isinstance(value, dict):
                kind = _kind(path, content, value)
                if kind:
                    yield Found(_resource(path, kind, value), DocumentTracer(documents, path, index))


def _kind(path: str, content: bytes, value: dict[str, Value]) -> str:
    version = value.get("apiVersion")
    if isinstance(version, str) and version.startswith("kubeadm.k8s.io/"):
        return "kubeadm-cluster" if value.get("kind") == "ClusterConfiguration" else ""
    if version is not None:
        return ""
    if len(value.keys() & _SERVER_KEYS) >= _ENOUGH:
        rke2 = "rke2" in path.lower() or b"rke2" in content or value.keys() & _RKE2_KEYS
        return "rke2-server" if rke2 else "k3s-server"
    return "server-variables" if any(_VARIABLES.match(str(key)) for key in value) else ""


def _resource(path: str, kind: str, body: dict[str, Value]) -> Resource:
    return Resource(
        api_version="node",
        kind=kind,
        namespace=None,
        name=path,
        body=body,
        address=f"node/{kind}/{path}",
        root=".",
        source="manifest",
    )
