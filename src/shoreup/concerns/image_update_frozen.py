"""Images whose tag moves while something keeps the move from arriving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.pinning import pin_repair
from shoreup.facts.estate import Container, Estate, IgnoredChange, Workload
from shoreup.facts.naming import named
from shoreup.facts.versions.images import DOCKER_HUB
from shoreup.facts.versions.pins import image_at
from shoreup.facts.versions.tags import Movement, movement
from shoreup.facts.versions.updaters import comment_on_writer, covered_images, other_writer, policy_of_pulls
from shoreup.facts.workloads import CHART_DEFAULT
from shoreup.model.edit import Erase, NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_CACHED = "IfNotPresent"
_COMPOSE = "ComposeService"
_UNTAGGED = "library/"
_HOW: Mapping[Movement, str] = {
    "latest": "which moves with every release",
    "branch": "which moves with every build",
    "floating": "which moves with every patch",
}
_UNIGNORE = Fix(
    "Pin the image to the version that runs, and drop the entry from ignore_changes",
    Safety.UNSAFE,
    "the pods restart; which version runs now stands in the cluster, not here",
)
_PIN = Fix(
    "Pin the image to the version that runs",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart; a pinned version needs no other pull policy",
)


class ImageUpdateFrozen(Concern):
    """An image is asked for by a tag that moves, and something keeps the move from arriving.

    **What**

    Two things stop it: a Terraform `ignore_changes` that covers the image, so that no version written in code is ever
    applied; and the pull policy `IfNotPresent` on `latest` or on a branch's tag, with which a node goes on
    using the copy that it once pulled. `IfNotPresent` is Kubernetes' default for every tag but `latest`.

    **Why**

    The tag promises the newest image, and what runs is the image of some day in the past, on each node of another
    day. Fixes for holes never come, nobody notices, and the code cannot change it.

    **Example**

    `image = "ghcr.io/home-assistant/home-assistant:stable"` together with
    `ignore_changes = [spec[0].template[0].spec[0].container[0].image]` is found. A pinned version or a digest is
    not. Left open, not found: an image that something else writes (a pipeline, Flux image automation, Keel, Argo CD
    Image Updater), and an ignored image with a fixed version, of which nothing here says who moves it.

    **Fix safety**

    Unsafe: pinning changes the pod template, so the pods restart. The entry is not to be dropped while another
    controller writes the image.
    """

    id = "image-update-frozen"
    title = "Moving tag that something keeps from moving"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.VERSIONS
    section = Section.TECH_DEBT
    sources = (
        Source("Kubernetes: images, tags and pull policy", "https://kubernetes.io/docs/concepts/containers/images/"),
        Source("Renovate: how updates are proposed", "https://docs.renovatebot.com/"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container of every workload."""
        ignored = covered_images(estate)
        pulls_anew = policy_of_pulls(estate)
        asked: set[Place | str] = set()
        # Which of several is asked about is the same however the estate was read.
        for workload in sorted(estate.workloads, key=lambda one: (one.resource.root, one.resource.address)):
            if workload.kind == _COMPOSE or not workload.enabled:
                continue
            for container in workload.containers:
                entry = ignored.get((workload.resource.key, container.route))
                if entry is not None:
                    for outcome in self._ignored(estate, workload, container, entry):
                        # One entry over several containers leaves one question open, not several; so does one
                        # controller that may write them all.
                        if isinstance(outcome, Draft):
                            yield outcome
                        elif not {outcome.at, outcome.reason} & asked:
                            asked |= {outcome.at, outcome.reason}
                            yield outcome
                elif not pulls_anew:
                    yield from self._cached(estate, workload, container)

    def _ignored(
        self, estate: Estate, workload: Workload, container: Container, entry: IgnoredChange
    ) -> Iterator[Outcome]:
        image = container.image
        if isinstance(image.digest, str):
            return
        if isinstance(image.tag, Unknown) or isinstance(image.digest, Unknown):
            reason = image.tag.reason if isinstance(image.tag, Unknown) else "the digest is not decided"
            yield self.undecided(entry.place, unknown="image tag", reason=reason)
            return
        moves = movement(image, estate.products)
        writer = other_writer(estate, workload)
        comment = comment_on_writer(estate, entry.place.span)
        reason = ""
        if writer or comment:
            reason = (
                f"{writer} may write the image" if writer else "a comment beside it says that something else deploys"
            )
        elif moves is None:
            reason = f"{image.text} is a fixed version that the code ignores; who moves it is not in the estate"
        if reason or moves is None:
            yield self.undecided(entry.place, unknown="who writes the image", reason=reason)
            return
        subject = named(workload.resource, container.name)
        what = "every field of it" if entry.all_fields else "the image"
        yield self.found(
            Place(entry.place.resource, entry.place.route, span=entry.place.span, container=container.name),
            field="ignore_changes",
            subject=subject,
            message=(
                f"{subject} asks for {image.text}, {_HOW[moves]}, and ignore_changes keeps Terraform from changing "
                f"{what}."
            ),
            consequence="A version set in the code never arrives: what runs was pulled some day and stays unknown.",
            related=((image.tag_place, "this is the tag that moves"),),
            fixes=(_UNIGNORE,),
            confidence=Confidence.LIKELY,
        )

    def _cached(self, estate: Estate, workload: Workload, container: Container) -> Iterator[Outcome]:
        image = container.image
        written = image.pull_policy is not None
        if isinstance(image.tag, Unknown):
            if image.pull_policy == _CACHED and not isinstance(image.digest, str) and image.tag.reason != CHART_DEFAULT:
                yield self.undecided(image.place, unknown="image tag", reason=image.tag.reason)
            return
        moves = movement(image, estate.products)
        if moves is None or moves == "floating" or image.pull_policy not in {_CACHED, None}:
            return
        if not written and (moves == "latest" or workload.partial):
            # Without a word Kubernetes pulls `latest` always, and what a chart says is not known.
            return
        policy = Place(image.place.resource, (*container.route, "imagePullPolicy"), container=container.name)
        at = policy if written and "imagePullPolicy" in container.body else image.tag_place
        doubt = _built_here(image.registry, image.repository, image.product) or other_writer(estate, workload)
        if doubt:
            yield self.undecided(at, unknown="who brings the image", reason=doubt)
            return
        subject = named(workload.resource, container.name)
        how = "the pull policy IfNotPresent" if written else "no pull policy, so the default IfNotPresent,"
        yield self.found(
            at,
            field="imagePullPolicy",
            subject=subject,
            message=f"{subject} asks for {image.text}, {_HOW[moves]}, and {how} keeps the copy once pulled.",
            consequence=(
                "A node that holds the image never asks again: fixes do not arrive, and two nodes may run two versions."
            ),
            related=((image.tag_place, "this is the tag that moves"),) if at is policy else (),
            fixes=(_PIN,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The version that the lock file records; what kept it from moving goes with it."""
        image = image_at(estate, draft.at)
        if _UNIGNORE not in draft.fixes or draft.at.span is None:
            return pin_repair(estate, image)
        entries = [one for one in estate.ignored_changes if one.place.span == draft.at.span]
        if any(one.all_fields for one in entries):
            return self.unrepaired(
                draft, "ignore_changes = all covers other fields too; which of them shall stay is open"
            )
        return pin_repair(estate, image, Erase(draft.at.span))


def _built_here(registry: str, repository: str, product: str) -> str:
    """Why an image may never have been pulled at all: a bare name that is no known product may be loaded by hand."""
    if registry == "localhost" or registry.startswith("localhost:"):
        return "the image comes from the node's own registry"
    if registry == DOCKER_HUB and repository.startswith(_UNTAGGED) and not product:
        return "an image without a registry may be built and loaded on the nodes"
    return ""
