"""What a backup costs beside ``pg_dump | zstd`` by hand, on the same database, in turns.

    python bench/backup.py [--megabytes 1000] [--rounds 5]

Four ways take turns: the two programs in a pipe, our stream with rows counted in the dump's snapshot, with content
hashed too, and by the whole operation, which reads everything back. Each of ours is a process of its own, so that its
memory can be seen. Clock times on a busy machine lie: processor time of everything together, the server's included,
stands beside them, and ratios are of medians of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, sleep

from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Scratch
from shoreup.operations.backup.plan import GIVEN, Plan, Spec, StoreSpec
from shoreup.operations.backup.running import COPY, backup_run
from shoreup.operations.steps import Operation, Run, carry_out

TABLES = 4
ROW_BYTES = 175
"""Of a row as the dump writes it."""
STREAM_GOAL, HASHES_GOAL = 1.1, 0.6
"""Times by hand: the stream with counted rows, and how much more with hashes."""
MEMORY_GOAL = 200e6
HAND, COUNTED, HASHED, WHOLE = "pg_dump | zstd", "stream, counted", "stream, hashed", "whole, read back"


def fill(server: RunningPostgresql, megabytes: int) -> None:
    """Make tables that hold what tables hold: keys, times, amounts, some text that repeats and some that does not."""
    rows = megabytes * 1_000_000 // ROW_BYTES // TABLES
    server.create("bank")
    for number in range(TABLES):
        with server.connect("bank") as connection:
            connection.execute(
                f"CREATE TABLE entry_{number} AS SELECT g AS id, g % 5000 AS account, "
                "timestamptz '2026-01-01' + g * interval '1 second' AS at, "
                "(random() * 100000)::numeric(12,2) AS amount, "
                "md5(g::text) || md5((g + 1)::text) AS reference, "
                "'transfer between accounts of the same bank, booked ' || (g % 31) AS note "
                f"FROM generate_series(1, {rows}) g"
            )
            connection.execute(f"ALTER TABLE entry_{number} ADD PRIMARY KEY (id)")
            connection.execute(f"VACUUM (ANALYZE, FREEZE) entry_{number}")


def server_seconds(server: RunningPostgresql) -> float:
    """The processor time of the server's sessions that have ended; those that are just ending are waited for."""
    seen = -1
    while seen != (seen := _reaped(server.server.main)):
        sleep(0.3)
    return seen / os.sysconf("SC_CLK_TCK")


def _reaped(process: int) -> int:
    """The processor time of children that ended, in ticks."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(words[13]) + int(words[14])


def by_hand(server: RunningPostgresql, folder: Path, program: Path) -> dict[str, float]:
    """The two programs in a pipe, and the file flushed."""
    target = folder / "by-hand.zst"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = monotonic()
    with target.open("wb") as file:
        dump = subprocess.Popen(
            [program, "-h", server.socket, "-U", "postgres", "bank"],
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )
        subprocess.run(["zstd", "-q", "-c"], stdin=dump.stdout, stdout=file, check=True)
        assert dump.wait() == 0
        os.fsync(file.fileno())
    seconds = monotonic() - began
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    target.unlink()
    return {"seconds": seconds, "processor": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, "memory": 0}


def ours(server: RunningPostgresql, folder: Path, way: str) -> dict[str, float]:
    """One of our ways, in a process of its own."""
    words = [sys.executable, __file__, "--once", way, "--socket", str(server.socket), "--folder", str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told: dict[str, float] = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {**told, "memory": used.ru_maxrss * 1024}


def once(way: str, socket: str, folder: Path) -> None:
    """Carry it out here, and print what it took."""
    spec = Spec(
        "bank", f"postgresql://postgres@/bank?host={socket}", StoreSpec(str(folder / "store")), hashes=way == HASHED
    )
    operation = backup_run()
    steps = (
        operation.steps if way == WHOLE else operation.steps[: [one.name for one in operation.steps].index(COPY) + 1]
    )
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = Run("bench", {GIVEN: spec.plain(), "estate": str(folder)}, Path(place))
        used = _used()
        began = monotonic()
        carry_out(Operation(operation.name, steps), run)
        seconds, processor = monotonic() - began, _used() - used
    shelf = Plan(spec, folder).shelf()
    size = max(one.size or 0 for one in shelf.store.entries("bank"))
    for one in shelf.store.entries("bank"):
        shelf.store.remove(one.name)
    print(json.dumps({"seconds": seconds, "processor": processor, "bytes": size}))


def _used() -> float:
    both = [resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def main() -> int:
    """Make the database, measure in turns, print the table, and say by the exit code whether the goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--once", help=argparse.SUPPRESS)
    parser.add_argument("--socket", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        once(asked.once, asked.socket, asked.folder)
        return 0
    choice = choose(Wanted("postgresql", "17"))
    if isinstance(choice, NoProvider):
        sys.exit(f"not run: {choice}")
    options = PostgresqlOptions(memory=2 << 30)
    with (
        tempfile.TemporaryDirectory() as folder,
        Scratch() as scratch,
        Postgresql(choice, scratch, options).start() as server,
    ):
        fill(server, asked.megabytes)
        place = Path(folder)
        (place / "store").mkdir()
        seen: dict[str, list[dict[str, float]]] = {HAND: [], COUNTED: [], HASHED: [], WHOLE: []}
        for number in range(asked.rounds + 1):
            # In another order each round: what one way leaves to the disk is paid by the next.
            for way in Random(number).sample(list(seen), len(seen)):
                before = server_seconds(server)
                one = (
                    by_hand(server, place, choice.installation.program("pg_dump"))
                    if way == HAND
                    else ours(server, place, way)
                )
                one["processor"] += server_seconds(server) - before
                if number:  # the first round warms caches
                    seen[way].append(one)
        show(seen, asked.megabytes)
        return 0 if reached(seen) else 1


def show(seen: dict[str, list[dict[str, float]]], megabytes: int) -> None:
    """The table."""
    print(f"about {megabytes} MB of dump, {len(seen[HAND])} rounds in turns\n")
    print(
        "| | median | fastest | processor time | ratio (median) | ratio (processor) | memory |\n"
        "|---|---|---|---|---|---|---|"
    )
    hand = {key: median(one[key] for one in seen[HAND]) for key in ("seconds", "processor")}
    for way, found in seen.items():
        seconds, processor = (median(one[key] for one in found) for key in ("seconds", "processor"))
        memory = f"{max(one['memory'] for one in found) / 1e6:.0f} MB" if way != HAND else ""
        print(
            f"| {way} | {seconds:.2f} s | {min(one['seconds'] for one in found):.2f} s | {processor:.2f} s "
            f"| {seconds / hand['seconds']:.2f} | {processor / hand['processor']:.2f} | {memory} |"
        )


def reached(seen: dict[str, list[dict[str, float]]]) -> bool:
    """Whether the goals are reached, by the clock."""
    hand, counted, hashed = (median(one["seconds"] for one in seen[way]) for way in (HAND, COUNTED, HASHED))
    memory = max(one["memory"] for found in seen.values() for one in found)
    return counted <= STREAM_GOAL * hand and hashed - counted <= HASHES_GOAL * hand and memory < MEMORY_GOAL


if __name__ == "__main__":
    sys.exit(main())
