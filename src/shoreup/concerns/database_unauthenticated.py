"""Databases that anyone may read."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.databases.unguarded import Unguarded, unguarded
from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, text
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_OUTSIDE = frozenset({"LoadBalancer", "NodePort"})
_PASSWORD = Fix(
    "Give it a password from a Secret, and a NetworkPolicy that lets its clients in alone",
    Safety.SHOWN,
    "every client has to send the password from the same moment on",
)


_PROPOSAL = """apiVersion: v1
kind: Secret
metadata: {name: <name>, namespace: <namespace>}
stringData: {password: <made by a generator, kept out of git>}
---
env:
  - name: <the product's variable for the password>
    valueFrom:
      secretKeyRef: {name: <name>, key: password}"""


class DatabaseUnauthenticated(Concern):
    """A database or cache without a password that more than its own pod reaches.

    **What**

    A Service leads to a database that asks for no password: it is open by default and nothing sets one, or a setting
    says so. A NetworkPolicy that lets in named pods alone closes it; one that lets in whole namespaces does not. Where
    a chart, an operator or a file that is not in the repository decides, the question stays open.

    **Why**

    One pod with a hole, of any application, reads and changes what all others keep there: sessions, queues, caches
    of permissions.

    **Example**

    `image: redis:7-alpine` behind a Service, with no `requirepass`, is found; the same image with
    `redis-server --requirepass $(PASSWORD)` or as a second container that no Service leads to is not.

    **Fix safety**

    Shown: every client needs the password at the same moment.
    """

    id = "database-unauthenticated"
    title = "Database without a password"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("CWE-306: no authentication for what needs it", "https://cwe.mitre.org/data/definitions/306.html"),
        Source("Redis: security", "https://redis.io/docs/latest/operate/oss_and_stack/management/security/"),
        Source("Products that ask for no password by themselves", "facts/data/unguarded.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every database without a password that a Service leads to."""
        for database in unguarded(estate):
            if database.undecided or database.admission is None:
                yield self.undecided(database.place, unknown="password", reason=database.undecided)
            else:
                yield self._open(database)

    def _open(self, database: Unguarded) -> Outcome:
        subject = named(database.resource, database.container)
        let_in = database.admission
        spaces = let_in.namespaces if let_in is not None else ()
        severity = Severity.HIGH
        outside = next(
            (one for one in database.services if text(mapping(one.resource.body.get("spec")).get("type")) in _OUTSIDE),
            None,
        )
        if outside is not None and not spaces:
            severity = Severity.CRITICAL
            who = "every pod of the cluster and whoever reaches its nodes' network"
        elif spaces:
            who = f"every pod of the {'namespace' if len(spaces) == 1 else f'{len(spaces)} namespaces'} "
            who += ", ".join(spaces[:6])
        else:
            who = "every pod of the cluster"
        by = f" ({database.setting})" if database.setting else ""
        related = [(Place(service.resource.key), "this leads to it") for service in database.services[:2]]
        if let_in is not None:
            related.extend((Place(policy.key), "this lets in whole namespaces") for policy in let_in.policies[:2])
        return self.found(
            database.place,
            field="password",
            subject=subject,
            message=f"{subject} runs {database.product} without a password{by}, and {who} reaches it.",
            consequence="One pod with a hole, of any application there, reads and changes all that it holds.",
            severity=Severity.MEDIUM if database.light else severity,
            related=tuple(related),
            fixes=(_PASSWORD,),
        )
