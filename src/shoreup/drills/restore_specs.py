"""What a restore drill needs to know, from what the estate says of a backup and where its storage is mounted here."""

from __future__ import annotations

from pathlib import Path

from shoreup.compare.manifest import Manifest, WrongManifest, decode
from shoreup.drills.copies import TOOLS, Copy, products
from shoreup.drills.restoring import RestoreSpec
from shoreup.engines.choosing import Wanted
from shoreup.facts.estate import Backup, Database, Estate
from shoreup.facts.fields import text
from shoreup.facts.mounts import mounted
from shoreup.facts.proofs import backup_inputs, backup_subject

MANIFEST = ".manifest.json"
"""What the name of a copy's manifest ends with, behind the name of the copy."""


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
    return RestoreSpec(
        subject=backup_subject(backup),
        wanted=Wanted(database.product, database.version, image=image_of(database)),
        copy=Copy(found, superuser=superuser(database)),
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
