"""Requests and limits from what was measured: the numbers, where they come from, and the edits that write them.

A request is the median, for that is what the scheduler should set aside on a usual day. A limit on memory is the 99th
percentile and a quarter more, and never under what was once seen in use. A limit on the processor is never written.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.wording.containers import RESTARTS
from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import mapping
from shoreup.facts.quantities import size
from shoreup.facts.scheduling.measured import HEADROOM, LEAST_HOURS, mebibytes, millicores, pods, questions, use_of
from shoreup.facts.scheduling.resource_rules import REQUESTS, resource_rules
from shoreup.model.edit import NoRepair, Put, Repair
from shoreup.model.finding import Fix, Safety
from shoreup.model.measured import WEEK, Use


def with_requests(estate: Estate, workload: Workload, container: Container) -> Repair | NoRepair:
    """The requests that are missing, as the median."""
    use = use_of(estate, workload, container.name)
    made = use if isinstance(use, str) else _requests(estate, workload, container, use)
    if isinstance(made, str):
        return NoRepair(f"how much it needs only measurements can tell: {made}", asked_for(workload, container))
    said = " and ".join(f"{edit.value} of {_WORDS[str(edit.route[-1])]}" for edit in made)
    return Repair(Fix(f"Request {said}, the median", Safety.UNSAFE, _reason(estate)), made)


def with_limit(estate: Estate, workload: Workload, container: Container) -> Repair | NoRepair:
    """The limit on memory, and the requests that are missing, for which Kubernetes would otherwise take the limit."""
    use = use_of(estate, workload, container.name)
    requests = use if isinstance(use, str) else _requests(estate, workload, container, use)
    if isinstance(use, str) or isinstance(requests, str):
        reason = use if isinstance(use, str) else requests
        return NoRepair(f"how much it needs only measurements can tell: {reason}", asked_for(workload, container))
    high, most = use.memory_high, use.memory_most
    if high is None or most is None:
        reason = "how much it needs only measurements can tell: its memory was not recorded"
        return NoRepair(reason, asked_for(workload, container))
    own = size(mapping(mapping(container.body.get("resources")).get(REQUESTS)).get("memory")) or 0
    limit = mebibytes(max(high * HEADROOM, most, own))
    fix = Fix(
        f"Limit memory to {limit}: the 99th percentile is {mebibytes(high)}, the most was {mebibytes(most)}",
        Safety.UNSAFE,
        _reason(estate),
    )
    route = (*container.route, "resources", "limits", "memory")
    cost = f"it is killed when it needs more than {limit}, which it has not done while it was measured"
    return Repair(fix, (*requests, Put(workload.resource.key, route, limit)), cost)


def asked_for(workload: Workload, container: Container) -> str:
    """What a person fills in, with the questions whose answers go there."""
    pattern = pods(workload)
    if not pattern or "*" in workload.namespace:
        return _PLAIN
    asked = questions(workload.namespace, pattern, WEEK, container.name)
    return _ASKED.format(
        cpu=asked.quantile(0.5, asked.cpu),
        memory=asked.quantile(0.5, asked.memory),
        high=f"{HEADROOM:g} * {asked.quantile(0.99, asked.memory)}",
    )


def _requests(estate: Estate, workload: Workload, container: Container, use: Use) -> tuple[Put, ...] | str:
    rules = resource_rules(estate)
    measured = {"cpu": use.cpu_median, "memory": use.memory_median}
    missing = [what for what in measured if not rules.has(workload, container, REQUESTS, what)]
    for what in missing:
        if measured[what] is None:
            return f"its {_WORDS[what]} was not recorded over {LEAST_HOURS:g} hours"
    return tuple(_put(workload, container, missing, use))


def _put(workload: Workload, container: Container, missing: list[str], use: Use) -> Iterator[Put]:
    for what in missing:
        count = use.cpu_median if what == "cpu" else use.memory_median
        assert count is not None
        written = millicores(count) if what == "cpu" else mebibytes(count)
        yield Put(workload.resource.key, (*container.route, "resources", REQUESTS, what), written)


def _reason(estate: Estate) -> str:
    assert estate.measured is not None
    return f"{RESTARTS}; {estate.measured.said()}"


_WORDS = {"cpu": "processor", "memory": "memory"}
_PLAIN = """resources:
  requests:
    cpu: <median of its use over a week>
    memory: <median of its use over a week>
  limits:
    memory: <99th percentile over a week, and a quarter more>"""
_ASKED = """resources:
  requests:
    cpu: <CPU>        # {cpu}
    memory: <MEMORY>  # {memory}
  limits:
    memory: <LIMIT>   # {high}"""
