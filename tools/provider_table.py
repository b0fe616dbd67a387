"""Makes the field table of Terraform's ``kubernetes`` provider.

Two sources are joined. The provider's Go sources say which fields a resource type has, which are blocks and
which have defaults. The Kubernetes API definitions say how a field is called in an object and which type it
has there. Most names follow one rule (``init_container`` is ``initContainers``); what does not follow it
is written down here, as read from the provider's expand functions. A field that neither the rule nor this
file explains stops the tool, so that a new release of the provider cannot lose a field in silence.

    python tools/provider_table.py PROVIDER_GIT_DIR src/shoreup/sources/provider/kubernetes.json

needs the packages tree-sitter, tree-sitter-go and kubernetes-validate (for the API definitions).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from go_schema import Go, Opaque, Package

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

KINDS: dict[str, tuple[str, str]] = {
    "api_service": ("apiregistration.k8s.io/v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"),
    "certificate_signing_request": ("certificates.k8s.io/v1beta1", "certificates.v1.CertificateSigningRequest"),
    "certificate_signing_request_v1": ("certificates.k8s.io/v1", "certificates.v1.CertificateSigningRequest"),
    "cluster_role": ("rbac.authorization.k8s.io/v1", "rbac.v1.ClusterRole"),
    "cluster_role_binding": ("rbac.authorization.k8s.io/v1", "rbac.v1.ClusterRoleBinding"),
    "config_map": ("v1", "core.v1.ConfigMap"),
    "cron_job": ("batch/v1beta1", "batch.v1.CronJob"),
    "cron_job_v1": ("batch/v1", "batch.v1.CronJob"),
    "csi_driver": ("storage.k8s.io/v1beta1", "storage.v1.CSIDriver"),
    "csi_driver_v1": ("storage.k8s.io/v1", "storage.v1.CSIDriver"),
    "daemon_set": ("apps/v1", "apps.v1.DaemonSet"),
    "daemonset": ("apps/v1", "apps.v1.DaemonSet"),
    "default_service_account": ("v1", "core.v1.ServiceAccount"),
    "deployment": ("apps/v1", "apps.v1.Deployment"),
    "endpoint_slice": ("discovery.k8s.io/v1", "discovery.v1.EndpointSlice"),
    "endpoints": ("v1", "core.v1.Endpoints"),
    "horizontal_pod_autoscaler": ("autoscaling/v1", "autoscaling.v1or2.HorizontalPodAutoscaler"),
    "horizontal_pod_autoscaler_v1": ("autoscaling/v1", "autoscaling.v1.HorizontalPodAutoscaler"),
    "horizontal_pod_autoscaler_v2": ("autoscaling/v2", "autoscaling.v2.HorizontalPodAutoscaler"),
    "horizontal_pod_autoscaler_v2beta2": ("autoscaling/v2beta2", "autoscaling.v2.HorizontalPodAutoscaler"),
    "ingress": ("extensions/v1beta1", "extensions.v1beta1.Ingress"),
    "ingress_v1": ("networking.k8s.io/v1", "networking.v1.Ingress"),
    "ingress_class": ("networking.k8s.io/v1", "networking.v1.IngressClass"),
    "job": ("batch/v1", "batch.v1.Job"),
    "limit_range": ("v1", "core.v1.LimitRange"),
    "mutating_webhook_configuration": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.v1.MutatingWebhookConfiguration",
    ),
    "namespace": ("v1", "core.v1.Namespace"),
    "network_policy": ("networking.k8s.io/v1", "networking.v1.NetworkPolicy"),
    "persistent_volume": ("v1", "core.v1.PersistentVolume"),
    "persistent_volume_claim": ("v1", "core.v1.PersistentVolumeClaim"),
    "pod": ("v1", "core.v1.Pod"),
    "pod_disruption_budget": ("policy/v1beta1", "policy.v1.PodDisruptionBudget"),
    "pod_disruption_budget_v1": ("policy/v1", "policy.v1.PodDisruptionBudget"),
    "priority_class": ("scheduling.k8s.io/v1", "scheduling.v1.PriorityClass"),
    "replication_controller": ("v1", "core.v1.ReplicationController"),
    "resource_quota": ("v1", "core.v1.ResourceQuota"),
    "role": ("rbac.authorization.k8s.io/v1", "rbac.v1.Role"),
    "role_binding": ("rbac.authorization.k8s.io/v1", "rbac.v1.RoleBinding"),
    "runtime_class": ("node.k8s.io/v1", "node.v1.RuntimeClass"),
    "secret": ("v1", "core.v1.Secret"),
    "service": ("v1", "core.v1.Service"),
    "service_account": ("v1", "core.v1.ServiceAccount"),
    "stateful_set": ("apps/v1", "apps.v1.StatefulSet"),
    "storage_class": ("storage.k8s.io/v1", "storage.v1.StorageClass"),
    "token_request": ("authentication.k8s.io/v1", "authentication.v1.TokenRequest"),
    "validating_webhook_configuration": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.v1.ValidatingWebhookConfiguration",
    ),
}
"""By type without ``kubernetes_`` (and without ``_v1`` where both say the same): the API version that the
provider's create function calls, and the API definition. Removed beta versions have the definition of the
version that replaced them, as far as the provider's fields go."""

VARIANTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "horizontal_pod_autoscaler": ("autoscaling/v2beta2", ("metric", "behavior"), "targetCPUUtilizationPercentage"),
}
"""Types whose API version is another one as soon as ``spec`` has one of these blocks, and the field of
``spec`` that is left out then."""

PATCHES = frozenset({"annotations", "config_map_v1_data", "env", "labels", "node_taint", "secret_v1_data"})
"""Types that change a part of an object which something else creates."""

RENAMED: dict[tuple[str, str], str | None] = {
    ("AzureDiskVolumeSource", "data_disk_uri"): "diskURI",
    ("DaemonSetSpec", "strategy"): "updateStrategy",
    ("GlusterfsPersistentVolumeSource", "endpoints_name"): "endpoints",
    ("GlusterfsVolumeSource", "endpoints_name"): "endpoints",
    ("RBDPersistentVolumeSource", "ceph_monitors"): "monitors",
    ("RBDPersistentVolumeSource", "rados_user"): "user",
    ("RBDPersistentVolumeSource", "rbd_image"): "image",
    ("RBDPersistentVolumeSource", "rbd_pool"): "pool",
    ("RBDVolumeSource", "ceph_monitors"): "monitors",
    ("RBDVolumeSource", "rados_user"): "user",
    ("RBDVolumeSource", "rbd_image"): "image",
    ("RBDVolumeSource", "rbd_pool"): "pool",
    ("Secret", "binary_data"): "data",
    ("Secret", "binary_data_wo"): "data",
    ("Secret", "data"): "stringData",
    ("Secret", "data_wo"): "stringData",
    ("StorageClass", "storage_provisioner"): "provisioner",
    # Known to the provider's schema, but never sent: they steer the provider, or it ignores them.
    ("AzureFileVolumeSource", "secret_namespace"): None,
    ("CertificateSigningRequest", "auto_approve"): None,
    ("DaemonSet", "wait_for_rollout"): None,
    ("Deployment", "wait_for_rollout"): None,
    ("HorizontalPodAutoscalerSpec", "target_cpu_utilization_percentage"): None,
    ("Ingress", "wait_for_load_balancer"): None,
    ("Job", "wait_for_completion"): None,
    ("LocalObjectReference", "namespace"): None,
    ("Namespace", "wait_for_default_service_account"): None,
    ("PersistentVolumeClaim", "wait_until_bound"): None,
    ("Pod", "target_state"): None,
    ("Secret", "binary_data_wo_revision"): None,
    ("Secret", "data_wo_revision"): None,
    ("Secret", "wait_for_service_account_token"): None,
    ("Service", "wait_for_load_balancer"): None,
    ("StatefulSet", "wait_for_rollout"): None,
    ("Volume", "local"): None,
}

INLINE = {("PersistentVolumeSpec", "persistent_volume_source")}
"""Blocks whose fields are fields of the parent."""

SPREAD = {
    ("ProjectedVolumeSource", "sources"): ("secret", "config_map", "downward_api", "service_account_token"),
}
"""Lists where every block inside of an item makes an item of its own, in this order."""

EMPTY_IS_UNSET = frozenset(
    {
        "active_deadline_seconds",
        "average_utilization",
        "average_value",
        "completions",
        "concurrency_policy",
        "end_port",
        "fs_group_change_policy",
        "ingress_class_name",
        "internal_traffic_policy",
        "ip_family_policy",
        "load_balancer_class",
        "min_domains",
        "min_replicas",
        "node_affinity_policy",
        "node_taints_policy",
        "runtime_class_name",
        "size_limit",
        "starting_deadline_seconds",
        "storage_class_name",
        "target_cpu_utilization_percentage",
        "timezone",
        "volume_mode",
        "working_dir",
    }
)
"""Fields that the expand functions leave out when they are empty or zero."""

CONSTANTS = {
    "admissionregistrationv1.Equivalent": "Equivalent",
    "admissionregistrationv1.Fail": "Fail",
    "admissionregistrationv1.NeverReinvocationPolicy": "Never",
    "api.ProtocolTCP": "TCP",
    "api.SeccompProfileTypeUnconfined": "Unconfined",
    "api.URISchemeHTTP": "HTTP",
    "api.VolumeBindingImmediate": "Immediate",
    "corev1.DNSClusterFirst": "ClusterFirst",
    "corev1.DoNotSchedule": "DoNotSchedule",
    "corev1.ProtocolTCP": "TCP",
    "corev1.RestartPolicyAlways": "Always",
    "corev1.SecretTypeOpaque": "Opaque",
    "corev1.ServiceAffinityNone": "None",
    "corev1.ServiceTypeClusterIP": "ClusterIP",
    "corev1.TolerationOpEqual": "Equal",
    "networking.PathTypeImplementationSpecific": "ImplementationSpecific",
    "v1.PersistentVolumeReclaimDelete": "Delete",
    "v1.PreemptLowerPriority": "PreemptLowerPriority",
}

SENT: dict[tuple[str, str], Json] = {
    ("ObjectMeta", "name"): None,
    ("ObjectMeta", "namespace"): None,
    ("ObjectReference", "namespace"): None,
    ("PodSecurityContext", "run_as_non_root"): False,
    ("PodSpec", "automount_service_account_token"): None,
    ("SecurityContext", "run_as_non_root"): False,
    ("StorageClass", "allow_volume_expansion"): None,
    ("Subject", "namespace"): None,
}
"""Defaults that mean something else than the field's absence does in Kubernetes, and so belong into the
object: those of the schema, and the zero values that the expand functions always send. A default of a field
that Kubernetes requires belongs there too, and is found by the tool."""

NEVER_RESTARTED = "Never"
"""A job's template has this default restart policy; Kubernetes has none that a job may have."""


@dataclass(frozen=True)
class Declared:
    """A field as the provider's schema declares it. ``type`` is ``String``, ``List`` and so on; ``block`` has
    the fields of a block and is ``None`` for an attribute."""

    type: str
    read_only: bool
    default: Go
    block: dict[str, Declared] | None

    @classmethod
    def read(cls, schema: Go) -> Declared:
        """A ``schema.Schema`` of the sources."""
        assert isinstance(schema, dict), schema
        kind, element = schema["Type"], schema.get("Elem")
        assert isinstance(kind, Opaque), schema
        return cls(
            type=kind.text.removeprefix("schema.Type"),
            read_only=bool(schema.get("Computed")) and not (schema.get("Optional") or schema.get("Required")),
            default=schema.get("Default"),
            block=declared_fields(element) if isinstance(element, dict) and "Schema" in element else None,
        )


def declared_fields(resource: Go) -> dict[str, Declared]:
    """The fields of a ``schema.Resource`` of the sources."""
    assert isinstance(resource, dict), resource
    fields = resource["Schema"]
    assert isinstance(fields, dict), resource
    return {str(name): Declared.read(schema) for name, schema in fields.items()}


class Definitions:
    """The Kubernetes API definitions of one version."""

    def __init__(self, version: str) -> None:
        folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local"
        self.defined: dict[str, dict[str, Json]] = json.loads((folder / "_definitions.json").read_text())["$defs"]
        self._former_ingress()
        self._mixed_autoscaler()

    def name(self, short: str) -> str:
        return short if short.startswith("io.k8s.kube") else f"io.k8s.api.{short}"

    def properties(self, name: str) -> dict[str, dict[str, Json]]:
        return self.defined[name].get("properties", {})  # type: ignore[return-value]

    def required(self, name: str) -> list[str]:
        return self.defined[name].get("required", [])  # type: ignore[return-value]

    def _former_ingress(self) -> None:
        """extensions/v1beta1: as today's, but with a flat backend."""
        old, new = "io.k8s.api.networking.v1.", "io.k8s.api.extensions.v1beta1."
        for name in (
            "Ingress",
            "IngressSpec",
            "IngressRule",
            "HTTPIngressRuleValue",
            "HTTPIngressPath",
            "IngressBackend",
        ):
            text = json.dumps(self.defined[old + name])
            self.defined[new + name] = json.loads(text.replace(f"/{old}", f"/{new}"))
        self.defined["io.k8s.api.extensions.v1beta1.IngressTLS"] = self.defined["io.k8s.api.networking.v1.IngressTLS"]
        port = {"$ref": "#/$defs/io.k8s.apimachinery.pkg.util.intstr.IntOrString"}
        self.properties(new + "IngressBackend").update(serviceName={"type": "string"}, servicePort=port)  # type: ignore[arg-type]
        spec = self.properties(new + "IngressSpec")
        spec["backend"] = spec.pop("defaultBackend")
        self.defined[new + "HTTPIngressPath"]["required"] = ["backend"]

    def _mixed_autoscaler(self) -> None:
        """The type without a version is v1 or v2beta2, by its blocks: the union of their fields."""
        first, second, both = (f"io.k8s.api.autoscaling.{v}.HorizontalPodAutoscaler" for v in ("v1", "v2", "v1or2"))
        mixed = json.loads(json.dumps(self.defined[second]))
        mixed["properties"]["spec"]["$ref"] = f"#/$defs/{both}Spec"
        self.defined[both] = mixed
        spec = json.loads(json.dumps(self.defined[second + "Spec"]))
        spec["properties"] = {**self.properties(first + "Spec"), **spec["properties"]}
        self.defined[both + "Spec"] = spec


class Shapes:
    """Equal shapes are kept once: a pod template's fields are the same under every workload."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.kept: list[dict[str, Json]] = []
        self.known: dict[str, int] = {}
        self.unexplained: set[str] = set()
        self.used: set[tuple[str, str]] = set()

    def of(self, fields: dict[str, Declared], definition: str, path: tuple[str, ...]) -> int:
        """The number of the shape of ``fields`` in an object of ``definition``."""
        return self.keep(dict(sorted(self.fields(fields, definition, path).items())))

    def keep(self, shape: dict[str, Json]) -> int:
        key = json.dumps(shape)
        if key not in self.known:
            self.known[key] = len(self.kept)
            self.kept.append(shape)
        return self.known[key]

    def fields(self, fields: dict[str, Declared], definition: str, path: tuple[str, ...]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        short = definition.rpartition(".")[2]
        for name, declared in fields.items():
            if declared.read_only:
                continue
            if (short, name) in INLINE:
                inner = self.of(declared.block or {}, definition, (*path, name))
                found[name] = ["", "inline", inner]
                continue
            kube = self.kubernetes_name(name, definition)
            if kube is None:
                if (short, name) not in RENAMED:
                    self.unexplained.add(f"{definition}: {'.'.join((*path, name))}")
                continue
            entry = self.entry(name, declared, kube, definition, path)
            found[name] = entry + self.default(name, declared, kube, definition)
        return found

    def kubernetes_name(self, name: str, definition: str) -> str | None:
        properties = self.definitions.properties(definition)
        short = definition.rpartition(".")[2]
        plain = self.plain(name, properties)
        if (short, name) not in RENAMED or (plain is not None and RENAMED[short, name] is None):
            return plain
        self.used.add((short, name))
        return RENAMED[short, name]

    @staticmethod
    def plain(name: str, properties: dict[str, dict[str, Json]]) -> str | None:
        """The rule: camel case, and the plural for a repeated block. The API decides about capitals."""
        by_letters = {key.lower(): key for key in properties}
        joined = name.replace("_", "")
        for candidate in (joined, f"{joined}s", f"{joined}es", f"{joined[:-1]}ies"):
            if candidate in by_letters:
                return by_letters[candidate]
        return None

    def entry(self, name: str, declared: Declared, kube: str, definition: str, path: tuple[str, ...]) -> list[Json]:
        property_ = self.definitions.properties(definition)[kube]
        if declared.block is not None:
            items = property_.get("items")
            target = _reference(items if isinstance(items, dict) else property_)
            assert target is not None, (path, name, property_)
            order = SPREAD.get((definition.rpartition(".")[2], name))
            if order is not None:
                inner = self.fields(declared.block, target, (*path, name))
                assert sorted(inner) == sorted(order), (path, name, inner)
                return [kube, "spread", self.keep({part: inner[part] for part in order})]
            return [kube, "object" if items is None else "blocks", self.of(declared.block, target, (*path, name))]
        match declared.type:
            case "Map":
                return [kube, "map", _scalar(property_["additionalProperties"])]
            case "List" | "Set":
                return [kube, "list", _scalar(property_["items"])]
        scalar = _scalar(property_)
        if scalar == "integer" and name in ("mode", "default_mode"):
            scalar = "octal"
        return [kube, "value", scalar + "?" * (name in EMPTY_IS_UNSET)]

    def default(self, name: str, declared: Declared, kube: str, definition: str) -> list[Json]:
        """The provider's default, and whether it belongs into the object."""
        short = definition.rpartition(".")[2]
        given = declared.default
        value: Go | Json = CONSTANTS[given.text] if isinstance(given, Opaque) else given
        if value is None:
            value = SENT.get((short, name))
        if value is None:
            return []
        assert isinstance(value, (bool, int, str)), (definition, name, value)
        sent = (short, name) in SENT or kube in self.definitions.required(definition)
        return [value, sent or (short == "PodSpec" and value == NEVER_RESTARTED)]


def _reference(property_: Json) -> str | None:
    reference = property_.get("$ref") if isinstance(property_, dict) else None
    return str(reference).rpartition("/")[2] if reference else None


def _scalar(property_: Json) -> str:
    reference = _reference(property_)
    if reference is not None:
        name = reference.rpartition(".")[2]
        return {"IntOrString": "intOrString", "Quantity": "quantity", "Time": "string", "MicroTime": "string"}[name]
    assert isinstance(property_, dict)
    kind = property_["type"]
    name = str(kind[0] if isinstance(kind, list) else kind)
    assert name in ("string", "integer", "number", "boolean"), property_
    return name


def build(package: Package, definitions: Definitions) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    """The kinds by resource type, and their shapes."""
    provider = package.call("Provider")
    shapes = Shapes(definitions)
    kinds: dict[str, Json] = {}
    assert isinstance(provider, dict)
    resources_map = provider["ResourcesMap"]
    assert isinstance(resources_map, dict)
    for resource_type, resource in sorted(
        ((str(name), each) for name, each in resources_map.items()), key=itemgetter(0)
    ):
        name = resource_type.removeprefix("kubernetes_")
        if name in PATCHES:
            continue
        stem = name if name in KINDS else name.removesuffix("_v1")
        api_version, short = KINDS[stem]
        fields = declared_fields(resource)
        shape = shapes.of(fields, definitions.name(short), ())
        namespaced = "namespace" in (fields["metadata"].block or {})
        kind: list[Json] = [api_version, short.rpartition(".")[2], namespaced, shape]
        if stem in VARIANTS:
            version, blocks, left_out = VARIANTS[stem]
            kind += [version, [*blocks], left_out]
        kinds[resource_type] = kind
    if shapes.unexplained:
        sys.exit("not explained:\n" + "\n".join(sorted(shapes.unexplained)))
    if stale := sorted(f"{definition}.{name}" for definition, name in RENAMED.keys() - shapes.used):
        sys.exit("explained, but no longer there:\n" + "\n".join(stale))
    return kinds, shapes.kept


def read_sources(git_dir: Path) -> tuple[dict[str, bytes], str, str]:
    """The provider's Go files at the newest commit, the commit and its day."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", f"--git-dir={git_dir}", *arguments], check=True, capture_output=True).stdout

    names = git("ls-tree", "--name-only", "HEAD", "kubernetes/").decode().split()
    chosen = [name for name in names if name.endswith(".go") and not name.endswith("_test.go")]
    commit, day = git("log", "-1", "--format=%H %cs").decode().split()
    return {name: git("show", f"HEAD:{name}") for name in chosen}, commit, day


def write(path: Path, source: dict[str, Json], kinds: dict[str, Json], shapes: list[dict[str, Json]]) -> None:
    """One kind and one shape a line, so that a new release of the provider reads well as a difference."""

    def compact(value: Json) -> str:
        return json.dumps(value, separators=(",", ":"))

    lines = ",\n".join(f"{compact(name)}:{compact(kind)}" for name, kind in kinds.items())
    shape_lines = ",\n".join(compact(shape) for shape in shapes)
    patches = compact([f"kubernetes_{name}" for name in sorted(PATCHES)])
    path.write_text(
        f'{{"source":{compact(source)},\n"patches":{patches},\n"kinds":{{\n{lines}}},\n"shapes":[\n{shape_lines}]}}\n'
    )


def main() -> None:
    """Read the arguments and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("git_dir", type=Path, help="git directory of hashicorp/terraform-provider-kubernetes")
    parser.add_argument("table", type=Path, help="the JSON file to write")
    parser.add_argument("--kubernetes", default="1.37", help="version of the API definitions")
    arguments = parser.parse_args()
    sources, commit, day = read_sources(arguments.git_dir)
    kinds, shapes = build(Package.read(sources), Definitions(arguments.kubernetes))
    source: dict[str, Json] = {
        "provider": "hashicorp/terraform-provider-kubernetes",
        "commit": commit,
        "date": day,
        "kubernetes": arguments.kubernetes,
    }
    write(arguments.table, source, kinds, shapes)


if __name__ == "__main__":
    main()
