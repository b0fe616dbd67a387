"""Lasting data that is gone with the pod, because its volume is memory."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.containers import called
from shoreup.facts.databases.servers import runs_server
from shoreup.facts.estate import Estate, Mount, Volume
from shoreup.facts.fields import why_open
from shoreup.facts.products import Product
from shoreup.facts.scheduling.staying import staying
from shoreup.facts.storage.persistence import persists
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import at

_MEMORY = "Memory"
_KEEPS = frozenset({"database", "queue", "secrets", "storage"})
"""Kinds of product whose data folder holds nothing but what must last."""
_PASSING = ("tmp", "temp", "cache", "stat", "log", "run", "sock", "transcod")
_VOLUME = Fix(
    "Put the folder on a persistent volume",
    Safety.SHOWN,
    "which storage it belongs on, and whether what is in memory now is wanted, a person decides",
)


_PROPOSAL = """volumes:
  - name: <the volume>
    persistentVolumeClaim:
      claimName: <claim>
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: <claim>, namespace: <namespace>}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: <class>
  resources: {requests: {storage: <size>}}"""


class DataOnTmpfs(Concern):
    """A data folder that must last lies on a volume in memory.

    **What**

    The container's product keeps its data in that folder, and the volume there is an `emptyDir` with `medium: Memory`.
    A database or queue is found for its data folder or a part of it, such as the write-ahead log; a product that may do
    without a disk (a cache, a broker) only when its own settings turn persistence on.

    **Why**

    Memory is emptied with every restart of the pod: each update, eviction or power cut loses everything that the
    program had acknowledged as written. What it writes counts against its memory limit as well.

    **Example**

    `mosquitto` with `persistence true` and its data folder on a volume in memory is found. A folder for transcoding or
    temporary files is not.

    **Fix safety**

    Shown: a persistent volume is a decision about storage, and the pods restart.
    """

    id = "data-on-tmpfs"
    title = "Lasting data on a volume in memory"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.AVAILABILITY
    section = Section.KNOWN_BUGS
    sources = (
        Source("Kubernetes: kinds of volumes", "https://kubernetes.io/docs/concepts/storage/volumes/"),
        Source(
            "PostgreSQL: reliability and the write-ahead log",
            "https://www.postgresql.org/docs/current/wal-reliability.html",
        ),
        Source("Products, with the source of each", "facts/data/products.json"),
        Source("What keeps data only when told to", "facts/data/persistence.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every mount of a volume in memory."""
        for workload, container in staying(estate):
            product = estate.products.get(container.image.product)
            if product is None or not runs_server(container, product):
                continue
            volumes = {volume.name: volume for volume in workload.volumes if volume.kind == "empty-dir"}
            for mount in container.mounts:
                volume = volumes.get(mount.volume)
                if volume is None or not _holds(mount, product):
                    continue
                medium = at(dict(workload.resource.body), *volume.route, "emptyDir", "medium")
                if volume.medium != _MEMORY and not why_open(medium):
                    continue
                said = persists(estate, workload, container)
                if said is None and not (product.lasting and product.kind in _KEEPS):
                    continue
                if why_open(medium):
                    route = (*volume.route, "emptyDir", "medium")
                    place = Place(workload.resource.key, route, container=container.name)
                    yield self.undecided(place, unknown="medium of the volume", reason=why_open(medium))
                    continue
                subject = called(workload, container)
                related = [(Place(workload.resource.key, volume.route), "the volume in memory")]
                if said is not None:
                    related.append((said, "this turns persistence on"))
                yield self.found(
                    Place(workload.resource.key, mount.route, container=container.name),
                    field="volumeMounts",
                    subject=subject,
                    message=f"{subject} keeps the data of {product.title} at {mount.path}, {_where(volume)}.",
                    consequence="Every restart of the pod loses what was stored there, also what was acknowledged.",
                    confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
                    related=tuple(related),
                    fixes=(_VOLUME,),
                )


def _where(volume: Volume) -> str:
    limit = f" of at most {volume.size}" if volume.size else ""
    return f"and {volume.name} is a volume in memory{limit}"


def _holds(mount: Mount, product: Product) -> bool:
    """Whether the mount is a data folder of the product, holds one, or is a lasting part of one."""
    mounted = mount.path.rstrip("/")
    for data in product.data:
        home = data.rstrip("/")
        if mounted == home or (mounted and home.startswith(f"{mounted}/")):
            return True
        if mounted.startswith(f"{home}/"):
            rest = mounted[len(home) :].lower()
            return not any(word in rest for word in _PASSING)
    return False
