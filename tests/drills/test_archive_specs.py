"""What the restore drill derives from a CloudNativePG cluster: its archive, its server, and what is left to write."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from shoreup.drills.base import Wishes
from shoreup.drills.restoring.archive_specs import archive_store
from shoreup.drills.restoring.barman_archives import BarmanSource
from shoreup.drills.restoring.specs import restore_spec
from shoreup.drills.restoring.trial import RestoreSpec
from shoreup.engines.base import EngineTrouble
from shoreup.facts.build import Extras
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import backup_inputs
from shoreup.model.backup_settings import StoreSettings
from shoreup.model.settings import Settings
from shoreup.stores.base import StoreTrouble
from small_estates import estate

IMAGE = "ghcr.io/cloudnative-pg/postgresql:17.5-standard-trixie"
STORE = """\
    destinationPath: s3://pg/home/
    endpointURL: http://minio.storage.svc:9000
    s3Credentials: {accessKeyId: {name: s3, key: ID}, secretAccessKey: {name: s3, key: KEY}}
    data: {compression: gzip, encryption: AES256}
    wal: {compression: zstd, encryption: AES256}
"""
SCHEDULED = """\
---
apiVersion: postgresql.cnpg.io/v1
kind: ScheduledBackup
metadata: {name: nightly, namespace: db}
spec: {schedule: "0 0 2 * * *", cluster: {name: main}, method: METHOD}
"""
CLUSTER = f"""\
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {{name: main, namespace: db}}
spec:
  instances: 1
  imageName: {IMAGE}
  storage: {{size: 1Gi}}
"""
PLUGIN = f"""\
{CLUSTER}\
  plugins:
  - name: other.example.org
    parameters: {{serverName: somebody-else}}
  - name: barman-cloud.cloudnative-pg.io
    isWALArchiver: true
    parameters: {{barmanObjectName: store, serverName: main-v2}}
---
apiVersion: barmancloud.cnpg.io/v1
kind: ObjectStore
metadata: {{name: store, namespace: db}}
spec:
  retentionPolicy: 30d
  configuration:
{STORE}\
{SCHEDULED.replace("METHOD", "plugin")}\
"""
INLINE = f"""\
{CLUSTER}\
  backup:
   retentionPolicy: 30d
   barmanObjectStore:
{STORE}\
{SCHEDULED.replace("METHOD", "barmanObjectStore")}\
"""


def derived(facts: Estate, wishes: Wishes | None = None) -> RestoreSpec | str:
    return restore_spec(facts, facts.backups, wishes or Wishes())


def with_store(manifests: str, url: str = "s3://pg/home") -> Estate:
    known = StoreSettings(url, copies_of=("db/*",))
    return estate(manifests, extras=Extras(settings=Settings(store={"pg": known})))


@pytest.mark.parametrize(("manifests", "server"), [(PLUGIN, "main-v2"), (INLINE, "main")], ids=["plugin", "inline"])
def test_server_place_and_version_are_derived(manifests: str, server: str) -> None:
    facts = with_store(manifests)
    (backup,) = facts.backups
    assert backup.target_remote == f"s3://pg/home/{server}"
    spec = derived(facts)
    assert isinstance(spec, RestoreSpec), spec
    assert (spec.subject.kind, spec.subject.name) == ("ScheduledBackup", "nightly")
    assert (spec.wanted.product, spec.wanted.version, spec.wanted.image) == ("postgresql", "17.5", IMAGE)
    assert isinstance(spec.source, BarmanSource)
    assert (spec.source.server, spec.source.limits) == (server, ())


def test_what_is_not_known_is_told_line_by_line() -> None:
    told = derived(estate(PLUGIN))
    assert isinstance(told, str)
    lines = [
        "  [store.nightly]",
        '  url = "s3://pg/home"',
        '  endpoint = "http://minio.storage.svc:9000"',
        '  key-id-env = "AWS_ACCESS_KEY_ID"',
        '  secret-env = "AWS_SECRET_ACCESS_KEY"',
        '  copies-of = ["db/nightly"]',
    ]
    assert "\n".join(lines) in told
    assert "minio.storage.svc is an address of the cluster" in told
    assert '[storage] "s3://pg/home" = "/path"' in told


def test_a_folder_in_the_settings_or_by_hand_takes_the_place_of_the_store(tmp_path: Path) -> None:
    facts = estate(PLUGIN)
    mounted = estate(PLUGIN, extras=Extras(settings=Settings(storage={"s3://pg/": str(tmp_path)})))
    for spec in (derived(mounted), derived(facts, Wishes(copy=tmp_path))):
        assert isinstance(spec, RestoreSpec), spec
        assert isinstance(spec.source, BarmanSource)
        assert spec.source.open().shown.startswith(str(tmp_path))
    assert "is no folder" in str(derived(facts, Wishes(copy=tmp_path / "none")))


def test_another_store_than_the_cluster_s_is_a_limit_of_the_proof() -> None:
    spec = derived(with_store(PLUGIN, "s3://copy/of/it"))
    assert isinstance(spec, RestoreSpec)
    assert isinstance(spec.source, BarmanSource)
    assert spec.source.limits == ("that it lies in s3://pg/home: it was read from s3://copy/of/it",)


def test_databases_that_the_estate_declares_have_to_come_back() -> None:
    asked = (
        "---\napiVersion: postgresql.cnpg.io/v1\nkind: Database\nmetadata: {{name: {0}, namespace: db}}\nspec: {1}\n"
    )
    more = [
        asked.format("a", "{name: shop, owner: shop, cluster: {name: main}}"),
        asked.format("b", "{name: gone, owner: shop, cluster: {name: main}, ensure: absent}"),
        asked.format("c", "{name: others, owner: shop, cluster: {name: other}}"),
    ]
    first = "  bootstrap: {initdb: {database: forum, owner: forum}}\n"
    spec = derived(with_store(PLUGIN.replace("  instances: 1\n", f"  instances: 1\n{first}", 1) + "".join(more)))
    assert isinstance(spec, RestoreSpec), spec
    assert spec.copy.databases == ("forum", "shop")
    assert isinstance(spec.source, BarmanSource)
    assert spec.source.every == timedelta(days=1)


def test_what_lets_into_the_store_is_looked_up_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("s3cret/word\n")
    known = StoreSettings("s3://pg/home", key_id_env="BUCKET_ID", secret_env="BUCKET_KEY")
    monkeypatch.delenv("BUCKET_KEY", raising=False)
    with pytest.raises(EngineTrouble, match="from the variable BUCKET_KEY, which is not set"):
        archive_store(known, tmp_path)
    monkeypatch.setenv("BUCKET_KEY", "s3cret/word")
    monkeypatch.delenv("BUCKET_ID", raising=False)
    with pytest.raises(StoreTrouble, match="an S3 store needs a key"):
        archive_store(known, tmp_path)
    monkeypatch.setenv("BUCKET_ID", "reader")
    assert archive_store(known, tmp_path).shown == "s3://pg/home"
    by_file = StoreSettings("s3://pg/home", key_id_env="BUCKET_ID", secret_file="key")
    assert archive_store(by_file, tmp_path).shown == "s3://pg/home"
    (tmp_path / "mirror").mkdir()
    assert archive_store(StoreSettings("./mirror"), tmp_path).shown == str(tmp_path / "mirror")
    with pytest.raises(StoreTrouble, match="is read from a folder or an S3 store"):
        archive_store(StoreSettings("restic:/mnt/x"), tmp_path)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("gs://pg/home", "gs://pg/home/main-v2 is no S3 store, and is read only from a copy of it in a folder"),
        ("s3://${BUCKET}/home", "the path in the store that it writes to is not all in the repository"),
    ],
)
def test_a_place_that_is_not_known_or_no_s3_store_wants_a_folder(path: str, says: str) -> None:
    assert str(derived(estate(PLUGIN.replace("s3://pg/home/", path)))).startswith(says)


def test_a_snapshot_of_a_volume_says_what_to_do_instead() -> None:
    told = derived(estate(CLUSTER + SCHEDULED.replace("METHOD", "volumeSnapshot")))
    assert "bootstrap.recovery.volumeSnapshots" in str(told)
    assert "add a ScheduledBackup to an object store" in str(told)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("17.5-standard", "17.6-standard", {"image"}),
        ("30d", "7d", {"retention"}),
        ("s3://pg/home/", "s3://pg/away/", {"volume"}),
        ("main-v2", "main-v3", {"volume"}),
        ("0 0 2 * * *", "0 0 3 * * *", {"command"}),
        ("isWALArchiver: true", "isWALArchiver: true\n    enabled: true", set()),
    ],
)
def test_a_proof_ends_where_what_it_is_about_changes(old: str, new: str, changed: set[str]) -> None:
    assert old in PLUGIN
    before, after = (
        backup_inputs(facts, facts.backups[0]).digests for facts in (estate(PLUGIN), estate(PLUGIN.replace(old, new)))
    )
    assert {name for name in before if before[name] != after[name]} == changed
