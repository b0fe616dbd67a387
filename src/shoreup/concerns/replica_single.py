"""One replica of what others depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.replicas import pod_labels, second_replica
from shoreup.facts.estate import Database, Estate, Workload
from shoreup.facts.fields import number
from shoreup.facts.lookup import workload_at
from shoreup.facts.naming import named
from shoreup.facts.operators import operated, route_of
from shoreup.facts.products import Product
from shoreup.facts.scheduling.staying import REPLICATED, single, stays
from shoreup.facts.ways_in.bottlenecks import alone
from shoreup.facts.wiring.graph import Node
from shoreup.facts.wiring.standing import listed, others, stopped
from shoreup.model.edit import NoRepair, Put, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, at

_ENOUGH = 3
"""So many others in what is applied together make it a matter of more than one application and its own database."""
_STANDS_BY = frozenset({"database", "cache"})
"""Kinds of product with one writer whose standby takes over."""
_MORE = Fix(
    "Run two replicas, spread over nodes, with a budget of maxUnavailable: 1",
    Safety.UNSAFE,
    "the pods restart, and two of them answer from then on",
)
_QUORUM = Fix(
    "Run three members",
    Safety.SHOWN,
    "members must be told of each other, and two would be worse than one: neither may go",
)
_FREE = Fix(
    "Move its state off the volume that one pod alone may use, then run two replicas",
    Safety.SHOWN,
    "as it stands a second replica could not start, or would write the same files",
)
_STANDBY = Fix(
    "Let an operator run it with a standby, or add a standby instance that replicates from it",
    Safety.SHOWN,
    "more replicas of the same workload would write the same data and destroy it",
)
_INSTANCES = Fix(
    "Raise the operator's number of instances to two or three",
    Safety.UNSAFE,
    "the operator copies the data to a standby, which needs a volume of the same size",
)


_SPARED = (
    "While it is away, what calls it goes on slower or with less, or not at all; the estate does not say which of "
    "these: {}."
)
_PROPOSALS = {
    _STANDBY: """# an operator keeps the standby, such as CloudNativePG for PostgreSQL
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: <name>, namespace: <namespace>}
spec:
  instances: 2
  storage: {size: <size>, storageClass: <class>}
  bootstrap:
    initdb:
      import: {type: microservice, databases: [<database>], source: {externalCluster: <the server of today>}}""",
}


class ReplicaSingle(Concern):
    """One replica runs of something that others depend on.

    **What**

    A product of which several may run (a proxy, a pooler, a sign-in, a stateless application) has one replica, or a
    database or a cache has no standby, and others depend on it: three or more, or one that is applied apart from it.
    Who does is read from the wiring: addresses in variables and configuration, routes, middlewares. Its own routes do
    not count, nor do jobs. Where only the application that it was made for depends on it, or where several may run and
    nobody does, it is low, and only the strict persona sees it. Programs that are not known are left alone. Of a
    cache only those count that call it themselves, and it is medium where none of them is known to stop without it;
    what relays mail or converts documents is low, for those who call it go on.

    **Why**

    Every restart, update and drain of the one pod, and five minutes after its node dies, stops all who depend on it.

    **Example**

    A `pgbouncer` with `replicas: 1` that four applications name as their host is found; so is the `postgres` behind
    it, for which a standby is proposed, never more replicas.

    **Fix safety**

    Unsafe: the pods restart. For a database that cannot run several writers, and for state on a volume for one pod, the
    cure is shown.
    """

    id = "replica-single"
    title = "One replica of what others depend on"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.SCALING_LIMITS
    sources = (
        Source(
            "Kubernetes: disruptions and budgets", "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"
        ),
        Source(
            "Kubernetes: how a Deployment is rolled out",
            "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/",
        ),
        Source("Products, with the source of each", "facts/data/products.json"),
        Source("Operators' objects", "facts/data/operators.json"),
    )
    slow_facts = "wiring"
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload with one replica, and at every operator's cluster with one instance."""
        for workload in estate.workloads:
            if workload.kind not in REPLICATED or not stays(workload):
                continue
            if single(workload):
                yield from self._workload(estate, workload)
            elif isinstance(workload.replicas, Unknown) and workload.least_replicas is None:
                reason = workload.replicas.reason
                yield from (self._open(outcome.at, reason) for outcome in self._weighty(estate, workload))
        clusters = {database.resource.key: database for database in estate.databases if database.workload is None}
        for entry, resource in operated(estate.by_kind):
            database = clusters.get(resource.key)
            if database is not None and entry.replicas:
                body: Value = dict(resource.body)
                if number(at(body, *route_of(entry.replicas))) == 1:
                    yield from self._cluster(estate, database, Place(resource.key, route_of(entry.replicas)))

    def _workload(self, estate: Estate, workload: Workload) -> Iterator[Outcome]:
        products = [estate.products.get(one.image.product) for one in workload.containers if not one.init]
        main = _main(products)
        if main is None:
            return
        standing = others(estate, workload.resource.key)
        held = list(alone(workload)) if workload.kind != "StatefulSet" else []
        if not _weighs(estate, workload.resource, standing) and (held or (main.writers != "many" and not standing)):
            return
        if main.writers not in {"many", "quorum"} and main.kind not in _STANDS_BY:
            return
        fix = _FREE if held else _MORE
        if main.writers == "quorum":
            fix = _QUORUM
        elif main.writers != "many":
            fix = _STANDBY
        yield self._single(estate, Place(workload.resource.key, ("spec", "replicas")), standing, fix, main)

    def _weighty(self, estate: Estate, workload: Workload) -> Iterator[Draft]:
        """What would be found of it with one replica, where that is more than the strict persona wants to hear."""
        for outcome in self._workload(estate, workload):
            if isinstance(outcome, Draft) and not outcome.strict:
                yield outcome

    def _open(self, place: Place, reason: str) -> Outcome:
        return self.undecided(place, unknown="number of replicas", reason=reason)

    def _cluster(self, estate: Estate, database: Database, place: Place) -> Iterator[Outcome]:
        standing = others(estate, database.resource.key)
        product = estate.products.get(database.product)
        if standing and product is not None:
            yield self._single(estate, place, standing, _INSTANCES, product)

    def _single(self, estate: Estate, place: Place, standing: Sequence[Node], fix: Fix, product: Product) -> Outcome:
        resource = estate.by_key[place.resource]
        subject = named(resource)
        leaf = not _weighs(estate, resource, standing)
        surely = standing if not product.spared else stopped(estate, resource.key)
        spared = not _weighs(estate, resource, surely)
        runs = "one instance" if fix in (_STANDBY, _INSTANCES, _QUORUM) else "one replica"
        depend = "the product may run several"
        if standing:
            one, several = ("calls", "call") if product.spared and not surely else ("depends on", "depend on")
            depend = f"{len(standing)} others {several} it" if len(standing) > 1 else f"{standing[0].name} {one} it"
        return self.found(
            place,
            field="replicas",
            subject=subject,
            message=f"{subject} runs {product.title} as {runs}, and {depend}.",
            consequence=(
                "Every restart and every lost node stops it for a while."
                if not standing
                else _SPARED.format(listed(standing))
                if product.spared and not surely
                else (
                    "Every restart and every lost node takes it from what depends on it, directly or through others: "
                    f"{listed(standing)}."
                )
            ),
            severity=_severity(leaf=leaf, spared=spared, cache=product.kind == "cache"),
            fixes=(fix,),
            dependants=len(standing),
            strict=leaf or (spared and product.kind != "cache"),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Two replicas where two may run; one more instance where an operator makes the standby."""
        if _INSTANCES in draft.fixes:
            put = Put(draft.at.resource, draft.at.route, 2)
            return Repair(_INSTANCES, (put,), cost="a second volume of the same size")
        workload = workload_at(estate, draft.at)
        labels = pod_labels(workload) if workload else None
        if _MORE not in draft.fixes or workload is None or labels is None:
            return self.unrepaired(draft)
        edits = second_replica(estate, workload, labels)
        if isinstance(edits, str):
            return self.unrepaired(draft, edits)
        return Repair(_MORE, edits, cost="twice the memory and processor")


def _severity(*, leaf: bool, spared: bool, cache: bool) -> Severity:
    if leaf or (spared and not cache):
        return Severity.LOW
    return Severity.MEDIUM if spared else Severity.HIGH


def _weighs(estate: Estate, resource: Resource, standing: Sequence[Node]) -> bool:
    """Whether what stops with it is more than the application that it was made for."""
    holders = (estate.by_key.get(node.resource) for node in standing)
    return len(standing) >= _ENOUGH or any(holder is not None and holder.root != resource.root for holder in holders)


def _main(products: Sequence[Product | None]) -> Product | None:
    """The product that a workload is there for, leaving exporters aside; none where an image is not known."""
    if None in products:
        return None
    known = [product for product in products if product is not None and product.kind not in {"exporter", "agent"}]
    return known[0] if len(known) == 1 else None
