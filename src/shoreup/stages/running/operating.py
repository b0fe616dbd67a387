"""Operations as a command asks for them: carried out durably, with what came of them or why not.

A command names an operation and what is given to it. That it survives a kill, that two on one subject never mix, that a
proof is written once: none of that is the command's concern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from shoreup.model.errors import UserError
from shoreup.operations.inheritance import adopt
from shoreup.operations.outcomes import Ended, Outcome
from shoreup.operations.places import Place, locate
from shoreup.operations.records import unreachable
from shoreup.operations.runs import Kept
from shoreup.operations.steps import Plain
from shoreup.operations.workflows import Executor, new_id
from shoreup.stages.opening import Opened

Progress = Callable[[str, int, int], None]


def place_of(found: Opened, *, asked: bool = False) -> Place:
    """Where the runs of an estate are. ``asked`` says that its settings are the user's own word (``--config``)."""
    said = found.given.settings.operations
    return locate(found.root, said.url, said.folder, asked=asked)


def operate(
    operation: str, given: Mapping[str, Plain], place: Place, *, subject: str = "", say: Progress | None = None
) -> Outcome:
    """Carry an operation out to its end in this process, durably, and give what came of it.

    ``operation`` is a name in :mod:`shoreup.operations.registry`; add yours there, as a function without arguments
    that gives the :class:`~shoreup.operations.steps.Operation`. ``given`` becomes ``Run.given`` and is kept in a
    database for ever: names and choices, no password, no key. Whoever executes a step adds ``given["estate"]``, the
    estate's folder on that machine, so give no path that lies in it. ``subject`` names what the run is about, as in
    ``backup photos``: two runs on one subject never mix, whatever their operations. ``place`` is :func:`place_of` an
    opened estate.

    What the dead have left on this machine goes on first. Raises :class:`UserError` where the run is refused or was
    undone, with the step and why; ``shoreup runs show ID`` tells the rest.

        found = opened(paths, config=config)
        place = place_of(found, asked=config is not None)
        done = operate("backup run", {"name": name}, place, subject=f"backup {name}")
        done.results["store"]
    """

    mine: set[str] = set()

    def watch(run: str, step: str) -> None:
        if say is not None:
            say(step if run in mine else f"going on with {run}: {step}", 0, 0)

    with Executor(place, watch=watch) as executor:
        try:
            asked = executor.asked(operation, subject, given)
            for left in adopt(executor):
                # One that cannot go on keeps nobody from anything else.
                with suppress(_Unable):
                    _waited(executor, left)
            begun = executor.begun(asked.subject)
            if begun is not None:
                raise UserError(_taken(begun))
            run = new_id()
            mine.add(run)
            executor.begin(asked, run=run)
        except SQLAlchemyError as problem:
            raise unreachable(place, problem) from None
        done = _waited(executor, run)
    if done.ended is not Ended.DONE:
        raise UserError(sentence(operation, done))
    return done


class _Unable(UserError):
    """A run cannot go on here and now."""


def _waited(executor: Executor, run: str) -> Outcome:
    try:
        return executor.wait(run)
    except KeyboardInterrupt:
        raise UserError(
            f"Interrupted. Nothing of run {run} is lost: 'shoreup runs resume {run}' goes on with it, "
            f"'shoreup runs cancel {run}' takes back what it did."
        ) from None
    except UserError as problem:
        raise _Unable(problem.message) from None


def sentence(operation: str, outcome: Outcome) -> str:
    """What came of a run that was not done, and what to do next."""
    run, why = outcome.run, outcome.why.rstrip(".")
    if outcome.ended is Ended.REFUSED:
        return f"{operation} was not begun: {why}."
    if outcome.ended is Ended.CANCELLED:
        return f"{operation} was cancelled before {outcome.step!r} (run {run}); what was done is undone."
    if outcome.left:
        return (
            f"{operation} failed at {outcome.step!r} (run {run}): {why}. This could not be undone, and needs you: "
            f"{'; '.join(outcome.left)}."
        )
    return f"{operation} failed at {outcome.step!r} (run {run}): {why}. What was done is undone."


def _taken(begun: Kept) -> str:
    return (
        f"Run {begun.id} of the same is {begun.state.value}. Wait for it, or see 'shoreup runs show {begun.id}'; "
        f"'shoreup runs resume {begun.id}' goes on with one that was interrupted."
    )
