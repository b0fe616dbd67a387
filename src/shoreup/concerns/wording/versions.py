"""What the concerns about support share: every version that the estate names, and when it is in trouble already."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.backups.dump_commands import dump_command
from shoreup.facts.estate import Estate
from shoreup.facts.products import GUARDING_KINDS, Product, version_of
from shoreup.facts.versions.chart_products import product_by_chart
from shoreup.facts.versions.support import Support, data_date, own_cycles, support
from shoreup.model.finding import Place
from shoreup.model.value import Unknown

_PASSING = frozenset({"Job", "CronJob"})
"""Kinds of object that use a product's programs for a while and keep no data in it."""
_SECONDARY_KINDS = frozenset({"base", "exporter", "agent", "backup-tool"})


class Named(Struct, frozen=True):
    """A version of a product where the estate names it. ``version`` is empty where it is not decided, and ``open``
    says why.
    """

    product: Product
    version: str
    place: Place
    open: str = ""


def versions(estate: Estate) -> Iterator[Named]:
    """Every image with a known product, the versions that operators are told to run, and those of charts.

    An init container that uses what runs in its pod says nothing that the pod does not say.
    """
    judged: set[Place] = set()
    staying = {(one.place.resource, one.product, one.version) for one in estate.images if not _prepares(one.place)}
    for image in estate.images:
        product = estate.products.get(image.product)
        if product is None or not _dated(estate, product):
            continue
        judged.add(image.place)
        if _prepares(image.place) and (image.place.resource, image.product, image.version) in staying:
            continue
        if isinstance(image.tag, Unknown) and not image.version:
            yield Named(product, "", image.place, image.tag.reason)
        elif image.version:
            yield Named(product, image.version, image.tag_place)
    for database in estate.databases:
        product = estate.products.get(database.product)
        if product is None or database.likely or not _dated(estate, product):
            continue
        if database.version and database.place not in judged:
            yield Named(product, database.version, database.place)
    yield from _of_charts(estate)


def _of_charts(estate: Estate) -> Iterator[Named]:
    """Products whose version is the version of their chart; a range of versions names none."""
    for release in estate.releases:
        product = estate.products.get(product_by_chart(release))
        if product is None or not _dated(estate, product):
            continue
        if isinstance(release.version, Unknown):
            yield Named(product, "", release.version_place, release.version.reason)
        elif release.version and version_of(release.version):
            yield Named(product, version_of(release.version), release.version_place)


def passing(estate: Estate, one: Named) -> bool:
    """Whether the product is only used for a while, or beside what matters, and keeps no data."""
    kind = estate.by_key[one.place.resource].kind
    return kind in _PASSING or _prepares(one.place) or one.product.kind in _SECONDARY_KINDS


def _prepares(place: Place) -> bool:
    """Whether it is the place of an init container, which ends before the pod begins its work."""
    return "initContainers" in place.route


def lasting(estate: Estate, one: Named) -> bool:
    """Whether lasting data hangs on the version."""
    return one.product.lasting and one.product.kind in GUARDING_KINDS and not passing(estate, one)


def trouble(product: Product, known: Support) -> str:
    """What is wrong with a version today, as the rest of a sentence; empty when nothing is."""
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


def _dated(estate: Estate, product: Product) -> bool:
    """Whether the data set or the owner has dates of the product."""
    return bool(product.support) or any(one.product == product.id for one in estate.settings.support)


def way(estate: Estate, place: Place) -> str:
    """The way from a version that the estate names to those with support, for a person to complete."""
    one = next((one for one in versions(estate) if one.place == place and one.version), None)
    if one is None:
        return ""
    known = support(one.product, one.version, estate.today, own_cycles(one.product, estate.settings.support))
    if known is None or not known.successors:
        return ""
    nearest = known.successors[0]
    lines = [f"# {one.product.title} {known.version} -> {nearest.name} (dates of {data_date()})"]
    if nearest.newest:
        lines.append(f"# the newest release of that line then: {nearest.newest}; look for a newer one")
    if len(known.successors) > 1:
        later = ", ".join(cycle.name for cycle in known.successors[1:4])
        lines.append(f"# later lines: {later}")
    if one.product.lasting:
        lines += moved(one.product.id, nearest.name)
    return "\n".join(lines)


def moved(product: str, new: str) -> list[str]:
    """How the data of a product come into a server of another version, step by step."""
    known = dump_command(product)
    steps = ["# 1. a backup, and one restore of it on another machine"]
    if known is None:
        return [*steps, "# 2. the upgrade on that restored copy, one major at a time, then in earnest"]
    return [
        *steps,
        "# 2. a server of the new version beside the old one, with a volume of its own; writers stand still, then",
        *(step.replace("{new}", new) for step in known.move),
        "# 3. compare tables and extensions, point the clients at the new one, keep the old one for a while",
    ]
