"""A process that has imported everything and makes a fresh one of itself for every try.

To begin a Python with a workflow library takes a second; to fork one takes a hundredth. Orders come as lines of JSON on
standard input, and each is answered by a line when its process has ended or was killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import ParamSpec, TypeVar

import dbos  # noqa: F401  # so that no child has to
from msgspec import Struct, convert

from shoreup.model.errors import UserError
from shoreup.operations.inheritance import adopt
from shoreup.operations.leases import leases
from shoreup.operations.places import Place, locate
from shoreup.operations.records import Records
from shoreup.operations.registry import UnknownOperation
from shoreup.operations.runs import Runs
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.workflows import Executor
from torture.serving import NOTING, QUEUEING, Served
from torture.victims import VICTIMS, Victim

READY = b"!"
_LONGEST = 300
"""Seconds after which a try ends itself."""
P = ParamSpec("P")
R = TypeVar("R")


class Order(Struct, frozen=True):
    """One try. ``does`` is begin, resume or look. ``at`` is where it kills itself, ``wait`` after how many seconds it
    is killed; ``everything`` kills what it has started as well. ``fails`` is a step that fails when it is done.
    """

    does: str
    victim: str
    root: str
    at: str = ""
    wait: float | None = None
    everything: bool = False
    fails: str = ""
    begun: object = None


def main() -> None:
    """Take orders until there are none."""
    for line in sys.stdin:
        order = convert(json.loads(line), Order)
        if order.victim == "drill":
            _import_ahead()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _child(order, write)
        os.close(write)
        with os.fdopen(read, "rb", buffering=0) as answered:
            # Seconds count from where it begins to work: what Python does before that is nobody's run.
            answered.read(1)
            begun = time.monotonic()
            killed = _watched(order, child)
            took = time.monotonic() - begun
            answer = answered.read()
        told = {"killed": killed, "seconds": round(took, 3)}
        sys.stdout.write(
            json.dumps({**told, **(json.loads(answer.lstrip(READY)) if answer.strip(READY) else {})}) + "\n"
        )
        sys.stdout.flush()


def _import_ahead() -> None:
    """What a drill imports when it begins: half of its time else, in which a kill finds nothing to spoil."""
    for name in ("shoreup.stages.drill", "shoreup.stages.auditing.examination"):
        import_module(name)
    import_module("shoreup.drills.registry").experiments()


def _watched(order: Order, child: int) -> bool:
    """Wait for a child, and kill it when its time has come. Gives whether it was killed, by whomever."""
    if order.wait is not None:
        end = time.monotonic() + order.wait
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.WIFSIGNALED(status)
            time.sleep(0.001)
        (os.killpg if order.everything else os.kill)(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _child(order: Order, write: int) -> None:
    code = 1
    try:
        os.setsid()
        signal.alarm(_LONGEST)  # nobody waits for it when whoever ordered it is gone
        log = os.open(f"{order.root}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        acts: Mapping[str, Callable[[Order, Place, Victim, int], Mapping[str, Plain]]] = {
            "prepare": _prepare,
            "begin": _begin,
            "resume": _resume,
            "look": _look,
        }
        root = Path(order.root)
        answer = acts[order.does](order, locate(root), VICTIMS[order.victim](root), write)
        os.write(write, json.dumps(answer).encode())
        code = 0
    except BaseException as problem:
        import traceback

        traceback.print_exc()
        os.write(write, READY)
        os.write(write, json.dumps({"trouble": f"{type(problem).__name__}: {problem}"[:300]}).encode())
    finally:
        os._exit(code)


def _prepare(_: Order, place: Place, victim: Victim, write: int) -> Mapping[str, Plain]:
    os.write(write, READY)
    records = Records(place)
    newest = Runs(place, records, leases(place, records.base, "nobody")).all(limit=1)
    return {"begun": victim.begin(), "run": newest[0].id if newest else ""}


def _look(order: Order, _: Place, victim: Victim, write: int) -> Mapping[str, Plain]:
    os.write(write, READY)
    return {"found": victim.look(_plain(order.begun))}


def _begin(order: Order, place: Place, victim: Victim, write: int) -> Mapping[str, Plain]:
    if isinstance(victim, Served):
        return _served(order, place, victim, write)
    with Executor(place, find=_find(order, victim)) as executor:
        os.write(write, READY)
        run = executor.begin(executor.asked(order.victim, order.victim, victim.given()))
        return {"ended": executor.wait(run).ended.value}


def _served(order: Order, place: Place, victim: Served, write: int) -> Mapping[str, Plain]:
    """Who serves is begun again as it was begun: what is due, and what others have left, is his to find."""
    setattr(Executor, "queue", _between(Executor.queue, QUEUEING, order))  # noqa: B010 (this process is for one try)
    setattr(Records, "fire", _between(Records.fire, NOTING, order))  # noqa: B010

    def ready() -> None:
        os.write(write, READY)

    victim.serve(_find(order, victim), ready)
    records = Records(place)
    return _state(Runs(place, records, leases(place, records.base, "nobody")), place)


def _resume(order: Order, place: Place, victim: Victim, write: int) -> Mapping[str, Plain]:
    if isinstance(victim, Served):
        return _served(order, place, victim, write)
    with Executor(place, find=_find(order, victim)) as executor:
        os.write(write, READY)
        ended: list[Plain] = []
        for run in adopt(executor):
            try:
                ended.append(executor.wait(run).ended.value)
            except UserError as problem:
                ended.append(problem.message)
        return {"ended": ended[-1] if ended else None, **_state(executor.runs, place)}


def _state(runs: Runs, place: Place) -> Mapping[str, Plain]:
    """How the runs stand: those that have not ended, the newest one, and what is left of files."""
    left: list[Plain] = [f"{one.id} {one.state.value}" for one in runs.all(unended=True)]
    newest = runs.all(limit=1)
    folders: list[Plain] = [one.name for one in place.folder.iterdir() if one.name != "home"]
    return {
        "unended": left,
        "state": newest[0].state.value if newest else "none",
        "run": newest[0].id if newest else "",
        "folders": folders,
    }


def _find(order: Order, victim: Victim) -> Callable[[str], Operation]:
    def find(name: str) -> Operation:
        if name not in (order.victim, victim.operation.name):
            raise UnknownOperation(name)
        whole = victim.operation
        return Operation(whole.name, tuple(_mined(step, order) for step in whole.steps), whole.anywhere)

    return find


def _mined(step: Step, order: Order) -> Step:
    """A step that is killed at its beginning or its end, or fails."""

    def does(run: Run) -> Plain:
        given = _between(step.does, step.name, order)(run)
        if order.fails == step.name:
            raise OSError("told to fail")
        return given

    undoes = None if step.undoes is None else _between(step.undoes, f"undo {step.name}", order)
    return Step(step.name, does, step.way_back, undoes)


def _between(works: Callable[P, R], name: str, order: Order) -> Callable[P, R]:
    """The same, killed at its beginning or its end where the order says so."""

    def dies(when: str) -> None:
        if order.at == f"{when} {name}":
            (os.killpg if order.everything else os.kill)(os.getpid(), signal.SIGKILL)

    def mined(*given: P.args, **named: P.kwargs) -> R:
        dies("before")
        came = works(*given, **named)
        dies("after")
        return came

    return mined


def _plain(value: object) -> Plain:
    plain: Plain = json.loads(json.dumps(value))
    return plain


if __name__ == "__main__":
    main()
