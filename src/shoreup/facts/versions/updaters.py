"""Who else writes an image: controllers and pipelines that move a version past the code.

Where one of them does, a field that the code ignores is ignored for a reason, and nothing may be said against it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from shoreup.facts.estate import Comment, Estate, IgnoredChange, Image, Workload
from shoreup.facts.fields import mapping, text
from shoreup.facts.naming import named
from shoreup.model.location import Route, Span
from shoreup.model.value import Value

_KINDS: Mapping[str, str] = {
    # kind: the group that it belongs to
    "ImageUpdateAutomation": "image.toolkit.fluxcd.io/",
    "ImageUpdater": "argocd-image-updater.argoproj.io/",
}
_PROGRAMS = ("keel", "argocd-image-updater", "image-automation-controller")
"""Names of charts and repositories of controllers that move images in the cluster."""
_SIGNS = (
    "keel.sh/",
    "argocd-image-updater.argoproj.io/",
    "fluxcd.io/automated",
    "flux.weave.works/automated",
    "image.openshift.io/triggers",
    "app.gitlab.com/",
    "moniker.spinnaker.io/",
)
"""Annotations and labels that such a controller is asked by, or leaves behind."""
_SET_IMAGE = re.compile(r"\bset\s+image\b")
_SAYS_SO = re.compile(
    r"\b(?:ci|cd|ci/cd|pipelines?|deploy(?:s|ed|er|ment tool)?|github actions?|gitlab|jenkins|drone|woodpecker|tekton|"
    r"argo ?cd|flux|keel|spinnaker|image[- ]updater|updaters?|automation|set image|push(?:es|ed)?|releases?|"
    r"managed (?:by|outside|elsewhere|externally)|rolled out)\b",
    re.IGNORECASE,
)
_NEAR = 240
"""Bytes between a comment and what it explains: a few lines."""


def other_writer(estate: Estate, workload: Workload) -> str:
    """What else may write the workload's image, as words for people; empty where nothing in the estate says so."""
    owners: tuple[Value, ...] = (
        dict(workload.resource.body),
        mapping(workload.resource.body.get("spec")).get("template"),
    )
    for owner in owners:
        for sign in _signs(owner):
            return f"{sign} on {named(workload.resource)}"
    return estate.once(_first_elsewhere)


def written_elsewhere(estate: Estate, image: Image) -> bool:
    """Whether Terraform ignores the image and something else writes it: the code's tag is what it was born with."""
    return (image.place.resource, image.place.container) in estate.once(_born_with)


def _born_with(estate: Estate) -> frozenset[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    ignored = covered_images(estate)
    for workload in estate.workloads if ignored else ():
        for container in workload.containers:
            entry = ignored.get((workload.resource.key, container.route))
            if entry and (other_writer(estate, workload) or comment_on_writer(estate, entry.place.span)):
                found.add((workload.resource.key, container.image.place.container))
    return frozenset(found)


def covered_images(estate: Estate) -> Mapping[tuple[int, Route], IgnoredChange]:
    """The containers whose image Terraform's ``ignore_changes`` covers, with the entry."""
    return estate.once(_covered)


def _covered(estate: Estate) -> Mapping[tuple[int, Route], IgnoredChange]:
    entries: dict[int, list[IgnoredChange]] = defaultdict(list)
    for change in estate.ignored_changes:
        entries[change.resource.key].append(change)
    found: dict[tuple[int, Route], IgnoredChange] = {}
    for workload in estate.workloads if entries else ():
        for container in workload.containers:
            image = (*container.route, "image")
            for entry in entries.get(workload.resource.key, ()):
                if entry.all_fields or (entry.route and entry.route == image[: len(entry.route)]):
                    found.setdefault((workload.resource.key, container.route), entry)
    return found


def comment_on_writer(estate: Estate, span: Span | None) -> Comment | None:
    """A comment beside these bytes that says that something else deploys."""
    if span is None:
        return None
    for comment in estate.comments:
        if comment.span.file == span.file and _SAYS_SO.search(comment.text):
            before, after = span.start - comment.span.end, comment.span.start - span.end
            if 0 <= before < _NEAR or 0 <= after < _NEAR // 3:
                return comment
    return None


def _signs(owner: Value) -> Iterator[str]:
    metadata = mapping(mapping(owner).get("metadata"))
    for field in ("annotations", "labels"):
        for key in mapping(metadata.get(field)):
            if key.startswith(_SIGNS):
                yield f"{field[:-1]} {key}"


def _first_elsewhere(estate: Estate) -> str:
    return next(_elsewhere(estate), "")


def _elsewhere(estate: Estate) -> Iterator[str]:
    for kind, group in _KINDS.items():
        for resource in estate.by_kind.get(kind, ()):
            if resource.api_version.startswith(group):
                yield named(resource)
    for resource in estate.by_kind.get("Application", ()):
        if next(_signs(dict(resource.body)), ""):
            yield named(resource)
    for release in estate.releases:
        if release.chart.rpartition("/")[2] in _PROGRAMS:
            yield f"the release {release.name}"
    for workload in estate.workloads:
        for container in workload.containers:
            if container.image.repository.rpartition("/")[2] in _PROGRAMS:
                yield named(workload.resource)
    for script in estate.scripts:
        if _SET_IMAGE.search(script.text):
            where = estate.by_key.get(script.place.resource)
            yield f"a script of {named(where)}" if where else "a script"


def policy_of_pulls(estate: Estate) -> str:
    """What makes every pod pull its image anew, whatever its policy says; empty where nothing in the estate does."""
    return estate.once(_admission)


def _admission(estate: Estate) -> str:
    for entry in estate.config:
        if "AlwaysPullImages" in text(entry.value):
            return f"{entry.kind} {entry.namespace}/{entry.name}"
    return ""
