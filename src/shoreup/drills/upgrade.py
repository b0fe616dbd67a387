"""``upgrade``: each database goes to its next version on a copy, and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.restoring.trial import RestoreSpec, restore
from shoreup.drills.upgrading.postgresql import rehearse
from shoreup.drills.upgrading.specs import CARRIED, Way, dump_spec, rehearsal_spec, ways
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import Drill, database_inputs, subject_of
from shoreup.model.proof import Proof


class Upgrade(Experiment):
    """A rehearsal of the upgrade of each database to the next major version."""

    drill = Drill.UPGRADE
    title = "each database goes to its next major version on a restored copy, and the way back is taken"
    proves = frozenset({"database-upgrade-unrehearsed"})
    asked_only = True
    nothing = "The estate has no PostgreSQL, MySQL or MariaDB with lasting data, so there is no upgrade to rehearse."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for way in ways(estate, wishes.product):
            if way.lines or way.unknown or wishes.to:
                yield Trial(
                    subject=subject_of(way.database.resource),
                    name=f"{way.database.namespace}/{way.database.name}",
                    prepare=partial(_prepared, estate, way, wishes),
                    inputs=database_inputs(way.database),
                )


def _prepared(estate: Estate, way: Way, wishes: Wishes) -> Go | str:
    if way.database.product in CARRIED:
        spec = rehearsal_spec(estate, way, wishes)
        return spec if isinstance(spec, str) else lambda run, now: rehearse(spec, run=run, now=now)
    dump = dump_spec(estate, way, wishes)
    return dump if isinstance(dump, str) else lambda run, now: dumped(dump, way.product.title, run=run, now=now)


def dumped(spec: RestoreSpec, title: str, *, run: str, now: datetime) -> Proof:
    """Rehearse an upgrade by dump: the newest dump comes up in a server of the version to go to.

    Files are never opened by another version here. From an innovation release there may be no way for them at all, and
    a dump in SQL goes to every line that knows its words.
    """
    proof = restore(spec, run=run, now=now)
    drill = Drill.UPGRADE.value
    return replace(
        proof,
        id=proof.id.replace(f"{proof.drill}-", f"{drill}-", 1),
        drill=drill,
        claim=f"A dump of the database restores whole into {title} {spec.wanted.version}.",
        limits=(*proof.limits, "what the applications say to the new version: nobody but the drill asked it"),
    )
