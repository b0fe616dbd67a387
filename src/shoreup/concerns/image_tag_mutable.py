"""Images whose tag is the name of a branch or a channel."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.pinning import pin_repair
from shoreup.facts.estate import Estate, Image
from shoreup.facts.naming import named
from shoreup.facts.scheduling.staying import idle
from shoreup.facts.versions.pins import image_at
from shoreup.facts.versions.tags import is_branch, movement
from shoreup.facts.versions.updaters import written_elsewhere
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_PIN = Fix(
    "Pin the image to the version that runs",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart once; which version runs now stands in the cluster, not here",
)


class ImageTagMutable(Concern):
    """An image is asked for by a tag that names a branch or a channel, and by no digest.

    **What**

    The tag is `main`, `master`, `nightly`, `edge`, `stable`, `16-master` or the like. Its publisher pushes every
    build of that line under the same name. A branch with a commit, a date or a build number behind it is one build and
    is not found.

    **Why**

    Whatever was pushed last starts with the next pod that finds no copy on its node: unreleased code for a branch, the
    next major for a channel. Two pods of one workload may run two builds, and there is no way back by name.

    **Example**

    `ghcr.io/home-assistant/home-assistant:stable` is found; `...:2026.11.1` and `...:stable@sha256:...` are not.

    **Fix safety**

    Unsafe: pinning changes the pod template, so the pods restart.
    """

    id = "image-tag-mutable"
    title = "Image by the name of a branch or a channel"
    severity = Severity.MEDIUM
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
            if not image.text or image.pull_policy == "Never" or not isinstance(image.tag, str):
                continue
            if image.tag == "latest" or not is_branch(image.tag) or written_elsewhere(estate, image):
                continue
            if isinstance(image.digest, Unknown):
                yield self.undecided(image.tag_place, unknown="image digest", reason=image.digest.reason)
            elif movement(image, estate.products) == "branch":
                yield self._moves(estate, image)

    def _moves(self, estate: Estate, image: Image) -> Outcome:
        subject = named(estate.by_key[image.place.resource], image.place.container)
        rests = image.place.resource in idle(estate)
        return self.found(
            image.tag_place,
            field="image",
            subject=subject,
            message=f"{subject} asks for {image.text}, a tag that moves with every build of that line.",
            consequence="The next pull brings a build that nobody chose, and the one before has no name to go back to.",
            severity=Severity.LOW if rests else self.severity,
            fixes=(_PIN,),
            strict=rests,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The version that the lock file records."""
        return pin_repair(estate, image_at(estate, draft.at))
