"""The same database product in several flavours: other majors, or builds with other extensions.

The line of releases is that of the support data (`16`, `8.4`), where it is known. What a build brings is told by words
in the image's name; a build of the owner's own is a flavour by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Database, Estate, Image
from shoreup.facts.products import Product
from shoreup.facts.versions.support import support
from shoreup.model.finding import Place


class Flavoured(Struct, frozen=True, eq=False):
    """A database with its line of releases (empty where not decided) and what its build brings (empty for nothing)."""

    database: Database
    line: str
    build: str

    @property
    def called(self) -> str:
        """The flavour in a few words."""
        return f"{self.line} with {self.build}" if self.build else self.line


def flavours(estate: Estate) -> Iterator[tuple[Product, tuple[Flavoured, ...]]]:
    """Every lasting database product that runs more than once, with all of its databases."""
    images = {image.place: image for image in estate.images}
    found: dict[str, list[Flavoured]] = {}
    seen: set[tuple[str, str, str]] = set()
    for database in estate.databases:
        product = estate.products.get(database.product)
        if product is None or product.kind != "database" or not product.lasting:
            continue
        if database.workload is not None and not database.workload.enabled:
            continue
        key = (database.resource.kind, database.namespace, database.name)
        if key not in seen:
            seen.add(key)
            build = _build(product, database, images)
            found.setdefault(product.id, []).append(Flavoured(database, _line(estate, product, database), build))
    for identity, held in found.items():
        if len(held) > 1:
            yield estate.products.by_id[identity], tuple(held)


def _line(estate: Estate, product: Product, database: Database) -> str:
    if not database.version:
        return ""
    known = support(product, database.version, estate.today) if product.support else None
    if known is not None and known.cycle is not None:
        return known.cycle.name
    return database.version.partition(".")[0]


def _build(product: Product, database: Database, images: Mapping[Place, Image]) -> str:
    image = images.get(database.place)
    if image is None:
        return ""
    name = f"{image.repository}:{image.tag}" if isinstance(image.tag, str) else image.repository
    return next((title for word, title in product.builds.items() if word in name), "")
