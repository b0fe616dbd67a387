"""Which data a job protects, where its copies lie, what removes them: joined over the whole estate."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
import yaml
from msgspec.structs import replace

from shoreup.facts.build import build
from shoreup.facts.estate import Backup, Estate
from shoreup.model.resource import Resource
from shoreup.sources.manifests import resource_of

DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: postgres
          image: postgres:17.2
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: db}}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
"""
COPIES = "{name: copies, nfs: {server: nas, path: /copies}}"


def estate(*manifests: str) -> Estate:
    resources: list[Resource] = []
    for manifest in manifests:
        for body in yaml.safe_load_all(manifest):
            resource = resource_of(body, ".", "manifest") if body else None
            if resource is not None:
                resources.append(replace(resource, key=len(resources)))
    return build(resources)


def cron(script: str, volumes: str = COPIES, name: str = "dump", more: str = "") -> str:
    mounts = "{name: copies, mountPath: /b}" if "copies" in volumes else ""
    return dedent("""
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: %s, namespace: data}
        spec:
          schedule: "0 3 * * *"
          jobTemplate:
            spec:
              template:
                spec:
                  containers:
                    - name: job
                      image: postgres:17.2
                      command:
                        - sh
                        - -c
                        - |
        %s
                      volumeMounts: [%s]
                      %s
                  volumes: [%s]
        """) % (name, indent(dedent(script), " " * 18), mounts, more, volumes)


def one(*manifests: str) -> Backup:
    found = estate(*manifests).backups
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "host",
    [
        "-h db",
        "-h db.data",
        "-h db.data.svc",
        "-h db.data.svc.cluster.local",
        "-h db-0.db.data.svc",
        "postgresql://u@db/app",
    ],
)
def test_a_dump_is_joined_to_its_database_by_the_host(host: str) -> None:
    backup = one(DATABASE, cron(f"pg_dump {host} app > /b/app.sql"))
    assert [database.name for database in backup.protects_databases] == ["db"]


def test_the_host_may_come_from_the_environment() -> None:
    backup = one(DATABASE, cron("pg_dump app > /b/app.sql", more="env: [{name: PGHOST, value: db}]"))
    assert [database.name for database in backup.protects_databases] == ["db"]


@pytest.mark.parametrize("host", ["-h other", "-h db.elsewhere", "-h db.example.com", "-h $UNKNOWN", ""])
def test_another_host_or_none_is_not_joined(host: str) -> None:
    assert one(DATABASE, cron(f"pg_dump {host} app > /b/app.sql")).protects_databases == ()


def test_a_tool_of_another_engine_does_not_read_it() -> None:
    assert one(DATABASE, cron("mysqldump -h db app > /b/app.sql")).protects_databases == ()


@pytest.mark.parametrize("target", ["db-0", "statefulset/db", "sts/db -c postgres", "pod/db-0", "-n data db-0"])
def test_a_dump_inside_the_databases_pod(target: str) -> None:
    backup = one(DATABASE, cron(f"kubectl exec {target} -- pg_dump app > /b/app.sql"))
    assert [database.name for database in backup.protects_databases] == ["db"]
    assert backup.target_volume is not None
    assert backup.target_volume.server == "nas"


def test_a_path_inside_another_pod_lies_on_that_pods_volume() -> None:
    backup = one(DATABASE, cron("kubectl exec db-0 -- pg_dump app -f /var/lib/postgresql/data/app.sql"))
    assert backup.target_volume is not None
    assert backup.target_volume.claim == "db"


def test_a_word_behind_two_dashes_is_no_word_of_kubectl() -> None:
    backup = one(DATABASE, cron("kubectl run db-0 -- exec pg_dump app > /b/app.sql"))
    assert backup.protects_databases == ()


def test_files_are_joined_by_the_volume_that_they_lie_on() -> None:
    volumes = f"{COPIES}, {{name: live, persistentVolumeClaim: {{claimName: db}}}}"
    job = cron("tar czf /b/db-backup.tgz /live", volumes).replace(
        "volumeMounts: [", "volumeMounts: [{name: live, mountPath: /live}, "
    )
    backup = one(DATABASE, job)
    assert [database.name for database in backup.protects_databases] == ["db"]
    assert backup.consistent is False


def test_a_folder_beside_the_data_is_not_the_data() -> None:
    database = DATABASE.replace("persistentVolumeClaim: {claimName: db}", "nfs: {server: nas, path: /export/db}")
    volumes = (
        "{name: copies, nfs: {server: nas, path: /export/files}}, {name: live, nfs: {server: nas, path: /export/www}}"
    )
    job = cron("rsync -a /live/ /b/backup/", volumes).replace(
        "volumeMounts: [", "volumeMounts: [{name: live, mountPath: /live}, "
    )
    backup = one(database, job)
    assert backup.protects_databases == ()
    assert backup.consistent is None


CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nas}
provisioner: nfs.csi.k8s.io
parameters: {server: nas, share: /export}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: db, namespace: data}
spec: {storageClassName: nas, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: data}
spec: {storageClassName: nas, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_two_claims_of_a_class_are_two_folders_of_its_export() -> None:
    volumes = f"{COPIES}, {{name: live, persistentVolumeClaim: {{claimName: files}}}}"
    job = cron("tar czf /b/files-backup.tgz /live", volumes).replace(
        "volumeMounts: [", "volumeMounts: [{name: live, mountPath: /live}, "
    )
    assert one(CLASS, DATABASE, job).protects_databases == ()
    whole = job.replace("persistentVolumeClaim: {claimName: files}", "nfs: {server: nas, path: /export}")
    assert [database.name for database in one(CLASS, DATABASE, whole).protects_databases] == ["db"]


def test_a_relative_removal_in_the_folder_of_the_copies() -> None:
    backup = one(cron("cd /b/app\npg_dump -h db app > app-$(date +%F).sql\nfind . -mtime +7 -delete"))
    assert [(item.command, item.age_days) for item in backup.retention] == [("find", 7)]


def test_laying_out_files_is_no_backup() -> None:
    deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: data}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              initContainers:
                - name: config
                  image: busybox:1.37
                  command: ["sh", "-c", "cp -r /defaults/. /config/backup/"]
              containers: [{name: web, image: "nginx:1.27.3"}]
        """
    assert estate(dedent(deployment), cron("cp /a/x /b/x", name="sync")).backups == ()


def test_a_job_of_its_own_cleans_the_same_export() -> None:
    backup = estate(
        DATABASE, cron("pg_dump -h db app > /b/app-$(date +%F).sql"), cron("find /b -mtime +30 -delete", name="clean")
    )
    assert [item.age_days for item in backup.backups[0].retention] == [30]


def test_a_job_that_cleans_another_claim_does_not_count() -> None:
    other = "{name: copies, persistentVolumeClaim: {claimName: other}}"
    found = estate(
        cron("pg_dump -h db app > /b/app-$(date +%F).sql"), cron("find /b -mtime +30 -delete", other, name="clean")
    )
    assert found.backups[0].retention == ()


def test_a_cleaner_that_cannot_be_read_leaves_it_open() -> None:
    cleaner = cron("/opt/clean/rotate.sh", name="clean").replace("/opt/clean", "/clean")
    found = estate(cron("pg_dump -h db app > /b/app-$(date +%F).sql"), cleaner)
    assert "/clean/rotate.sh" in found.backups[0].undecided


def test_copies_that_another_job_takes_away() -> None:
    found = estate(cron("pg_dump -h db app > /b/app.sql"), cron("rclone copy /b b2:copies", name="offsite"))
    dump = next(item for item in found.backups if item.tool == "pg_dump")
    assert [item.target_remote for item in dump.copied_on] == ["b2:copies"]


def test_a_job_that_only_says_it_is_a_backup_is_left_open() -> None:
    manifest = """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: app-backup, namespace: data}
        spec:
          schedule: "@daily"
          jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "example.org/backup:3.1.0"}]}}}}
        """
    backup = one(dedent(manifest))
    assert backup.tool == ""
    assert "example.org/backup:3.1.0" in backup.undecided


@pytest.mark.parametrize(
    ("env", "by", "age", "least"),
    [
        ("", "age", 186, 1),
        ("{name: BACKUP_KEEP_DAYS, value: '3'}", "age", 3, 1),
        ("{name: BACKUP_KEEP_WEEKS, value: '2'}", "age", 14, 1),
    ],
)
def test_an_image_that_is_a_backup_tool(env: str, by: str, age: float, least: int) -> None:
    manifest = f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: saver, namespace: data}}
        spec:
          selector: {{matchLabels: {{app: saver}}}}
          template:
            metadata: {{labels: {{app: saver}}}}
            spec:
              containers:
                - name: saver
                  image: prodrigestivill/postgres-backup-local:17
                  env: [{{name: POSTGRES_HOST, value: db}}{", " + env if env else ""}]
                  volumeMounts: [{{name: copies, mountPath: /backups}}]
              volumes: [{COPIES}]
        """
    backup = one(DATABASE, dedent(manifest))
    assert [database.name for database in backup.protects_databases] == ["db"]
    assert backup.target_volume is not None
    assert [(item.by, item.age_days, item.keeps_at_least) for item in backup.retention] == [(by, age, least)]


# What operators declare

CLUSTER = """
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: data}
spec:
  instances: 1
  storage: {size: 1Gi}
  backup: {%s}
---
apiVersion: postgresql.cnpg.io/v1
kind: ScheduledBackup
metadata: {name: pg, namespace: data}
spec: {schedule: "0 0 3 * * *", cluster: {name: pg}}
"""


def test_cloudnative_pg_keeps_what_its_policy_says_and_else_everything() -> None:
    assert one(CLUSTER % "retentionPolicy: 30d").retention[0].keeps_at_least == 1
    assert one(CLUSTER % "").retention == ()


@pytest.mark.parametrize(
    ("group", "kind", "spec", "by", "age", "least"),
    [
        ("velero.io/v1", "Schedule", "{schedule: x, template: {ttl: 240h0m0s}}", "age", 10, None),
        ("velero.io/v1", "Schedule", "{schedule: x, template: {}}", "age", None, None),
        ("longhorn.io/v1beta2", "RecurringJob", "{task: backup, cron: x, retain: 7}", "count", None, 1),
        ("volsync.backube/v1alpha1", "ReplicationSource", "{restic: {retain: {daily: 7}}}", "policy", None, 1),
        ("volsync.backube/v1alpha1", "ReplicationSource", "{restic: {copyMethod: Snapshot}}", "policy", None, 1),
        ("k8up.io/v1", "Schedule", "{backup: {schedule: x}, prune: {retention: {keepDaily: 7}}}", "policy", None, 1),
        ("k8s.mariadb.com/v1alpha1", "Backup", "{schedule: {cron: x}, maxRetention: 720h}", "age", 30, 1),
    ],
)
def test_what_operators_keep(group: str, kind: str, spec: str, by: str, age: float | None, least: int | None) -> None:
    manifest = f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a, namespace: data}}\nspec: {spec}\n"
    assert [(item.by, item.age_days, item.keeps_at_least) for item in one(manifest).retention] == [(by, age, least)]


def test_k8up_without_a_prune_keeps_everything() -> None:
    manifest = (
        "apiVersion: k8up.io/v1\nkind: Schedule\nmetadata: {name: a, namespace: data}\nspec: {backup: {schedule: x}}\n"
    )
    assert one(manifest).retention == ()
    assert one(manifest).writes_new_file is True


def test_longhorn_snapshots_are_no_backups() -> None:
    manifest = (
        "apiVersion: longhorn.io/v1beta2\nkind: RecurringJob\nmetadata: {name: a}\nspec: {task: snapshot, retain: 7}\n"
    )
    assert estate(manifest).backups == ()


# Strange input


@pytest.mark.parametrize(
    "command", ["[]", "[null]", "[1, 2]", "text", "{a: b}", "['sh', '-c']", "['sh', '-c', null]", "[[]]"]
)
def test_a_command_of_any_shape_is_borne(command: str) -> None:
    given = f"command: {command}\n                      x:\n                        - sh"
    manifest = cron("x", name="job").replace("command:\n                        - sh", given)
    assert estate(manifest).backups == ()
