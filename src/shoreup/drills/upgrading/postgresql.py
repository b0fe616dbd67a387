"""The upgrade of a PostgreSQL to another major version, rehearsed on a restored copy.

The copy comes up in a server of the old version. What it holds is written down; then it is carried over twice, by
copying its files and by linking them, and held against what was written down, row by row. Between the two the way back
is taken: the old cluster has to come up as it was after it had been linked, as long as the new one never started.

The control runs on the same copy. A database of ours in it first has a column of a type that pg_upgrade cannot carry
over, and the check has to refuse it; without that column it goes along, one row of it is changed on the other side,
and the comparison has to see exactly this. A rehearsal that lets either through proves nothing.

The downtime is measured as a real upgrade would have it: from the order to stop to the first write that the new server
takes. Everything that can be done before or after lies outside.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import LiteralString

from msgspec import Struct
from msgspec.structs import replace

from shoreup.compare.manifest import Content, Difference, Manifest, differences
from shoreup.compare.postgresql import take
from shoreup.compare.soundness import can_check_pages, unsound
from shoreup.drills.asking import Question
from shoreup.drills.judging import some
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.upgrading.crossing import CONTROL, DOWNTIME, STILL, Crossing, quiet
from shoreup.drills.upgrading.interview import Interview, analyze, begun
from shoreup.engines.base import EngineTrouble, needed
from shoreup.engines.catalogue import written
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.jail import fences
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.catalogue import QUIETLY, answers, different, questions
from shoreup.engines.postgresql.dumps import shape_of as dump_shape
from shoreup.engines.postgresql.files import base_backup, bring
from shoreup.engines.postgresql.inventory import Cluster, inventory
from shoreup.engines.postgresql.server import NO_ROLE, Postgresql, PostgresqlOptions, RunningPostgresql, restore_errors
from shoreup.engines.postgresql.statements import Statement
from shoreup.engines.postgresql.upgrade import Mode, Refused, take_back_link
from shoreup.engines.providers import Installation, installed
from shoreup.engines.scratch import Limits, Scratch
from shoreup.facts.proofs import UPGRADED_TO, Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject

PRODUCT = "postgresql"
_TOLD = 5
_BAD: LiteralString = "CREATE TABLE unmovable (id int, refers regproc)"
_GOOD: LiteralString = "DROP TABLE unmovable; CREATE TABLE marks AS SELECT g AS id FROM generate_series(1, 10) g"
_SPOIL: LiteralString = "UPDATE marks SET id = 11 WHERE id = 10"


class RehearsalSpec(Struct, frozen=True):
    """What to rehearse.

    ``wanted`` is the server that runs, ``target`` the major version to go to. ``copy`` is a dump, a base backup or the
    data directory of a stopped server. ``programs`` are the target's own programs, where they are on this machine.
    ``questions`` are the owner's own, ``statements`` what the server is asked most: both are held against each other
    in answers and pace.
    """

    subject: ProofSubject
    wanted: Wanted
    target: str
    copy: Copy
    programs: Installation | None = None
    questions: tuple[Question, ...] = ()
    statements: tuple[Statement, ...] = ()
    inputs: Mapping[str, str] = {}
    fingerprint: str = ""
    lasts: timedelta = timedelta(days=30)
    limits: Limits = Limits()


class Written(Struct, frozen=True):
    """What the old cluster held."""

    manifest: Manifest
    cluster: Cluster
    interview: Interview
    databases: tuple[str, ...]
    unsound: tuple[str, ...]
    control: Content | None = None
    catalogue: Mapping[str, Mapping[str, str]] = {}


def rehearse(spec: RehearsalSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Rehearse an upgrade. ``run`` names this run in the ledger, ``now`` is with a zone.

    What breaks on the way ends as a proof that could not verify; nothing of it is raised.
    """
    claim = Claim(
        drill=Drill.UPGRADE.value,
        text=f"The database goes to PostgreSQL {spec.target} whole, and back until the new server has started.",
        subject=spec.subject,
        inputs=spec.inputs,
        fingerprint=spec.fingerprint,
        lasts=spec.lasts,
    )
    seen = Seen(Engine(PRODUCT, spec.wanted.version), Control("a column that no upgrade carries over", None))
    with harness(seen):
        _experiment(spec, seen, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: RehearsalSpec, seen: Seen, base: Path | None) -> None:
    if not spec.copy.path.exists():
        seen.unknown("there is no copy at the path")
        return
    # pg_upgrade needs the programs of both versions in one place, so a container of either is of no use.
    files = base_backup(spec.copy.path) is not None
    choice = choose(replace(spec.wanted, files=files, image=""), installed(PRODUCT))
    if isinstance(choice, NoProvider):
        missing(seen, choice)
        return
    seen.engine = choice.engine
    if choice.engine.stands_in_for:
        seen.limits.append(f"the estate's own version: {choice.engine.version} stood in, because {choice.reason}")
    there = _target(spec, frozenset())
    if isinstance(there, NoProvider):
        missing(seen, there)
        return
    with Scratch(spec.limits, base) as scratch:
        seen.limits += [f"what the engine could reach: {one}" for one in fences().missing]
        try:
            _Rehearsal(spec, seen, scratch, choice).run()
        except BrokenCopy as broken:
            raise EngineTrouble(f"the copy does not restore, so there is nothing to rehearse on: {broken}") from None
        except Exception as trouble:
            if scratch.trouble():
                raise EngineTrouble(scratch.trouble()) from trouble
            raise


def _target(spec: RehearsalSpec, extensions: frozenset[str]) -> Choice | NoProvider:
    """The programs to go to, with what the data needs."""
    if spec.programs is not None:
        return Choice(spec.programs, Engine(PRODUCT, written(spec.programs.version)))
    return choose(Wanted(PRODUCT, spec.target, extensions), installed(PRODUCT))


class _Rehearsal(Struct, frozen=True):
    """One copy and everything that it is tried with."""

    spec: RehearsalSpec
    seen: Seen
    scratch: Scratch
    choice: Choice

    def run(self) -> None:
        seen = self.seen
        with seen.timed("restore"):
            data, superuser = self._brought()
        with self._old(data, superuser) as running:
            was = self._written(running)
            running.create(CONTROL)
            with running.connect(CONTROL) as connection:
                connection.execute(_BAD)
        if not was.manifest.contents or not sum(one.rows for one in was.manifest.contents):
            seen.unknown("the copy holds no row, so that a rehearsal on it shows nothing")
            return
        target = _target(self.spec, was.cluster.extensions)
        if isinstance(target, NoProvider):
            missing(seen, target)
            return
        seen.engine = Engine(PRODUCT, f"{seen.engine.version} to {target.engine.version}", seen.engine.stands_in_for)
        seen.measure(UPGRADED_TO, target.installation.version[0], "major version")
        quiet(data, self.scratch)
        crossing = Crossing(self.scratch, self.choice, target, data, was.cluster.shape)
        refusal = self._control(crossing)
        with self._old(data, superuser) as running:
            with running.connect(CONTROL) as connection:
                connection.execute(_GOOD)
            marks = take(running.connect, [CONTROL]).contents[0]
            was = replace(was, control=marks, catalogue=self._catalogue(running, was.databases))
            began = monotonic()
        seen.measure("stop", monotonic() - began, "s")
        try:
            with seen.timed("check"):
                crossing.check()
            wrong, spoilt = self._by_copy(crossing, was)
            seen.control = Control(
                "a column that no upgrade carries over, and one changed row", bool(refusal and spoilt)
            )
            seen.before = f"{refusal or 'the column was let through'}; {spoilt or 'the changed row was not seen'}"
            wrong += self._back(crossing, was)
            wrong += self._by_link(crossing, was)
        except Refused as refused:
            self._refused(refused, refusal, target)
            return
        self._concluded(was, wrong, target)

    # ---------------------------------------------------------------------------------------------- the old one

    def _brought(self) -> tuple[Path, str]:
        """The copy as a data directory that was stopped in order, and the role to speak as."""
        copy = self.spec.copy
        user = copy.superuser or "postgres"
        found = base_backup(copy.path)
        if found is not None:
            data = bring(found, self.scratch, f"files-{secrets.token_hex(2)}")
            with self._old(data, user) as running:
                return data, running.superuser
        shape = dump_shape(copy.path)
        ours = f"scratch_{secrets.token_hex(4)}" if shape.cluster else user
        with Postgresql(self.choice, self.scratch, PostgresqlOptions(superuser=ours)).start() as running:
            place = "postgres" if shape.cluster else "restored"
            if not shape.cluster:
                running.create(place)
            errors = self._loaded(running, place)
            if errors:
                raise BrokenCopy("; ".join(errors[:_TOLD]))
            return running.data, ours

    def _loaded(self, running: RunningPostgresql, place: str) -> tuple[str, ...]:
        """Restore a dump. Its owners are made where it names them: a dump of one database brings no roles."""
        from psycopg import sql

        made: set[str] = set(self.spec.copy.roles)
        for role in made - {running.superuser}:
            _make_role(running, role)
        while True:
            finished = running.restore(self.spec.copy.path, place, self.spec.copy.jobs)
            lacking = set(NO_ROLE.findall(finished.said)) - made
            if finished.well or not lacking or place == "postgres":
                break
            for role in lacking:
                _make_role(running, role)
            made |= lacking
            with running.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(place)))
            running.create(place)
            self.seen.limits.append(f"the rights of {', '.join(sorted(lacking))}: the dump does not bring its roles")
        return () if finished.well else restore_errors(finished) or (f"{finished.program} ended with {finished.code}",)

    @contextmanager
    def _old(self, data: Path, superuser: str) -> Iterator[RunningPostgresql]:
        options = PostgresqlOptions(superuser=superuser, data=data, durable=True, settings=STILL)
        with Postgresql(self.choice, self.scratch, options).start() as running:
            yield running

    def _written(self, running: RunningPostgresql) -> Written:
        self.seen.engine = running.engine
        databases = running.databases()
        found = inventory(running.ask)
        # Who asks is a role, and comes before roles are written down.
        interview = begun(running, databases, self.spec.questions, self.spec.statements)
        with self.seen.timed("write down"):
            manifest = take(running.connect, databases, jobs=self.spec.copy.jobs)
        rows = sum(one.rows for one in manifest.contents)
        self.seen.measure("rows", rows, "rows")
        self.seen.measure("size", found.size, "bytes")
        return Written(
            manifest,
            found,
            interview,
            databases,
            self._unsound(running, databases),
        )

    def _catalogue(self, running: RunningPostgresql, databases: Sequence[str]) -> dict[str, dict[str, str]]:
        """What a real upgrade looks at while everybody waits: what it would take for trouble shows here first."""
        script = self.scratch.write(f"ask-{secrets.token_hex(3)}", questions(databases))
        said = needed(running.tool("psql", ["--dbname=postgres", *QUIETLY, f"--file={script}"]), running.jail)
        return answers(said.output, databases)

    def _unsound(self, running: RunningPostgresql, databases: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for database in databases:
            with running.connect(database) as connection:
                found += [str(one) for one in unsound(connection, pages=False)]
        return tuple(found)

    # ---------------------------------------------------------------------------------------------- the new one

    def _control(self, crossing: Crossing) -> str:
        """What the check says of a column that cannot be carried over; empty where it lets it through."""
        with self.seen.timed("control"):
            try:
                crossing.check()
            except Refused as refused:
                return f"refused, {refused.reasons[-1]}" if any(CONTROL in one for one in refused.reasons) else ""
        return ""

    def _by_copy(self, crossing: Crossing, was: Written) -> tuple[list[str], str]:
        """What is wrong after copying, and what is said of the row that was changed on purpose."""
        seen, databases = self.seen, was.databases
        with crossing.carried(Mode.COPY, seen) as running:
            with running.connect(CONTROL) as connection:
                connection.execute(_SPOIL)
            with seen.timed("compare"):
                now = take(running.connect, (*databases, CONTROL), jobs=self.spec.copy.jobs)
            found = self._differences(was, now)
            spoilt = next((f"seen, {one}" for one in found if one.database == CONTROL and one.kind == "table"), "")
            wrong = [str(one) for one in found if one.database != CONTROL]
            wrong += self._asked(crossing, running, was)
            for database in databases:
                with running.connect(database) as connection:
                    if not can_check_pages(connection):
                        seen.limits.append("whether indexes fit their tables: this server has no amcheck")
                    wrong += [one for one in map(str, unsound(connection)) if one not in was.unsound]
        crossing.forget()
        return wrong, spoilt

    def _asked(self, crossing: Crossing, running: RunningPostgresql, was: Written) -> list[str]:
        """What the new server answers wrongly or too late; the old one stands beside it meanwhile."""
        interview, user = was.interview, was.cluster.shape.superuser
        with self._old(crossing.old_data, user) if interview.queries else nullcontext() as old:
            bare = interview.paces(old, running) if old is not None else ()
            with self.seen.timed("analyze"):
                analyze(running)
            now = interview.paces(old, running) if old is not None else ()
        return interview.wrong(running, bare, now, self.seen)

    def _back(self, crossing: Crossing, was: Written) -> list[str]:
        """Link, do not start, and go back: what is wrong with the old cluster then."""
        with self.seen.timed("way back"):
            crossing.carry(Mode.LINK)
            take_back_link(crossing.old_data)
            crossing.forget()
            with self._old(crossing.old_data, was.cluster.shape.superuser) as running:
                now = take(running.connect, was.databases, jobs=self.spec.copy.jobs)
        return [f"after going back: {one}" for one in self._differences(was, now)]

    def _by_link(self, crossing: Crossing, was: Written) -> list[str]:
        with crossing.carried(Mode.LINK, self.seen) as running:
            wrong = list(different(was.catalogue, self._catalogue(running, was.databases)))
            now = take(running.connect, was.databases, jobs=self.spec.copy.jobs)
        return [f"by link: {one}" for one in (*wrong, *self._differences(was, now))]

    def _differences(self, was: Written, now: Manifest) -> tuple[Difference, ...]:
        before = was.manifest
        if was.control is not None and any(one.name == CONTROL for one in now.contents):
            before = replace(before, contents=(*before.contents, was.control))
        return differences(before, now)

    # ---------------------------------------------------------------------------------------------- what it means

    def _refused(self, refused: Refused, refusal: str, target: Choice) -> None:
        seen = self.seen
        if seen.control.refused is None:
            seen.control = Control("a column that no upgrade carries over", bool(refusal))
            seen.before = refusal or "the column was let through"
        lacks = any(one.startswith("loadable libraries") for one in refused.reasons)
        if lacks and self.spec.programs is None:
            seen.unknown(f"{target.installation}, which stands in, lacks what the data needs: {refused}")
        else:
            seen.fails(f"pg_upgrade refuses: {some(refused.reasons)}")

    def _concluded(self, was: Written, wrong: Sequence[str], target: Choice) -> None:
        seen = self.seen
        if wrong:
            seen.fails("; ".join([some(wrong), *was.interview.slow]))
            return
        rows = sum(one.rows for one in was.manifest.contents)
        copy, link = seen.seconds(DOWNTIME[Mode.COPY]), seen.seconds(DOWNTIME[Mode.LINK])
        seen.limits.append("what the applications say to the new version: nobody but the drill asked it")
        words = (
            f"by copy (away for {copy:.1f} s) and by link ({link:.1f} s) PostgreSQL {target.engine.version} holds "
            f"every table as it was, {rows} rows; going back after a link gave the old server as it was"
        )
        seen.passes("; ".join([words, *was.interview.slow]))


def _make_role(running: RunningPostgresql, role: str) -> None:
    from psycopg import sql

    with running.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
