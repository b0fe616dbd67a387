"""One database product in several majors or builds."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import called
from shoreup.concerns.wording.versions import moved
from shoreup.facts.databases.flavours import Flavoured, flavours
from shoreup.facts.estate import Estate
from shoreup.facts.products import Product
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.wording import some

_FIX = Fix(
    "Bring them to one version and one build, the one that has every extension in use",
    Safety.SHOWN,
    "each needs a backup and a rehearsed upgrade of its own; what the applications support decides the order",
)
_NAMED = 3
"""How many databases of one flavour a sentence names."""


class DatabaseFlavoursDiffer(Concern):
    """The estate runs one database product in different majors, or in builds with different extensions.

    **What**

    At least two databases of a product (PostgreSQL, MySQL ...) whose lines of releases differ, or of which one brings
    extensions that another lacks. One finding for a product, with all of its databases.

    **Why**

    They cannot stand in for each other: a dump of the newer is refused by the older, and a column of a type that an
    extension brings cannot be restored where the extension is missing. It shows on the day on which one server is to
    take over from another.

    **Example**

    `postgres:13`, `postgres:16.10` and a build of 16 with vector extensions in one estate.

    **Fix safety**

    Shown: each database needs its own upgrade.
    """

    id = "database-flavours-differ"
    title = "One database product in several majors or builds"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.TECH_DEBT
    sources = (
        Source("PostgreSQL: collations and their versions", "https://www.postgresql.org/docs/current/collation.html"),
        Source("PostgreSQL: upgrading a cluster", "https://www.postgresql.org/docs/current/upgrading.html"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Compare the databases of each product."""
        for product, held in flavours(estate):
            known = [one for one in held if one.line]
            if len({(one.line, one.build) for one in known}) > 1:
                yield self._differ(product, known)
                continue
            for one in held:
                if not one.line:
                    reason = "its version is not decided in the repository"
                    yield self.undecided(one.database.place, unknown=f"version of {product.title}", reason=reason)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """How the data of one come into another is shown."""
        product = next((one for one, _ in flavours(estate) if draft.field == f"flavours of {one.id}"), None)
        steps = moved(product.id, "<the version that all shall have>") if product is not None else []
        return self.unrepaired(draft, text="\n".join(steps))

    def _differ(self, product: Product, held: list[Flavoured]) -> Outcome:
        by_flavour: dict[str, list[Flavoured]] = {}
        for one in sorted(
            held, key=lambda one: ([int(part) for part in one.line.split(".") if part.isdigit()], one.build)
        ):
            by_flavour.setdefault(one.called, []).append(one)
        listed = [f"{flavour} ({_names(ones)})" for flavour, ones in by_flavour.items()]
        first = next(iter(by_flavour.values()))[0]
        return self.found(
            first.database.place,
            field=f"flavours of {product.id}",
            subject=product.title,
            message=f"{product.title} runs here as {', '.join(listed[:-1])} and {listed[-1]}.",
            consequence="A dump of one cannot be restored into another: an older major refuses it, or an extension is "
            "missing.",
            related=tuple((one.database.place, f"{product.title} {one.called}") for one in held if one is not first),
            fixes=(_FIX,),
            confidence=Confidence.LIKELY if any(one.database.likely for one in held) else Confidence.CERTAIN,
            whole_estate=True,
        )


def _names(held: list[Flavoured]) -> str:
    return some([called(one.database) for one in held], _NAMED)
