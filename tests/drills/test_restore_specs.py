"""What the restore drill takes for the copy of a job, and for whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dumped_estates import ESTATE
from shoreup.drills.base import Wishes
from shoreup.drills.restoring.specs import restore_spec
from shoreup.drills.restoring.trial import RestoreSpec
from small_estates import estate

TO_A_NAME = " > /backups/bank/bank-$(date +%F).sql"
PG_DUMP = f"pg_dump -h bank -U postgres bank{TO_A_NAME}"


def derived(command: str, copy: Path) -> RestoreSpec | str:
    """What is to be restored of a job that runs ``command``."""
    facts = estate(ESTATE.replace(PG_DUMP, command))
    return restore_spec(facts, facts.backups, Wishes(copy=copy))


def test_nobody_knows_the_roles_of_a_server_elsewhere(tmp_path: Path) -> None:
    spec = derived(f'pg_dump -h "$PGHOST" bank{TO_A_NAME}', tmp_path / "bank.sql")
    assert isinstance(spec, RestoreSpec), spec
    assert (spec.wanted.product, spec.copy.stranger) == ("postgresql", True)


def test_a_dump_of_a_server_in_the_estate_is_of_that(tmp_path: Path) -> None:
    spec = derived(PG_DUMP, tmp_path / "bank.sql")
    assert isinstance(spec, RestoreSpec), spec
    assert (spec.wanted.product, spec.wanted.version, spec.copy.stranger) == ("postgresql", "17.2", False)


def test_a_snapshot_that_no_drill_opens_is_not_tried_as_an_archive(tmp_path: Path) -> None:
    said = derived('etcdctl --endpoints "$HOST" snapshot save /backups/etcd.db', tmp_path / "etcd.db")
    assert said == "data/dump: copies by etcdctl are of no database that a drill can restore yet"


@pytest.mark.parametrize(
    "sign", ["PG_VERSION", "backup_manifest", "toc.dat", "base.tar.gz", "ibdata1", "appendonlydir"]
)
def test_a_folder_that_is_itself_a_copy_is_not_taken_for_a_folder_of_copies(tmp_path: Path, sign: str) -> None:
    (tmp_path / sign).touch()
    (tmp_path / "more").mkdir()
    command = "pg_basebackup -h bank -U postgres -D /backups/$(date +%F)"
    spec = derived(command, tmp_path)
    assert isinstance(spec, RestoreSpec), spec
    assert [one.copy.path for one in spec.parts] == [tmp_path]


def test_the_newest_copy_of_a_folder_of_them_is_taken(tmp_path: Path) -> None:
    for name in ("2026-11-22", "2026-11-23"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "PG_VERSION").touch()
    spec = derived("pg_basebackup -h bank -U postgres -D /backups/$(date +%F)", tmp_path)
    assert isinstance(spec, RestoreSpec), spec
    assert [one.copy.path for one in spec.parts] == [tmp_path / "2026-11-23"]


def test_the_archive_of_wal_beside_a_base_backup_is_no_copy_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23" / "global").mkdir(parents=True)
    (tmp_path / "2026-11-23" / "PG_VERSION").write_text("17\n")
    (tmp_path / "wal").mkdir()
    (tmp_path / "wal" / "000000010000000000000003.gz").touch()
    spec = derived("pg_basebackup -h bank -U postgres -D /backups/$(date +%F)", tmp_path)
    assert isinstance(spec, RestoreSpec), spec
    assert [one.copy.path for one in spec.parts] == [tmp_path / "2026-11-23"]
