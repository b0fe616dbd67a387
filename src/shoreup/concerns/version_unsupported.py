"""Versions for which no fixes come any more, and versions that were never meant to last."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.carrying_over import carried_over
from shoreup.concerns.wording.versions import Named, lasting, passing, trouble, versions, way
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.products import Product
from shoreup.facts.scheduling.staying import idle
from shoreup.facts.versions.support import Support, data_date, own_cycles, support
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source


class VersionUnsupported(Concern):
    """An image, an operator's object or a chart names a version without fixes, or never meant for lasting data.

    **What**

    The version is past its end of life, a pre-release, or a short-lived release (an innovation release of MySQL) under
    data that is meant to last. A chart counts where it is released with its product under the same number, such as
    cert-manager's. The dates come from endoflife.date and are bundled with the day on which they were read.

    **Why**

    Holes that are found from now on stay open. For a database every skipped release makes the upgrade longer and
    harder to rehearse.

    **Example**

    `mysql:9.2` is found: an innovation release, out of support since April 2025. `mysql:8.4` is not.

    **Fix safety**

    Shown: a new version of a product that keeps data needs a migration, which is not a swap of the image. Unsafe for a
    PostgreSQL whose upgrade was rehearsed: its image changes, and a Job that waits carries the data over.
    """

    id = "version-unsupported"
    title = "Version out of support, or never meant to last"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Until when a release is supported", "facts/data/support.json"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every image with a known product, at the versions that operators are told to run, and at charts."""
        for one in versions(estate):
            if one.version:
                yield from self._judge(estate, one)
            else:
                yield self.undecided(one.place, unknown=f"version of {one.product.title}", reason=one.open)

    def _judge(self, estate: Estate, one: Named) -> Iterator[Outcome]:
        product = one.product
        known = support(product, one.version, estate.today, own_cycles(product, estate.settings.support))
        if known is None:
            reason = f"the support dates of {data_date()} do not list this version"
            yield self.undecided(one.place, unknown=f"support of {product.title} {one.version}", reason=reason)
            return
        wrong = trouble(product, known)
        if wrong:
            yield self._unsupported(estate, one, known, wrong)

    def _unsupported(self, estate: Estate, one: Named, known: Support, wrong: str) -> Draft:
        subject = named(estate.by_key[one.place.resource], one.place.container)
        used, rests = passing(estate, one), one.place.resource in idle(estate)
        does = "would run if it were switched on" if rests else "uses" if used else "runs"
        consequence = "Holes that are found from now on stay open."
        if known.supported:
            consequence = "It may lose data or refuse an upgrade, and nobody promises a way to a later version."
        elif lasting(estate, one):
            consequence = (
                "Holes that are found from now on stay open, and every release that is skipped makes the migration of "
                "its data harder."
            )
        return self.found(
            one.place,
            field="version",
            subject=subject,
            message=f"{subject} {does} {one.product.title} {known.version}, {wrong}.",
            consequence=consequence,
            severity=Severity.LOW if rests else Severity.MEDIUM if used else Severity.HIGH,
            confidence=Confidence.CERTAIN,
            consequence_class=Consequence.DATA_LOSS if known.supported else Consequence.TAKEOVER,
            fixes=_fixes(one.product, known),
            strict=rests,
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
    path = " (then on, one major at a time)" if len(known.successors) > 1 and product.lasting else ""
    return (Fix(f"Move to {product.title} {nearest.name}{until}{path}", Safety.SHOWN, reason),)
