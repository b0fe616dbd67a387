"""Runs as a command asks after them: which there are, one of them, its end or its continuation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from shoreup.model.errors import UserError
from shoreup.model.run import RunSeen, State
from shoreup.operations.inheritance import resume
from shoreup.operations.leases import leases
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import Place, locate
from shoreup.operations.records import Records, unreachable
from shoreup.operations.registry import Find, operation
from shoreup.operations.runs import Kept, Runs
from shoreup.operations.steps import Plain
from shoreup.operations.workflows import Executor
from shoreup.stages.opening import estate_root
from shoreup.stages.settings import GivenSettings, read_settings

Progress = Callable[[str, int, int], None]
_SHOWN = 100


class Runner:
    """The runs of the estate at a path. Raises :class:`UserError` where their database cannot be used."""

    def __init__(self, path: Path, config: Path | None = None, find: Find = operation) -> None:
        root, _ = estate_root((path,))
        self.given: GivenSettings = read_settings(root, config)
        said = self.given.settings.operations
        self.place: Place = locate(root, said.url, said.folder, asked=config is not None)
        self.find = find

    @property
    def slots(self) -> int:
        """How many runs a worker executes at a time; at least one."""
        return max(1, self.given.settings.operations.slots)

    @property
    def settings_text(self) -> str:
        """The settings as they stand in their file, empty without one."""
        path = self.given.folder / Path(self.given.name).name
        return path.read_text("utf-8") if self.given.name else ""

    def all(self, *, most: int = _SHOWN) -> tuple[RunSeen, ...]:
        """The newest runs, newest first."""
        if self.place.file is not None and not self.place.file.exists():
            return ()
        with self._reading() as runs:
            return tuple(_seen(one) for one in runs.all(limit=most))

    def fired(self) -> Mapping[str, datetime]:
        """Until when the runs of each schedule are queued, by its key."""
        if self.place.file is not None and not self.place.file.exists():
            return {}
        records = Records(self.place)
        try:
            return records.fired()
        finally:
            records.close()

    def one(self, run: str) -> RunSeen:
        """One run with its steps, by its id or how that begins. Raises :class:`UserError`."""
        self._any(run)
        with self._reading() as runs:
            kept = runs.one(run)
            return replace(_seen(kept), steps=runs.steps(kept.id))

    def resume(self, run: str, say: Progress) -> RunSeen:
        """Go on with an interrupted run here, to its end. Raises :class:`UserError` where that cannot be."""
        self._any(run)
        with self._executing(say) as executor:
            id_ = executor.runs.one(run).id
            resume(executor, id_)
            executor.wait(id_)
            return replace(_seen(executor.runs.one(id_)), steps=executor.runs.steps(id_))

    def cancel(self, run: str, say: Progress) -> RunSeen:
        """Have a run undone: here, where it was interrupted, else by whoever has it, before its next step.

        Raises :class:`UserError` for one that has ended.
        """
        before = self.one(run)
        if before.ended is not None:
            raise UserError(f"Run {before.id} has ended ({before.state.value}); there is nothing to cancel.")
        records = Records(self.place)
        try:
            records.wish_cancelled(before.id)
        finally:
            records.close()
        return self.resume(before.id, say) if before.state is State.INTERRUPTED else self.one(before.id)

    def _any(self, run: str) -> None:
        if self.place.file is not None and not self.place.file.exists():
            raise UserError(f"There is no run {run!r}: nothing was run yet in {self.place.shown}.")

    @contextmanager
    def _reading(self) -> Iterator[Runs]:
        records = Records(self.place)
        try:
            yield Runs(self.place, records, leases(self.place, records.base, "nobody"))
        except SQLAlchemyError as problem:
            raise unreachable(self.place, problem) from None
        finally:
            records.close()

    @contextmanager
    def _executing(self, say: Progress) -> Iterator[Executor]:
        with Executor(self.place, find=self.find, watch=lambda _, step: say(step, 0, 0)) as executor:
            try:
                yield executor
            except SQLAlchemyError as problem:
                raise unreachable(self.place, problem) from None


def _seen(kept: Kept) -> RunSeen:
    outcome = kept.outcome
    seen = RunSeen(
        id=kept.id,
        operation=kept.asked.operation,
        subject=kept.asked.subject,
        state=kept.state,
        asked=kept.queued,
        ended=kept.ended,
        host=kept.host,
        of=kept.asked.steps,
        given=_spoken(kept.asked.given),
    )
    if outcome is None:
        return seen
    results = _spoken(outcome.results) if outcome.ended is Ended.DONE else {}
    return replace(seen, step=outcome.step, why=outcome.why, left=outcome.left, results=results)


def _spoken(table: Mapping[str, Plain]) -> Mapping[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in table.items()}
