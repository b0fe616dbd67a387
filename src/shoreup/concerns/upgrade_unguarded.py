"""Data whose software changes by itself."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.versions.movers import MovedData, Mover, movers
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_LISTED = 10
_GUARD = Fix(
    "Let a change of such an image through only with a fresh backup and a restore of it that was seen to work",
    Safety.SHOWN,
    "where that is asked, in the bot's rules or in the pipeline, depends on how changes arrive",
)


class UpgradeUnguarded(Concern):
    """What keeps data may be moved to another version, and nobody has seen a restore of that data.

    **What**

    A bot that proposes or merges versions, an automation in the cluster, or a tag that moves by itself, together with
    databases and applications that keep data and for which no passing restore is on record that is young enough. It is
    one entry for each thing that moves versions, with what it may move.

    **Why**

    Migrations run when the new version starts. When one fails half way, the way back is a restore.

    **Example**

    Renovate with a PostgreSQL and an application on a claim is one entry. An estate whose tags stand still and that no
    bot touches has none.

    **Fix safety**

    Shown: where it is asked for depends on how changes arrive.
    """

    id = "upgrade-unguarded"
    title = "Versions under data move with no restore to fall back on"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.VERSIONS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Renovate: how updates are proposed", "https://docs.renovatebot.com/"),
        Source("PostgreSQL: upgrading a cluster", "https://www.postgresql.org/docs/current/upgrading.html"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Join what moves versions with what keeps data."""
        for mover in movers(estate):
            if mover.undecided:
                yield self.undecided(mover.place, unknown="what it moves", reason=mover.undecided)
                continue
            open_ones = [one for one in mover.data if not one.guarded]
            if open_ones:
                yield self._found(mover, open_ones)

    def _found(self, mover: Mover, data: list[MovedData]) -> Outcome:
        first = data[0]
        count = len(data)
        what = f"{count} workloads that keep data" if count > 1 else f"{named(first.resource)}, which keeps data"
        tail = "and of none of them a restore is on record" if count > 1 else "and no restore of it is on record"
        return self.found(
            mover.place,
            field=mover.field,
            subject=mover.name,
            message=f"{mover.name} may change the version of {what}, {tail}.",
            consequence="When a migration fails half way, the only way back is a restore that nobody has tried.",
            related=tuple((one.place, f"{named(one.resource)} keeps data") for one in data[:_LISTED]),
            fixes=(_GUARD,),
            dependants=count,
            whole_estate=True,
        )
