"""The drill of a backup under load: the job's own command, a real server, transfers that never stop, and what breaks.

The job runs in the sandbox of :mod:`shoreup.engines.sandbox`; its dump tools and clients are the engine's own, led to
a scratch server over a socket, whatever host the command names. What it leaves is restored, and the accounts have to
hold what they always hold. Then the dump is broken, by a full disk and by a server that is killed, and the job has to
say so with its exit code. And in all of it nobody who lists processes may read a password.

First a dump of two moments is made on purpose, table by table, and its sum has to be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic

from msgspec import Struct

from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.drills.rotating.trial import commands_for
from shoreup.drills.sandboxed_jobs.layout import furnishing, started
from shoreup.drills.sandboxed_jobs.standins import Standins, standins
from shoreup.drills.under_load.bank import PROGRAMS, SUM, Bank, Transfers
from shoreup.drills.under_load.bank_on_mysql import bank_on_mysql
from shoreup.drills.under_load.bank_on_postgresql import bank_on_postgresql
from shoreup.drills.under_load.meanwhile import much_goes_on
from shoreup.drills.under_load.specs import LoadSpec
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, choose
from shoreup.engines.sandbox import Ended, Layout, Sandbox, Step
from shoreup.engines.sandbox_ground import STATE, VOLUMES, Ceilings, Ground
from shoreup.engines.scratch import Limits, Scratch
from shoreup.engines.userlands import Userland
from shoreup.facts.backups.tried_under_load import CLIENTS, LOOKED_FOR, PASSWORDS_SEEN, UNNOTICED, WRONG_BY
from shoreup.facts.programs.job_runs import MADE_UP
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof

_LIMITS = Limits(memory=3 << 30, room=4 << 30, seconds=900)
_BANKS: Mapping[str, Callable[[Choice, Scratch, Sequence[str]], AbstractContextManager[Bank]]] = {
    "postgresql": bank_on_postgresql,
    "mariadb": bank_on_mysql,
    "mysql": bank_on_mysql,
}
"""By product, the bank that its server can hold."""
_CEILINGS = Ceilings(room=192 << 20, memory=1 << 30)
_SECONDS = 120.0
_ENOUGH = 20
"""Transfers during a dump from which its sum says something."""
_MOST = 128 << 20
_TORN = "a dump of two moments, table by table"
_CALLS = f"{STATE}/calls"
_LISTED = f"{STATE}/listed"
_LISTING = f"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{_LISTED}; echo >>{_LISTED}"
"""What anyone in the pod may do at any time; it is done whenever a client starts."""
_MARGIN = 128 << 10
"""Bytes that a full disk still has: less than any dump of the bank takes."""
_BALLAST = f"""cd {VOLUMES}/$SHELF
cat /dev/zero >ballast 2>/dev/null
truncate -s $(($(stat -c %s ballast) - {_MARGIN})) ballast"""


class _Copy(Struct, frozen=True):
    """A file that a run has left. ``shelf`` is its volume."""

    shelf: str
    path: str
    size: int


def dump_under_load(spec: LoadSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Run a job against a bank and judge its dump. ``run`` names this run in the ledger, ``now`` is with a zone.

    What breaks on the way ends as a proof that could not verify; nothing of it is raised.
    """
    claim = Claim(
        drill=Drill.UNDER_LOAD.value,
        text="A dump under load is of one moment, a broken one fails the job, and no password is in the process list.",
        subject=spec.job.subject,
        inputs=spec.job.inputs,
        lasts=timedelta(days=180),
    )
    choice = choose(spec.wanted)
    if isinstance(choice, NoProvider):
        seen = Seen(Engine(spec.wanted.product, spec.wanted.version), Control(_TORN, None))
        missing(seen, choice)
        return proof_of(claim, seen, run=run, taken=now)
    seen = Seen(choice.engine, Control(_TORN, None))
    with harness(seen):
        _experiment(spec, choice, seen, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: LoadSpec, choice: Choice, seen: Seen, base: Path | None) -> None:
    commands = commands_for(spec.job.commands)
    if isinstance(commands, str):
        seen.unknown(commands)
        return
    helpers = standins(spec.job.run, commands, (), clock=False)
    if isinstance(helpers, str):
        seen.unknown(helpers)
        return
    if choice.reason and choice.engine.stands_in_for:
        seen.limits.append(f"the estate's own version: {choice.engine.version} stood in, because {choice.reason}")
    seen.limits.append("the network between the job and its server, and who may sign in there")
    if choice.installation.container is not None:
        raise EngineTrouble("an engine in a container cannot be reached from the sandbox; install the server itself")
    opened = _BANKS[choice.installation.product]
    with Scratch(_LIMITS, base) as scratch, opened(choice, scratch, spec.databases) as bank:
        seen.engine = bank.engine
        layout = _layout(spec, commands, helpers, bank)
        with Sandbox(scratch, layout) as sandbox:
            _Attempt(spec, sandbox, bank, scratch, seen).judge()


class _Attempt:
    def __init__(self, spec: LoadSpec, sandbox: Sandbox, bank: Bank, scratch: Scratch, seen: Seen) -> None:
        self._spec = spec
        self._sandbox = sandbox
        self._bank = bank
        self._scratch = scratch
        self._seen = seen

    def judge(self) -> None:
        seen = self._seen
        ended = self._sandbox.run("furnish", _SECONDS)
        if ended.code:
            raise EngineTrouble(f"the made-up files could not be laid out: {ended.said}")
        self._control()
        first = self._dumped()
        if isinstance(first, str):
            seen.unknown(first)
            return
        wrong = [*first, *self._passwords(), *self._unnoticed()]
        if wrong:
            seen.fails("; ".join(wrong))
        else:
            seen.passes(f"the sum of {SUM} came back exact, and a full disk and a killed server failed the job")

    def _control(self) -> None:
        with Transfers(self._bank) as transfers:
            for part in ("torn", "rest"):
                ended = self._sandbox.run(part, _SECONDS)
                if ended.code:
                    raise EngineTrouble(
                        f"the control could not be made: {(ended.said.splitlines() or ['it said nothing'])[-1]}"
                    )
                transfers.wait_for(_ENOUGH, _SECONDS)
        total = self._bank.sum_in(self._brought(STATE, "torn.sql"))
        if isinstance(total, str):
            raise EngineTrouble(f"the control does not restore: {total}")
        self._seen.control = Control(_TORN, total != SUM)
        self._seen.before = f"{_TORN}: the sum is wrong by {abs(total - SUM)}" if total != SUM else f"{_TORN}: exact"

    def _dumped(self) -> list[str] | str:
        """What is wrong with the dump that the job makes while money moves, or why there is none to judge."""
        before = {(one.shelf, one.path) for one in self._copies()}
        with Transfers(self._bank) as transfers, much_goes_on(self._bank, transfers, _ENOUGH), self._seen.timed("job"):
            at_first = transfers.count
            ended = self._job()
            made = transfers.count - at_first
        self._seen.measure("transfers", made, "transfers")
        copies = [one for one in self._copies() if (one.shelf, one.path) not in before and one.size]
        if ended.code or not copies:
            said = (ended.said.splitlines() or ["no word"])[-1][:160]
            return f"in the sandbox the job ended with code {ended.code} ({said}), so that nothing is learnt of it"
        if made < _ENOUGH:
            return f"only {made} transfers were made while it ran"
        why = ""
        for copy in copies:
            total = self._bank.sum_in(self._brought(f"{VOLUMES}/{copy.shelf}", copy.path))
            if isinstance(total, int):
                self._seen.measure(WRONG_BY, abs(total - SUM), "")
                if total == SUM:
                    return []
                off = f"{abs(total - SUM)} {'more' if total > SUM else 'less'}"
                return [f"the restored accounts hold {off} than they ever held: the dump is of more than one moment"]
            why = why or total
        return [f"what it left does not restore: {why}"]

    def _passwords(self) -> list[str]:
        """The secrets that stood in the words of a process."""
        lists = self._sandbox.inside(STATE).text("listed", 1 << 20).splitlines()
        lists += [" ".join(start.words) for start in self._spec.job.run.starts]
        secrets = self._spec.job.run.secrets
        counts = {name: len([line for line in lists if value in line]) for name, value in secrets.items()}
        shown = [name for name, count in counts.items() if count]
        self._seen.measure(PASSWORDS_SEEN, len(shown), "passwords")
        for name, count in counts.items():
            self._seen.measure(f"{LOOKED_FOR}{name}", count, "times")
        return [f"the process list showed the password in {name}" for name in shown]

    def _unnoticed(self) -> list[str]:
        """The broken dumps after which the job said that all was well."""
        found: list[str] = []
        self._empty_shelves()
        self._sandbox.run("ballast", _SECONDS)
        if self._job().code == 0 and not self._whole():
            found.append("the disk was full, and the job ended as if all were well")
        self._empty_shelves()
        if self._killed().code == 0 and not self._whole():
            found.append("the server was killed during the dump, and the job ended as if all were well")
        self._seen.measure(UNNOTICED, len(found), "failures")
        return found

    def _empty_shelves(self) -> None:
        """Remove what earlier runs have left: a file that is overwritten makes room, and is whole."""
        for copy in self._copies():
            self._sandbox.inside(f"{VOLUMES}/{copy.shelf}").remove(copy.path)

    def _whole(self) -> bool:
        """Whether the dump got through all the same."""
        return any(
            isinstance(self._bank.sum_in(self._brought(f"{VOLUMES}/{copy.shelf}", copy.path)), int)
            for copy in self._copies()
            if copy.size and copy.path != "ballast"
        )

    def _killed(self) -> Ended:
        """A run whose server dies as soon as its dump has begun."""
        ended: list[Ended | Exception] = []

        def run() -> None:
            try:
                ended.append(self._job())
            except EngineTrouble as trouble:
                ended.append(trouble)

        before = self._calls()
        thread = Thread(target=run, daemon=True)
        # Held up in its middle, no dump comes to its end before the server does.
        with self._bank.held():
            thread.start()
            until = monotonic() + _SECONDS
            while self._calls() == before and thread.is_alive() and monotonic() < until:
                self._bank.server.pause()
            self._bank.server.pause()
            self._bank.server.hang()
            self._bank.server.crash()
        thread.join()
        if isinstance(ended[0], Exception):
            raise ended[0]
        return ended[0]

    def _calls(self) -> int:
        """How many dumps were begun."""
        lines = self._sandbox.inside(STATE).text("calls", 1 << 20).splitlines()
        return len([line for line in lines if any(f"/{tool} " in f"{line} " for tool in self._spec.tools)])

    def _job(self) -> Ended:
        ended = Ended(0, "")
        for number in range(len(self._spec.job.run.starts)):
            ended = self._sandbox.run(f"start{number}", _SECONDS)
            if ended.code:
                break
        return ended

    def _copies(self) -> Sequence[_Copy]:
        """The files on the shelves, the largest first."""
        found = [
            _Copy(name, one.path, one.size)
            for name in self._spec.job.shelves
            for one in self._sandbox.inside(f"{VOLUMES}/{name}").walk()
            if not one.folder
        ]
        return sorted(found, key=lambda one: -one.size)

    def _brought(self, folder: str, path: str) -> Path:
        """A file of the sandbox where an engine can read it."""
        place = self._scratch.folder / f"copy-{monotonic():.6f}"
        place.write_bytes(self._sandbox.inside(folder).read(path, _MOST))
        return place


# ------------------------------------------------------------------------------------------ what the sandbox holds


def _layout(spec: LoadSpec, commands: Userland, helpers: Standins, bank: Bank) -> Layout:
    job = spec.job
    note = f"{{ tr '\\0' ' ' </proc/$$/cmdline; echo; }} >>{_CALLS}\n{_LISTING}"
    own = {name: found for name in sorted(CLIENTS) if (found := _own_name(bank.tools, name))}
    reaching = {name: f"{note}\n{bank.client(found)}" for name, found in own.items()}
    package, inner = _package(bank.tools)
    programs = {**helpers.programs, **reaching}
    # A BusyBox that runs its own commands sees the others as functions alone.
    alone = {name: body for name, body in helpers.programs.items() if name in commands.inner and name not in reaching}
    functions = "\n".join(f"{name}() (\nset +eux\n{body}\n)" for name, body in alone.items() if name.isidentifier())
    steps = {f"start{number}": started(start, functions) for number, start in enumerate(job.run.starts)}
    path = {"PATH": "/bin"}
    steps["furnish"] = Step(("/bin/sh", "-c", furnishing(job)), path)
    for part, program in zip(("torn", "rest"), bank.torn(f"{STATE}/torn.sql"), strict=True):
        steps[part] = Step(("/bin/sh", "-c", program), path)
    steps["ballast"] = Step(("/bin/sh", "-c", _BALLAST), {**path, "SHELF": job.shelves[0]})
    return Layout(
        commands,
        steps,
        programs=programs,
        links={f"{PROGRAMS}/{one}": f"/.package/{inner}/{one}".replace("//", "/") for one in sorted(own.values())},
        files={**dict.fromkeys(job.made_up, MADE_UP), **job.run.files, _CALLS: "", _LISTED: ""},
        folders=(STATE, *(f"{VOLUMES}/{one.volume}/{one.part}".rstrip("/") for one in job.mounts)),
        ground=Ground(job.mounts, (("/.package", package), ("/.server", bank.door)), _CEILINGS, job.shelves),
    )


def _own_name(tools: Path, name: str) -> str:
    """What the engine's package calls a client; empty where it has none such."""
    twins = {"mysqldump": "mariadb-dump", "mysql": "mariadb", "mysqladmin": "mariadb-admin"}
    twins |= {other: one for one, other in twins.items()}
    return next((one for one in (name, twins.get(name, name)) if (tools / one).exists()), "")


def _package(tools: Path) -> tuple[Path, str]:
    """What has to be seen of an engine so that its clients find their libraries, and where in it they lie."""
    for folder in tools.parents:
        if folder.name in ("site-packages", "dist-packages"):
            return folder, str(tools.relative_to(folder))
    return (tools, "") if tools.parent == Path("/usr") else (tools.parent, tools.name)
