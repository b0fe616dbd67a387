"""Asking a Prometheus what containers used, before fixes that need to know: only of those that have such findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.lookup import workload_at
from shoreup.facts.scheduling.measured import STEP_MINUTES, Questions, pods, questions
from shoreup.live.prometheus import Prometheus, PrometheusError
from shoreup.model.finding import Draft
from shoreup.model.measured import Measured, Name, Use

SIZED = frozenset({"cpu-limit-throttling", "memory-limit-missing", "resources-requests-missing"})
"""Concerns whose fix writes what was measured."""
LONGEST = timedelta(days=90)
SHORTEST = timedelta(days=1)

Progress = Callable[[str, int, int], None]


def now() -> float:
    """The time that questions are asked of, in seconds since 1970."""
    return time.time()


def measure(estate: Estate, drafts: Iterable[Draft], server: Prometheus, window: timedelta, say: Progress) -> Measured:
    """What the containers of such findings used up to now. A server that fails is said in the answer, once."""
    workloads = list(_sized(estate, drafts))
    found: dict[Name, Use] = {}
    moment = now()
    today = datetime.fromtimestamp(moment, UTC).date()
    for number, workload in enumerate(workloads, 1):
        say(f"asking {server.name}", number, len(workloads))
        asked = questions(workload.namespace, pods(workload), window)
        try:
            for container, use in _uses(server, asked, moment):
                found[(workload.namespace, workload.kind, workload.name, container)] = use
        except PrometheusError as problem:
            return Measured(server.name, today, window, trouble=str(problem))
    return Measured(server.name, today, window, found)


def _sized(estate: Estate, drafts: Iterable[Draft]) -> Iterator[Workload]:
    seen: set[int] = set()
    for draft in drafts:
        workload = workload_at(estate, draft.at) if draft.concern in SIZED else None
        if workload is None or id(workload) in seen or not pods(workload) or "*" in workload.namespace:
            continue
        seen.add(id(workload))
        yield workload


def _uses(server: Prometheus, asked: Questions, moment: float) -> Iterator[tuple[str, Use]]:
    moments = server.by_container(asked.moments(), moment)
    if not moments:
        return
    cpu = server.by_container(asked.quantile(0.5, asked.cpu), moment)
    memory = server.by_container(asked.quantile(0.5, asked.memory), moment)
    high = server.by_container(asked.quantile(0.99, asked.memory), moment)
    most = server.by_container(asked.most(), moment)
    throttled = server.by_container(asked.throttled(), moment)
    for container, count in moments.items():
        yield (
            container,
            Use(
                hours=count * STEP_MINUTES / 60,
                cpu_median=cpu.get(container),
                memory_median=memory.get(container),
                memory_high=high.get(container),
                memory_most=most.get(container),
                throttled=throttled.get(container),
            ),
        )
