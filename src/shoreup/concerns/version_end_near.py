"""Versions that get fixes today, and soon none any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.carrying_over import carried_over
from shoreup.concerns.wording.versions import Named, lasting, passing, trouble, versions, way
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.products import Product
from shoreup.facts.versions.support import Cycle, Support, own_cycles, support
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source


class VersionEndNear(Concern):
    """Support of a version in use ends soon.

    **What**

    The version that an image, an operator's object or a chart names is supported today, and its last day lies within
    180 days (`thresholds.support-ends-days`). A chart counts where it is released with its product under the same
    number. The dates come from endoflife.date and are bundled with the day on which they were read; your own stand in
    `[[support]]`.

    **Why**

    A database takes a rehearsal, a backup and a quiet evening to move; a reverse proxy takes its configuration. Half a
    year is enough when it is known, and none when it is found out by a security notice.

    **Example**

    `nextcloud:33.0.2` is found in November 2026: it ends in February 2027.

    **Fix safety**

    Shown: a new version of a product that keeps data needs a migration, which is not a swap of the image. Unsafe for a
    PostgreSQL whose upgrade was rehearsed: its image changes, and a Job that waits carries the data over.
    """

    id = "version-end-near"
    title = "Support of a version ends soon"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Until when a release is supported", "facts/data/support.json"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every version that the estate names."""
        near = estate.today + timedelta(days=estate.settings.thresholds.support_ends_days)
        for one in versions(estate):
            known = (
                support(one.product, one.version, estate.today, own_cycles(one.product, estate.settings.support))
                if one.version
                else None
            )
            if known is None or known.cycle is None or trouble(one.product, known):
                continue
            if known.cycle.end is not None and known.cycle.end <= near:
                yield self._ends(estate, one, known, known.cycle)

    def _ends(self, estate: Estate, one: Named, known: Support, cycle: Cycle) -> Draft:
        assert cycle.end is not None
        subject = named(estate.by_key[one.place.resource], one.place.container)
        used = passing(estate, one)
        left = (cycle.end - estate.today).days
        when = f"ends on {cycle.end:%-d %B %Y}, in {left} days" if left > 1 else f"ends on {cycle.end:%-d %B %Y}"
        consequence = "After that day holes stay open, and the move is made in a hurry."
        if lasting(estate, one):
            consequence = "After that day holes stay open, and the migration of its data is made in a hurry."
        return self.found(
            one.place,
            field="version",
            subject=subject,
            message=f"{subject} {'uses' if used else 'runs'} {one.product.title} {known.version}; its support {when}.",
            consequence=consequence,
            severity=Severity.LOW if used else Severity.MEDIUM,
            fixes=_fixes(one.product, known),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The way to a supported version is shown: what it needs is more than another tag."""
        carried = carried_over(estate, draft.at)
        if isinstance(carried, Repair):
            return carried
        return self.unrepaired(draft, text=way(estate, draft.at) + (f"\n# {carried}" if carried else ""))


def _fixes(product: Product, known: Support) -> tuple[Fix, ...]:
    if not known.successors:
        return ()
    nearest = known.successors[0]
    until = f", supported until {nearest.end:%B %Y}" if nearest.end else ""
    reason = "a restart with a new version; read its release notes for what changed"
    if product.lasting:
        reason = "its data must be migrated: take a backup, rehearse the upgrade on a copy, then go"
    return (Fix(f"Move to {product.title} {nearest.name}{until}", Safety.SHOWN, reason),)
