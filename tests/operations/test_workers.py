"""Workers that share a queue on a PostgreSQL server: nothing is lost and nothing doubled, whoever dies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from time import sleep

import pytest

from engines_here import chosen
from operating import NAMES, PATIENCE, Elsewhere, elsewhere, executing, world
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.model.errors import UserError
from shoreup.model.run import State
from shoreup.operations.inheritance import resume
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import Place, locate
from shoreup.operations.workflows import Executor


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgresql]:
    with Scratch() as scratch, Postgresql(chosen("postgresql", "17"), scratch).start() as running:
        yield running


@pytest.fixture
def place(server: RunningPostgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The runs of an empty estate, on the server."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "estate"
    root.mkdir()
    name = f"runs_{tmp_path.name.replace('-', '_')}"[:60]
    server.create(name)
    return locate(root, f"postgresql://postgres@/{name}?host={server.socket}", asked=True)


def queued(executor: Executor, many: int, **given: float) -> list[str]:
    return [executor.queue(executor.asked("write", f"file {one}", given, waits=True)) for one in range(many)]


def worker(place: Place) -> Elsewhere:
    return elsewhere(place.root, "work", "4", url=place.url)


def test_a_worker_that_dies_gives_its_runs_back(place: Place) -> None:
    with executing(place) as executor:
        runs = queued(executor, 24, takes=0.05)
        first, second = worker(place), worker(place)
        while len(world(place.root)) < 12:
            sleep(0.02)
        first.kill()
        ended = [executor.wait(run).ended for run in runs]
        second.tell_to_stop()
        assert second.code(20) == 0
    assert set(ended) == {Ended.DONE}
    again = 0
    for run in runs:
        steps = world(place.root, run)
        assert [step for step, _ in groupby(steps)] == list(NAMES), "in order, each before the next"
        again += len(steps) - len(NAMES)
    assert again <= 4, "only what the dead worker was in the middle of"


def test_runs_on_one_subject_follow_each_other(place: Place) -> None:
    with executing(place) as executor:
        runs = [executor.queue(executor.asked("write", "one file", {"takes": 0.02}, waits=True)) for _ in range(3)]
        work = worker(place)
        for run in runs:
            assert executor.wait(run).ended is Ended.DONE
        work.kill()
    seen = [line.split()[0] for line in world(place.root)]
    assert [run for run, _ in groupby(seen)] == sorted(set(seen), key=seen.index), "never two at once"


def test_the_same_id_is_queued_once(place: Place) -> None:
    with executing(place) as executor:
        asked = executor.asked("write", "files", {}, waits=True)
        assert executor.queue(asked, run="nightly-1") == executor.queue(asked, run="nightly-1")
        assert len(executor.runs.all()) == 1


def test_a_worker_that_the_server_loses_for_a_moment_keeps_its_runs(place: Place, server: RunningPostgresql) -> None:
    with executing(place) as executor:
        with server.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        assert executor.leases.living(executor.name)
        executor.leases.confirm()
        assert executor.wait(executor.begin(executor.asked("write", "files", {}))).ended is Ended.DONE


def test_a_database_that_goes_away_and_comes_back_stops_no_run(place: Place, server: RunningPostgresql) -> None:
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    gone = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    with executing(place) as executor:
        run = executor.begin(executor.asked("write", "files", {"takes": 0.4}))
        for step in NAMES:
            while f"{run} {step}" not in world(place.root):
                sleep(0.02)
            with server.connect(place.url.partition("@/")[2].partition("?")[0]) as connection:
                connection.execute(gone)
        assert executor.wait(run).ended is Ended.DONE
    assert world(place.root, run) == list(NAMES)


def test_what_a_machine_has_begun_waits_for_it(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = elsewhere(place.root, "run", url=place.url, DIES_AT="two")
    run = process.said()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    with executing(locate(place.root, place.url, asked=True)) as executor:
        with pytest.raises(UserError, match=r"where its files are"):
            resume(executor, run)
        assert executor.runs.one(run).state is State.INTERRUPTED
    with executing(place, patience=2 * PATIENCE) as executor:
        resume(executor, run)
        assert executor.wait(run).ended is Ended.DONE
