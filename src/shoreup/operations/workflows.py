"""Operations as durable workflows: what was begun goes on, whatever happens to the process that began it.

The workflow library remembers in a database which steps of a run are done and what they gave, lends queued runs to
whoever comes first, and lets nobody write down a step of a run that somebody else has taken over. It does not know
whether a process is alive; :mod:`leases` does, and :mod:`inheritance` joins the two.

One process has one executor at a time, because the library has one of itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Event, Lock
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from shoreup.model.errors import UserError
from shoreup.operations.leases import PATIENCE, Leases, leases
from shoreup.operations.library import VERSION, client, launch, library
from shoreup.operations.outcomes import Asked, Ended, Outcome, asked_from, written
from shoreup.operations.places import Place
from shoreup.operations.records import Records, unreachable
from shoreup.operations.registry import Find, UnknownOperation, operation
from shoreup.operations.runs import HERE, Kept, Runs
from shoreup.operations.steps import Operation, Plain, Run, Undone, carry_out

WORKFLOW = "operation"
POLL = 0.2
"""Seconds between two looks at what others do."""
_UNPLAIN = re.compile(r"[^a-z0-9-]+")

Watch = Callable[[str, str], None]
"""Called with a run and the step that it begins."""


class Left(BaseException):
    """This process goes no further with a run, which stays begun and goes on elsewhere. No error of any step."""


class Cancelled(Exception):
    """Somebody wishes the run undone."""


class Executor:
    """This process, carrying out runs of one estate. Close it, or use it in a ``with``.

    ``slots`` is how many queued runs it takes at a time; with none it takes only those that it is given. ``watch``
    hears of every step that begins here, ``find`` knows the operations. Raises :class:`UserError` where the database
    cannot be used.
    """

    def __init__(
        self,
        place: Place,
        *,
        slots: int = 0,
        watch: Watch | None = None,
        find: Find = operation,
        patience: float = PATIENCE,
    ) -> None:
        self.place = place
        self.find = find
        self.home = place.home()
        host = _UNPLAIN.sub("-", socket.gethostname().lower())[:40]
        self.name = f"{self.home}.{host}.{os.getpid()}.{uuid4().hex[:8]}"
        self.here = f"{HERE}{self.name}"
        self.shared = f"operations {place.estate}"
        self._watch = watch
        self._stopping = Event()
        self._at_work: set[str] = set()
        self._why: dict[str, str] = {}
        self._counting = Lock()
        self.records = Records(place)
        self.leases: Leases = leases(place, self.records.base, self.name, patience)
        try:
            self.leases.hold()
            self._launch(slots)
            self.runs = Runs(place, self.records, self.leases)
        except Exception as problem:
            with contextlib.suppress(Exception):
                library().destroy(destroy_registry=True)
            self.leases.release()
            self.records.close()
            if isinstance(problem, SQLAlchemyError):
                raise unreachable(place, problem) from None
            raise

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def asked(self, operation: str, subject: str, given: Mapping[str, Plain], *, waits: bool = False) -> Asked:
        """What a run is to do. Raises :class:`UserError` for a name that no operation has."""
        try:
            steps = self.find(operation).steps
        except UnknownOperation as unknown:
            raise UserError(f"There is nothing to run: {unknown}.") from None
        return Asked(operation, subject or operation, given, tuple(step.name for step in steps), waits)

    def begin(self, asked: Asked, *, run: str = "") -> str:
        """Begin a run in this process, now. Gives its id."""
        from dbos import SetWorkflowID

        run = run or new_id()
        with SetWorkflowID(run):
            library().start_workflow(self._body, written(asked))
        return run

    def queue(self, asked: Asked, *, run: str = "") -> str:
        """Put a run into the queue, for whichever worker comes first. An id that is there already is queued once."""
        run = run or new_id()
        library().enqueue_workflow_with_options(
            {
                "workflow_name": WORKFLOW,
                "queue_name": self.shared,
                "workflow_id": run,
                "app_version": VERSION,
                "queue_partition_key": asked.subject,
            },
            written(asked),
        )
        return run

    def put(self, run: str, queue: str) -> None:
        """Let a run that nobody executes go on from a queue."""
        library().resume_workflow(run, queue_name=queue)

    def forget(self, queue: str) -> None:
        """Take away a queue on which nobody listens any more."""
        library().delete_queue(queue)

    def tidy(self, before: datetime) -> None:
        """Forget runs that ended before a time."""
        library().delete_workflows(list(self.runs.ended_before(before)))

    def queues(self) -> tuple[str, ...]:
        """Every queue on which somebody listens, or did."""
        return tuple(queue.name for queue in library().list_queues())

    def begun(self, subject: str) -> Kept | None:
        """The run that has begun on a subject and not ended."""
        holder = self.records.turn(subject)
        return None if not holder or self.runs.ended(holder) else self.runs.one(holder)

    def wait(self, run: str) -> Outcome:
        """What came of a run, when it has ended. Raises :class:`Left` where this process stops before.

        Raises :class:`UserError` where the run cannot go on here.
        """
        while True:
            # While the database is away, the lease decides how long that may last.
            with contextlib.suppress(SQLAlchemyError):
                kept = self.runs.one(run)
                if kept.outcome is not None:
                    return kept.outcome
            if run in self._why:
                raise UserError(
                    f"Run {run} could not go on: {self._why[run].rstrip('.')}. "
                    f"Nothing of it is lost; 'shoreup runs resume {run}' tries again."
                )
            if self._stopping.wait(POLL):
                raise Left(run)

    def stop(self) -> None:
        """Begin no further step. What is in the middle of one ends it."""
        self._stopping.set()

    def busy(self) -> int:
        """How many runs are in the middle of a step here."""
        with self._counting:
            return len(self._at_work)

    def close(self) -> None:
        """Let go of everything; with what was begun here and has not ended, others may go on.

        Where a step is being executed still, its run stays ours until this process ends: nobody may begin it beside us.
        """
        self._stopping.set()
        if self.busy():
            return
        with contextlib.suppress(Exception):
            self.forget(self.here)
        library().destroy(destroy_registry=True)
        self.leases.release()
        self.records.close()

    def _launch(self, slots: int) -> None:
        transact = library()

        def carried(kept: dict[str, object]) -> dict[str, object]:
            return self._carried(kept)

        def prepare() -> None:
            self._body = transact.workflow(name=WORKFLOW, max_recovery_attempts=None)(carried)

        # The library looks for queues when it starts and then once a second, so ours is there when it starts.
        before = client(self.place, self.records.base)
        if before is not None:
            before.register_queue(self.here, polling_interval_sec=POLL / 2)
        launch(self.place, self.records.base, self.name, [self.here, *[self.shared] * bool(slots)], prepare)
        if before is None:
            transact.register_queue(self.here, polling_interval_sec=POLL / 2)
        if slots:
            transact.register_queue(
                self.shared,
                worker_concurrency=slots,
                partition_concurrency=1,
                polling_interval_sec=POLL,
                on_conflict="always_update",
            )

    def _carried(self, kept: dict[str, object]) -> dict[str, object]:
        """The workflow: one run, from wherever it is to its end."""
        run = str(library().workflow_id)
        asked = asked_from(kept)
        refused = self._turn(asked, run)
        if refused:
            return written(Outcome(run, Ended.REFUSED, why=refused))
        try:
            operation = self.find(asked.operation)
        except UnknownOperation as problem:
            if self.runs.steps(run):
                # Half of it is done, and who could take that back is not to be found. It waits for a better time.
                raise self._left(run, str(problem)) from None
            return written(Outcome(run, Ended.REFUSED, why=str(problem)))
        ended = self._ended(operation, asked, run)
        shutil.rmtree(self.place.folder / run, ignore_errors=True)
        return written(ended)

    def _ended(self, operation: Operation, asked: Asked, run: str) -> Outcome:
        folder = self.place.folder / run
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            results = carry_out(
                operation,
                Run(run, self._given(asked.given), folder),
                lambda name, work: self._executed(run, name, work),
            )
        except Undone as undone:
            wished = isinstance(undone.cause, Cancelled)
            ended = Ended.STUCK if undone.left else Ended.CANCELLED if wished else Ended.UNDONE
            return Outcome(run, ended, step=undone.step, why=_words(undone.cause), left=undone.left)
        return Outcome(run, Ended.DONE, results=results)

    def _turn(self, asked: Asked, run: str) -> str:
        """Wait for the run's turn, or say why it has none."""
        while True:
            try:
                holder = self.records.take_turn(asked.subject, run, self.runs.ended)
            except SQLAlchemyError:
                holder = ""  # the database is away; the lease decides how long that may last
            if holder == run:
                return ""
            if holder and not asked.waits:
                return f"run {holder} of the same has begun and not ended; see 'shoreup runs show {holder}'"
            if self._stopping.wait(POLL):
                raise Left(run)

    def _executed(self, run: str, name: str, work: Callable[[], Plain]) -> Plain:
        """Execute one step, or give what it gave when it was executed."""
        if self._stopping.is_set():
            raise Left(run)
        with self._counting:
            self._at_work.add(run)
        try:
            kept = library().run_step({"name": name}, self._step(run, name, work))
        except Exception as fault:
            # Not the step's: it says what it has to say in what it gives. The database is gone for good, or somebody
            # else has taken this run over; to undo anything now would be to undo theirs.
            raise self._left(run, f"{name!r} could not be written down ({type(fault).__name__})") from fault
        finally:
            with self._counting:
                self._at_work.discard(run)
        if "gave" in kept:
            return kept["gave"]
        words = str(kept.get("failed", ""))
        raise Cancelled(words) if "wished" in kept else Failed(words)

    def _wished(self, run: str) -> bool:
        """Whether the run is to be cancelled. It does not raise: what a step raises is written down as its end."""
        while not self._stopping.is_set():
            try:
                return self.records.cancelled(run)
            except SQLAlchemyError:
                self._stopping.wait(POLL)
        return False

    def _given(self, given: Mapping[str, Plain]) -> Mapping[str, Plain]:
        return {**given, "estate": str(self.place.root)}

    def _left(self, run: str, why: str) -> Left:
        self._why[run] = why
        return Left(run)

    def _step(self, run: str, name: str, work: Callable[[], Plain]) -> Callable[[], dict[str, Plain]]:
        def does() -> dict[str, Plain]:
            self.leases.confirm()
            back = name.startswith("undo ")
            if not back and self._wished(run):
                return {"failed": "cancelled", "wished": True}
            if self._watch is not None:
                self._watch(run, name)
            try:
                # As it will be read when the run goes on elsewhere, and an error of this step if it cannot be.
                return {"gave": json.loads(json.dumps(work(), allow_nan=False))}
            except Exception as cause:
                return {"failed": _words(cause)}

        return does


class Failed(Exception):
    """A step failed, with these words."""


def new_id() -> str:
    """An id for a run: when it was asked for, and something that nobody else has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:8]}"


def _words(cause: BaseException) -> str:
    words = str(cause).strip()
    kind = type(cause).__name__
    if isinstance(cause, _FAULTS):
        return f"a fault in Shoreup, {kind}: {words}"
    return words or kind


_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError)
"""What no step raises that was well written."""
