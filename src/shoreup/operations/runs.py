"""What runs there are, read without executing any.

The library says whether a run waits, is being executed or has ended; the leases say whether whoever executes it is
alive; the records say what people wish of it. Here the three become one word for people.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.model.run import State, StepSeen
from shoreup.operations.leases import Leases
from shoreup.operations.library import client
from shoreup.operations.outcomes import Asked, Ended, Outcome, asked_from, outcome_from
from shoreup.operations.places import Place
from shoreup.operations.records import Records

if TYPE_CHECKING:
    from dbos import WorkflowStatus

HERE = "here "
"""What the name of a queue begins with on which one process listens; the rest is that process."""
UNENDED = ("PENDING", "ENQUEUED", "DELAYED")
_MOST = 1000


class Kept(Struct, frozen=True):
    """One run. ``executor`` is the process that has it, empty where it waits for any.

    ``outcome`` is there when it has ended.
    """

    id: str
    asked: Asked
    state: State
    queued: datetime
    ended: datetime | None
    executor: str
    outcome: Outcome | None

    @property
    def host(self) -> str:
        """The machine of whoever has it, empty for nobody."""
        return host_of(self.executor)


class Runs:
    """The runs of one estate."""

    def __init__(self, place: Place, records: Records, leases: Leases) -> None:
        self._place = place
        self._records = records
        self._leases = leases
        self._client = client(place, records.base)

    def all(self, *, unended: bool = False, limit: int = _MOST) -> tuple[Kept, ...]:
        """The newest runs, newest first."""
        if self._client is None:
            return ()
        found = self._client.list_workflows(
            status=list(UNENDED) if unended else None,
            application_name=f"shoreup-{self._place.estate}",
            limit=limit,
            sort_desc=True,
        )
        wishes = self._records.wishes()
        return tuple(self._kept(one, one.workflow_id in wishes) for one in found)

    def one(self, run: str) -> Kept:
        """A run by its id or how that begins. Raises :class:`UserError` where that is none, or several."""
        found = self._raw(run)
        if found is None and self._client is not None:
            many = self._client.list_workflows(workflow_id_prefix=run, limit=2, sort_desc=True)
            if len(many) > 1:
                raise UserError(f"Several runs begin with {run!r}. Write more of the id; 'shoreup runs' lists them.")
            found = many[0] if many else None
        if found is None:
            raise UserError(f"There is no run {run!r} in {self._place.shown}; 'shoreup runs' lists them.")
        return self._kept(found, self._records.cancelled(found.workflow_id))

    def ended_before(self, moment: datetime) -> tuple[str, ...]:
        """Some of the runs that ended before a time."""
        if self._client is None:
            return ()
        found = self._client.list_workflows(
            application_name=f"shoreup-{self._place.estate}",
            completed_before=moment.astimezone(UTC).isoformat(),
            load_input=False,
            load_output=False,
            limit=_MOST,
        )
        return tuple(one.workflow_id for one in found)

    def ended(self, run: str) -> bool:
        """Whether a run has ended, or never was."""
        found = self._raw(run)
        return found is None or found.status not in UNENDED

    def steps(self, run: str) -> tuple[StepSeen, ...]:
        """The steps of a run that were executed to their end, in that order."""
        if self._client is None:
            return ()
        return tuple(
            StepSeen(
                one["function_name"],
                _time(one.get("started_at_epoch_ms")),
                _time(one.get("completed_at_epoch_ms")),
                str((one["output"] or {}).get("failed", "")),
            )
            for one in self._client.list_workflow_steps(run)
        )

    def _raw(self, run: str) -> WorkflowStatus | None:
        if self._client is None:
            return None
        found = self._client.list_workflows(workflow_ids=[run])
        return found[0] if found else None

    def _kept(self, one: WorkflowStatus, wished: bool) -> Kept:
        executor = executor_of(one)
        outcome = outcome_of(one) if one.status not in UNENDED else None
        return Kept(
            id=one.workflow_id,
            asked=asked_of(one),
            state=self._state(one, executor, outcome, wished),
            queued=_time(one.created_at) or datetime.fromtimestamp(0, UTC),
            ended=_time(one.completed_at),
            executor=executor,
            outcome=outcome,
        )

    def _state(self, one: WorkflowStatus, executor: str, outcome: Outcome | None, wished: bool) -> State:
        if outcome is not None:
            return State(outcome.ended.value) if one.status == "SUCCESS" else State.FAULTY
        if not executor:
            return State.CANCELLING if wished else State.WAITING
        if self._leases.missing(executor):
            return State.INTERRUPTED
        return State.CANCELLING if wished else State.RUNNING


def executor_of(one: WorkflowStatus) -> str:
    """The process that has a run, or had it when it died; empty where any worker may take it."""
    queue = one.queue_name or ""
    if one.status == "PENDING":
        return one.executor_id or ""
    return queue.removeprefix(HERE) if queue.startswith(HERE) else ""


def host_of(executor: str) -> str:
    """The machine of a process, by its name as an executor."""
    return executor.split(".")[1] if executor.count(".") == 3 else ""


def asked_of(one: WorkflowStatus) -> Asked:
    """What a run was asked to do."""
    stored: object = one.input  # text, where it could not be read
    arguments = stored["args"] if isinstance(stored, dict) else ()
    return asked_from(arguments[0] if arguments else None)


def outcome_of(one: WorkflowStatus) -> Outcome:
    """What came of a run that has ended."""
    if one.status == "SUCCESS":
        return outcome_from(one.workflow_id, one.output)
    words = str(one.error).strip() if one.error is not None else one.status.lower().replace("_", " ")
    return Outcome(one.workflow_id, Ended.STUCK, why=words)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
