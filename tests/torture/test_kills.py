"""Killed with -9 anywhere, an operation leaves the world as it was before or as it is after, never between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from backups_here import written
from engines_here import chosen
from shoreup.engines.postgresql import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from torture.killing import Kill, Try, boundaries, moments, tried, write, zygote

MANY = int(os.environ.get("TORTURE", "150"))
"""Random moments for each operation."""
SEED = int(os.environ.get("TORTURE_SEED", "20261123"))


@pytest.fixture(scope="module")
def tries() -> Iterator[list[Try]]:
    """All of them, for the report."""
    made: list[Try] = []
    yield made
    if made:
        write(made)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        running.create("bank")
        with running.connect("bank") as connection:
            connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, note text)")
            connection.execute("INSERT INTO account SELECT g, 100, md5(g::text) FROM generate_series(1, 60000) g")
        yield running


def survived(kills: list[Kill], root: Path, tries: list[Try]) -> list[str]:
    """Every kill that went wrong."""
    with zygote(root.parent / "state") as one:
        made = [tried(one, kill, root) for kill in kills]
    tries += made
    return [f"{one.kill}: {one.wrong}" for one in made if one.wrong]


def test_a_few_kills(tmp_path: Path) -> None:
    """The short form: each boundary on the way there, some on the way back, a few random moments."""
    root = tmp_path / "estate"
    root.mkdir()
    kills = [*islice(boundaries("swap", root), 4), *moments("swap", root, 2, 0.6, SEED)]
    assert survived(kills, root, []) == []


@pytest.mark.torture
def test_files_that_are_replaced_together(tmp_path: Path, tries: list[Try]) -> None:
    root = tmp_path / "estate"
    root.mkdir()
    assert survived([*boundaries("swap", root), *moments("swap", root, MANY, 0.8, SEED)], root, tries) == []


@pytest.mark.torture
def test_a_backup(server: RunningPostgresql, tmp_path: Path, tries: list[Try]) -> None:
    root = tmp_path / "estate"
    root.mkdir()
    written(root, f"postgresql://postgres@/bank?host={server.socket}")
    kills = [*boundaries("backup run", root), *moments("backup run", root, MANY, 1.6, SEED)]
    assert survived(kills, root, tries) == []
