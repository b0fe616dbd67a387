"""Terraform's blocks as Kubernetes objects: one example for each way in which the two differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.sources.provider import computed_id, kubernetes_route, table, terraform_route, to_kubernetes

METADATA: Value = [{"name": "web"}]


def made(resource_type: str, **attributes: Value) -> dict[str, Value]:
    body = to_kubernetes(resource_type, {"metadata": METADATA, **attributes})
    assert body is not None
    return body


def pod_spec(**fields: Value) -> Value:
    """The pod spec of a pod with these fields."""
    return made("kubernetes_pod", spec=[fields])["spec"]


def container(**fields: Value) -> Value:
    return at(pod_spec(container=[{"name": "web", **fields}]), "containers", 0)


def test_a_deployment() -> None:
    body = made(
        "kubernetes_deployment",
        spec=[
            {
                "replicas": "2",
                "selector": [{"match_labels": {"app": "web"}}],
                "template": [
                    {
                        "metadata": [{"labels": {"app": "web"}}],
                        "spec": [
                            {"container": [{"name": "web", "image": "nginx:1.27", "port": [{"container_port": 80}]}]}
                        ],
                    }
                ],
            }
        ],
        wait_for_rollout=False,
        timeouts=[{"create": "5m"}],
    )
    assert body == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}],
                    "automountServiceAccountToken": True,
                },
            },
        },
    }


class TestNames:
    def test_repeated_blocks_get_the_plural(self) -> None:
        spec = pod_spec(
            init_container=[{"name": "a"}],
            volume=[{"name": "data"}],
            toleration=[{"key": "a"}],
            host_aliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}],
            topology_spread_constraint=[{"topology_key": "zone"}],
        )
        assert isinstance(spec, dict)
        assert set(spec) >= {"initContainers", "volumes", "tolerations", "hostAliases", "topologySpreadConstraints"}

    def test_capitals_are_those_of_the_api(self) -> None:
        spec = pod_spec(host_ipc=True, dns_config=[{"nameservers": ["1.1.1.1"]}])
        assert at(spec, "hostIPC") is True
        assert at(spec, "dnsConfig", "nameservers", 0) == "1.1.1.1"
        service = made("kubernetes_service", spec=[{"cluster_ip": "None", "external_ips": ["10.0.0.1"]}])
        assert service["spec"] == {"clusterIP": "None", "externalIPs": ["10.0.0.1"]}

    def test_a_daemon_sets_strategy_is_called_update_strategy(self) -> None:
        body = made("kubernetes_daemonset", spec=[{"strategy": [{"type": "OnDelete"}]}])
        assert at(body, "spec", "updateStrategy", "type") == "OnDelete"

    def test_a_persistent_volumes_source_is_a_field_of_its_spec(self) -> None:
        body = made(
            "kubernetes_persistent_volume",
            spec=[
                {"capacity": {"storage": "1Gi"}, "persistent_volume_source": [{"nfs": [{"path": "/a", "server": "s"}]}]}
            ],
        )
        assert body["spec"] == {"capacity": {"storage": "1Gi"}, "nfs": {"path": "/a", "server": "s"}}
        assert body["metadata"] == {"name": "web"}

    def test_each_block_of_a_projected_volumes_sources_is_a_source(self) -> None:
        attributes: dict[str, Value] = {
            "spec": [
                {
                    "volume": [
                        {
                            "projected": [
                                {
                                    "sources": [
                                        {"config_map": [{"name": "c"}, {"name": "d"}], "secret": [{"name": "s"}]},
                                        {"service_account_token": [{"path": "token"}]},
                                    ]
                                }
                            ]
                        }
                    ]
                }
            ]
        }
        body = to_kubernetes("kubernetes_pod", attributes)
        volume: tuple[str | int, ...] = ("spec", "volumes", 0, "projected", "sources")
        assert at(body, *volume) == [
            {"secret": {"name": "s"}},
            {"configMap": {"name": "c"}},
            {"configMap": {"name": "d"}},
            {"serviceAccountToken": {"path": "token"}},
        ]
        there = ("spec", 0, "volume", 0, "projected", 0, "sources", 0, "config_map", 1, "name")
        assert terraform_route("kubernetes_pod", (*volume, 2, "configMap", "name"), attributes) == there
        assert kubernetes_route("kubernetes_pod", there, attributes) == (*volume, 2, "configMap", "name")

    def test_todays_ingress_and_the_one_of_extensions_v1beta1_have_other_backends(self) -> None:
        new = made(
            "kubernetes_ingress_v1",
            spec=[
                {
                    "rule": [
                        {
                            "host": "a",
                            "http": [
                                {"path": [{"backend": [{"service": [{"name": "web", "port": [{"number": "80"}]}]}]}]}
                            ],
                        }
                    ]
                }
            ],
        )
        assert new["apiVersion"] == "networking.k8s.io/v1"
        assert at(new, "spec", "rules", 0, "http", "paths", 0) == {
            "backend": {"service": {"name": "web", "port": {"number": 80}}},
            "pathType": "ImplementationSpecific",
        }
        old = made("kubernetes_ingress", spec=[{"backend": [{"service_name": "web", "service_port": "80"}]}])
        assert old["apiVersion"] == "extensions/v1beta1"
        assert old["spec"] == {"backend": {"serviceName": "web", "servicePort": 80}}

    def test_grants_stand_at_the_top(self) -> None:
        role = made("kubernetes_cluster_role", rule=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}])
        assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        binding = made(
            "kubernetes_cluster_role_binding",
            role_ref=[{"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}],
            subject=[{"kind": "ServiceAccount", "name": "robot"}],
        )
        assert at(binding, "roleRef", "name") == "admin"
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]


class TestSecrets:
    def test_text_stays_text(self) -> None:
        body = made("kubernetes_secret", data={"user": "admin"}, binary_data={"key": "AAEC"}, type="Opaque")
        assert body["stringData"] == {"user": "admin"}
        assert body["data"] == {"key": "AAEC"}
        assert body["type"] == "Opaque"

    def test_what_is_only_written_is_data_too(self) -> None:
        attributes: dict[str, Value] = {"data_wo": {"user": "admin"}, "data_wo_revision": 1}
        assert to_kubernetes("kubernetes_secret_v1", attributes) == {
            "apiVersion": "v1",
            "kind": "Secret",
            "stringData": {"user": "admin"},
        }
        place = ("stringData", "user")
        assert terraform_route("kubernetes_secret_v1", place, attributes) == ("data_wo", "user")
        assert terraform_route("kubernetes_secret_v1", place) == ("data", "user")


class TestTypes:
    @pytest.mark.parametrize(("written", "meant"), [("8080", 8080), (8080, 8080), ("http", "http"), (80.0, 80)])
    def test_a_port_is_a_number_or_a_name(self, written: Value, meant: Value) -> None:
        probe = container(liveness_probe=[{"http_get": [{"port": written}]}])
        assert at(probe, "livenessProbe", "httpGet", "port") == meant

    @pytest.mark.parametrize(("written", "meant"), [("0644", 0o644), ("0400", 0o400), (644, 0o644), ("777", 0o777)])
    def test_a_file_mode_is_read_as_octal(self, written: Value, meant: int) -> None:
        spec = pod_spec(volume=[{"name": "a", "config_map": [{"default_mode": written}]}])
        assert at(spec, "volumes", 0, "configMap", "defaultMode") == meant

    def test_numbers_and_truths_become_strings_where_kubernetes_has_strings(self) -> None:
        env = at(container(env=[{"name": "A", "value": 8080}, {"name": "B", "value": True}]), "env")
        assert env == [{"name": "A", "value": "8080"}, {"name": "B", "value": "true"}]
        limits = at(container(resources=[{"limits": {"cpu": 0.5, "memory": "1Gi"}}]), "resources", "limits")
        assert limits == {"cpu": "0.5", "memory": "1Gi"}

    def test_maps_that_old_releases_wrote_as_blocks(self) -> None:
        assert at(container(resources=[{"limits": [{"cpu": "1"}]}]), "resources", "limits") == {"cpu": "1"}

    def test_a_user_may_be_a_string_or_empty(self) -> None:
        assert at(container(security_context=[{"run_as_user": "1000"}]), "securityContext", "runAsUser") == 1000
        context = at(container(security_context=[{"run_as_user": ""}]), "securityContext")
        assert isinstance(context, dict) and "runAsUser" not in context

    def test_what_is_no_number_is_left_as_it_is(self) -> None:
        assert at(made("kubernetes_deployment", spec=[{"replicas": "two"}]), "spec", "replicas") == "two"
        digits = "9" * 10_000
        assert at(made("kubernetes_deployment", spec=[{"replicas": digits}]), "spec", "replicas") == digits


class TestAbsence:
    def test_null_is_not_written(self) -> None:
        assert made("kubernetes_service", spec=[{"type": None, "selector": {"a": None, "b": "c"}}])["spec"] == {
            "selector": {"b": "c"}
        }

    def test_no_block_is_no_field_and_an_empty_block_is_an_empty_object(self) -> None:
        spec = pod_spec(volume=[{"name": "a", "empty_dir": [{}], "secret": []}])
        assert at(spec, "volumes") == [{"name": "a", "emptyDir": {}}]
        policy = made("kubernetes_network_policy", spec=[{"pod_selector": [{}], "ingress": [{}], "egress": []}])
        assert policy["spec"] == {"podSelector": {}, "ingress": [{}]}

    def test_an_empty_storage_class_is_left_out_as_the_provider_does(self) -> None:
        assert made("kubernetes_persistent_volume_claim", spec=[{"storage_class_name": ""}])["spec"] == {}

    def test_a_zero_that_the_provider_leaves_out(self) -> None:
        spec: list[Value] = [{"min_replicas": 0, "max_replicas": 3}]
        assert made("kubernetes_horizontal_pod_autoscaler_v2", spec=spec)["spec"] == {"maxReplicas": 3}

    def test_names_that_no_release_has_are_left_out(self) -> None:
        assert made("kubernetes_config_map", data={"a": "b"}, bogus=1, id="x") == {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "web", "namespace": "default"},
            "data": {"a": "b"},
        }


class TestDefaults:
    """Only those are in the object whose absence would mean something else to Kubernetes."""

    def test_a_default_that_the_provider_sends_is_in_the_object(self) -> None:
        assert at(container(security_context=[{"seccomp_profile": [{}]}]), "securityContext") == {
            "seccompProfile": {"type": "Unconfined"},
            "runAsNonRoot": False,
        }
        assert made("kubernetes_storage_class", storage_provisioner="nfs")["allowVolumeExpansion"] is True
        job = made("kubernetes_job", spec=[{"template": [{"spec": [{}]}]}])
        assert at(job, "spec", "template", "spec", "restartPolicy") == "Never"

    def test_known_but_the_same_as_kubernetes_own(self) -> None:
        kind = table().kind("kubernetes_service")
        assert kind is not None
        assert kind.shape.fields["spec"].inner.fields["type"].default == "ClusterIP"
        assert made("kubernetes_service", spec=[{}])["spec"] == {}


class TestUnknown:
    def test_passes_through_wherever_it_stands(self) -> None:
        later, part = Unknown("random_password.db.result"), PartialText(("web-", Unknown("var.suffix")))
        spec = pod_spec(
            container=[{"name": part, "port": [{"container_port": later}], "env": later}, later],
            toleration=later,
            volume=[{"name": "a", "nfs": later}],
            automount_service_account_token=later,
        )
        assert spec == {
            "containers": [{"name": part, "ports": [{"containerPort": later}], "env": later}, later],
            "tolerations": later,
            "volumes": [{"name": "a", "nfs": later}],
            "automountServiceAccountToken": later,
        }

    def test_a_zero_or_empty_string_is_not_mistaken_for_it(self) -> None:
        later = Unknown("apply")
        assert made("kubernetes_persistent_volume_claim", spec=[{"storage_class_name": later}])["spec"] == {
            "storageClassName": later
        }

    def test_a_source_that_is_not_known_hides_the_fields_it_would_give(self) -> None:
        later = Unknown("apply")
        assert made("kubernetes_persistent_volume", spec=[{"persistent_volume_source": later}])["spec"] == later


class TestTypesOfResources:
    def test_a_manifest_is_its_own_object(self) -> None:
        manifest: dict[str, Value] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        assert to_kubernetes("kubernetes_manifest", {"manifest": manifest}) == manifest
        assert to_kubernetes("kubernetes_manifest", {"manifest": Unknown("apply")}) is None
        assert terraform_route("kubernetes_manifest", ("spec", 0)) == ("manifest", "spec", 0)
        assert kubernetes_route("kubernetes_manifest", ("manifest", "spec", 0)) == ("spec", 0)
        assert kubernetes_route("kubernetes_manifest", ("wait", 0)) is None

    @pytest.mark.parametrize("resource_type", ["kubernetes_labels", "kubernetes_env", "aws_instance", "helm_release"])
    def test_what_makes_no_object_of_its_own_is_none(self, resource_type: str) -> None:
        assert to_kubernetes(resource_type, {"metadata": METADATA}) is None
        assert terraform_route(resource_type, ("metadata",)) is None
        assert kubernetes_route(resource_type, ("metadata",)) is None
        assert computed_id(resource_type, {"metadata": {"name": "a"}}) is None

    def test_old_and_new_names_have_the_same_fields(self) -> None:
        for name, kind in table().kinds.items():
            newer = table().kind(f"{name}_v1")
            if newer is not None and newer.api_version == kind.api_version and not kind.variant_blocks:
                assert newer.shape is kind.shape, name

    def test_an_autoscaler_with_metrics_is_of_another_version(self) -> None:
        plain: dict[str, Value] = {"max_replicas": 3, "target_cpu_utilization_percentage": 80}
        assert made("kubernetes_horizontal_pod_autoscaler", spec=[plain])["apiVersion"] == "autoscaling/v1"
        with_metric = made("kubernetes_horizontal_pod_autoscaler", spec=[{**plain, "metric": [{"type": "Resource"}]}])
        assert with_metric["apiVersion"] == "autoscaling/v2beta2"
        assert with_metric["spec"] == {"maxReplicas": 3, "metrics": [{"type": "Resource"}]}

    def test_the_default_service_account_has_its_name(self) -> None:
        assert to_kubernetes("kubernetes_default_service_account", {"metadata": [{}]}) == {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "default"},
        }


class TestComputedId:
    def test_namespace_and_name(self) -> None:
        assert computed_id("kubernetes_secret", made("kubernetes_secret")) == "default/web"
        assert computed_id("kubernetes_namespace", made("kubernetes_namespace")) == "web"

    @pytest.mark.parametrize(
        "metadata",
        [
            Unknown("apply"),
            [{"name": Unknown("apply")}],
            [{"generate_name": "web-"}],
            [{"name": PartialText(("a", Unknown("b")))}],
            [{"name": "web", "namespace": Unknown("apply")}],
        ],
    )
    def test_none_where_only_the_apply_knows(self, metadata: Value) -> None:
        assert computed_id("kubernetes_secret", made("kubernetes_secret", metadata=metadata)) is None


class TestRoutes:
    @pytest.mark.parametrize(
        ("resource_type", "kubernetes", "terraform"),
        [
            ("kubernetes_deployment", (), ()),
            ("kubernetes_deployment", ("spec", "template"), ("spec", 0, "template", 0)),
            (
                "kubernetes_deployment_v1",
                ("spec", "template", "spec", "containers", 0, "image"),
                ("spec", 0, "template", 0, "spec", 0, "container", 0, "image"),
            ),
            (
                "kubernetes_deployment",
                ("spec", "template", "spec", "containers"),
                ("spec", 0, "template", 0, "spec", 0, "container"),
            ),
            ("kubernetes_pod", ("metadata", "labels", "a.b/c"), ("metadata", 0, "labels", "a.b/c")),
            (
                "kubernetes_persistent_volume",
                ("spec", "hostPath", "path"),
                ("spec", 0, "persistent_volume_source", 0, "host_path", 0, "path"),
            ),
            ("kubernetes_cluster_role", ("rules", 1, "verbs", 0), ("rule", 1, "verbs", 0)),
        ],
    )
    def test_there_and_back(
        self, resource_type: str, kubernetes: tuple[str | int, ...], terraform: tuple[str | int, ...]
    ) -> None:
        assert terraform_route(resource_type, kubernetes) == terraform
        assert kubernetes_route(resource_type, terraform) == kubernetes

    @pytest.mark.parametrize(
        "route",
        [("status",), ("apiVersion",), ("spec", "replicas", 0), ("spec", "container"), ("spec", 0), (0,)],
    )
    def test_nowhere_in_terraform(self, route: tuple[str | int, ...]) -> None:
        assert terraform_route("kubernetes_deployment", route) is None

    @pytest.mark.parametrize(
        "route", [("wait_for_rollout",), ("spec", 1), ("spec", "replicas"), ("metadata", 0, "uid")]
    )
    def test_nowhere_in_the_object(self, route: tuple[str | int, ...]) -> None:
        assert kubernetes_route("kubernetes_deployment", route) is None


NAMES = st.sampled_from(
    ["metadata", "spec", "template", "container", "volume", "projected", "sources", "secret", "port"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.just(Unknown("apply"))
    | st.just(PartialText(("a", Unknown("b")))),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=4),
    max_leaves=30,
)


@given(st.sampled_from(sorted(table().kinds)), st.dictionaries(NAMES, VALUES))
def test_attributes_of_any_shape_give_an_object(resource_type: str, attributes: dict[str, Value]) -> None:
    before = repr(attributes)
    body = to_kubernetes(resource_type, attributes)
    assert body is not None and body["kind"]
    computed_id(resource_type, body)
    terraform_route(resource_type, ("spec", "volumes", 0, "projected", "sources", 0, "secret"), attributes)
    assert repr(attributes) == before
