"""Services that give a database an address outside of its cluster."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Database, Estate, Service
from shoreup.facts.fields import items, known_text, mapping, number, text
from shoreup.facts.network.policy_subjects import PolicySubject, covers, policy_subjects
from shoreup.facts.products import Product
from shoreup.model.finding import Confidence

OUTSIDE = frozenset({"LoadBalancer", "NodePort"})
"""Types of Service that machines outside of the cluster reach."""
_KINDS = frozenset({"database", "cache", "search"})
_LIMITING = ("load-balancer-source-ranges", "lb-source-ranges", "whitelist", "allowlist", "inbound-cidrs")
"""Parts of annotations by which load balancers let only certain addresses through."""
_PRIVATE_CLASSES = ("tailscale", "netbird")
"""Classes of load balancers that listen in a private network of known devices."""


class ExposedDatabase(Struct, frozen=True, eq=False):
    """A database with the Service that leads to it from outside. ``kind`` is the Service's type."""

    database: Database
    product: Product
    service: Service
    kind: str
    confidence: Confidence


def exposed_databases(estate: Estate) -> Iterator[ExposedDatabase]:
    """Every database that such a Service leads to, limited to nobody."""
    policies = tuple(policy_subjects(estate))
    namespaces = {resource.name: resource for resource in estate.by_kind.get("Namespace", ())}
    for service in estate.services:
        spec = mapping(service.resource.body.get("spec"))
        kind = known_text(spec.get("type"))
        if kind not in OUTSIDE or _limited(service):
            continue
        for database in estate.databases:
            product = estate.products.get(database.product)
            if product is None or product.kind not in _KINDS or not _leads(service, database, product):
                continue
            workload = database.workload
            if workload is not None and (
                not workload.enabled or any(covers(policy, workload, namespaces) is not False for policy in policies)
            ):
                continue
            if workload is None and any(_may_be_of(policy, database) for policy in policies):
                continue
            confidence = Confidence.CERTAIN if workload is not None else Confidence.LIKELY
            yield ExposedDatabase(database, product, service, kind, confidence)


def _leads(service: Service, database: Database, product: Product) -> bool:
    spec = mapping(service.resource.body.get("spec"))
    ports = {number(mapping(port).get(field)) for port in items(spec.get("ports")) for field in ("port", "targetPort")}
    if not ports & set(product.ports):
        return False
    if database.workload is not None:
        return any(workload is database.workload for workload in service.workloads)
    # An operator names its cluster in a label of the pods; the label's own name differs from one to the next.
    named = any(text(value) == database.name for value in mapping(spec.get("selector")).values())
    return named and service.namespace == database.namespace


def _may_be_of(policy: PolicySubject, database: Database) -> bool:
    """Whether a policy may be about the pods of an operator's cluster, whose labels are not in the estate."""
    return policy.namespace in ("", database.namespace)


def _limited(service: Service) -> bool:
    spec = mapping(service.resource.body.get("spec"))
    if spec.get("loadBalancerSourceRanges") or text(spec.get("loadBalancerClass")).lower() in _PRIVATE_CLASSES:
        return True
    annotations = mapping(mapping(service.resource.body.get("metadata")).get("annotations"))
    return any(part in key for key in annotations for part in _LIMITING)
