"""Drills as a command asks for them: derived from what the repository says, run, and put into the ledger.

Nothing is typed in by hand. Which copy, of which database, in which version, against which objective: all of it follows
from the backup as the estate declares it, and from where the owner says that its storage is mounted here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from shoreup.compare.manifest import Manifest, WrongManifest, decode
from shoreup.concerns._backups import once, running
from shoreup.drills.copies import TOOLS, Copy, products
from shoreup.drills.proving import record
from shoreup.drills.restore import RestoreSpec, restore
from shoreup.engines.choosing import Wanted
from shoreup.facts.estate import Backup, Database, Estate
from shoreup.facts.fields import text
from shoreup.facts.mounts import mounted
from shoreup.facts.proofs import Drill, Standing, backup_inputs, backup_subject, standing
from shoreup.ledger.location import default_location
from shoreup.model.errors import UserError
from shoreup.model.proof import Proof, ProofSubject
from shoreup.stages.examination import Asked, understood
from shoreup.stages.opening import opened
from shoreup.stages.reading import read

Progress = Callable[[str, int, int], None]

MANIFEST = ".manifest.json"
"""What the name of a copy's manifest ends with, behind the name of the copy."""


class DrillOptions(Struct, frozen=True):
    """What is asked for.

    ``subject`` is a pattern of ``namespace/name`` that a backup's job must match, empty for all. ``copy`` is a copy to
    restore instead of the newest where the estate puts them. ``due`` leaves out what is proven and stays so today.
    """

    subject: str = ""
    copy: Path | None = None
    due: bool = False
    config: Path | None = None
    ledger: str = ""
    today: date | None = None


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


def drill_restores(paths: Sequence[Path], options: DrillOptions, say: Progress) -> Drilled:
    """Restore the newest copy of every backup that is asked for, and keep the proofs.

    Raises :class:`UserError` where the estate has no such backup.
    """
    found = opened(paths, config=options.config, ledger=options.ledger, empty=True)
    today = options.today or datetime.now(UTC).date()
    asked = Asked((), today, proven=found.proven(), given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    groups = [group for group in once(running(estate)) if _meant(group[0], options.subject)]
    backups = [group[0] for group in groups]
    if not backups:
        raise UserError(_nothing(estate, options.subject))
    if options.copy is not None and len(backups) > 1:
        names = ", ".join(sorted(_name(one) for one in backups)[:5])
        raise UserError(f"--from is a copy of one backup; name it with --subject: {names}.")
    ledger = found.ledger
    if ledger is None or ledger.closed:
        ledger = default_location(found.root)
    run = uuid4().hex
    made: list[Proof] = []
    untried: list[Untried] = []
    left: list[ProofSubject] = []
    for number, backup in enumerate(backups):
        say(f"restoring {_name(backup)}", number, len(backups))
        subject = backup_subject(backup)
        if options.due and _stands(estate, backup).proven:
            left.append(subject)
            continue
        spec: RestoreSpec | str = restore_spec(estate, backup, options.copy)
        if len(groups[number]) > 1:
            # A pass of one would close the question for all of them.
            spec = f"it makes {len(groups[number])} copies at a time, and a drill tries one"
        if isinstance(spec, str):
            untried.append(Untried(subject, Drill.RESTORE.value, spec))
            continue
        proof = restore(spec, run=run, now=datetime.now(UTC))
        record(proof, ledger, run=run)
        made.append(proof)
    return Drilled(tuple(made), tuple(untried), tuple(left), ledger.shown)


def restore_spec(estate: Estate, backup: Backup, copy: Path | None = None) -> RestoreSpec | str:
    """What to restore and what to expect of it, or why that is not known, with what to do."""
    if backup.tool not in TOOLS:
        return f"copies by {backup.tool or 'this job'} cannot be restored by a drill yet"
    if len(backup.protects_databases) > 1:
        return f"it copies {len(backup.protects_databases)} databases, and a drill tries one"
    database = next((one for one in backup.protects_databases if one.product in products()), None)
    if database is None:
        known = ", ".join(sorted(products()))
        return f"what the copy is of is no database that a drill can restore yet ({known})"
    found = copy if copy is not None else newest_copy(estate, backup)
    if isinstance(found, str):
        return found
    service = f"{backup.namespace}/{backup.name}"
    objective = estate.settings.objective(f"{database.namespace}/{database.name}")
    inputs = backup_inputs(estate, backup)
    manifest = _manifest(found)
    if isinstance(manifest, str):
        return f"{service}: {manifest}"
    superuser = _superuser(database)
    return RestoreSpec(
        subject=backup_subject(backup),
        wanted=Wanted(database.product, database.version, image=_image(database)),
        copy=Copy(found, superuser=superuser),
        manifest=manifest,
        most_time=objective.rto,
        most_loss=objective.rpo,
        inputs=dict(inputs.digests),
    )


def newest_copy(estate: Estate, backup: Backup) -> Path | str:
    """The newest copy where the estate puts them and the owner has them mounted; else what to say in the settings."""
    volume, container = backup.target_volume, backup.container
    if volume is None or container is None:
        return "where the copies lie on this machine is not known; name one with --from"
    folder = mounted(estate, backup.namespace, volume)
    where = f"{volume.server}:{volume.path}" if volume.server else volume.claim or volume.path or volume.name
    if not folder:
        say = f'[storage] "{where}" = "/path" in shoreup.toml'
        return f"where {where} is mounted here is not known: say {say}, or name a copy by --from"
    inside = next(
        (
            f"{one.sub_path}/{backup.target_path[len(one.path) :]}"
            for one in sorted(container.mounts, key=lambda one: -len(one.path))
            if one.volume == volume.name and f"{backup.target_path}/".startswith(f"{one.path.rstrip('/')}/")
        ),
        "",
    )
    pattern = inside.strip("/").replace("//", "/")
    if not pattern or ".." in Path(pattern).parts:
        return f"which of the files in {folder} are its copies is not known; name one with --from"
    try:
        found = [
            one
            for one in Path(folder).glob(pattern.replace("**", "*"))
            if not one.name.endswith((MANIFEST, ".partial", ".tmp"))
        ]
        return (
            max(found, key=lambda one: one.stat().st_mtime, default=None) or f"no copy like {pattern} lies in {folder}"
        )
    except (OSError, ValueError, NotImplementedError) as problem:
        return f"{folder} cannot be looked into: {problem}"


def _manifest(copy: Path) -> Manifest | str | None:
    beside = copy.with_name(copy.name + MANIFEST)
    try:
        return decode(beside.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, WrongManifest) as problem:
        return f"the manifest {beside.name} cannot be read: {problem}"


def _superuser(database: Database) -> str:
    """The user that the server's image is told to make, where the estate says it in clear."""
    if database.workload is None:
        return ""
    names = ("POSTGRES_USER", "POSTGRESQL_USERNAME")
    found = (text(one.env[name]) for one in database.workload.containers for name in names if name in one.env)
    return next(found, "")


def _image(database: Database) -> str:
    if database.workload is None:
        return ""
    images = [one.image for one in database.workload.containers if one.image.product == database.product]
    return images[0].text if images and "*" not in images[0].text else ""


def _stands(estate: Estate, backup: Backup) -> Standing:
    return standing(estate, backup_subject(backup), Drill.RESTORE, backup_inputs(estate, backup))


def _name(backup: Backup) -> str:
    return f"{backup.namespace}/{backup.name}"


def _meant(backup: Backup, pattern: str) -> bool:
    return not pattern or fnmatchcase(_name(backup), pattern) or fnmatchcase(backup.name, pattern)


def _nothing(estate: Estate, pattern: str) -> str:
    names = sorted({_name(group[0]) for group in once(running(estate))})
    if not names:
        return "The estate has no backup that runs again and again, so there is nothing to restore."
    return f"No backup is called {pattern!r}. There are {', '.join(names[:8])}."
