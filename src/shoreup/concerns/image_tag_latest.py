"""Images whose tag is ``latest``, or that have no tag at all."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.pinning import pin_repair
from shoreup.facts.estate import Estate, Image
from shoreup.facts.naming import named
from shoreup.facts.scheduling.staying import idle
from shoreup.facts.versions.pins import image_at
from shoreup.facts.versions.updaters import written_elsewhere
from shoreup.facts.workloads import BUILT_HERE, CHART_DEFAULT
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_PIN = Fix(
    "Pin the image to the version that runs",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart once; which version runs now stands in the cluster, not here",
)


class ImageTagLatest(Concern):
    """An image is asked for by the tag `latest`, or by no tag and no digest, which means the same.

    **What**

    The reference names whatever was pushed last. Two pods of one workload may run two versions, and nobody can say
    which one ran before.

    **Why**

    The next restart, on any node that does not hold the image, brings a new version that nobody chose, a new
    major included. There is no going back, because the old version has no name.

    **Example**

    `image: jellyfin/jellyfin:latest` is found; `jellyfin/jellyfin:10.10.3` and
    `jellyfin/jellyfin:latest@sha256:...` are not.

    **Fix safety**

    Unsafe: pinning changes the pod template, so the pods restart.
    """

    id = "image-tag-latest"
    title = "Image without a version: the tag is latest, or there is none"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Kubernetes: images, tags and pull policy", "https://kubernetes.io/docs/concepts/containers/images/"),
        Source("OCI: tags and digests", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every image."""
        for image in estate.images:
            if not image.text or isinstance(image.digest, str) or image.pull_policy == "Never":
                continue
            if written_elsewhere(estate, image):
                continue  # image-update-frozen asks who writes it
            if isinstance(image.tag, Unknown):
                if image.tag.reason not in {CHART_DEFAULT, BUILT_HERE}:
                    yield self.undecided(image.place, unknown="image tag", reason=image.tag.reason)
            elif image.tag is None or image.tag == "latest":
                if isinstance(image.digest, Unknown) and image.digest.reason != CHART_DEFAULT:
                    yield self.undecided(image.place, unknown="image digest", reason=image.digest.reason)
                else:
                    yield self._latest(estate, image)

    def _latest(self, estate: Estate, image: Image) -> Outcome:
        subject = named(estate.by_key[image.place.resource], image.place.container)
        rests = image.place.resource in idle(estate)
        if image.tag is None:
            message = f"{subject} asks for {image.text} with no tag and no digest, which means latest."
        else:
            message = f"{subject} asks for {image.text}, a tag that moves with every release."
        return self.found(
            image.tag_place,
            field="image",
            subject=subject,
            message=message,
            consequence=(
                "The next pull brings a version that nobody chose, a new major included, and the old one has no name "
                "to go back to."
            ),
            severity=Severity.LOW if rests else self.severity,
            fixes=(_PIN,),
            strict=rests,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The version that the lock file records."""
        return pin_repair(estate, image_at(estate, draft.at))
