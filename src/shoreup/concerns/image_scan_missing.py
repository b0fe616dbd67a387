"""Estates whose images nobody looks through for known holes."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import since
from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.checks import Kind, checked, pipelines
from shoreup.facts.pipelines.scanners import scanner
from shoreup.facts.proofs import ESTATE, Drill, standing
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_SCAN = Fix(
    "Let a scanner look through the images that are in use, in the pipeline or in the cluster",
    Safety.SHOWN,
    "which scanner fits, and what to do with what it finds, is a decision about practice",
)


class ImageScanMissing(Concern):
    """No result of a vulnerability scan covers the images of the estate.

    **What**

    Neither a pipeline nor anything that the estate runs scans images, and no result of a scan is on record that is
    young enough. Scans of code or configuration do not count, as they say nothing about what is inside an image. It is
    one entry for the estate.

    **Why**

    Most holes that are used are known for months, in images that nobody looked at since they were chosen.

    **Example**

    An estate with Trivy's operator, or with a pipeline that runs `trivy image`, is not listed; one with `trivy config`
    alone is.

    **Fix safety**

    Shown: which scanner fits is a decision about practice.
    """

    id = "image-scan-missing"
    title = "Images that nobody scans"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (Source("NIST SP 800-190: container security", "https://csrc.nist.gov/pubs/sp/800/190/final"),)
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look for a scanner, then for a result."""
        images = {image.text: image for image in estate.images if "*" not in image.text}
        if not images or scanner(estate):
            return
        found = checked(estate, Kind.IMAGES)
        stands = standing(estate, ESTATE, Drill.IMAGE_SCAN)
        if found.by or stands.proven:
            return
        if found.perhaps and found.place is not None:
            yield self.undecided(found.place, unknown="scan", reason=found.perhaps)
            return
        first = next(iter(images.values()))
        if estate.part_of_more and not pipelines(estate):
            reason = "this is a part of a repository, and its pipelines lie elsewhere in it"
            yield self.undecided(first.place, unknown="scan", reason=reason)
            return
        count = f"The estate uses {len(images)} images" if len(images) > 1 else "The estate uses one image"
        yield self.found(
            first.place,
            field="scan",
            subject="the estate",
            message=f"{count}; nothing in the repository scans images, and {since(stands, 'a scan', 'them')}.",
            consequence="Holes in them that everybody else knows of stay open unseen.",
            fixes=(_SCAN,),
            whole_estate=True,
        )
