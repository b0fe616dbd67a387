"""What a probe answers in each state of a real server, and which of those answers would hurt.

A readiness probe may say yes only to a server that can serve. A liveness probe kills, so it has to say yes to whatever
a restart does not mend: above all to a server that is merely full, which a restart would only take away from those who
hold a connection. And it has to notice a server that hangs, which is what it is there for.

The controls are a probe that is always content and one that only connects. On a hung server both go on saying that all
is well: an experiment that does not see that sees nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from time import monotonic

from msgspec import Struct

from shoreup.drills.probing.patients import Patient, wards
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.jail import Jail, fences
from shoreup.engines.scratch import Limits, Scratch
from shoreup.engines.web_servers import asked as http_status
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject

_WELL, _NOT_WELL = 200, 400
"""Statuses that a probe by HTTP takes for health: from the first, below the second."""
_NOT_FOUND = (126, 127)
"""What a shell says of a program that is not there."""


class State(StrEnum):
    """How a server can be."""

    STARTING = "starting"
    HEALTHY = "healthy"
    FULL = "full"
    HUNG = "hung"


class Asks(Struct, frozen=True):
    """One way to ask. ``command`` is run, or ``path`` is asked for by HTTP; where there is neither, the server is only
    connected to.

    ``seconds`` is how long it may take, as its probe says.
    """

    command: tuple[str, ...]
    seconds: float
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"HTTP {self.path}"
        if not self.command:
            return "a connection"
        return self.command[2] if len(self.command) == 3 and self.command[1] == "-c" else " ".join(self.command)


class ProbeSpec(Struct, frozen=True):
    """The probes of one container. ``held_back`` says that the liveness probe leaves a slow start alone.

    ``variables`` are what the container is told, as far as a probe's command may ask for them.
    """

    subject: ProofSubject
    wanted: Wanted
    readiness: Asks | None
    liveness: Asks | None
    held_back: bool
    inputs: Mapping[str, str]
    variables: Mapping[str, str] = {}
    lasts: timedelta = timedelta(days=90)


class Answer(Struct, frozen=True):
    """What a probe said of a server, and how long it took."""

    content: bool
    seconds: float


def probe(spec: ProbeSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Ask a real server in every state. What breaks on the way ends as a proof that could not verify."""
    claim = Claim(
        drill=Drill.PROBE.value,
        text="Its probes tell a server that can serve, one that is full and one that hangs from each other.",
        subject=spec.subject,
        inputs=spec.inputs,
        lasts=spec.lasts,
    )
    seen = Seen(Engine(spec.wanted.product, spec.wanted.version), Control(_CONTROL, None))
    with harness(seen):
        _experiment(spec, seen, base)
    return proof_of(claim, seen, run=run, taken=now)


_CONTROL = "a probe that is always content, and one that only connects"


def _experiment(spec: ProbeSpec, seen: Seen, base: Path | None) -> None:
    choice = choose(spec.wanted)
    if isinstance(choice, NoProvider):
        missing(seen, choice)
        return
    seen.engine = choice.engine
    with Scratch(Limits(), base) as scratch:
        if choice.installation.container is None:
            seen.limits += [f"what the engine could reach: {one}" for one in fences().missing]
        with wards()[spec.wanted.product](choice, scratch) as patient:
            answers = _Asking(spec, seen, choice, Jail(scratch, choice.installation.container)).all(patient)
    if any(asked.path for _, asked in _asked(spec)):
        seen.limits.append("what the estate's own configuration answers there: the one that was tried says yes to all")
    seen.limits.append("the network: host and port of the probe were replaced by a socket in a scratch folder")
    wrong = verdict(spec, answers)
    if wrong:
        seen.fails("; ".join(wrong))
    else:
        told = " and ".join(f"{name} ({asked})" for name, asked in _asked(spec))
        seen.passes(f"{told} told every state apart that it has to")


def _asked(spec: ProbeSpec) -> list[tuple[str, Asks]]:
    both = (("readiness", spec.readiness), ("liveness", spec.liveness))
    return [(name, asked) for name, asked in both if asked is not None]


class _Asking(Struct, frozen=True):
    spec: ProbeSpec
    seen: Seen
    choice: Choice
    jail: Jail

    def all(self, patient: Patient) -> dict[tuple[Asks, State], Answer]:
        """Every probe in every state."""
        found: dict[tuple[Asks, State], Answer] = {}
        if patient.starts_slowly:
            self._in(State.STARTING, patient, found)
        patient.get_up()
        self.seen.engine = patient.engine
        self._in(State.HEALTHY, patient, found)
        if patient.fills:
            with patient.full():
                self._in(State.FULL, patient, found)
        else:
            self.seen.limits.append(
                "a server whose connections are all taken, which by its own port looks like a hung one"
            )
        patient.server.hang()
        try:
            self._in(State.HUNG, patient, found)
            self._control(patient)
        finally:
            patient.server.wake()
        return found

    def _in(self, state: State, patient: Patient, found: dict[tuple[Asks, State], Answer]) -> None:
        ways = tuple(dict.fromkeys(asked for _, asked in _asked(self.spec)))
        with ThreadPoolExecutor() as pool:
            # On a hung server each waits until it is given up.
            answers = pool.map(lambda asked: self._answer(asked, patient), ways)
            found |= {(asked, state): answer for asked, answer in zip(ways, answers, strict=True)}
        for name, asked in _asked(self.spec):
            self.seen.measure(f"{name} when {state}", found[asked, state].seconds, "s")

    def _control(self, patient: Patient) -> None:
        content = self._answer(Asks(("true",), 1.0), patient).content
        connects = self._answer(Asks((), 1.0), patient).content
        self.seen.control = Control(_CONTROL, content and connects)
        self.seen.before = (
            "on a server that hangs, 'true' and a bare connection go on saying that all is well"
            if content and connects
            else "a probe that looks at nothing was seen to notice a server that hangs"
        )

    def _answer(self, asked: Asks, patient: Patient) -> Answer:
        if asked.path:
            began = monotonic()
            status = http_status(patient.listens, asked.path, asked.seconds)
            return Answer(_WELL <= status < _NOT_WELL, monotonic() - began)
        if not asked.command:
            return _connected(patient.listens, asked.seconds)
        installation = self.choice.installation
        environment = {**self.spec.variables, **patient.variables()}
        if installation.container is None:
            environment["PATH"] = f"{installation.folder}:{self.jail.environment()['PATH']}"
        done = self.jail.run(
            ["env", *patient.lead(asked.command)], seconds=asked.seconds, environment=environment, with_shell=True
        )
        if done.code in _NOT_FOUND:
            raise EngineTrouble(f"the probe's command {asked} is not on this machine; it is in the estate's own image")
        return Answer(done.well, done.seconds)


def _connected(listens: Path, seconds: float) -> Answer:
    began = monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.settimeout(seconds)
        try:
            knock.connect(str(listens))
        except OSError:
            return Answer(False, monotonic() - began)
    return Answer(True, monotonic() - began)


def verdict(spec: ProbeSpec, answers: Mapping[tuple[Asks, State], Answer]) -> list[str]:
    """What is wrong with the answers, in words; nothing where all are right."""
    wrong: list[str] = []
    for name, asked in _asked(spec):
        said = {state: one.content for (whose, state), one in answers.items() if whose == asked}
        if not said[State.HEALTHY]:
            wrong.append(f"the {name} probe ({asked}) says no to a healthy server")
        if said[State.HUNG]:
            wrong.append(f"the {name} probe ({asked}) does not notice that the server hangs")
        if name == "readiness" and said.get(State.STARTING):
            wrong.append(f"the readiness probe ({asked}) says yes to a server that is still starting")
        if name == "liveness" and not said.get(State.FULL, True):
            wrong.append(f"the liveness probe ({asked}) would restart a server whose connections are all taken")
        if name == "liveness" and not said.get(State.STARTING, True) and not spec.held_back:
            wrong.append(f"the liveness probe ({asked}) would end a slow start, and no startup probe holds it back")
    return wrong
