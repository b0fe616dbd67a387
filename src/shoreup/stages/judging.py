"""Run the concerns over the facts. One that crashes costs only itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shoreup.concerns.base import Concern
from shoreup.facts.estate import Estate
from shoreup.model.finding import Doubt, Draft, ReadError


@dataclass(slots=True)
class Judgement:
    """What the concerns said. ``unproven`` are the drafts of those that are about proof."""

    drafts: list[Draft] = field(default_factory=list)
    unproven: list[Draft] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    errors: list[ReadError] = field(default_factory=list)


def judge(estate: Estate, concerns: Iterable[type[Concern]]) -> Judgement:
    """Ask every concern."""
    judgement = Judgement()
    for kind in concerns:
        try:
            for outcome in kind().check(estate):
                if isinstance(outcome, Draft):
                    (judgement.unproven if kind.estate_level else judgement.drafts).append(outcome)
                else:
                    judgement.doubts.append(outcome)
        except Exception as problem:  # one concern's mistake must not hide what the others see
            cause = f"the concern {kind.id} failed on this estate: {type(problem).__name__}"
            judgement.errors.append(ReadError("", 0, cause, f"what {kind.id} would find"))
    return judgement
