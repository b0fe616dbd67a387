"""Images whose tag leaves out the last numbers of the version."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.pinning import pin_repair
from shoreup.facts.estate import Estate, Image
from shoreup.facts.naming import named
from shoreup.facts.scheduling.staying import idle
from shoreup.facts.versions.pins import image_at
from shoreup.facts.versions.support import support
from shoreup.facts.versions.tags import movement
from shoreup.facts.versions.updaters import written_elsewhere
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_REASON = "the pod template changes, so the pods restart once; which version runs now stands in the cluster, not here"


class ImageTagFloating(Concern):
    """An image is asked for by a version that leaves out the numbers that its publisher counts on, and by no digest.

    **What**

    The tag is a version such as `7`, `2.5` or `7-alpine`, and the product publishes finer ones under it.

    **Why**

    The tag moves with each of those releases. Which of them runs depends on the day on which a node last pulled it, so
    two nodes may run two versions, and no commit says when a version changed.

    **Example**

    `redis:7-alpine` is found; `redis:7.4.2-alpine` and `redis:7-alpine@sha256:...` are not.

    **Fix safety**

    Unsafe: pinning changes the pod template, so the pods restart.
    """

    id = "image-tag-floating"
    title = "Image by a version that still moves"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Kubernetes: images, tags and pull policy", "https://kubernetes.io/docs/concepts/containers/images/"),
        Source("OCI: tags and digests", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md"),
        Source("Until when a release is supported", "facts/data/support.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every image whose product is known."""
        for image in estate.images:
            if written_elsewhere(estate, image):
                continue
            if image.pull_policy != "Never" and movement(image, estate.products) == "floating":
                yield self._floats(estate, image)

    def _floats(self, estate: Estate, image: Image) -> Outcome:
        subject = named(estate.by_key[image.place.resource], image.place.container)
        rests = image.place.resource in idle(estate)
        product = estate.products.by_id[image.product]
        known = support(product, image.version, estate.today)
        newest = known.cycle.newest if known is not None and known.cycle is not None else ""
        # The newest release of a cycle is no release of what names one of its releases already.
        latest = f"; the newest is {newest}" if newest.startswith(f"{image.version}.") else ""
        line = f"{product.title} {image.version}"
        return self.found(
            image.tag_place,
            field="image",
            subject=subject,
            message=f"{subject} asks for {image.text}, which may be any release of {line}{latest}.",
            consequence="Which version runs depends on when a node last pulled it, and no commit says when it changed.",
            severity=Severity.LOW if rests else self.severity,
            fixes=(Fix("Pin the image to the full version that runs", Safety.UNSAFE, _REASON),),
            strict=rests,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The version that the lock file records."""
        return pin_repair(estate, image_at(estate, draft.at))
