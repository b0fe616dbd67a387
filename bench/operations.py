"""Measures workers that share a queue on PostgreSQL: how much sooner two are done than one, and what their deaths cost.

The first part is a mix that waits, as backups and drills do: on disks, on networks, on servers. One worker and two take
turns. In the second, a thousand runs are queued and one of two workers is killed with -9 again and again, and replaced.
Each step writes a line, so what was executed twice can be counted: only what a dead worker was in the middle of may be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from sqlalchemy import text

from shoreup.cli.signals import stopped_by_signals
from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.operations.library import SCHEMA
from shoreup.operations.places import Place, locate
from shoreup.operations.registry import UnknownOperation
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.workflows import Executor
from shoreup.stages.running.working import work

SLOTS = 4
PATIENCE = 3.0
GOAL = 0.6
UNENDED = "status IN ('PENDING', 'ENQUEUED')"
STEPS = ("fetch", "change", "store")


def waiting() -> Operation:
    """Three steps that write a line each and wait, all but finished or hardly begun."""

    def step(name: str) -> Step:
        def does(run: Run) -> Plain:
            with (Path(str(run.given["estate"])) / "world").open("a") as world:
                world.write(f"{run.id} {name}\n")
            time.sleep(float(str(run.given["waits"])))
            return None

        return Step(name, does, "nothing is changed")

    return Operation("wait", tuple(step(name) for name in STEPS), anywhere=True)


def find(name: str) -> Operation:
    if name != "wait":
        raise UnknownOperation(name)
    return waiting()


def worker(place: Place) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--work", str(place.root), place.url]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def queued(executor: Executor, many: int, waits: tuple[float, ...], seed: int) -> list[str]:
    chance = random.Random(seed)
    runs = []
    for number in range(many):
        given: dict[str, Plain] = {"waits": chance.choice(waits)}
        runs.append(executor.queue(executor.asked("wait", f"subject {number}", given, waits=True)))
    return runs


def unended(executor: Executor) -> int:
    with executor.records.base.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {SCHEMA}.workflow_status WHERE {UNENDED}")) or 0)


def mix(place: Place, workers: int, many: int) -> float:
    """Seconds until a waiting-bound mix is done. The workers are there before the first run is queued."""
    crew = [worker(place) for _ in range(workers)]
    with Executor(place, find=find, patience=PATIENCE) as executor:
        queued(executor, SLOTS * workers, (0.01,), 0)
        while unended(executor):
            time.sleep(0.05)
        begun = time.monotonic()
        queued(executor, many, (0.4, 0.7, 1.0), 1)
        while unended(executor):
            time.sleep(0.05)
        took = time.monotonic() - begun
    for one in crew:
        one.send_signal(signal.SIGTERM)
    for one in crew:
        one.wait(60)
    return round(took, 1)


def slaughter(place: Place, many: int, every: float) -> dict[str, object]:
    """A thousand runs, and a worker killed again and again."""
    with Executor(place, find=find, patience=PATIENCE) as executor:
        begun = time.monotonic()
        runs = queued(executor, many, (0.0, 0.005, 0.01, 0.02), 2)
        crew = [worker(place), worker(place)]
        chance, kills, next_kill = random.Random(3), 0, time.monotonic() + every
        while unended(executor):
            time.sleep(0.1)
            if time.monotonic() > next_kill:
                victim = chance.randrange(2)
                crew[victim].kill()
                crew[victim].wait()
                crew[victim] = worker(place)
                kills += 1
                next_kill = time.monotonic() + every * chance.uniform(0.6, 1.4)
        took = time.monotonic() - begun
        ended = Counter(executor.runs.one(run).state.value for run in runs)
    for one in crew:
        one.send_signal(signal.SIGTERM)
        one.wait(60)
    lines = [line.split() for line in (place.root / "world").read_text().splitlines()]
    steps: dict[str, list[str]] = {run: [] for run in runs}
    for run, step in lines:
        steps[run].append(step)
    disordered = [run for run, seen in steps.items() if [name for name, _ in groupby(seen)] != list(STEPS)]
    again = sum(len(seen) - len(STEPS) for seen in steps.values())
    return {
        "runs": many,
        "seconds": round(took, 1),
        "kills": kills,
        "ended": dict(ended),
        "lost or out of order": len(disordered),
        "steps executed again": again,
        "at most": kills * SLOTS,
    }


@contextmanager
def server() -> Iterator[RunningPostgresql]:
    choice = choose(Wanted("postgresql", "17", frozenset()))
    if isinstance(choice, NoProvider):
        raise SystemExit(f"No PostgreSQL to measure with: {choice}")
    with Scratch() as scratch, Postgresql(choice, scratch).start() as running:
        yield running


def place_on(running: RunningPostgresql, folder: Path, name: str) -> Place:
    root = folder / name
    root.mkdir()
    running.create(name)
    return locate(root, f"postgresql://postgres@/{name}?host={running.socket}", asked=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--mix", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--every", type=float, default=8.0, help="seconds between two kills")
    parser.add_argument("--work", nargs=2, metavar=("ROOT", "URL"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.work:
        with stopped_by_signals() as stop:
            place = locate(Path(told.work[0]), told.work[1], asked=True)
            work(place, stop, lambda _: None, slots=SLOTS, find=find, patience=PATIENCE)
        return 0
    with tempfile.TemporaryDirectory() as kept, server() as running:
        folder = Path(kept)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        one, two = [], []
        for number in range(told.rounds):
            one.append(mix(place_on(running, folder, f"one{number}"), 1, told.mix))
            two.append(mix(place_on(running, folder, f"two{number}"), 2, told.mix))
        ratio = statistics.median(two) / statistics.median(one)
        print(f"mix of {told.mix} runs that wait, in seconds: one worker {one}, two {two}")
        print(f"ratio {ratio:.2f}, goal {GOAL}: {'reached' if ratio <= GOAL else 'missed'}")
        done = slaughter(place_on(running, folder, "slaughter"), told.runs, told.every)
        print(json.dumps(done, indent=1))
    whole = done["ended"] == {"done": told.runs} and not done["lost or out of order"]
    few = int(str(done["steps executed again"])) <= int(str(done["at most"]))
    return 0 if ratio <= GOAL and whole and few else 1


if __name__ == "__main__":
    raise SystemExit(main())
