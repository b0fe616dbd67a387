"""Databases with a standby that nobody has seen take over."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import cannot_compare, since
from shoreup.facts.databases.instances import instances
from shoreup.facts.estate import Database, Estate
from shoreup.facts.naming import named
from shoreup.facts.proofs import Drill, State, database_inputs, standing, subject_of
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_FAIL_OVER = Fix(
    "Stop the primary of a copy under load, see the standby take over, and count what was acknowledged and is gone",
    Safety.SHOWN,
    "a trial on the database itself interrupts whoever uses it",
)


class FailoverUnproven(Concern):
    """A database runs in several instances, and nobody has seen one take over from another.

    **What**

    A database with two instances or more, by its replicas or by its operator's object, for which no failover is on
    record that is young enough and was of the same version and volumes. A database with one instance promises no
    failover and is not listed.

    **Why**

    A standby that lags, a client that keeps the old address, a quorum of two: each looks healthy until the primary is
    gone.

    **Example**

    A CloudNativePG Cluster with `instances: 3` is listed until a failover of it is on record.

    **Fix safety**

    Shown: a trial on the database itself interrupts whoever uses it.
    """

    id = "failover-unproven"
    title = "Standby that nobody has seen take over"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.TEST_GAPS
    sources = (
        Source("PostgreSQL: failover", "https://www.postgresql.org/docs/current/warm-standby-failover.html"),
        Source(
            "Site Reliability Engineering: testing for reliability", "https://sre.google/sre-book/testing-reliability/"
        ),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every database that keeps lasting data in more than one instance."""
        for database in estate.databases:
            product = estate.products.get(database.product)
            if product is None or not product.lasting or not _enabled(database):
                continue
            count = instances(database)
            if isinstance(count, Unknown):
                yield self.undecided(Place(database.resource.key), unknown="instances", reason=count.reason)
            elif count > 1:
                outcome = self._judge(estate, database, count)
                if outcome is not None:
                    yield outcome

    def _judge(self, estate: Estate, database: Database, count: int) -> Outcome | None:
        inputs = database_inputs(database)
        stands = standing(estate, subject_of(database.resource), Drill.FAILOVER, inputs)
        if stands.proven:
            reason = cannot_compare(stands, inputs)
            return self.undecided(database.place, unknown="version", reason=reason) if reason else None
        who = named(database.resource)
        title = estate.products.title(database.product)
        return self.found(
            database.place,
            field="failover",
            subject=who,
            message=f"{who} runs {title} in {count} instances, and {since(stands, 'a failover')}.",
            consequence="Whether one takes over, how long it takes and what is lost is learned when one is gone.",
            severity=Severity.CRITICAL if stands.state is State.FAILED else self.severity,
            fixes=(_FAIL_OVER,),
        )


def _enabled(database: Database) -> bool:
    return database.workload is None or database.workload.enabled
