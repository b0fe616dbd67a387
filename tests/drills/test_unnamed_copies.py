"""A job dumps a server that is not in the repository: its copies are tried as what they are, not as mere files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from dumped_estates import ESTATE
from shoreup.drills.base import Wishes
from shoreup.drills.restoring.specs import restore_spec
from shoreup.drills.restoring.trial import RestoreSpec
from shoreup.engines.choosing import Wanted
from shoreup.facts.build import Extras
from shoreup.model.backup_settings import StoreSettings
from shoreup.model.settings import Settings
from small_estates import estate

JOB = ESTATE.rpartition("---\n")[2]
"""The job alone: whom it dumps is elsewhere."""
DUMP = "pg_dump -h bank -U postgres bank"
POSTGRESQL = b"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 16.4\n"
MARIADB = b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 11.4.2-MariaDB\n--\n"
MYSQL = b"-- MySQL dump 10.13  Distrib 8.4.3, for Linux (x86_64)\n--\n"


def wanted(folder: Path, copy: bytes, command: str = DUMP, image: str = "postgres:17.2") -> Wanted:
    """What a copy is tried on, of a job with this command in this image."""
    text = JOB.replace(DUMP, command).replace("image: postgres:17.2", f"image: {image}")
    path = folder / "copy.gz"
    path.write_bytes(gzip.compress(copy))
    facts = estate(text)
    spec = restore_spec(facts, facts.backups, Wishes(copy=path))
    assert isinstance(spec, RestoreSpec), spec
    return spec.wanted


@pytest.mark.parametrize(
    ("command", "image", "copy", "product", "version"),
    [
        (DUMP, "postgres:17.2", POSTGRESQL, "postgresql", "17.2"),
        (DUMP, "registry.example.org/tools:1", POSTGRESQL, "postgresql", ""),
        (DUMP + " -Fc", "postgres:17.2", b"PGDMP\x01", "postgresql", "17.2"),
        ("mariadb-dump -h bank bank", "mariadb:11.4", MARIADB, "mariadb", "11.4"),
        ("mysqldump -h bank bank", "registry.example.org/tools:1", MARIADB, "mariadb", ""),
        ("mysqldump -h bank bank", "mysql:8.4", MYSQL, "mysql", "8.4"),
        ("mysqldump -h bank bank", "registry.example.org/tools:1", MYSQL, "mysql", ""),
    ],
)
def test_the_copy_says_what_it_is_of(
    tmp_path: Path, command: str, image: str, copy: bytes, product: str, version: str
) -> None:
    found = wanted(tmp_path, copy, command, image)
    assert (found.product, found.version) == (product, version)


@pytest.mark.parametrize(
    ("command", "image", "product"),
    [(DUMP, "postgres:17.2", "postgresql"), ("mysqldump -h bank bank", "mysql:8.4", "mysql")],
)
@pytest.mark.parametrize("copy", [b"", b"what a proxy answered", b"SQLite format 3\0"])
def test_what_is_no_dump_is_tried_as_what_the_job_makes(
    tmp_path: Path, command: str, image: str, product: str, copy: bytes
) -> None:
    assert wanted(tmp_path, copy, command, image).product == product


@pytest.mark.parametrize(
    ("path", "product", "inside"), [("/work/bank.sql", "postgresql", "**/bank.sql"), ("", "files", "")]
)
def test_in_a_repository_the_dump_is_looked_for_by_the_name_that_the_job_gives_it(
    path: str, product: str, inside: str
) -> None:
    settings = Settings(store={"away": StoreSettings("restic:/repository", copies_of=("data/dump",))})
    facts = estate(JOB, extras=Extras(settings=settings))
    (dump,) = facts.backups
    spec = restore_spec(facts, [replace(dump, target_path=path), replace(dump, tool="restic")], Wishes())
    assert isinstance(spec, RestoreSpec), spec
    assert (spec.wanted.product, spec.inside) == (product, inside)
