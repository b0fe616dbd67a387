"""Estates that nobody has written down how to bring back."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.backups.recovery_plans import OLD, Plan, newest, plans, unnamed
from shoreup.facts.estate import Database, Estate
from shoreup.facts.naming import named
from shoreup.facts.proofs import ESTATE, Drill, standing
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_LISTED = 10
_PLAN = Fix(
    "Write down in which order what comes back, from which copy, with whose keys, and how long each step took",
    Safety.SHOWN,
    "a plan is a text for the person who is woken; it changes nothing",
)


class RecoveryPlanMissing(Concern):
    """Nothing in the repository says how the estate is brought back.

    **What**

    The estate keeps data in databases or makes backups, and no document has recovery, restoring, disaster or a runbook
    in its name or in a heading. Or git knows that every such document rested for more than a year while the estate went
    on, and there is a database that none of them names. It is one entry for the estate; where only a part of a
    repository is read, the question is left open.

    **Why**

    The order matters: secrets before what reads them, storage before databases, databases before what needs them. It
    is worked out at night otherwise, without the notes that lay on the server.

    **Example**

    `docs/disaster-recovery.md`, or a README with a heading "Restoring the databases", is a plan. A wiki that runs on
    the estate itself is not.

    **Fix safety**

    Shown: a plan is a text.
    """

    id = "recovery-plan-missing"
    title = "No plan for bringing the estate back"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.MISSING_FEATURES
    sources = (
        Source("NIST SP 800-34: contingency planning", "https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final"),
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
    )
    estate_level = True
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look for a document where there is something to bring back."""
        databases = [one for one in estate.databases if _lasting(estate, one)]
        places = [*((one.place, named(one.resource)) for one in databases)]
        places += [(one.place, named(one.resource)) for one in estate.backups]
        if not places or standing(estate, ESTATE, Drill.RECOVERY).proven:
            return
        known = tuple(plans(estate))
        if known:
            yield from self._old(estate, known, tuple(databases))
            return
        first, _ = places[0]
        if estate.part_of_more:
            reason = "this is a part of a repository, and a plan may lie elsewhere in it"
            yield self.undecided(first, unknown="recovery plan", reason=reason)
            return
        what = (
            f"{len(databases)} databases" if len(databases) > 1 else "a database" if databases else "data with backups"
        )
        yield self.found(
            first,
            field="plan",
            subject="the estate",
            message=f"The estate has {what}, and no document in the repository says how it is brought back.",
            consequence="The order of things, the copies and the keys are looked for while everything is down.",
            related=tuple((place, f"{name} would have to come back") for place, name in places[1:_LISTED]),
            fixes=(_PLAN,),
            dependants=len(databases),
            whole_estate=True,
        )

    def _old(self, estate: Estate, known: tuple[Plan, ...], databases: tuple[Database, ...]) -> Iterator[Outcome]:
        plan, estate_changed = newest(known), estate.last_changes.get(".")
        missing = unnamed(known, databases)
        if plan is None or plan.changed is None or estate_changed is None or not missing:
            return
        if estate_changed - plan.changed > OLD:
            names = ", ".join(named(one.resource) for one in missing[:3])
            yield self.found(
                plan.place,
                field="plan",
                subject="the estate",
                message=(
                    f"The recovery plan {plan.path} was last changed on {plan.changed}, does not name {names}, and the "
                    f"estate went on until {estate_changed}."
                ),
                consequence="Whoever follows it brings back an estate that is no longer this one.",
                related=tuple((one.place, "not in the plan") for one in missing[:_LISTED]),
                severity=Severity.MEDIUM,
                confidence=Confidence.LIKELY,
                fixes=(_PLAN,),
                whole_estate=True,
            )


def _lasting(estate: Estate, database: Database) -> bool:
    product = estate.products.get(database.product)
    return product is not None and product.lasting
