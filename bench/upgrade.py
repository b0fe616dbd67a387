"""How long nobody is served while a PostgreSQL goes to its next major version by link: ours, and the bare programs.

    python bench/upgrade.py [--tables 200] [--rounds 5] [--from 15] [--to 17]

In turns, on copies of one cluster: ``pg_ctl stop``, ``pg_upgrade --link``, ``pg_ctl start`` by hand with the new
cluster made before, and ``shoreup upgrade postgres run`` as the durable operation that it is. A client in a process of
its own inserts a row every few milliseconds over the server's public socket; what counts is the time from the last
insert that was taken to the first one that is taken again. Clock times on a busy machine lie, so look at the ratio of
the medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from shoreup.engines.choosing import NoProvider, Wanted, choose
from shoreup.engines.postgresql.cluster import Owner, own_cluster
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch
from shoreup.operations.places import locate
from shoreup.stages.running.operating import operate

PORT = 5432
GOAL = 1.3


class Bench:
    """One old cluster, copied for every turn."""

    def __init__(self, scratch: Scratch, old: str, new: str, tables: int) -> None:
        self.version = new
        self.old, self.new = programs(old, scratch), programs(new, scratch)
        self.room = scratch.make("bench")
        self.owner = Owner(self.room, self.room)
        self.master = self.room / "master"
        self.data = self.room / "data"
        self.must(self.old / "initdb", "-D", self.master, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8")
        with (self.master / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{self.room}'\nport = {PORT}\n")
        cluster = own_cluster(self.master, self.old)
        cluster.start(self.room / "log")
        cluster.tell("postgres", "CREATE TABLE beat (at timestamptz)")
        for number in range(tables):
            cluster.tell(
                "postgres",
                f"CREATE TABLE entry_{number} AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 2000) g",
            )
        cluster.stop()

    def must(self, *words: str | Path) -> None:
        finished = self.owner.run(words, seconds=3600)
        if not finished.well:
            sys.exit(f"{finished.program}: {finished.said or finished.output.decode()}")

    def turn(self, way: Callable[[Bench], None]) -> float:
        """The seconds for which nobody was served in one way."""
        self.must("cp", "-a", self.master, self.data)
        own_cluster(self.data, self.old).start(self.room / "log")
        beats = self.room / "beats"
        with beats.open("w") as file:
            client = subprocess.Popen([sys.executable, __file__, "--beat", self.room], stdout=file)
        try:
            while not beats.read_text().count("\n") > 20:
                sleep(0.05)
            way(self)
            taken = beats.read_text().count("\n")
            while beats.read_text().count("\n") < taken + 20:
                sleep(0.05)
        finally:
            client.kill()
            client.wait()
        times = [float(line) for line in beats.read_text().splitlines()]
        own_cluster(self.data, self.new).stop("immediate")
        for left in self.room.iterdir():
            if left.name.startswith((".data", "data")):
                shutil.rmtree(left)
        return max(after - before for before, after in pairwise(times))


def programs(version: str, scratch: Scratch) -> Path:
    choice = choose(Wanted("postgresql", version))
    if isinstance(choice, NoProvider):
        sys.exit(f"not run: {choice}")
    return Postgresql(choice, scratch).program("postgres").parent


def by_hand(bench: Bench) -> None:
    """What a person does who has read the manual, with everything ready that can be."""
    new = bench.room / "data-new"
    bench.must(bench.new / "initdb", "-D", new, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8")
    shutil.copyfile(bench.data / "postgresql.conf", new / "postgresql.conf")
    cluster = own_cluster(bench.data, bench.old)
    cluster.tell("postgres", "CHECKPOINT")
    sockets = bench.owner.give(Path(tempfile.mkdtemp(prefix="shoreup-")))
    words = ["--link", "-U", "postgres", "-s", sockets, "-b", bench.old, "-B", bench.new, "-d", bench.data, "-D", new]
    cluster.stop()
    bench.must(bench.new / "pg_upgrade", *words, f"--jobs={min(4, os.cpu_count() or 1)}")
    own_cluster(new, bench.new).start(bench.room / "log")
    bench.data.rename(bench.room / "data-old")
    new.rename(bench.data)
    shutil.rmtree(sockets)


def ours(bench: Bench) -> None:
    """The durable operation."""
    given = {
        "data": str(bench.data),
        "to": bench.version,
        "mode": "link",
        "snapshot": "a bench",
        "old_bin": "",
        "new_bin": "",
    }
    given |= {"old_bin": str(bench.old), "new_bin": str(bench.new)}
    operate("upgrade postgres run", given, locate(bench.room), subject="bench")


def beat(room: str) -> None:
    """Insert a row again and again, and print when each was taken."""
    import psycopg

    while True:
        try:
            with psycopg.connect(
                host=room, port=PORT, user="postgres", dbname="postgres", autocommit=True
            ) as connection:
                while True:
                    connection.execute("INSERT INTO beat VALUES (now())")
                    print(monotonic(), flush=True)
                    sleep(0.005)
        except psycopg.Error:
            sleep(0.005)


def main() -> int:
    """Measure, print, and say by the exit code whether the goal is reached."""
    parser = argparse.ArgumentParser(description="Upgrade by link: ours and the bare programs, in turns.")
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--from", dest="old", default="15")
    parser.add_argument("--to", default="17")
    parser.add_argument("--beat", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.beat:
        beat(asked.beat)
        return 0
    with Scratch() as scratch:
        os.environ["XDG_STATE_HOME"] = str(scratch.folder / "state")
        bench = Bench(scratch, asked.old, asked.to, asked.tables)
        times: dict[str, list[float]] = {"by hand": [], "ours": []}
        for turn in range(asked.rounds):
            for name, way in (("by hand", by_hand), ("ours", ours)):
                times[name].append(bench.turn(way))
            print(f"turn {turn + 1}: " + ", ".join(f"{name} {found[-1]:.2f} s" for name, found in times.items()))
    hand, own = median(times["by hand"]), median(times["ours"])
    print(f"by hand {hand:.2f} s, ours {own:.2f} s, ratio {own / hand:.2f} (goal {GOAL})")
    return 0 if own <= GOAL * hand else 1


if __name__ == "__main__":
    sys.exit(main())
