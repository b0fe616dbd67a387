"""More connections than the pool or the server takes."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.databases.connections import Client, Limit, exceeded
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_PROPOSAL = """# one of the two gives way
default_pool_size = <connections>   # the sum over its databases stays under max_connections of the server
<pool size of a client> = <pool / (replicas x processes)>"""


class ConnectionPoolUndersized(Concern):
    """The clients that the estate configures may open more connections than the pooler or the server takes.

    **What**

    Replicas times pool size of each client, as their environment says, held against `max_client_conn` of a PgBouncer,
    its `default_pool_size` where it pools by session, and `max_connections` of a PostgreSQL server. Clients whose pool
    size is not written down are left out.

    **Why**

    Under load the last clients are refused, or wait until they give up, while the database itself has little to do. It
    looks like a slow database and is a number.

    **Example**

    Two pods with 40 connections each on a PgBouncer of two pods that gives 15 for a session each.

    **Fix safety**

    Shown: which of the numbers gives way depends on what the server's memory holds.
    """

    id = "connection-pool-undersized"
    title = "Clients may open more connections than there are"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.SCALING_LIMITS
    sources = (
        Source("PgBouncer: configuration", "https://www.pgbouncer.org/config.html"),
        Source(
            "PostgreSQL: connections and max_connections",
            "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        ),
    )
    slow_facts = "wiring"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every pooler and server whose limit is written down."""
        for limit in exceeded(estate):
            yield self._exceeded(limit)

    def _exceeded(self, limit: Limit) -> Outcome:
        who = named(limit.resource)
        takes = f"{limit.pods} x {limit.number} = {limit.total}" if limit.pods > 1 else str(limit.total)
        asked = ", ".join(_said(client) for client in limit.clients)
        total = f", {limit.asked} in all" if len(limit.clients) > 1 else ""
        what = "in session mode gives a client" if limit.waits else "takes"
        lost = "The connections above that wait until they time out." if limit.waits else "The last ones are refused."
        return self.found(
            limit.place,
            field=limit.name,
            subject=who,
            message=f"{who} {what} {takes} connections ({limit.name}); its clients may open more: {asked}{total}.",
            consequence=f"Under load requests fail while the database has little to do. {lost}",
            related=tuple((client.place, f"{_said(client)} connections") for client in limit.clients),
            fixes=(
                Fix(
                    f"Raise {limit.name}, or lower the clients' pools, so that {limit.asked} fit",
                    Safety.SHOWN,
                    "each connection of a server takes memory; which number gives way is the owner's choice",
                ),
            ),
        )


def _said(client: Client) -> str:
    return f"{named(client.resource)} {client.pods} x {client.each} = {client.total}"
