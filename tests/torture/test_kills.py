"""Killed with -9 anywhere, an operation leaves the world as it was before or as it is after, never between."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from backups_here import written
from dumped_estates import ESTATE, SETTINGS
from engines_here import chosen
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from torture.drilling import Drill, in_memory
from torture.going_back import arrive
from torture.killing import Try, Zygote, boundaries, moments, tried, write, zygote
from torture.serving import SCHEDULE
from torture.upgrading import NEW, OLD, LinkedUpgrade, Upgrade, settle

MANY = int(os.environ.get("TORTURE", "150"))
"""Random moments for each operation."""
SEED = int(os.environ.get("TORTURE_SEED", "20261123"))


@pytest.fixture(scope="module")
def tries() -> list[Try]:
    """All of them, for the report."""
    return []


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        running.create("bank")
        with running.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, note text)")
            connection.execute("INSERT INTO account SELECT g, 100, md5(g::text) FROM generate_series(1, 60000) g")
        yield running


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """What makes the processes that are killed."""
    with zygote(tmp_path_factory.mktemp("state")) as made:
        yield made


def survived(
    one: Zygote, victim: str, root: Path, tries: list[Try] | None, many: int, only: int | None = None
) -> list[str]:
    """Every kill that went wrong, of those at the boundaries and of ``many`` at random moments."""
    kills = [*islice(boundaries(victim, root), only), *moments(one, victim, root, many, SEED)]
    wrong = []
    for kill in kills:
        made = tried(one, kill, root)
        if tries is not None:
            tries.append(made)
            write(tries)
        if made.wrong:
            wrong.append(f"{kill}: {made.wrong}")
    return wrong


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty estate."""
    folder = tmp_path / "estate"
    folder.mkdir()
    return folder


def test_a_few_kills(one: Zygote, root: Path) -> None:
    """The short form: the first boundaries on the way there and back, and a random moment."""
    assert survived(one, "swap", root, None, 1, only=4) == []


@pytest.fixture
def due(root: Path) -> Path:
    """An estate whose notes are backed up every minute."""
    with closing(sqlite3.connect(root / "notes.sqlite")) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)")
    return written(root, f"sqlite:{root / 'notes.sqlite'}", more=SCHEDULE)


def test_a_schedule_that_is_killed_loses_no_run_and_doubles_none(one: Zygote, due: Path) -> None:
    """The short form: around the queueing, around the note of it, and at the beginning of the run."""
    assert survived(one, "served backup", due, None, 1, only=5) == []


@pytest.mark.torture
def test_a_schedule_that_is_served(one: Zygote, due: Path, tries: list[Try]) -> None:
    assert survived(one, "served backup", due, tries, MANY) == []


@pytest.mark.torture
def test_files_that_are_replaced_together(one: Zygote, root: Path, tries: list[Try]) -> None:
    assert survived(one, "swap", root, tries, MANY) == []


@pytest.mark.torture
def test_a_backup(one: Zygote, server: RunningPostgresql, root: Path, tries: list[Try]) -> None:
    written(root, f"postgresql://postgres@/bank?host={server.socket}")
    assert survived(one, "backup run", root, tries, MANY) == []


@pytest.mark.torture
def test_what_is_removed_of_backups(one: Zygote, root: Path, tries: list[Try]) -> None:
    (root / "data").mkdir()
    (root / "data" / "file").write_text("x" * 1000)
    keep = "keep = { at-least = 2, daily = 1, weekly = 0, monthly = 0 }\n"
    written(root, f"files:{root / 'data'}", more=keep)
    assert survived(one, "backup prune", root, tries, MANY) == []


@pytest.mark.torture
def test_a_restore_over_a_database(one: Zygote, root: Path, tries: list[Try]) -> None:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        written(root, f"postgresql://postgres@/bank?host={running.socket}", more="hashes = true\n")
        assert survived(one, "backup restore", root, tries, MANY) == []


@pytest.mark.torture
def test_a_restore_over_a_file(one: Zygote, root: Path, tries: list[Try]) -> None:
    (root / "data").mkdir()
    written(root, f"sqlite:{root / 'data' / 'notes.sqlite'}", more="hashes = true\n")
    assert survived(one, "backup restore of a file", root, tries, MANY) == []


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An estate with a PostgreSQL that somebody lives on."""
    root = tmp_path_factory.mktemp("lived") / "estate"
    root.mkdir()
    with Scratch(base=in_memory()) as scratch:
        settle(root, scratch, *(Postgresql(chosen("postgresql", version), scratch) for version in (OLD, NEW)))
        yield root
        Upgrade(root).end()


@pytest.mark.torture
@pytest.mark.parametrize("victim", ["upgrade by copy", "upgrade by link"])
def test_an_upgrade(one: Zygote, lived: Path, tries: list[Try], victim: str) -> None:
    assert survived(one, victim, lived, tries, MANY // 3) == []


@pytest.fixture(scope="module")
def arrived(lived: Path) -> Path:
    """The same, upgraded in both modes, with its doors shut."""
    for upgrade in (Upgrade, LinkedUpgrade):
        arrive(lived, upgrade)
    return lived


@pytest.mark.torture
@pytest.mark.parametrize("victim", ["upgrade open", "rollback by copy", "rollback by link"])
def test_the_ways_on_and_back(one: Zygote, arrived: Path, tries: list[Try], victim: str) -> None:
    assert survived(one, victim, arrived, tries, MANY // 3) == []


@pytest.mark.torture
def test_a_drill(one: Zygote, server: RunningPostgresql, root: Path, tries: list[Try]) -> None:
    copies = root.parent / "copies" / "bank"
    copies.mkdir(parents=True)
    (root / "bank.yaml").write_text(ESTATE)
    (root / "shoreup.toml").write_text(SETTINGS.format(folder=copies.parent))
    assert server.dump(copies / "bank-2026-11-22.sql", "bank", Form.PLAIN).well
    try:
        assert survived(one, "drill", root, tries, MANY // 3) == []
    finally:
        Drill(root).end()
