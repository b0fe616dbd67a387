"""What a restore drill needs to know, from what the estate says of a job and where its storage is mounted here.

One job may copy several things at a time: two databases, a dump and the files beside it. A proof is about the job, so
all of them come back together or it is not proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.compare.manifest import Manifest, WrongManifest, decode
from shoreup.drills.asking import Question
from shoreup.drills.base import Wishes
from shoreup.drills.restoring.archive_specs import archive_source, store_with
from shoreup.drills.restoring.copies import FILES, Copy, products
from shoreup.drills.restoring.newest_copies import MANIFEST, newest_copies
from shoreup.drills.restoring.sources import RepositorySource, Source
from shoreup.drills.restoring.store_secrets import secret_of
from shoreup.drills.restoring.trial import Part, RestoreSpec
from shoreup.drills.restoring.unnamed_copies import engine_of
from shoreup.engines.choosing import Wanted
from shoreup.engines.postgresql.cluster import PRODUCT as POSTGRESQL
from shoreup.engines.repositories import TOOLS as REPOSITORY_TOOLS
from shoreup.engines.repositories import Repository, kind_of
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.commands.file_tools import FILE_TOOLS
from shoreup.facts.estate import Backup, Database, Estate, ObjectArchive
from shoreup.facts.fields import text
from shoreup.facts.proofs import backup_inputs, backup_subject
from shoreup.model.settings import Settings

_NOT_YET = frozenset({"mydumper", "mongodump", "pgbackrest", "barman", "wal-g", "pg_probackup"})
"""What writes formats of its own that no drill opens yet."""
_OPENED = {*DUMP_TOOLS, *FILE_TOOLS, "sqlite3"} - _NOT_YET
_SNAPSHOTS = (
    "a volume snapshot opens only in the storage that made it: have the operator bring up a second cluster from it "
    "(bootstrap.recovery.volumeSnapshots) and look into that, or add a ScheduledBackup to an object store, which a "
    "drill restores here"
)


class _Found(Struct, frozen=True):
    """What a job copies, where it lies, and where it has to be brought from, if anywhere."""

    parts: tuple[Part, ...]
    source: Source | None = None


def restore_spec(estate: Estate, together: Sequence[Backup], wishes: Wishes) -> RestoreSpec | str:
    """What to restore of what one job copies together, or why that is not known, with what to do."""
    job = together[0]
    found = _found(estate, together, wishes)
    if isinstance(found, str):
        return found
    databases = [database for backup in together for database in backup.protects_databases]
    service = databases[0] if databases else None
    objective = estate.settings.objective(f"{service.namespace}/{service.name}" if service else _name(job))
    first, *others = _with_questions(estate.settings, _name(job), found.parts)
    return RestoreSpec(
        subject=backup_subject(job),
        wanted=first.wanted,
        copy=first.copy,
        manifest=first.manifest,
        most_time=objective.rto,
        most_loss=objective.rpo,
        inputs=dict(backup_inputs(estate, job).digests),
        questions=first.questions,
        source=found.source,
        inside=first.inside,
        name=first.name,
        also=tuple(others),
    )


def _found(estate: Estate, together: Sequence[Backup], wishes: Wishes) -> _Found | str:
    job = together[0]
    if job.archive is not None:
        archive = archive_source(estate, job, job.archive, wishes)
        return archive if isinstance(archive, str) else _Found((_of_archive(job, job.archive, wishes),), archive)
    if job.tool == "volume snapshot" and job.protects_databases:
        return _SNAPSHOTS
    unknown = next((one.tool for one in together if one.tool not in _OPENED), None)
    if unknown is not None:
        return f"copies by {unknown or 'this job'} cannot be restored by a drill yet"
    keeper = next((one for one in together if one.tool in REPOSITORY_TOOLS), None)
    if keeper is not None:
        source = _repository(estate, keeper, wishes)
        if isinstance(source, str):
            return source
        parts = [part for backup in together for part in _inside(backup)]
        return _Found(tuple(parts), source)
    parts = []
    for backup in together:
        copies = newest_copies(estate, backup, wishes.copy)
        if isinstance(copies, str):
            return copies
        for copy in copies:
            part = _part(backup, copy, named=len(copies) > 1 or len(together) > 1)
            if isinstance(part, str):
                return f"{_name(backup)}: {part}"
            parts.append(replace(part, copy=replace(part.copy, until=wishes.until)))
    return _Found(tuple(parts))


def _part(backup: Backup, copy: Path, *, named: bool) -> Part | str:
    """One copy that lies here."""
    manifest = _manifest(copy)
    if isinstance(manifest, str):
        return manifest
    database = _database(backup)
    if database is None and backup.protects_databases:
        known = ", ".join(sorted(products()))
        return f"what the copy is of is no database that a drill can restore yet ({known})"
    wanted = _wanted(database) if database is not None else engine_of(backup, copy)
    if wanted.product == FILES and backup.tool in DUMP_TOOLS:
        return f"copies by {backup.tool} are of no database that a drill can restore yet"
    owner = superuser(database) if database is not None else ""
    of = Copy(copy, superuser=owner, stranger=database is None)
    return Part(wanted, of, manifest, name=copy.name if named else "")


def _of_archive(backup: Backup, archive: ObjectArchive, wishes: Wishes) -> Part:
    """A server that comes back from its base backup and WAL."""
    database = _database(backup)
    wanted = Wanted(POSTGRESQL) if database is None else _wanted(database)
    image = archive.image if ":" in archive.image and "*" not in archive.image and " " not in archive.image else ""
    return Part(replace(wanted, image=image), Copy(Path(), until=wishes.until, databases=archive.databases))


def _inside(backup: Backup) -> list[Part]:
    """What a repository holds of one command of a job: the dump that was made for it, or the files that it read."""
    nowhere = Copy(Path())
    database = _database(backup)
    wanted = _wanted(database) if database is not None else engine_of(backup, None)
    if wanted.product != FILES and (database is not None or backup.target_path):
        name = Path(backup.target_path).name
        copy = replace(nowhere, superuser=superuser(database) if database is not None else "")
        return [Part(wanted, copy, inside=f"**/{name}", name=name)]
    read = [one.strip("/") for one in backup.reads_paths if one.strip("/") and "*" not in one]
    if not read:
        return [Part(Wanted(FILES), nowhere, name="files")]
    return [Part(Wanted(FILES), nowhere, inside=one, name=f"/{one}") for one in read]


def _repository(estate: Estate, backup: Backup, wishes: Wishes) -> Source | str:
    name = _name(backup)
    named = store_with(estate.settings, name)
    if named is None:
        return (
            f"where the repository of {backup.tool} is, and what opens it, is not known here: say [store.NAME] "
            f'url = "{backup.tool}:/path", secret-file = "/path" and copies-of = ["{name}"] in shoreup.toml'
        )
    kind, _, at = named.url.partition(":")
    if kind != backup.tool:
        return f"the copies of {name} are to lie in {kind}:, and the job makes them with {backup.tool}"
    if wishes.copy is not None and kind_of(wishes.copy) != backup.tool:
        return f"{wishes.copy} is no repository of {backup.tool}"
    repository = Repository(backup.tool, str(wishes.copy or at), partial(secret_of, named, wishes.home))
    return RepositorySource(repository, tuple(one for one in backup.reads_paths if "*" not in one))


def questions_about(settings: Settings, *names: str) -> tuple[Question, ...]:
    """What the owner asks of a job's copy, or of a database, by any of its names (``namespace/name``)."""
    return tuple(
        Question(one.query, one.expect, one.name, one.database, one.within)
        for one in settings.smoke
        if any(fnmatchcase(name, one.subject) for name in names)
    )


def _with_questions(settings: Settings, job: str, parts: Sequence[Part]) -> list[Part]:
    """The owner's questions, put to the part that they fit: the first that is of a database, else the first."""
    asked = questions_about(settings, job)
    at = next((number for number, part in enumerate(parts) if part.wanted.product != FILES), 0)
    return [replace(part, questions=asked) if number == at else part for number, part in enumerate(parts)]


def _database(backup: Backup) -> Database | None:
    return next((one for one in backup.protects_databases if one.product in products()), None)


def _wanted(database: Database) -> Wanted:
    return Wanted(database.product, database.version, image=image_of(database))


def _manifest(copy: Path) -> Manifest | str | None:
    beside = copy.with_name(copy.name + MANIFEST)
    try:
        return decode(beside.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, WrongManifest) as problem:
        return f"the manifest {beside.name} cannot be read: {problem}"


def superuser(database: Database) -> str:
    """The user that the server's image is told to make, where the estate says it in clear."""
    if database.workload is None:
        return ""
    names = ("POSTGRES_USER", "POSTGRESQL_USERNAME")
    found = (text(one.env[name]) for one in database.workload.containers for name in names if name in one.env)
    return next(found, "")


def image_of(database: Database) -> str:
    """The image that a database runs in, empty where it is not all known."""
    if database.workload is None:
        return ""
    images = [one.image for one in database.workload.containers if one.image.product == database.product]
    return images[0].text if images and "*" not in images[0].text else ""


def _name(backup: Backup) -> str:
    return f"{backup.namespace}/{backup.name}"
