"""What a restore drill costs beside ``pg_restore`` by hand, on the same dump with the same jobs, in turns.

    python bench/restore.py [--megabytes 1000] [--rounds 3] [--jobs 2]

By hand means a scratch server with the same settings, an empty database and ``pg_restore --jobs``. Ours is the restore
phase of the drill, and after it the comparison of every table by rows and content. Clock times on a busy machine lie:
processor time of everything together, the server's included, stands beside them, and ratios are of medians of one run.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic

from backup import fill, server_seconds

from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.of_postgresql import DumpTarget, PostgresqlCopies
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.postgresql.server import Postgresql, RunningPostgresql
from shoreup.engines.scratch import Scratch

RESTORE_GOAL, COMPARE_GOAL = 1.1, 0.5
HAND, DRILL, COMPARE = "pg_restore by hand", "the drill's restore", "every table compared"
PLACE = "restored"

Seconds = dict[str, list[tuple[float, float]]]
"""By the clock and of processors, of each round."""


@contextmanager
def timed(seconds: Seconds, what: str, server: Callable[[], RunningPostgresql]) -> Iterator[None]:
    """Measure one thing, with the work of the server's sessions that ended in it."""
    before = children() + server_seconds(server())
    began = monotonic()
    yield
    took = monotonic() - began
    seconds.setdefault(what, []).append((took, children() + server_seconds(server()) - before))


def children() -> float:
    """The processor time of the programs that we started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_hand(choice: Choice, dump: Path, jobs: int, seconds: Seconds) -> None:
    """Restore as a person would."""
    with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
        server.create(PLACE)
        command = [server.program("pg_restore"), f"--host={server.socket}", "--username=postgres"]
        with timed(seconds, HAND, lambda: server):
            subprocess.run([*command, f"--dbname={PLACE}", f"--jobs={jobs}", dump], check=True)


def by_drill(choice: Choice, dump: Path, jobs: int, seconds: Seconds) -> int:
    """Restore and compare as the drill does; how many rows came back."""
    copy = Copy(dump, jobs=jobs)
    with Scratch() as scratch, PostgresqlCopies().serve(choice, scratch, copy) as target:
        assert isinstance(target, DumpTarget)
        server = target.server
        with timed(seconds, DRILL, lambda: server):
            assert target.load(dump, PLACE) == ()
        with timed(seconds, COMPARE, lambda: server):
            return sum(one.rows for one in target.holds(PLACE).contents)


def main() -> int:
    """Measure, print, and say by the exit code whether the goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    choice = choose(Wanted("postgresql", "17"))
    if isinstance(choice, NoProvider):
        print(choice, file=sys.stderr)
        return 2
    seconds: Seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        dump = Path(folder) / "bank.dump"
        with Scratch() as scratch, Postgresql(choice, scratch).start() as server:
            fill(server, asked.megabytes)
            assert server.dump(dump, "bank").well
        dump.chmod(0o644)
        rows = 0
        for _ in range(asked.rounds):
            by_hand(choice, dump, asked.jobs, seconds)
            rows = by_drill(choice, dump, asked.jobs, seconds)
        size = dump.stat().st_size / 1e6
    print(f"{asked.megabytes} MB of data, {rows} rows, a dump of {size:.0f} MB, {asked.jobs} jobs\n")
    print("| | clock | processor | ratio by clock | ratio by processor |\n|---|---|---|---|---|")
    reached = True
    for what, beside, goal in ((HAND, HAND, 0.0), (DRILL, HAND, RESTORE_GOAL), (COMPARE, HAND, COMPARE_GOAL)):
        clock, work = (median(one[at] for one in seconds[what]) for at in (0, 1))
        by_clock, by_work = (mine / median(one[at] for one in seconds[beside]) for at, mine in enumerate((clock, work)))
        ratios = f"{by_clock:.2f} | {by_work:.2f}" if goal else " | "
        print(f"| {what} | {clock:.1f} s | {work:.1f} s | {ratios} |")
        reached = reached and (not goal or by_clock <= goal)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
