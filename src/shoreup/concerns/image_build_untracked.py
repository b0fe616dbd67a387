"""Images of the owner's own that nobody could build again."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.versions.own_images import OwnImage, untracked
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Add the build file, with pinned versions, and build it in a pipeline",
    Safety.SHOWN,
    "what is inside the image is known to whoever built it",
)


_PROPOSAL = """# <folder of the image>/Dockerfile
FROM <base image>:<version>@<digest>
RUN <what is installed, each with its version>"""


class ImageBuildUntracked(Concern):
    """An image from the owner's own registry namespace has no build file in the repository.

    **What**

    The image is the owner's own (by `[owner] images` in `shoreup.toml`, by where the repository was cloned from, or by
    a build file beside it that names the same namespace), and no Dockerfile, Containerfile or pipeline in the
    repository builds it.

    **Why**

    When the registry is lost, or a hole is found in what the image is made of, nobody who has this repository can make
    it again: not the same, and not a better one. For a database it decides whether the dumps can be restored at all.

    **Example**

    `registry.example.org/lab/postgres-vectors:16.4-0.3.0`, built on a laptop.

    **Fix safety**

    Shown: a build file has to be written by someone who knows what is inside.
    """

    id = "image-build-untracked"
    title = "Own image without a build file"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.DEPENDENCIES_AT_RISK
    sources = (Source("NIST SP 800-190: container security", "https://csrc.nist.gov/pubs/sp/800/190/final"),)
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every image of the owner's own."""
        for own in untracked(estate):
            if own.certain:
                yield self._untracked(estate, own)
            else:
                reason = "only a part of the repository was read, and the rest may build it"
                yield self.undecided(own.uses[0].place, unknown=f"build of {own.repository}", reason=reason)

    def _untracked(self, estate: Estate, own: OwnImage) -> Outcome:
        first = own.uses[0]
        who = named(estate.by_key[first.place.resource], first.place.container)
        others = len(own.uses) - 1
        more = f" (and {others} more)" if others else ""
        return self.found(
            first.place,
            field=f"build of {own.repository}",
            subject=who,
            message=f"{who}{more} runs {first.text}, an image of your own ({own.why}) that nothing in this repository "
            "builds.",
            consequence=(
                "When the registry is lost or a hole is found inside, nothing here says how to build the image again."
            ),
            related=tuple((image.place, "the same image") for image in own.uses[1:6]),
            fixes=(_FIX,),
            confidence=Confidence.LIKELY,
        )
