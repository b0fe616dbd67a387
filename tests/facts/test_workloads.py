"""What runs pods, what is behind their volumes, and who answers for them."""

from __future__ import annotations

from shoreup.facts.estate import Volume, Workload
from shoreup.facts.network.serving import serving
from shoreup.model.value import Unknown
from small_estates import estate, resource

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  template:
    metadata: {labels: {app: app}}
    spec:
      containers: [{name: app, image: "example/app:1", ports: [{name: http, containerPort: 8080}]}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: app, namespace: shop}
spec: {selector: {app: app}, ports: [{port: 80, targetPort: http}]}
"""


def only(manifests: str) -> Workload:
    """The one workload of an estate."""
    (workload,) = estate(manifests).workloads
    return workload


def with_volume(volume: str, more: str = "") -> Volume:
    """A pod's volume, followed."""
    pod = f"""
apiVersion: v1
kind: Pod
metadata: {{name: app, namespace: shop}}
spec:
  containers: [{{name: app, image: "example/app:1", volumeMounts: [{{name: data, mountPath: /data}}]}}]
  volumes: [{volume}]
"""
    (workload,) = (one for one in estate(f"{pod}\n---\n{more}").workloads if one.kind == "Pod")
    (found,) = workload.volumes
    return found


class TestReplicas:
    def test_one_where_nothing_is_said(self) -> None:
        assert only(DEPLOYMENT).replicas == 1

    def test_none_for_kinds_that_have_none(self) -> None:
        assert only(DEPLOYMENT.replace("Deployment", "DaemonSet")).replicas is None

    def test_zero_switches_off(self) -> None:
        off = only(DEPLOYMENT.replace("spec:\n  template", "spec:\n  replicas: 0\n  template"))
        assert (off.replicas, off.enabled) == (0, False)

    def test_an_autoscaler_decides(self) -> None:
        scaler = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: app, namespace: shop}
spec: {scaleTargetRef: {kind: Deployment, name: app}, minReplicas: 3}
"""
        scaled = only(f"{DEPLOYMENT}---{scaler}")
        assert isinstance(scaled.replicas, Unknown)
        assert scaled.least_replicas == 3


class TestKinds:
    def test_a_suspended_job_is_off(self) -> None:
        assert not only("""
apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec: {suspend: true, jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: a}]}}}}}
""").enabled

    def test_a_rollout_is_a_workload_and_a_foreign_deployment_is_none(self) -> None:
        rollout = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
        assert only(rollout).kind == "Rollout"
        assert estate(DEPLOYMENT.replace("apps/v1", "example.com/v1")).workloads == ()

    def test_a_compose_service_is_one_container_and_proves_nothing_about_pods(self) -> None:
        workload = only("""
apiVersion: compose
kind: service
metadata: {name: db}
image: postgres:12
ports: ["127.0.0.1:5432:5432"]
volumes: ["./data:/var/lib/postgresql/data", "dump:/dump:ro"]
environment: {A: b}
""")
        (container,) = workload.containers
        assert workload.partial
        assert container.image.product == "postgresql"
        assert [port.number for port in container.ports] == [5432]
        assert [(volume.kind, volume.path) for volume in workload.volumes] == [("host-path", "./data"), ("claim", "")]
        assert container.env == {"A": "b"}

    def test_values_of_a_chart_say_only_what_they_state(self) -> None:
        workload = only("""
apiVersion: helm
kind: ChartValues
metadata: {name: wiki}
chart: wiki
components:
  - {path: [a], image: {repository: example/wiki, text: "example/wiki:1.0", tag: "1.0"}, replicas: 2}
  - {path: [b], image: {repository: redis}}
  - {path: [c], image: {tag: latest}}
""")
        first, second, third = (container.image for container in workload.containers)
        assert workload.partial
        assert first.tag == "1.0"
        assert isinstance(second.tag, Unknown)
        assert (third.tag, third.repository, third.tag_chars) == ("latest", "*", (0, 6))


class TestVolumes:
    def test_nfs_in_the_pod(self) -> None:
        found = with_volume("{name: data, nfs: {server: nas, path: /pool}}")
        assert (found.kind, found.server, found.path) == ("nfs", "nas", "/pool")

    def test_a_folder_in_memory(self) -> None:
        assert with_volume("{name: data, emptyDir: {medium: Memory}}").medium == "Memory"

    def test_a_claim_to_its_persistent_volume(self) -> None:
        found = with_volume(
            "{name: data, persistentVolumeClaim: {claimName: data}}",
            """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv, accessModes: [ReadWriteMany], resources: {requests: {storage: 5Gi}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv}
spec: {nfs: {server: nas, path: /pool/data}}
""",
        )
        assert (found.kind, found.claim, found.server, found.path) == ("claim", "data", "nas", "/pool/data")
        assert (found.access_modes, found.size) == (("ReadWriteMany",), "5Gi")

    def test_a_volume_that_names_its_claim(self) -> None:
        found = with_volume(
            "{name: data, persistentVolumeClaim: {claimName: data}}",
            """
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv}
spec:
  claimRef: {namespace: shop, name: data}
  csi: {driver: nfs.csi.k8s.io, volumeAttributes: {server: nas, share: /pool}}
""",
        )
        assert (found.server, found.path) == ("nas", "/pool")

    def test_a_claim_to_the_server_of_its_storage_class(self) -> None:
        found = with_volume(
            "{name: data, persistentVolumeClaim: {claimName: data}}",
            """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: nas}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nas}
provisioner: nfs.csi.k8s.io
parameters: {server: nas.lan, share: /pool}
""",
        )
        assert (found.storage_class, found.server, found.path) == ("nas", "nas.lan", "/pool")

    def test_a_claim_to_the_export_of_a_provisioner(self) -> None:
        found = with_volume(
            "{name: data, persistentVolumeClaim: {claimName: data}}",
            """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: slow}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: slow}
provisioner: example.com/nfs
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: provisioner}
spec:
  template:
    spec:
      containers:
        - name: p
          image: p:1
          env: [{name: PROVISIONER_NAME, value: example.com/nfs}, {name: NFS_SERVER, value: nas}]
""",
        )
        assert found.server == "nas"

    def test_a_claim_template(self) -> None:
        workload = only("""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  template: {spec: {containers: [{name: db, image: "postgres:16"}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce]}}]
""")
        (volume,) = workload.volumes
        assert (volume.kind, volume.claim, volume.storage_class) == ("claim", "data-db", "fast")


class TestServices:
    def test_a_service_leads_to_what_its_whole_selector_matches(self) -> None:
        (service,) = estate(f"{DEPLOYMENT}---{SERVICE}").services
        assert [workload.name for workload in service.workloads] == ["app"]
        (other,) = estate(f"{DEPLOYMENT}---{SERVICE.replace('app: app', 'app: app, tier: web')}").services
        assert other.workloads == ()

    def test_not_across_namespaces(self) -> None:
        (service,) = estate(f"{DEPLOYMENT}---{SERVICE.replace('namespace: shop', 'namespace: other')}").services
        assert service.workloads == ()

    def test_what_is_applied_together_belongs_together(self) -> None:
        near = estate(f"{DEPLOYMENT}---{SERVICE}").resources
        far = resource(dict(near[0].body), 9, root="another/cluster")
        (service,) = estate(f"{DEPLOYMENT}---{SERVICE}", far).services
        assert [workload.resource.root for workload in service.workloads] == ["."]

    def test_a_container_that_a_service_leads_to_serves(self) -> None:
        (found,) = serving(estate(f"{DEPLOYMENT}---{SERVICE}"))
        assert found.container.name == "app"
        assert [service.name for service in found.services] == ["app"]
        assert found.port == "http"


class TestDatabases:
    def test_a_server_is_one_and_a_client_is_none(self) -> None:
        server = estate(DEPLOYMENT.replace("example/app:1", "postgres:16.2")).databases
        assert [(database.product, database.version) for database in server] == [("postgresql", "16.2")]
        dumping = DEPLOYMENT.replace('image: "example/app:1"', 'image: "postgres:16.2", command: [sh, -c, "pg_dump x"]')
        assert estate(dumping).databases == ()

    def test_an_operators_object_is_one(self) -> None:
        (database,) = estate("""
apiVersion: acid.zalan.do/v1
kind: postgresql
metadata: {name: main, namespace: shop}
spec: {postgresql: {version: "14"}, volume: {size: 5Gi, storageClass: fast}, numberOfInstances: 2}
""").databases
        assert (database.product, database.version, database.volumes[0].storage_class) == ("postgresql", "14", "fast")
