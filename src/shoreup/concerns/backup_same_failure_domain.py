"""Backups that are lost together with what they protect."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import called, covered, lasting, lies_on, subject
from shoreup.facts.backups.copying import LASTING_VOLUMES
from shoreup.facts.backups.recurring import running
from shoreup.facts.estate import Backup, Estate, Volume, Workload
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.settings import Cover

_FIX = Fix(
    "Write the copies, or a second set of them, to another machine",
    Safety.SHOWN,
    "which other place there is only the owner knows",
)


class _Data(Struct, frozen=True):
    """A volume that is protected, and whose it is."""

    whose: str
    workload: Workload
    volume: Volume


_PROPOSAL = """# a second set of the copies, on another machine, encrypted before it leaves
restic -r <sftp:backup@other-machine:/path or s3:https://host/bucket> backup <folder of the copies>
restic -r <the same> forget --keep-daily <days> --keep-weekly <weeks> --keep-monthly <months> --prune
# RESTIC_PASSWORD comes from a Secret, and a copy of it lies outside of the cluster"""


class BackupSameFailureDomain(Concern):
    """The copies lie on the same server, export or volume as the data that they protect.

    **What**

    The volume that the job writes to and the volume of the data lead to one NFS server, one claim or one folder of a
    node, nothing in the repository carries the copies further, and no `[[protection]]` in `shoreup.toml` covers
    `off-site` there.

    **Why**

    What destroys the data (a lost pool, an encrypted share, a wrong `rm`) destroys the backup in the same moment.

    **Example**

    PostgreSQL's data on `10.0.0.5:/export/postgres`, its dumps on `10.0.0.5:/export/backups`.

    **Fix safety**

    Shown only: another place has to exist first.
    """

    id = "backup-same-failure-domain"
    title = "Backups lie on the storage that they should survive"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
        Source("NIST SP 800-34: contingency planning", "https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final"),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Compare where each job writes with where its data lies."""
        seen: set[tuple[int, str]] = set()
        for backup in running(estate):
            volume = backup.target_volume
            if volume is None or not lasting(volume) or backup.target_remote or backup.copied_on:
                continue
            if covered(estate, backup, Cover.OFF_SITE):
                continue
            key = (backup.resource.key, volume.name)
            if key in seen:
                continue
            outcome = self._compare(backup, volume)
            if outcome is not None:
                seen.add(key)
                yield outcome

    def _compare(self, backup: Backup, volume: Volume) -> Outcome | None:
        if backup.workload is None:
            return None
        place = Place(backup.resource.key, volume.route, container=backup.place.container)
        open_ = ""
        for data in _protected(backup):
            shared = _shared(backup.workload, volume, data)
            if shared:
                who = subject(backup)
                return self.found(
                    place,
                    field="volume",
                    subject=who,
                    message=f"{who} writes to {lies_on(volume)}; the data of {data.whose} is on {shared}.",
                    consequence="What destroys the data destroys its backups with it.",
                    related=(
                        (backup.place, "the command that writes the copies"),
                        (Place(data.workload.resource.key, data.volume.route), "the data that it protects"),
                    ),
                    fixes=(_FIX,),
                )
            open_ = open_ or _not_known(volume) or _not_known(data.volume)
        return self.undecided(place, unknown="where the bytes lie", reason=open_) if open_ else None


def _protected(backup: Backup) -> Iterator[_Data]:
    for database in backup.protects_databases:
        if database.workload is not None:
            for volume in database.volumes:
                if volume.kind in LASTING_VOLUMES:
                    yield _Data(called(database), database.workload, volume)
    for workload, volume in backup.protects_volumes:
        yield _Data(named(workload.resource), workload, volume)


def _shared(workload: Workload, volume: Volume, data: _Data) -> str:
    """What both lie on, as part of a sentence; empty when nothing says that they share anything."""
    other = data.volume
    if volume.claim and volume.claim == other.claim and workload.namespace == data.workload.namespace:
        return "the same volume"
    if volume.server and volume.server == other.server:
        if volume.path and volume.path == other.path:
            return "the same export"
        return f"the same server ({other.server}:{other.path})" if other.path else f"the same server ({other.server})"
    if volume.kind == other.kind == "host-path" and volume.path and other.path:
        inside = f"{volume.path.rstrip('/')}/".startswith(f"{other.path.rstrip('/')}/")
        around = f"{other.path.rstrip('/')}/".startswith(f"{volume.path.rstrip('/')}/")
        return "the same folder of the node" if inside or around else ""
    return ""


def _not_known(volume: Volume) -> str:
    if volume.undecided:
        return volume.undecided
    if "*" in volume.server:
        return "the server is not decided in the repository"
    if volume.kind == "claim" and not volume.server and not volume.path:
        behind = f" of class {volume.storage_class}" if volume.storage_class else ""
        return f"what is behind the claim {volume.claim}{behind} is not in the repository"
    return ""
