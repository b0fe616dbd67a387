"""Estates that nobody has disturbed on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import since
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.naming import named
from shoreup.facts.pipelines.scanners import disturber
from shoreup.facts.proofs import ESTATE, Drill, standing
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_LISTED = 10
_DISTURB = Fix(
    "Take something away on purpose, at an hour of your choice: a pod, a node, the storage; and see what still answers",
    Safety.SHOWN,
    "a disturbance is felt by whoever uses the estate at that moment",
)


class ChaosUntested(Concern):
    """Redundancy is declared, and nobody has seen it hold.

    **What**

    The estate runs several replicas of something, or sets budgets for disruptions, and no trial is on record that is
    young enough in which a pod, a node or a storage was taken away. An estate that runs a tool for such trials is not
    listed. It is one entry for the estate.

    **Why**

    What is redundant on paper shares a node, a disk or a start-up order, which shows on the day on which one of them
    is gone.

    **Example**

    Two replicas and a PodDisruptionBudget without a trial on record are listed. An estate of single replicas promises
    nothing of the kind and is not.

    **Fix safety**

    Shown: a trial disturbs whoever uses the estate.
    """

    id = "chaos-untested"
    title = "Redundancy that nobody has tried"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.TEST_GAPS
    sources = (
        Source("Principles of chaos engineering", "https://principlesofchaos.org/"),
        Source(
            "Site Reliability Engineering: testing for reliability", "https://sre.google/sre-book/testing-reliability/"
        ),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Ask for the estate what is on record."""
        redundant = [one for one in estate.workloads if one.enabled and one.kind in LONG_RUNNING and _several(one)]
        if not redundant and not estate.budgets:
            open_one = next((one for one in estate.workloads if isinstance(one.replicas, Unknown)), None)
            if open_one is not None and isinstance(open_one.replicas, Unknown) and open_one.least_replicas is None:
                at = Place(open_one.resource.key)
                yield self.undecided(at, unknown="replicas", reason=open_one.replicas.reason)
            return
        stands = standing(estate, ESTATE, Drill.CHAOS)
        if stands.proven or disturber(estate):
            return
        resources = [one.resource for one in redundant] or list(estate.budgets)
        count = len(resources)
        what = "run in several replicas" if redundant else "have a budget for disruptions"
        who = f"{count} workloads {what}" if count > 1 else f"{named(resources[0])} declares redundancy"
        yield self.found(
            Place(resources[0].key),
            field="chaos",
            subject="the estate",
            message=f"{who}, and {since(stands, 'a trial', 'that with something taken away')}.",
            consequence="Whether they survive the loss of a pod, a node or a disk is learned when it happens.",
            related=tuple((Place(one.key), f"{named(one)} is meant to survive") for one in resources[1:_LISTED]),
            fixes=(_DISTURB,),
            dependants=count,
            whole_estate=True,
        )


def _several(workload: Workload) -> bool:
    if isinstance(workload.replicas, int):
        return workload.replicas > 1
    return (workload.least_replicas or 0) > 1
