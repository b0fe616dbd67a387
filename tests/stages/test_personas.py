"""Each persona hears what it wants of the same findings."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from accounts import accepted, account, finding
from shoreup.model.finding import Consequence
from shoreup.model.grades import Persona
from shoreup.stages.auditing.personas import heard_by


@pytest.mark.parametrize(
    ("persona", "ranks"),
    [(Persona.INCIDENT, [1, 2]), (Persona.REGULAR, [1, 2, 3, 4]), (Persona.STRICT, [1, 2, 3, 4, 5])],
)
def test_incident_hears_what_is_lost_for_good_and_strict_hears_all(persona: Persona, ranks: list[int]) -> None:
    kinds = [*Consequence]
    every = [finding(number, consequence_class=kind) for number, kind in enumerate(kinds, start=1)]
    every.append(finding(5, consequence_class=Consequence.DATA_LOSS, strict=True))
    whole = account(*every, unproven=tuple(every), suppressed=tuple(map(accepted, every)))
    heard = heard_by(replace(whole, known=tuple(every)), persona)
    assert [one.rank for one in heard.findings] == ranks
    assert [one.rank for one in heard.unproven] == ranks
    assert [one.rank for one in heard.known] == ranks
    assert [one.finding.rank for one in heard.suppressed] == ranks
