"""Measures Shoreup beside Checkov: same tree, same cores, one after the other, medians.

Three things are measured: a run that knows nothing (`--no-cache`), a run that finds its cache, and Checkov as its
users start it, held to the frameworks that both read and kept off the network. They take turns, so that a busy
moment of the machine hits all of them. After that one large estate shows whether time grows with size alone.

The machine's file cache is warm for everybody: the first round of each is run and thrown away.
Checkov lives in an environment of its own, so that neither can change what the other imports.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace  # noqa: TID251  # its own dataclasses
from pathlib import Path

BENCH = Path(__file__).parent
PROJECT = BENCH.parent
WORK = PROJECT / ".bench"
CHECKOV = "checkov==3.3.30"
CHECKOV_OPTIONS = ("--skip-download", "--framework", "terraform", "kubernetes", "--quiet", "--compact", "-o", "json")
COLD_TARGET, WARM_TARGET = 15, 50
GROWTH_FILES, GROWTH_RESOURCES, GROWTH_YAML = 10_000, 60_000, 0.2
GROWTH_SECONDS, GROWTH_MEGABYTES = 60, 1536
FIX_FILES, FIX_RATIO = 1_800, 3  # an estate with more than five hundred findings that edits cure
HELP_SECONDS = 0.15
GROWTH_PATIENCE = 300  # seconds; after that the number no longer matters
PATIENCE = 900
FIRST_SAMPLE, LAST_SAMPLE = 0.05, 1.0  # seconds between looks at the memory; a look at a large process costs it time
FINISHED = (0, 1, 6)  # both tools: 1 says that something was found, 6 that a fix was dropped


class CouldNotMeasure(Exception):
    """What to do about it is the message."""


@dataclass(frozen=True)
class Run:
    """One run: seconds by the clock and of all its processors, the peak memory of its processes in MB, its output."""

    seconds: float
    processor_seconds: float
    megabytes: float
    output: bytes


@dataclass(frozen=True)
class Series:
    name: str
    runs: tuple[Run, ...]
    findings: int

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def megabytes(self) -> float:
        return max(run.megabytes for run in self.runs)


# ---- one run --------------------------------------------------------------------------------------------------------


class MemoryWatch(threading.Thread):
    """The largest sum of the memory of a process and all that it started, in MB.

    Pages that several processes share are counted once (Pss), where the kernel says so.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        pause = FIRST_SAMPLE
        while not self._ended.wait(pause):
            self.peak = max(self.peak, sum(map(self._megabytes, self._family(self._pid))))
            pause = min(pause * 1.2, LAST_SAMPLE)

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def _family(self, pid: int) -> list[int]:
        family = [pid]
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                children = task.read_text().split()
            except OSError:
                continue  # it has ended
            for child in children:
                family += self._family(int(child))
        return family

    def _megabytes(self, pid: int) -> float:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0.0
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
    *,
    watched: bool = True,
) -> Run:
    """Raises CouldNotMeasure where the command does not end as its tool ends, or not within `patience` seconds.

    A look at the memory stops what is looked at, and takes a processor from it: what is timed is not watched.
    """
    name = Path(command[0]).name
    begun, worked = time.perf_counter(), _children_seconds()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    watch = MemoryWatch(process.pid)
    if watched:
        watch.start()
    try:
        output, complaint = process.communicate(timeout=patience)
    except BaseException as interruption:
        os.killpg(process.pid, signal.SIGKILL)  # all that it started, and nothing else: the session is its own
        process.communicate()
        if isinstance(interruption, subprocess.TimeoutExpired):
            raise CouldNotMeasure(f"{name} was still running after {patience:.0f} s") from None
        raise
    finally:
        seconds = time.perf_counter() - begun
        if watched:
            watch.stop()
    if process.returncode not in FINISHED:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["and says nothing"]
        raise CouldNotMeasure(f"{name} ends with {process.returncode}: {last[0]}")
    return Run(seconds, _children_seconds() - worked, watch.peak, output)


def _children_seconds() -> float:
    """Processor time of all that was started here, directly or not, and has ended."""
    times = os.times()
    return times.children_user + times.children_system


# ---- the two tools --------------------------------------------------------------------------------------------------


def checkov() -> Path:
    """Installed on the first use; that takes the network and a minute or two."""
    home = WORK / "venv"
    program = home / "bin" / "checkov"
    stamp = home / "installed"
    if not (program.exists() and stamp.exists() and stamp.read_text() == CHECKOV):
        print(f"installing {CHECKOV} into {home.relative_to(PROJECT)} ...", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        installed = subprocess.run(
            [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CHECKOV],
            capture_output=True,
            text=True,
        )
        if installed.returncode:
            last = installed.stderr.strip().splitlines()[-1:] or ["pip says nothing"]
            raise CouldNotMeasure(f"{CHECKOV} cannot be installed ({last[0]}); --alone measures without it")
        stamp.write_text(CHECKOV)
    return program


def run_checkov(program: Path, tree: Path, *, watched: bool = True) -> Run:
    quiet = {"LOG_LEVEL": "CRITICAL", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false", "NO_COLOR": "1"}
    return run([program, *CHECKOV_OPTIONS, "-d", tree], quiet, watched=watched)


def run_shoreup(program: Path, tree: Path, *options: str, patience: float = PATIENCE, watched: bool = True) -> Run:
    # its own cache folder: a measurement must not find what an earlier audit of its user left behind
    cache = {"XDG_CACHE_HOME": str(WORK / "cache")}
    return run([program, "audit", tree, "--format", "json", *options], cache, patience, watched=watched)


def findings_of_checkov(output: bytes) -> int:
    parsed = json.loads(output)
    reports = parsed if isinstance(parsed, list) else [parsed]
    return sum(report.get("summary", report).get("failed", 0) for report in reports)


def findings_of_shoreup(output: bytes) -> int:
    return len(json.loads(output)["findings"])


# ---- the trees ------------------------------------------------------------------------------------------------------


def generated(*options: str) -> Path:
    """A generated estate; made again when the generator has changed, and the large one only once."""
    sources = sorted([*BENCH.glob("[!r]*.py"), *BENCH.rglob("*.t*")])
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in sources) + " ".join(options).encode()).hexdigest()[:12]
    target = WORK / "estates" / mark
    if not target.exists():
        making = target.with_suffix(f".{os.getpid()}")
        made = subprocess.run([sys.executable, BENCH / "generate.py", making, *options], capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(making, ignore_errors=True)
            raise CouldNotMeasure(f"the estate could not be made: {made.stderr.strip()}")
        making.rename(target)
    return target


def described(tree: Path) -> str:
    files = [path for path in tree.rglob("*") if path.suffix in (".tf", ".yaml", ".yml") and path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return f"{len(files)} files, {size / 1e6:.2f} MB"


# ---- the measurements -----------------------------------------------------------------------------------------------


def compared(shoreup: Path, other: Path | None, tree: Path, rounds: int) -> list[Series]:
    cold: list[Run] = []
    warm: list[Run] = []
    others: list[Run] = []
    for number in range(rounds + 1):
        watched = number == 0  # thrown away but for the memory
        cold.append(run_shoreup(shoreup, tree, "--no-cache", watched=watched))
        warm.append(run_shoreup(shoreup, tree, watched=watched))
        if other is not None:
            others.append(run_checkov(other, tree, watched=watched))
        print(f"round {number} of {rounds} done" + (" (only its memory counts)" if watched else ""), file=sys.stderr)
    series = [
        Series("shoreup, cold", timed(cold), findings_of_shoreup(cold[-1].output)),
        Series("shoreup, warm", timed(warm), findings_of_shoreup(warm[-1].output)),
    ]
    if series[0].findings != series[1].findings:
        raise CouldNotMeasure("the cache changes what is found: that is a bug of Shoreup, and times mean nothing")
    if others:
        series.append(Series("checkov", timed(others), findings_of_checkov(others[-1].output)))
    return series


def timed(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs after the first, with the memory of the first, which alone was watched."""
    return tuple(replace(one, megabytes=runs[0].megabytes) for one in runs[1:])


def table(series: Sequence[Series]) -> str:
    slow = next((one for one in series if one.name == "checkov"), None)
    lines = [f"{'':<16}{'median':>9}{'fastest':>9}{'slowest':>9}{'memory':>9}{'findings':>10}{'ratio':>8}"]
    for one in series:
        times = [run.seconds for run in one.runs]
        ratio = f"{slow.seconds / one.seconds:.1f}x" if slow is not None and one is not slow else ""
        lines.append(
            f"{one.name:<16}{one.seconds:>8.2f}s{min(times):>8.2f}s{max(times):>8.2f}s"
            f"{one.megabytes:>6.0f} MB{one.findings:>10}{ratio:>8}"
        )
    return "\n".join(lines)


def missed(series: Sequence[Series]) -> list[str]:
    slow = next((one for one in series if one.name == "checkov"), None)
    if slow is None:
        return []
    return [
        f"{one.name}: {slow.seconds / one.seconds:.1f} times faster, {target} wanted"
        for one, target in zip(series, (COLD_TARGET, WARM_TARGET), strict=False)
        if slow.seconds / one.seconds < target
    ]


def growth(shoreup: Path, small: Series | None) -> list[str]:
    tree = generated(
        "--files", str(GROWTH_FILES), "--resources", str(GROWTH_RESOURCES), "--yaml", str(GROWTH_YAML)
    )  # fmt: skip
    try:
        large = run_shoreup(shoreup, tree, "--no-cache", patience=GROWTH_PATIENCE)
    except CouldNotMeasure as trouble:
        return [f"growth: {trouble}; {GROWTH_SECONDS} s wanted"]
    print(
        f"\ngrowth: {described(tree)}, {GROWTH_RESOURCES} resources\n"
        f"  cold {large.seconds:.1f}s, {large.processor_seconds:.1f}s of processor time, {large.megabytes:.0f} MB, "
        f"{findings_of_shoreup(large.output)} findings"
        + (f"; {large.seconds / small.seconds:.0f} times the time of the tree above" if small else "")
    )
    troubles = []
    if large.seconds > GROWTH_SECONDS:
        troubles.append(f"growth: {large.seconds:.0f} s, {GROWTH_SECONDS} wanted")
    if large.megabytes > GROWTH_MEGABYTES:
        troubles.append(f"growth: {large.megabytes:.0f} MB, {GROWTH_MEGABYTES} wanted")
    return troubles


def fixing(shoreup: Path, tree: Path, rounds: int) -> list[str]:
    """The whole of `fix` beside the cold audit that it begins with, in turns."""
    audits, fixes = [], []
    for _ in range(rounds):
        audits.append(run_shoreup(shoreup, tree, "--no-cache"))
        fixes.append(run([shoreup, "fix", tree, "--unsafe", "--format", "json"]))
    audit, fix = (statistics.median(one.seconds for one in some) for some in (audits, fixes))
    told = json.loads(fixes[-1].output)
    print(
        f"\nfix: {described(tree)}; {len(told['applied'])} fixes hold, {len(told['dropped'])} dropped\n"
        f"  cold audit {audit:.2f}s, fix {fix:.2f}s ({max(one.megabytes for one in fixes):.0f} MB): "
        f"{fix / audit:.1f} times"
    )
    return [f"fix: {fix / audit:.1f} times the cold audit, {FIX_RATIO} wanted"] if fix / audit > FIX_RATIO else []


def start(shoreup: Path, rounds: int) -> list[str]:
    seconds = statistics.median(run([shoreup, "--help"]).seconds for _ in range(max(rounds, 5)))
    print(f"\nshoreup --help: {seconds:.3f}s")
    return [f"--help takes {seconds:.3f} s, {HELP_SECONDS} wanted"] if seconds > HELP_SECONDS else []


def measure(chosen: argparse.Namespace) -> list[str]:
    """Prints everything; returns what is slower or larger than wanted."""
    shoreup = Path(chosen.shoreup)
    if not shoreup.exists():
        raise CouldNotMeasure(f"{shoreup} is not there; run `make setup` first")
    if chosen.growth:
        return growth(shoreup, None)
    tree = Path(chosen.tree).resolve() if chosen.tree else generated("--files", "330")
    if not tree.is_dir():
        raise CouldNotMeasure(f"{tree} is not a folder; name another TREE")
    if chosen.only_fix:
        return fixing(shoreup, tree if chosen.tree else generated("--files", str(FIX_FILES)), chosen.rounds)
    other = None if chosen.alone else checkov()

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    origin = tree.name if chosen.tree else "generated"
    print(f"{origin}: {described(tree)}; {cores} cores; {chosen.rounds} rounds; {CHECKOV}\n")
    series = compared(shoreup, other, tree, chosen.rounds)
    print(table(series))
    troubles = missed(series) + start(shoreup, chosen.rounds)
    troubles += fixing(shoreup, tree if chosen.tree else generated("--files", str(FIX_FILES)), chosen.rounds)
    if not chosen.no_growth:
        troubles += growth(shoreup, series[0])
    return troubles


def main() -> int:
    options = argparse.ArgumentParser(description="Measures Shoreup beside Checkov on the same tree.")
    options.add_argument(
        "--tree", default=os.environ.get("TREE"), help="a real estate (or TREE=); else a generated one"
    )
    options.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "3")), help="or ROUNDS=")
    options.add_argument("--shoreup", default=str(PROJECT / ".venv" / "bin" / "shoreup"), help="the program to measure")
    options.add_argument("--alone", action="store_true", help="without Checkov")
    options.add_argument("--growth", action="store_true", help="only the estate of 10,000 files")
    options.add_argument("--no-growth", action="store_true", help="without the estate of 10,000 files")
    options.add_argument("--only-fix", action="store_true", help="only `fix` beside the audit")
    options.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = options.parse_args()
    if chosen.rounds < 1:
        options.error("--rounds must be at least 1")
    WORK.mkdir(exist_ok=True)
    try:
        troubles = measure(chosen)
    except CouldNotMeasure as trouble:
        print(f"could not measure: {trouble}", file=sys.stderr)
        return 2
    for miss in troubles:
        print(f"MISSED {miss}")
    return 1 if troubles and chosen.check else 0


if __name__ == "__main__":
    sys.exit(main())
