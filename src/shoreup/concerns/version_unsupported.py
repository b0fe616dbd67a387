"""Versions for which no fixes come any more, and versions that were never meant to last."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.products import GUARDING_KINDS, Product
from shoreup.facts.support import Support, data_date, own_cycles, support
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.value import Unknown

_PASSING = frozenset({"Job", "CronJob"})
"""Kinds of object that use a product's programs for a while and keep no data in it."""
_SECONDARY_KINDS = frozenset({"base", "exporter", "agent", "backup-tool"})


class VersionUnsupported(Concern):
    """An image, or an operator's object, names a version that gets no fixes, or that was never meant for lasting data.

    **What**

    The version is past its end of life, a pre-release, or a short-lived release (an innovation release of MySQL) under
    data that is meant to last. The dates come from endoflife.date and are bundled with the day on which they were read.

    **Why**

    Holes that are found from now on stay open. For a database every skipped release makes the upgrade longer and
    harder to rehearse.

    **Example**

    `mysql:9.2` is found: an innovation release, out of support since April 2025. `mysql:8.4` is not.

    **Fix safety**

    Shown: a new version of a product that keeps data needs a migration, which is not a swap of the image.
    """

    id = "version-unsupported"
    title = "Version out of support, or never meant to last"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every image with a known product, and at the versions that operators are told to run."""
        judged: set[Place] = set()
        for image in estate.images:
            product = estate.products.get(image.product)
            if product is None or not _dated(estate, product):
                continue
            judged.add(image.place)
            if isinstance(image.tag, Unknown) and not image.version:
                yield self.undecided(image.place, unknown=f"version of {product.title}", reason=image.tag.reason)
            elif image.version:
                yield from self._judge(estate, product, image.version, image.tag_place)
        for database in estate.databases:
            product = estate.products.get(database.product)
            if product is not None and _dated(estate, product) and database.version and database.place not in judged:
                yield from self._judge(estate, product, database.version, database.place)

    def _judge(self, estate: Estate, product: Product, version: str, at: Place) -> Iterator[Outcome]:
        known = support(product, version, estate.today, own_cycles(product, estate.settings.support))
        if known is None:
            reason = f"the support dates of {data_date()} do not list this version"
            yield self.undecided(at, unknown=f"support of {product.title} {version}", reason=reason)
            return
        trouble = _trouble(product, known)
        if trouble:
            yield self._unsupported(estate, product, known, at, trouble)

    def _unsupported(self, estate: Estate, product: Product, known: Support, at: Place, trouble: str) -> Draft:
        resource = estate.by_key[at.resource]
        subject = named(resource, at.container)
        passing = resource.kind in _PASSING or product.kind in _SECONDARY_KINDS
        lasting = product.lasting and product.kind in GUARDING_KINDS and not passing
        consequence = "Holes that are found from now on stay open."
        if known.supported:
            consequence = "It may lose data or refuse an upgrade, and nobody promises a way to a later version."
        elif lasting:
            consequence = (
                "Holes that are found from now on stay open, and every release that is skipped makes the migration of "
                "its data harder."
            )
        return self.found(
            at,
            field="version",
            subject=subject,
            message=f"{subject} {'uses' if passing else 'runs'} {product.title} {known.version}, {trouble}.",
            consequence=consequence,
            severity=Severity.MEDIUM if passing else Severity.HIGH,
            confidence=Confidence.CERTAIN,
            consequence_class=Consequence.DATA_LOSS if known.supported else Consequence.TAKEOVER,
            fixes=_fixes(product, known),
        )


def _dated(estate: Estate, product: Product) -> bool:
    """Whether the data set or the owner has dates of the product."""
    return bool(product.support) or any(one.product == product.id for one in estate.settings.support)


def _trouble(product: Product, known: Support) -> str:
    """What is wrong with a version, as the rest of a sentence; empty when nothing is."""
    cycle = known.cycle
    kind = product.short_lived or "short-lived release"
    if known.kind == "candidate":
        return "a pre-release that was never meant to run in earnest"
    if not known.supported:
        since = f"since {cycle.end:%B %Y}" if cycle and cycle.end else "by now"
        if known.kind == "short-lived":
            return f"an {kind}, out of support {since}" if kind[0] in "aeiou" else f"a {kind}, out of support {since}"
        return f"out of support {since}"
    if known.kind == "short-lived" and product.lasting and cycle and cycle.end:
        article = "an" if kind[0] in "aeiou" else "a"
        return f"{article} {kind} under lasting data, supported until {cycle.end:%B %Y} alone"
    return ""


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
