"""Databases with an address outside of their cluster."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.databases.exposed import exposed_databases
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Make the Service ClusterIP, or limit it to the clients' addresses (loadBalancerSourceRanges, a NetworkPolicy)",
    Safety.SHOWN,
    "who connects from outside is not in the repository, and is cut off",
)


_PROPOSAL = """spec:
  type: ClusterIP
# or, where somebody outside needs it
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [<address of the client>/32]"""


class DatabaseExposed(Concern):
    """A database can be reached from outside of its cluster.

    **What**

    A Service of type LoadBalancer or NodePort leads to a database's port, and nothing limits who may connect: no source
    ranges, no policy that selects the database, no private class of load balancer.

    **Why**

    Every machine of that network may try passwords and every hole of the server. Traffic from outside passes no gate
    and often no TLS, and it is not in the cluster's logs.

    **Example**

    `type: LoadBalancer` with `port: 5432` and the label of a PostgreSQL cluster is found; the same with
    `loadBalancerSourceRanges` is not.

    **Fix safety**

    Shown: clients outside are cut off.

    **Limits**

    Of an operator's cluster it is likely and never certain, for the labels of its pods are the operator's.
    """

    id = "database-exposed"
    title = "Database reachable from outside of the cluster"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: Services and their types", "https://kubernetes.io/docs/concepts/services-networking/service/"
        ),
        Source(
            "Kubernetes: network policies", "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
        ),
        Source("CWE-668: exposure to the wrong sphere", "https://cwe.mitre.org/data/definitions/668.html"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every Service with an address outside."""
        for exposed in exposed_databases(estate):
            subject = named(exposed.service.resource)
            database = named(exposed.database.resource)
            yield self.found(
                Place(exposed.service.resource.key, ("spec", "type")),
                field="type",
                subject=subject,
                message=f"{subject} gives {exposed.product.title} of {database} an address outside of the cluster "
                f"({exposed.kind}), limited to nobody.",
                consequence="Every machine of that network may try its passwords and its holes, past every gate.",
                confidence=exposed.confidence,
                related=((exposed.database.place, "the database that it leads to"),),
                fixes=(_FIX,),
            )
