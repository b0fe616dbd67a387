"""Upgrades of a cluster that people work with, as a command asks for them: rehearsed on its own data, then carried out.

An upgrade that nobody rehearsed does not begin unless somebody insists: the rehearsal is what says how long it takes
and that every row arrives.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from shoreup.drills.asking import Question
from shoreup.drills.proving import record
from shoreup.drills.restoring.copies import Copy
from shoreup.drills.restoring.specs import questions_about
from shoreup.drills.upgrading.postgresql import RehearsalSpec, rehearse
from shoreup.drills.upgrading.specs import Way, questions_of
from shoreup.engines.base import EngineTrouble
from shoreup.engines.catalogue import numbers, written
from shoreup.engines.choosing import Wanted
from shoreup.engines.postgresql.cluster import OwnCluster, own_cluster
from shoreup.engines.postgresql.inventory import inventory
from shoreup.engines.postgresql.statements import statements
from shoreup.engines.postgresql.upgrade import Mode
from shoreup.engines.providers import lying_in
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import UPGRADED_TO, Drill, database_inputs, last_day, subject_of
from shoreup.facts.versions.support import majors, own_cycles, support
from shoreup.ledger.location import default_location
from shoreup.model.errors import UserError
from shoreup.model.proof import Proof, ProofSubject, Verdict, digest_of
from shoreup.operations.outcomes import Outcome
from shoreup.operations.steps import Plain
from shoreup.operations.upgrade import back as upgrade_back
from shoreup.operations.upgrade import run as upgrade_run
from shoreup.operations.upgrade.places import UpgradePlace
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import Opened, opened
from shoreup.stages.running.operating import Progress, operate, place_of
from shoreup.stages.upgrading.plans import POSTGRESQL, meant

_CLUSTER = "cluster"
"""What the digest of a cluster's own number is called among a proof's inputs."""


class RunOptions(Struct, frozen=True):
    """What is asked for.

    ``data`` is the data directory. ``snapshot`` says in the owner's words what stands in for a backup. With ``hold``
    the new server stays shut until somebody opens it. ``unrehearsed`` goes without a rehearsal.
    """

    data: Path
    to: str = ""
    subject: str = ""
    mode: Mode = Mode.COPY
    snapshot: str = ""
    old: Path | None = None
    programs: Path | None = None
    hold: bool = False
    unrehearsed: bool = False
    config: Path | None = None
    ledger: str = ""


class Rehearsed(Struct, frozen=True):
    """A rehearsal on a cluster's own data, and where its proof is kept."""

    proof: Proof
    ledger: str


class _Meant(Struct, frozen=True):
    """The cluster that is asked for, as the estate and this machine know it."""

    found: Opened
    estate: Estate
    cluster: OwnCluster
    way: Way | None
    version: str
    target: str

    @property
    def subject(self) -> ProofSubject:
        """What a proof is about: the estate's database, or the directory where the estate does not know it."""
        if self.way is not None:
            return subject_of(self.way.database.resource)
        return ProofSubject("DataDirectory", "", str(self.cluster.data))


def rehearse_data(paths: Sequence[Path], options: RunOptions, say: Progress) -> Rehearsed:
    """Rehearse on a copy of a cluster's own data: a base backup where its server runs. Raises :class:`UserError`."""
    one = _meant(paths, options, say)
    now, run = datetime.now(UTC), uuid4().hex
    with tempfile.TemporaryDirectory(prefix="shoreup-", dir=_roomy()) as folder:
        try:
            copy, user = _copied(one.cluster, Path(folder), say)
        except EngineTrouble as trouble:
            raise UserError(f"{options.data} cannot be copied: {trouble}.") from None
        inputs = dict(database_inputs(one.way.database).digests) if one.way is not None else {}
        spec = RehearsalSpec(
            subject=one.subject,
            wanted=Wanted(POSTGRESQL, one.version),
            target=one.target,
            copy=Copy(copy, superuser=user),
            programs=lying_in(POSTGRESQL, options.programs) if options.programs is not None else None,
            questions=_questions(one),
            statements=statements(one.cluster.ask) if one.cluster.pidfile() is not None else (),
            inputs={**inputs, _CLUSTER: _number(one.cluster)},
        )
        say("rehearsing", 0, 0)
        proof = rehearse(spec, run=run, now=now)
    ledger = one.found.ledger
    if ledger is None or ledger.closed:
        ledger = default_location(one.found.root)
    record(proof, ledger, run=run)
    return Rehearsed(proof, ledger.shown)


def run_upgrade(paths: Sequence[Path], options: RunOptions, say: Progress) -> Outcome:
    """Carry an upgrade out. Raises :class:`UserError` where it may not begin, or was undone."""
    one = _meant(paths, options, say)
    if not options.unrehearsed:
        _need_rehearsal(one)
    given: dict[str, Plain] = {
        "data": str(one.cluster.data),
        "to": one.target,
        "mode": options.mode.value,
        "snapshot": options.snapshot,
        "old_bin": str(options.old.resolve()) if options.old else "",
        "new_bin": str(options.programs.resolve()) if options.programs else "",
        "hold": options.hold,
    }
    return _operated(upgrade_run.NAME, one.found, options, given, say)


def open_upgrade(paths: Sequence[Path], options: RunOptions, say: Progress) -> Outcome:
    """Let clients in to a new server that was held shut. Raises :class:`UserError`."""
    found = opened(paths, config=options.config, empty=True)
    return _operated(upgrade_back.OPEN, found, options, {"data": str(options.data.resolve())}, say)


def roll_back(paths: Sequence[Path], options: RunOptions, consent: str, say: Progress) -> Outcome:
    """Go back to the old version. Raises :class:`UserError` where that loses what was written and nobody consented."""
    found = opened(paths, config=options.config, empty=True)
    place = UpgradePlace(options.data.resolve())
    state = place.state()
    if state is None:
        raise UserError(f"No upgrade of {options.data} was begun, so there is nothing to go back from.")
    lost = upgrade_back.loss(place, state)
    if lost and (consent != upgrade_back.CONSENT or (state.shared and not state.backup)):
        raise UserError(f"{lost} Say --consent '{upgrade_back.CONSENT}' if that is what you want.")
    given: dict[str, Plain] = {"data": str(place.data), "consent": consent}
    return _operated(upgrade_back.NAME, found, options, given, say)


def _operated(name: str, found: Opened, options: RunOptions, given: dict[str, Plain], say: Progress) -> Outcome:
    place = place_of(found, asked=options.config is not None)
    return operate(name, given, place, subject=f"upgrade {given['data']}", say=say)


def _meant(paths: Sequence[Path], options: RunOptions, say: Progress) -> _Meant:
    found = opened(paths, config=options.config, ledger=options.ledger, empty=True)
    asked = Asked((), datetime.now(UTC).date(), proven=found.proven(), given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    way = meant(estate, POSTGRESQL, options.subject)
    try:
        cluster = own_cluster(options.data.resolve(), options.old)
        version = _version(cluster)
    except EngineTrouble as trouble:
        raise UserError(f"{options.data} cannot be upgraded: {trouble}.") from None
    entry = estate.products.get(POSTGRESQL)
    known = support(entry, version, estate.today, own_cycles(entry, estate.settings.support)) if entry else None
    lines = majors(known) if known is not None else ()
    target = options.to or (lines[-1].name if lines else "")
    if not target:
        raise UserError(f"There is no supported version to go to from {version}. Name one with --to.")
    if numbers(target)[:1] <= numbers(version)[:1]:
        raise UserError(f"The cluster is of version {version}, and there is no way from it to {target}.")
    return _Meant(found=found, estate=estate, cluster=cluster, way=way, version=version, target=target)


def _need_rehearsal(one: _Meant) -> None:
    """Raise :class:`UserError` where no rehearsal of this upgrade counts today."""
    number, today = _number(one.cluster), one.estate.today
    mine = [
        proof
        for proof in one.estate.proofs
        if proof.drill == Drill.UPGRADE
        and proof.verdict is Verdict.PASS
        and (proof.subject.key == one.subject.key or proof.inputs.get(_CLUSTER) == number)
        and proof.inputs.get(_CLUSTER, number) == number
    ]
    to = numbers(one.target)[:1]
    fits = [
        proof
        for proof in mine
        if any(part.name == UPGRADED_TO and (int(part.value),) == to for part in proof.measurements)
        and proof.day <= today <= last_day(proof)
    ]
    if not fits:
        raise UserError(
            f"No rehearsal of this upgrade to {one.target} is on record that counts today. Rehearse it first: "
            f"shoreup upgrade postgres rehearse --data {one.cluster.data} --to {one.target}; or say --unrehearsed."
        )


def _questions(one: _Meant) -> tuple[Question, ...]:
    """The owner's own, of the estate's database; where the estate does not know it, by the data directory's name."""
    if one.way is not None:
        return questions_of(one.estate, one.way.database)
    return questions_about(one.estate.settings, str(one.cluster.data))


def _copied(cluster: OwnCluster, folder: Path, say: Progress) -> tuple[Path, str]:
    """A copy to rehearse on, and the first role of the cluster."""
    if cluster.pidfile() is None:
        state = cluster.control().get("Database cluster state", "")
        if state != "shut down":
            raise EngineTrouble(f"its server does not run and was not stopped in order ({state}); start it")
        return cluster.data, ""
    say("copying the cluster", 0, 0)
    user = inventory(cluster.ask).shape.superuser
    target = folder / "copy"
    target.mkdir(mode=0o700)
    folder.chmod(0o711)
    cluster.owner.give(target)
    words: list[str | Path] = ["-D", target, "--wal-method=stream", "--checkpoint=fast", "--no-password"]
    cluster.tool("pg_basebackup", words, 24 * 3600.0)
    return target, user


def _roomy() -> str | None:
    """A folder for large things that outlives nothing: not the one that lies in memory on many systems."""
    return "/var/tmp" if Path("/var/tmp").is_dir() else None  # noqa: S108 (a folder of our own is made in it)


def _version(cluster: OwnCluster) -> str:
    """The server's own version where it runs, else that of its programs."""
    if cluster.pidfile() is None:
        return written(cluster.programs.version)
    return cluster.tell("postgres", "SHOW server_version").decode().split()[0]


def _number(cluster: OwnCluster) -> str:
    """What tells this cluster from every other, as a digest. A base backup has it too, an upgraded one another."""
    return digest_of(cluster.control().get("Database system identifier", ""))
