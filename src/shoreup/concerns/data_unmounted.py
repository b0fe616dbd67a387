"""Lasting data in the container itself."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.containers import called, place_of
from shoreup.facts.estate import Estate
from shoreup.facts.storage.unmounted_data import UnmountedData, unmounted_data
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_VOLUME = Fix(
    "Mount a persistent volume there, and copy what is in the container before it restarts",
    Safety.SHOWN,
    "the restart that brings the volume loses what is in the container now",
)


_PROPOSAL = """# first: kubectl cp <namespace>/<pod>:<path> <folder here>
volumeMounts:
  - {name: <the volume>, mountPath: <path>}
volumes:
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


class DataUnmounted(Concern):
    """A product keeps lasting data in a folder that lies on no volume.

    **What**

    The container's product keeps its data in a folder of its image, no volume of the container holds that folder or a
    part of it, and no setting names a path on a volume. An application whose settings name a database elsewhere is left
    alone, and so are several replicas. Where settings come from what the estate does not hold, the question is open.

    **Why**

    A container's own files end with it: each update, eviction and crash starts from the empty image. It shows only
    then, for until the first restart everything seems to be kept.

    **Example**

    `filebrowser` with volumes at `/config` and `/srv`, and none at `/database`, where its users are.

    **Fix safety**

    Shown: the restart that brings the volume is the one that loses the data, unless it is copied first.
    """

    id = "data-unmounted"
    title = "Lasting data on no volume"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.AVAILABILITY
    section = Section.KNOWN_BUGS
    sources = (
        Source("Kubernetes: kinds of volumes", "https://kubernetes.io/docs/concepts/storage/volumes/"),
        Source("Products, with the source of each", "facts/data/products.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container of a product that keeps data."""
        for one in unmounted_data(estate):
            if one.undecided:
                place = place_of(one.workload, one.container, "volumeMounts")
                yield self.undecided(place, unknown="folder of the data", reason=one.undecided)
            else:
                yield self._lost(one)

    def _lost(self, one: UnmountedData) -> Outcome:
        subject = called(one.workload, one.container)
        beside = f"; its volumes lie at {', '.join(one.elsewhere[:3])}" if one.elsewhere else ""
        return self.found(
            place_of(one.workload, one.container, "volumeMounts"),
            field="volumeMounts",
            subject=subject,
            message=f"{subject} keeps the data of {one.product.title} at {one.product.data[0]}, on no volume{beside}.",
            consequence="Every restart of the pod starts from the empty image.",
            confidence=Confidence.LIKELY,
            fixes=(_VOLUME,),
        )
