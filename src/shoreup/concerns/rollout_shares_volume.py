"""Rollouts during which two pods write the data of one."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Volume, Workload
from shoreup.facts.fields import mapping
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.scheduling.placement import Pin, pinned
from shoreup.facts.scheduling.rollouts import overlaps, says_rolling, strategy_place
from shoreup.facts.storage.state import Kept, kept, outer_database
from shoreup.model.edit import Edit, NoRepair, Put, Remove, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_ONE = "one"
_APPLICATIONS = frozenset({"app", "auth"})
"""Kinds of product that may keep their state in a database elsewhere, and only files on their volume."""
_ONCE = "ReadWriteOnce"
_ONCE_POD = "ReadWriteOncePod"
_RECREATE = Fix(
    "Set the strategy to Recreate",
    Safety.UNSAFE,
    "each rollout then stops the old pod before it starts the new one, a short pause instead of two writers",
)


class RolloutSharesVolume(Concern):
    """A Deployment rolls its pods over while they keep their data where only one may write.

    **What**

    The strategy is `RollingUpdate`, or none is given, which means the same; the one replica runs a product of which
    two instances must not write the same data (a database, a cache, an application with SQLite); and that data lies on
    a volume that outlives the pod, mounted writable at the product's data path. What Shoreup does not look at: replicas
    above one, which are a trouble of their own, and StatefulSets, which end a pod before its successor starts.

    **Why**

    With one replica a rolling update starts the new pod first and ends the old one when the new one is ready. On the
    same node, or on a network file system, both write the same files; a database is then broken, or refuses to start
    and the rollout hangs. On a volume that one node alone may attach, a new pod on another node waits forever.

    **Example**

    A Deployment of `vaultwarden/server` with a claim at `/data` and no `strategy` is found.
    `strategy: {type: Recreate}` or `maxSurge: 0` cures it. Left open, not found: images that
    Shoreup does not know, applications that are pointed at a database elsewhere, and a path of a node for a pod that
    may run on any.

    **Fix safety**

    Unsafe: with `Recreate` every rollout begins with a pause.
    """

    id = "rollout-shares-volume"
    title = "Rolling update over a volume that one pod may write"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.AVAILABILITY
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Kubernetes: how a Deployment is rolled out",
            "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/",
        ),
        Source(
            "Kubernetes: persistent volumes and access modes",
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
        ),
        Source("SQLite: how a database file is corrupted", "https://www.sqlite.org/howtocorrupt.html"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every Deployment of one replica."""
        for workload in estate.workloads:
            if workload.replicas != 1 or workload.partial or not workload.enabled:
                continue
            together = overlaps(workload)
            if together is False:
                continue
            outcomes = [
                outcome
                for one in kept(workload, estate.products)
                for outcome in self._judge(estate, workload, one, together)
            ]
            # One finding or one question for a workload, however many mounts it has.
            yield from sorted(outcomes, key=lambda outcome: not isinstance(outcome, Draft))[:1]

    def _judge(self, estate: Estate, workload: Workload, one: Kept, together: bool | Unknown) -> Iterator[Outcome]:
        place = strategy_place(workload)
        product = one.product
        if product is None:
            if together is True and {_ONCE, _ONCE_POD} & set(one.volume.access_modes):
                reason = f"whether two of {one.container.image.text} may write {one.mount.path} is not known"
                yield self.undecided(place, unknown="strategy", reason=reason)
            return
        if product.writers != _ONE:
            return
        if isinstance(together, Unknown):
            yield self.undecided(place, unknown="strategy", reason=together.reason)
            return
        elsewhere = outer_database(estate, workload, one.container) if product.kind in _APPLICATIONS else ""
        if elsewhere:
            reason = f"{elsewhere} may keep the state of {product.title} in a database elsewhere"
            yield self.undecided(place, unknown="state", reason=reason)
        elif one.volume.kind == "host-path" and not _stays(workload):
            reason = f"the pod may run on any node, and {one.volume.path} of each is another"
            yield self.undecided(place, unknown="node", reason=reason)
        else:
            yield self._shared(workload, one, product.title, product.kind in _APPLICATIONS)

    def _shared(self, workload: Workload, one: Kept, title: str, likely: bool) -> Draft:
        subject = named(workload.resource)
        how = "replaces its pod by a rolling update" if says_rolling(workload) else "has no strategy, so it rolls over,"
        return self.found(
            strategy_place(workload),
            field="strategy",
            subject=subject,
            message=f"{subject} {how} while {title} keeps its data on {_shown(one.volume)} at {one.mount.path}.",
            consequence=_consequence(title, one.volume),
            related=((_mount_place(workload, one), "this is the data of which only one pod may be the writer"),),
            fixes=(_RECREATE,),
            confidence=Confidence.LIKELY if likely else Confidence.CERTAIN,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The strategy becomes Recreate; what only a rolling update has goes."""
        key = draft.at.resource
        workload = workload_at(estate, draft.at)
        if workload is None:
            return self.unrepaired(draft)
        strategy = mapping(mapping(workload.resource.body.get("spec")).get("strategy"))
        edits: list[Edit] = [Put(key, ("spec", "strategy", "type"), "Recreate")]
        if "rollingUpdate" in strategy:
            edits.append(Remove(key, ("spec", "strategy", "rollingUpdate")))
        return Repair(
            _RECREATE, tuple(edits), cost="a pause at each rollout: the old pod ends before the new one starts"
        )


def _stays(workload: Workload) -> bool:
    """Whether each pod of the workload runs on the same node."""
    return isinstance(pinned(workload), Pin)


def _shown(volume: Volume) -> str:
    if volume.claim:
        modes = f" ({', '.join(volume.access_modes)})" if volume.access_modes else ""
        return f"the claim {volume.claim}{modes}"
    if volume.kind == "nfs":
        return f"{volume.server}:{volume.path}" if volume.server else "an NFS export"
    return f"{volume.path} of the node" if volume.path else f"the volume {volume.name}"


def _consequence(title: str, volume: Volume) -> str:
    if _ONCE_POD in volume.access_modes:
        return "The new pod waits for the claim that the old one holds, and the old one for the new: the rollout hangs."
    if volume.access_modes == (_ONCE,):
        return (
            f"During each rollout two instances of {title} write the same files, or, if the new pod lands on another "
            "node, it waits for the volume and the rollout hangs."
        )
    return f"During each rollout two instances of {title} write the same files, which may break them."


def _mount_place(workload: Workload, one: Kept) -> Place:
    return Place(workload.resource.key, one.mount.route, container=one.container.name)
