"""Drills as a command asks for them: derived from what the repository says, run, and put into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from shoreup.drills.base import Experiment, Trial, Wishes
from shoreup.drills.proving import reach, record
from shoreup.drills.registry import experiments
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import standing
from shoreup.ledger.location import Location, default_location
from shoreup.model.errors import UserError
from shoreup.model.proof import Proof, ProofSubject
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import Opened, opened

Progress = Callable[[str, int, int], None]
_NAMED = 8
"""Subjects that an error names."""


class DrillOptions(Struct, frozen=True):
    """What is asked for.

    ``name`` is a drill, empty for all that need not be named. ``subject`` is a pattern of ``namespace/name``, empty for
    everything. ``due`` leaves out what is proven and stays so today. ``run`` is the run that this belongs to, empty for
    one of its own: what a run has recorded is not recorded again.
    """

    name: str = ""
    subject: str = ""
    wishes: Wishes = Wishes()
    due: bool = False
    config: Path | None = None
    ledger: str = ""
    today: date | None = None
    run: str = ""


class Untried(Struct, frozen=True):
    """A drill that could not be started, and what to do about it."""

    subject: ProofSubject
    drill: str
    reason: str


class Drilled(Struct, frozen=True):
    """What came of it. ``left`` are subjects whose proof still counts. ``ledger`` names where proofs were kept."""

    proofs: tuple[Proof, ...]
    untried: tuple[Untried, ...]
    left: tuple[ProofSubject, ...]
    ledger: str


def names() -> tuple[str, ...]:
    """The drills that there are."""
    return tuple(one.drill.value for one in experiments())


def drill(paths: Sequence[Path], options: DrillOptions, say: Progress) -> Drilled:
    """Run every trial that is asked for, and keep the proofs.

    Raises :class:`UserError` where the estate calls for none.
    """
    found = opened(paths, config=options.config, ledger=options.ledger, empty=True)
    estate = _understood(found, options, say)
    trials = _meant(estate, options, replace(options.wishes, home=found.given.folder.resolve()))
    ledger = _ledger(found)
    run = options.run or uuid4().hex
    made: list[Proof] = []
    untried: list[Untried] = []
    left: list[ProofSubject] = []
    for number, (experiment, trial) in enumerate(trials):
        say(f"{experiment.drill.value} {trial.name}", number, len(trials))
        if options.due and standing(estate, trial.subject, experiment.drill, trial.inputs).proven:
            left.append(trial.subject)
            continue
        ready = trial.prepare()
        if isinstance(ready, str):
            untried.append(Untried(trial.subject, experiment.drill.value, ready))
            continue
        if not made:
            reach(ledger)
        proof = ready(run, datetime.now(UTC))
        record(proof, ledger, run=run)
        made.append(proof)
    return Drilled(tuple(made), tuple(untried), tuple(left), ledger.shown)


def _understood(found: Opened, options: DrillOptions, say: Progress) -> Estate:
    today = options.today or datetime.now(UTC).date()
    asked = Asked((), today, proven=found.proven(), given=found.given, whole=found.whole)
    return understood(read(found.tree, None, say), asked)


_NOTHING = (
    "There is nothing to drill: no job in the repository makes dumps or backups again and again, and shoreup.toml has "
    "no [backup.NAME]. 'shoreup audit --select backup-missing' says what no backup covers."
)


def _meant(estate: Estate, options: DrillOptions, wishes: Wishes) -> list[tuple[Experiment, Trial]]:
    asked = [
        one for one in experiments() if options.name == one.drill.value or (not options.name and not one.asked_only)
    ]
    called = [(one, trial) for one in asked for trial in one.trials(estate, wishes)]
    if not called:
        raise UserError(asked[0].nothing if options.name else _NOTHING)
    meant = [(one, trial) for one, trial in called if trial.meant(options.subject)]
    names = sorted({trial.name for _, trial in meant or called})
    if not meant:
        raise UserError(f"Nothing is called {options.subject!r}. There are {', '.join(names[:_NAMED])}.")
    if options.wishes.copy is not None and len(meant) > 1:
        raise UserError(f"--from is a copy of one backup; name it with --subject: {', '.join(names[:_NAMED])}.")
    return meant


def _ledger(found: Opened) -> Location:
    # One that only the tree names may be a stranger's: what was seen here is none of their business.
    named = found.ledger
    return default_location(found.root) if named is None or named.closed else named
