"""Budgets that no drain can satisfy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import mapping, number, text, why_open
from shoreup.facts.naming import named
from shoreup.facts.scheduling.staying import REPLICATED, stays
from shoreup.facts.selection import selects
from shoreup.model.edit import Edit, NoRepair, Put, Remove, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_WHOLE = 100.0
_ALLOW_ONE = Fix(
    "Set maxUnavailable: 1 in place of what the budget says",
    Safety.UNSAFE,
    "a drain may then evict a pod; where only one replica runs, the service stops for as long as its restart takes",
)


class _Covered(Struct, frozen=True, eq=False):
    """The pods of a budget: who they belong to, and how many there are at least."""

    workloads: tuple[Workload, ...]
    count: int
    scaled: bool


class PdbBlocksDrain(Concern):
    """A PodDisruptionBudget leaves no pod that may be evicted.

    **What**

    `maxUnavailable` is `0` or `0%`, `minAvailable` is `100%`, or `minAvailable` is as large as the number of replicas
    that the budget selects. Where an autoscaler decides the number, its least number counts.

    **Why**

    `kubectl drain` waits for ever, so node upgrades stop halfway, and people learn to use `--force`, which
    respects no budget at all.

    **Example**

    `minAvailable: 1` over a Deployment with one replica is found. `maxUnavailable: 1` is not: it lets a drain go on
    with any number of replicas.

    **Fix safety**

    Unsafe: the budget begins to allow what it forbade. For one replica that means a short stop during a drain; a second
    replica avoids it where the product can run several.
    """

    id = "pdb-blocks-drain"
    title = "Disruption budget that no drain can satisfy"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: disruptions and budgets", "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"
        ),
        Source("Kubernetes: draining a node", "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every budget."""
        near: dict[str, list[Workload]] = {}
        for workload in estate.workloads:
            if workload.kind in REPLICATED and stays(workload):
                near.setdefault(workload.namespace, []).append(workload)
        for budget in estate.budgets:
            yield from self._judge(budget, near)

    def _judge(self, budget: Resource, near: Mapping[str, Sequence[Workload]]) -> Iterator[Outcome]:
        spec = mapping(budget.body.get("spec"))
        field = "maxUnavailable" if spec.get("maxUnavailable") is not None else "minAvailable"
        value = spec.get(field)
        place = Place(budget.key, ("spec", field))
        if value is None:
            return
        if why_open(value):
            yield self.undecided(place, unknown=field, reason=why_open(value))
            return
        covered = _covered(spec.get("selector"), near.get(budget.namespace or "default", ()))
        if isinstance(covered, Unknown):
            if _never(field, value):
                yield self.undecided(place, unknown="selector", reason=covered.reason)
            return
        if not covered.workloads or not _blocks(field, value, covered.count):
            return
        subject = named(budget)
        first = covered.workloads[0]
        whose = ", ".join(named(one.resource) for one in covered.workloads[:3])
        least = "at least " if covered.scaled else ""
        plural = "replica" if covered.count == 1 else "replicas"
        yield self.found(
            place,
            field=field,
            subject=subject,
            message=(
                f"{subject} says {field}: {text(value)} of {least}{covered.count} {plural} of {whose}, so none may go."
            ),
            consequence="A drain of its node waits for ever, and only by force does it go on.",
            confidence=Confidence.LIKELY if covered.scaled else Confidence.CERTAIN,
            related=((Place(first.resource.key, ("spec", "replicas")), f"{least}{covered.count} {plural}"),),
            fixes=(_ALLOW_ONE,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """One pod may go at a time, whatever the budget says now."""
        key = draft.at.resource
        edits: list[Edit] = [Put(key, ("spec", "maxUnavailable"), 1)]
        if mapping(estate.by_key[key].body.get("spec")).get("minAvailable") is not None:
            edits.append(Remove(key, ("spec", "minAvailable")))
        return Repair(_ALLOW_ONE, tuple(edits), cost="where one replica runs, a drain stops the service for a restart")


def _covered(selector: Value, workloads: Sequence[Workload]) -> _Covered | Unknown:
    """What the budget selects; unknown where that, or how many pods it is, is not decided."""
    found: list[Workload] = []
    count, scaled = 0, False
    for workload in workloads:
        selected = selects(selector, workload.labels)
        if selected is None:
            return Unknown("the budget's selector or a pod's labels are not decided")
        if not selected:
            continue
        found.append(workload)
        if isinstance(workload.replicas, Unknown) and workload.least_replicas is None:
            return workload.replicas
        least = workload.least_replicas if workload.least_replicas is not None else workload.replicas
        scaled = scaled or workload.least_replicas is not None
        count += least if isinstance(least, int) else 0
    return _Covered(tuple(found), count, scaled)


def _percent(value: Value) -> float | None:
    written = text(value).strip()
    if not written.endswith("%") or not written[:-1].isdecimal():
        return None
    return float(written[:-1])


def _never(field: str, value: Value) -> bool:
    """Whether the budget allows nothing, however many pods there are."""
    percent = _percent(value)
    if field == "maxUnavailable":
        return number(value) == 0 or percent == 0
    return percent is not None and percent >= _WHOLE


def _blocks(field: str, value: Value, count: int) -> bool:
    if count < 1:
        return False
    if _never(field, value):
        return True
    if field == "maxUnavailable":
        return False
    percent = _percent(value)
    # Kubernetes rounds percentages up.
    wanted = math.ceil(percent * count / _WHOLE) if percent is not None else number(value)
    return wanted is not None and wanted >= count
