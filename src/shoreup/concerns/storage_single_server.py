"""Estates whose data hangs on one server."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.storage.servers import Storage, StorageServer, read_storage_servers
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.wording import some

_FEWEST = 3
"""Fewer workloads on one server are a choice, not a platform that hangs on it."""
_LISTED = 10
_REPLICA = Fix(
    "Keep a replica of what the server holds, and watch from outside that it answers",
    Safety.SHOWN,
    "a second server is a decision about hardware that no change of code makes",
)


_PROPOSAL = """# mount options that make an outage of the server visible, and never lose a write
mountOptions: [hard, nfsvers=<4.1 or what the server speaks>, timeo=600, retrans=2]
# and a replica of what it holds on another machine, such as
zfs send -i <last snapshot> <dataset>@<new snapshot> | ssh <other machine> zfs receive <dataset>"""


class StorageSingleServer(Concern):
    """Most of what keeps data keeps it on one storage server.

    **What**

    Volumes are followed from the pod through claims, PersistentVolumes and storage classes to the server: NFS written
    into the pod or volume, parameters of a CSI driver, the values of a provisioner's chart. The server is named when
    more than half of all that keep data lead to it, with more than half of their volumes. With fewer than three
    workloads, or where three or more lead to a server that most do not, only the strict persona sees it.
    Mounts that are only read, and jobs, do not count. It is one finding for a server, at the place that names it.

    **Why**

    When the server reboots, loses a disk or fills up, everything on the list stops at once. With NFS the processes hang
    instead of failing, so probes and restarts do not help.

    **Example**

    A provisioner with `nfs.server: 192.168.1.10` behind the storage class of nine out of twelve claims is found, with
    the nine. Left open, not found: an estate where so many claims have a class that it does not declare that they
    decide what most is.

    **Fix safety**

    Shown: replicas and alerts are a plan, not an edit. Relaxed caching of attributes is never proposed, as it breaks
    databases.
    """

    id = "storage-single-server"
    title = "Most data hangs on one storage server"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.SCALING_LIMITS
    sources = (
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
        Source(
            "Kubernetes: persistent volumes and access modes",
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every server that data lies on."""
        storage = read_storage_servers(estate)
        found = False
        for server in storage.servers:
            if server.dependants and _most(server, storage.stateful, storage.volumes):
                found = found or len(server.dependants) >= _FEWEST
                yield self._single(storage, server)
        if found:
            return
        for server in storage.servers:
            known = storage.stateful - storage.unknown, storage.volumes - storage.unknown
            if len(server.dependants) >= _FEWEST and _most(server, *known):
                reason = f"where {storage.unknown} of {storage.volumes} volumes lie is not in the estate"
                yield self.undecided(server.place, unknown="storage", reason=reason)
                return
        for server in storage.servers:
            if len(server.dependants) >= _FEWEST and server.host:
                yield self._some(storage, server)
        unnamed = storage.unnamed
        if unnamed and len(unnamed.dependants) >= _FEWEST and _most(unnamed, storage.stateful, storage.volumes):
            reason = f"whether the servers of {len(unnamed.dependants)} workloads are one is not decided"
            yield self.undecided(unnamed.place, unknown="server", reason=reason)

    def _some(self, storage: Storage, server: StorageServer) -> Outcome:
        count = len(server.dependants)
        listed = some([dependant.name for dependant in server.dependants], _LISTED)
        return self.found(
            server.place,
            field="server",
            subject=f"the storage server {server.host}",
            message=f"{count} of {storage.stateful} workloads that keep data keep some on {server.host}.",
            consequence=f"When it stops or hangs, these hang with it: {listed}.",
            related=tuple(
                (dependant.place, f"{dependant.name} hangs with it") for dependant in server.dependants[:_LISTED]
            ),
            fixes=(_REPLICA,),
            severity=Severity.LOW,
            strict=True,
            confidence=Confidence.LIKELY if server.likely else Confidence.CERTAIN,
            dependants=count,
        )

    def _single(self, storage: Storage, server: StorageServer) -> Outcome:
        count = len(server.dependants)
        which = f"the storage server {server.host}" if server.host else "one storage server"
        listed = some([dependant.name for dependant in server.dependants], _LISTED)
        return self.found(
            server.place,
            field="server",
            subject=which,
            message=(
                f"{count} of {storage.stateful} workloads that keep data keep it on {which}."
                if storage.stateful > 1
                else f"The one workload that keeps data keeps it on {which}."
            ),
            consequence=f"When it stops or hangs, these stop with it: {listed}.",
            related=tuple(
                (dependant.place, f"{dependant.name} stops with it") for dependant in server.dependants[:_LISTED]
            ),
            fixes=(_REPLICA,),
            severity=Severity.HIGH if count >= _FEWEST else Severity.LOW,
            strict=count < _FEWEST,
            confidence=Confidence.LIKELY if server.likely else Confidence.CERTAIN,
            dependants=count,
        )


def _most(server: StorageServer, workloads: int, volumes: int) -> bool:
    return 2 * len(server.dependants) > workloads and 2 * len(server.volumes) > volumes
