"""Several replicas that one drain may take down together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.replicas import budget_beside, pod_labels
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.selection import selects
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown

_REPLICATED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
_ADD = Fix(
    "Add a PodDisruptionBudget with maxUnavailable: 1",
    Safety.SAFE,
    "a new object that touches no pod; with two replicas or more a drain can still go on",
)


class PdbMissing(Concern):
    """A workload has more than one replica, and no PodDisruptionBudget selects its pods.

    **What**

    The replicas are there so that one may go. No budget tells a drain that the others must stay.

    **Why**

    A node upgrade or an autoscaler evicts every pod of a node at once; where replicas share a node, or two nodes are
    drained together, all of them go.

    **Example**

    A Deployment with `replicas: 3` and no budget is found; a budget with `maxUnavailable: 1` over its labels cures it.

    **Fix safety**

    Safe: a budget is an object of its own and restarts nothing. It is never proposed for one replica, which it would
    make impossible to drain.
    """

    id = "pdb-missing"
    title = "Several replicas and no disruption budget"
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
        """Look at every workload with replicas."""
        budgets = _by_namespace(estate.budgets)
        generated = _generated(estate)
        for workload in estate.workloads:
            if workload.kind not in _REPLICATED or workload.partial or not workload.enabled:
                continue
            count = workload.least_replicas if workload.least_replicas is not None else workload.replicas
            if isinstance(count, int) and count < 2 and not isinstance(workload.replicas, Unknown):
                continue
            if workload.most_replicas is not None and workload.most_replicas < 2:
                continue
            covered = _covered(workload, budgets)
            if covered is True:
                continue
            place = Place(workload.resource.key)
            if covered is None:
                reason = "a budget's selector or the pod's labels are not decided"
                yield self.undecided(place, unknown="PodDisruptionBudget", reason=reason)
            elif generated:
                yield self.undecided(place, unknown="PodDisruptionBudget", reason=f"{generated} generates budgets")
            elif isinstance(count, int) and count > 1:
                yield self._missing(workload, count)
            elif isinstance(workload.replicas, Unknown):
                yield self.undecided(place, unknown="replicas", reason=workload.replicas.reason)

    def _missing(self, workload: Workload, count: int) -> Outcome:
        subject = named(workload.resource)
        scaled = isinstance(workload.replicas, Unknown)
        replicas = f"is scaled to {count} replicas or more" if scaled else f"has {count} replicas"
        related = () if scaled else ((Place(workload.resource.key, ("spec", "replicas")), f"{count} replicas"),)
        return self.found(
            Place(workload.resource.key),
            field="PodDisruptionBudget",
            subject=subject,
            message=f"{subject} {replicas}, and no PodDisruptionBudget selects them.",
            consequence="Draining nodes may take all of them down at once.",
            related=related,
            fixes=(_ADD,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A budget beside the workload, over the labels that the workload itself selects its pods by."""
        workload = workload_at(estate, draft.at)
        labels = pod_labels(workload) if workload else None
        if workload is None or labels is None:
            return self.unrepaired(draft, "the labels of the pods are not all known")
        return Repair(_ADD, (budget_beside(workload, labels),))


def _by_namespace(budgets: Sequence[Resource]) -> Mapping[str, Sequence[Resource]]:
    found: dict[str, list[Resource]] = defaultdict(list)
    for budget in budgets:
        found[budget.namespace or "default"].append(budget)
    return found


def _covered(workload: Workload, budgets: Mapping[str, Sequence[Resource]]) -> bool | None:
    """Whether a budget selects the workload's pods; ``None`` when one may."""
    answer: bool | None = False
    near = budgets.get(workload.namespace, ()) if "*" not in workload.namespace else ()
    for budget in near:
        selector = mapping(budget.body.get("spec")).get("selector")
        if selector is None:
            continue
        selected = selects(selector, workload.labels)
        if selected is True:
            return True
        if selected is None:
            answer = None
    for namespace, others in budgets.items():
        if "*" in namespace or "*" in workload.namespace:
            for budget in others:
                selector = mapping(budget.body.get("spec")).get("selector")
                if selector is not None and selects(selector, workload.labels) is not False:
                    return True if namespace == workload.namespace else None
    return answer


def _generated(estate: Estate) -> str:
    """The policy that makes budgets for workloads by itself, if there is one."""
    for kind in ("ClusterPolicy", "Policy", "GeneratingPolicy"):
        for policy in estate.by_kind.get(kind, ()):
            for rule in map(mapping, items(mapping(policy.body.get("spec")).get("rules"))):
                if text(mapping(rule.get("generate")).get("kind")) == "PodDisruptionBudget":
                    return named(policy)
    return ""
