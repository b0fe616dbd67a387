"""What configures the control plane, where a repository brings it: k3s, RKE2, kubeadm, variables of Ansible.

Such files are read by programs on the nodes; no cluster stores them. They become resources with ``api_version``
``node``. Talos encrypts and audits by itself; of its files only the scheduler's defaults are read, wherever they
stand: in a patch, in a string that holds one, in a template.
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
_YAML = (".yaml", ".yml")
_TEMPLATES = (".yaml.j2", ".yml.j2", ".yaml.tpl", ".yml.tpl", ".yaml.tmpl", ".yaml.tftpl")
_DEFAULTS = re.compile(rb"^([ \t-]*)defaultConstraints:(.*)$", re.MULTILINE)
_TOPOLOGY = re.compile(rb"topologyKey:[ \t]*['\"]?([\w./-]+)")
_VARIABLES = re.compile(
    r"^(?:extra_server_args|(?:k3s|rke2)_(?:extra_)?server(?:_extra)?_(?:args|config|options)|server_config_yaml|k3s_server|"
    r"(?:k3s|rke2)_server_(?:config|opts))$"
)


def read_node_files(tree: FileTree) -> Iterator[Found]:
    """Every file of the tree that configures a control plane."""
    documents = Documents(tree)
    for path in tree.files:
        if not path.endswith((*_YAML, *_TEMPLATES)):
            continue
        content = tree.read(path)
        if content is None:
            continue
        keys = _spread_by_default(content) if b"defaultConstraints" in content else []
        if keys:
            body: dict[str, Value] = {"topologyKeys": keys}
            yield Found(_resource(path, "scheduler-defaults", body), DocumentTracer(documents, path, 0))
        if not path.endswith(_YAML) or not any(sign in content for sign in _SIGNS):
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


def _spread_by_default(content: bytes) -> list[Value]:
    """What the scheduler spreads every pod over that asks for nothing itself.

    Read by its lines: as often as not it stands in a string of another file, or in a template that is no YAML yet.
    """
    keys: list[Value] = []
    for match in _DEFAULTS.finditer(content):
        lines = [match[2]]
        for line in content[match.end() :].splitlines():
            inner = line.lstrip()
            deeper = len(line) - len(inner) - len(match[1])
            if inner and (deeper < 0 or (deeper == 0 and not inner.startswith((b"-", b"#")))):
                break
            if not inner.startswith(b"#"):
                lines.append(inner)
        keys.extend(key.decode() for key in _TOPOLOGY.findall(b"\n".join(lines)))
    return keys


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
