"""A drill as an operation, so that one that is scheduled goes on after a kill, and keeps each proof once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.stages.drill import DrillOptions
from shoreup.stages.drill import drill as drilled


def drill() -> Operation:
    """One step: every trial that is asked for. A proof that the run has recorded already is not recorded again."""
    return Operation("drill", (Step("try", _try, "a drill changes nothing but its own scratch place"),), anywhere=True)


def _try(run: Run) -> Plain:
    options = DrillOptions(
        name=str(run.given.get("name", "")),
        subject=str(run.given.get("subject", "")),
        due=run.given.get("due") is True,
        config=Path(str(run.given["config"])) if run.given.get("config") else None,
        run=run.id,
    )
    done = drilled([Path(str(run.given["estate"]))], options, lambda *_: None)
    verdicts = Counter(proof.verdict.value for proof in done.proofs)
    return {
        "verdicts": dict(verdicts),
        "untried": [f"{one.subject}: {one.reason}" for one in done.untried],
        "ledger": done.ledger,
    }
