"""What each reader wants to hear of the same findings."""

from __future__ import annotations

from msgspec.structs import replace

from shoreup.model.account import Account
from shoreup.model.finding import Consequence, Finding
from shoreup.model.grades import Persona

_LOST_FOR_GOOD = frozenset({Consequence.DATA_LOSS, Consequence.TAKEOVER})
"""What cannot be waited out: all that an incident has time for."""


def heard_by(account: Account, persona: Persona) -> Account:
    """The account without what this persona does not want to hear. Ranks stay what they were."""

    return replace(
        account,
        findings=tuple(one for one in account.findings if wants(persona, one)),
        unproven=tuple(one for one in account.unproven if wants(persona, one)),
        suppressed=tuple(one for one in account.suppressed if wants(persona, one.finding)),
        known=tuple(one for one in account.known if wants(persona, one)),
    )


def wants(persona: Persona, one: Finding) -> bool:
    """Whether this persona wants to hear of a finding."""
    if persona is Persona.STRICT:
        return True
    return not one.strict and (persona is Persona.REGULAR or one.consequence_class in _LOST_FOR_GOOD)
