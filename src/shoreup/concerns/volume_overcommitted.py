"""More to keep than there is room for."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.backups.kept_sizes import kept_sizes
from shoreup.facts.estate import Backup, Estate, Volume
from shoreup.facts.quantities import size, spoken_size
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_WHOLE = frozenset({"cp", "rsync", "tar"})
"""Tools that copy files as large as they are, or nearly."""
_SURELY = 2
"""Copies are held against twice the room: a source is seldom full, and some files pack well."""
_LESS = Fix(
    "Keep less than four fifths of the volume, or enlarge it",
    Safety.SHOWN,
    "which of the two, and whether the storage class can enlarge a volume, a person decides",
)


_PROPOSAL = """# keep less: <copies> x <size of one> under four fifths of it; or, with allowVolumeExpansion
spec:
  resources: {requests: {storage: <size>}}"""


class VolumeOvercommitted(Concern):
    """What a program is told to keep is larger than the volume that it keeps it on, by the estate's own numbers.

    **What**

    Prometheus and its relatives are told how many bytes to keep (`retention.size`, `retentionSize`), and the volume
    claim for them is not larger; room for what is being written must be left, too. Or a job copies whole volumes,
    keeps a number of copies, and these come to more than twice the room of the volume they go to.

    **Why**

    The limit that was meant to keep the volume from filling never comes into play: the volume is full before, and the
    program stops, or the newest copy is cut off.

    **Example**

    `--storage.tsdb.retention.size=60GB` on a claim of `50Gi` is found, `40GB` is not.

    **Fix safety**

    Shown: both numbers are choices.
    """

    id = "volume-overcommitted"
    title = "More to keep than the volume holds"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.SCALING_LIMITS
    sources = (
        Source(
            "Kubernetes: persistent volumes and access modes",
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
        ),
        Source(
            "Site Reliability Engineering: monitoring", "https://sre.google/sre-book/monitoring-distributed-systems/"
        ),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold what is kept against the room for it."""
        for one in kept_sizes(estate):
            if one.undecided:
                yield self.undecided(one.volume, unknown="size of the volume", reason=one.undecided)
                continue
            if one.kept < one.room:
                continue
            kept, room = spoken_size(one.kept), spoken_size(one.room)
            fits = f"{kept}, and its volume has {room}" if one.kept > one.room else f"{kept}, all that its volume has"
            yield self.found(
                one.place,
                field="retention size",
                subject=one.subject,
                message=f"{one.subject} is told to keep {fits}.",
                consequence="The volume is full before anything old is removed, and the program stops writing.",
                related=((one.volume, f"the volume has {room}"),),
                fixes=(_LESS,),
            )
        for backup in estate.backups:
            yield from self._copies(backup)

    def _copies(self, backup: Backup) -> Iterator[Outcome]:
        target = backup.target_volume
        room = size(target.size) if target is not None else None
        copies = max((one.keeps_at_least or 0 for one in backup.retention if one.by == "count"), default=0)
        sources = [
            (workload, volume, size(volume.size))
            for workload, volume in backup.protects_volumes
            if _reads_whole(backup, volume)
        ]
        whole = sum(bytes_ or 0 for _, _, bytes_ in sources)
        if not room or not whole or copies < 2 or backup.tool not in _WHOLE or not backup.writes_new_file:
            return
        if copies * whole <= _SURELY * room:
            return
        workload, volume, _ = sources[0]
        yield self.found(
            backup.retention[0].place,
            field="copies",
            subject=f"the backup {backup.namespace}/{backup.name}",
            message=(
                f"The backup {backup.namespace}/{backup.name} keeps {copies} copies of {spoken_size(whole)}, "
                f"and the volume that they lie on has {spoken_size(room)}."
            ),
            consequence="The volume fills up, and the newest copy is the one that is cut off.",
            confidence=Confidence.LIKELY,
            related=((Place(workload.resource.key, volume.route), f"{volume.name} may hold {spoken_size(whole)}"),),
            fixes=(_LESS,),
        )


def _reads_whole(backup: Backup, volume: Volume) -> bool:
    """Whether the job reads the volume from its top, and not one folder or file of it."""
    if backup.workload is None:
        return False
    same = {one.name for one in backup.workload.volumes if one.claim == volume.claim and one.server == volume.server}
    tops = {
        mount.path.rstrip("/")
        for container in backup.workload.containers
        for mount in container.mounts
        if mount.volume in same
    }
    return any(path.rstrip("/*.") in tops for path in backup.reads_paths)
