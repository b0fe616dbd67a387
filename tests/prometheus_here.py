"""A real Prometheus with series of known numbers. What this machine lacks is skipped by name."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC).timestamp()
"""When the questions are asked, as seconds since 1970."""
WINDOW = 2 * 24 * 3600
STEP = 300

Pod = tuple[str, str, str]
"""Namespace, pod and container."""


class Recorded:
    """One container of one pod: what it used in each step of five minutes, from ``first`` to ``last`` (seconds)."""

    def __init__(self, pod: Pod, seed: int, *, first: float = NOW - WINDOW - 3600, last: float = NOW) -> None:
        chance = random.Random(seed)
        self.pod = pod
        self.ends = range(int(first) // STEP * STEP, int(last) // STEP * STEP + 1, STEP)
        self.cores = {end: chance.lognormvariate(-2, 1) for end in self.ends}
        self.bytes = {end: int(chance.lognormvariate(19, 0.4)) for end in self.ends}

    def lines(self, name: str) -> Iterator[str]:
        """The series as OpenMetrics, a sample a minute."""
        namespace, pod, container = self.pod
        labels = f'{{namespace="{namespace}",pod="{pod}",container="{container}"}}'
        used = 0.0
        for end in self.ends:
            for minute in range(end - STEP + 60, end + 1, 60):
                used += self.cores[end] * 60
                value = f"{used:.9f}" if name == CPU else self.bytes[end]
                yield f"{name}{labels} {value} {minute}"

    def periods(self, share: float) -> Iterator[str]:
        """The scheduler's periods, ten a second, and those in which the limit stopped the container."""
        namespace, pod, container = self.pod
        labels = f'{{namespace="{namespace}",pod="{pod}",container="{container}"}}'
        for family, rate in ((PERIODS, 10.0), (THROTTLED, 10.0 * share)):
            yield f"# TYPE {family} counter"
            for index, end in enumerate(self.ends):
                yield f"{family}_total{labels} {index * STEP * rate:.3f} {end}"


PERIODS = "container_cpu_cfs_periods"
THROTTLED = "container_cpu_cfs_throttled_periods"
CPU = "container_cpu_usage_seconds_total"
MEMORY = "container_memory_working_set_bytes"


def true_quantile(of: Sequence[Mapping[int, float]], quantile: float) -> float:
    """The quantile of the largest at each step of the window, by its definition and without Prometheus."""
    steps = range(int(NOW - WINDOW) // STEP * STEP + STEP, int(NOW) + 1, STEP)
    largest = sorted(max(one[step] for one in of if step in one) for step in steps if any(step in one for one in of))
    rank = quantile * (len(largest) - 1)
    low = int(rank)
    high = min(low + 1, len(largest) - 1)
    return largest[low] + (largest[high] - largest[low]) * (rank - low)


@contextmanager
def running(folder: Path, series: Sequence[Recorded], throttled: Recorded | None = None) -> Iterator[str]:
    """A Prometheus that holds the series; gives its address. A limit stops ``throttled`` in each fourth period."""
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            pytest.skip(f"not run: {program} is not on this machine (Debian: apt install prometheus)")
    written = folder / "series.txt"
    metrics = {CPU.removesuffix("_total"): ("counter", CPU), MEMORY: ("gauge", MEMORY)}
    with written.open("w", encoding="utf-8") as file:
        for family, (kind, name) in metrics.items():
            file.write(f"# TYPE {family} {kind}\n")
            for one in series:
                file.writelines(f"{line}\n" for line in one.lines(name))
        if throttled is not None:
            file.writelines(f"{line}\n" for line in throttled.periods(0.25))
        file.write("# EOF\n")
    data = folder / "data"
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(written), str(data)],
        check=True,
        capture_output=True,
    )
    settings = folder / "prometheus.yml"
    settings.write_text("scrape_configs: []\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [
        "prometheus",
        f"--config.file={settings}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(arguments, stdout=out, stderr=out) as server:
        try:
            _ready(f"http://127.0.0.1:{port}/-/ready", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until it answers; each refusal comes at once, and the server's end is seen."""
    for _ in range(20_000):
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            continue
    raise AssertionError("Prometheus did not become ready")
