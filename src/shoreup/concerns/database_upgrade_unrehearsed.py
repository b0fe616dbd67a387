"""Databases whose way to the next major version nobody has rehearsed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import cannot_compare, since
from shoreup.facts.estate import Database, Estate
from shoreup.facts.naming import named
from shoreup.facts.products import Product
from shoreup.facts.proofs import Drill, State, database_inputs, standing, subject_of
from shoreup.facts.versions.support import majors, own_cycles, support
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_SOON = timedelta(days=365)
_REHEARSE = Fix(
    "Rehearse the upgrade on a restored copy: extensions, collations, every table compared, the downtime measured, the "
    "way back taken",
    Safety.SHOWN,
    "the database itself is not touched; a new major is never a swap of the image",
)


class DatabaseUpgradeUnrehearsed(Concern):
    """A newer major of this database is supported, and no rehearsal of the upgrade is on record.

    **What**

    A database with lasting data whose product has a newer supported major version (for products with long-term
    releases: a newer one of these), and no rehearsed upgrade that is young enough and began at this version. It is
    medium while the version in use is supported for more than a year, high from then on.

    **Why**

    The first upgrade is the rehearsal otherwise: missing extensions, changed collations and a dump that takes all
    night are met with the old server already stopped.

    **Example**

    PostgreSQL 15 is listed while 16, 17 and 18 are supported. A cache that keeps nothing is not.

    **Fix safety**

    Shown: a rehearsal works on a copy.
    """

    id = "database-upgrade-unrehearsed"
    title = "Major upgrade that nobody has rehearsed"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.TEST_GAPS
    sources = (
        Source("PostgreSQL: upgrading a cluster", "https://www.postgresql.org/docs/current/upgrading.html"),
        Source("Until when a release is supported", "facts/data/support.json"),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every database that keeps lasting data."""
        for database in estate.databases:
            product = estate.products.get(database.product)
            if product is None or not product.lasting or product.kind != "database" or not product.support:
                continue
            if database.workload is not None and not database.workload.enabled:
                continue
            outcome = self._judge(estate, database, product)
            if outcome is not None:
                yield outcome

    def _judge(self, estate: Estate, database: Database, product: Product) -> Outcome | None:
        if not database.version:
            reason = "the image names no version"
            return self.undecided(database.place, unknown=f"version of {product.title}", reason=reason)
        known = support(product, database.version, estate.today, own_cycles(product, estate.settings.support))
        if known is None:
            reason = "the support dates do not list this version"
            return self.undecided(database.place, unknown=f"version of {product.title}", reason=reason)
        newer = [one.name for one in majors(known)]
        if not newer:
            return None
        inputs = database_inputs(database)
        stands = standing(estate, subject_of(database.resource), Drill.UPGRADE, inputs)
        if stands.proven:
            reason = cannot_compare(stands, inputs)
            return self.undecided(database.place, unknown="version", reason=reason) if reason else None
        who = named(database.resource)
        are = "are" if len(newer) > 1 else "is"
        end = known.cycle.end if known.cycle else None
        soon = known.cycle is None or not known.supported or (end is not None and end - estate.today <= _SOON)
        worse = soon or stands.state is State.FAILED
        return self.found(
            database.place,
            field="upgrade",
            subject=who,
            message=(
                f"{who} runs {product.title} {known.version}, {_listed(newer)} {are} supported, and "
                f"{since(stands, 'a rehearsal', 'the upgrade')}."
            ),
            consequence="What breaks on the way, and how long it takes, is learned with the old server stopped.",
            severity=Severity.HIGH if worse else Severity.MEDIUM,
            fixes=(_REHEARSE,),
        )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
