"""What those who watch for new versions are told beside an image: a pin has to be one that they go on from.

Sources, 2026-11-23: Renovate's documentation of inline comments for custom managers (``datasource``, ``depName``,
``versioning=regex:``, ``extractVersion``), Diun's of annotations of Kubernetes objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, Image
from shoreup.facts.fields import mapping, text
from shoreup.model.pin import ImagePin
from shoreup.model.value import Value, at

_RENOVATE = re.compile(r"\brenovate:\s*(?P<words>.*)", re.IGNORECASE)
_WORD = re.compile(r"(?P<name>\w+)=(?P<value>\S+)")
_DIUN = "diun."
_TEMPLATES = (("metadata",), ("spec", "template", "metadata"), ("spec", "jobTemplate", "spec", "template", "metadata"))


_SILENT = "Diun watches this one tag and says nothing of newer ones; the annotation diun.watch_repo makes it do so"


class Watched(Struct, frozen=True):
    """``refusal`` says why a pin would not be gone on from, ``cost`` what its watcher will not see any more."""

    refusal: str = ""
    cost: str = ""


def watched(estate: Estate, image: Image, pin: ImagePin) -> Watched:
    """What the watchers of an image make of a pin."""
    for words in _told_renovate(estate, image):
        for name in ("extractVersion", "versioning"):
            wanted = words.get(name, "")
            pattern = wanted.removeprefix("regex:") if name == "extractVersion" or wanted.startswith("regex:") else ""
            if pattern and not _matches(pattern, pin.tag):
                return Watched(f"the comment for Renovate wants tags like {pattern}, and what is recorded is {pin.tag}")
    notes = _notes(estate, image)
    if notes.get("diun.enable") != "true":
        return Watched()
    included, excluded = _patterns(notes, "diun.include_tags"), _patterns(notes, "diun.exclude_tags")
    if included and not any(_matches(one, pin.tag) for one in included):
        asked = "; ".join(included)
        return Watched(f"the annotation diun.include_tags wants tags like {asked}, and what is recorded is {pin.tag}")
    if any(_matches(one, pin.tag) for one in excluded):
        return Watched(f"the annotation diun.exclude_tags rules out the recorded tag {pin.tag}")
    if notes.get("diun.watch_repo") != "true" and not pin.reference.endswith(f":{pin.tag}"):
        return Watched(cost=_SILENT)
    return Watched()


def _told_renovate(estate: Estate, image: Image) -> Iterator[Mapping[str, str]]:
    """The comments for Renovate that are about an image: by its name, or where they name none, in its object."""
    names = {image.repository, image.repository.removeprefix("library/"), f"{image.registry}/{image.repository}"}
    for comment in estate.comments:
        found = _RENOVATE.search(comment.text)
        if found is None:
            continue
        words = {one["name"]: one["value"] for one in _WORD.finditer(found["words"])}
        name = words.get("depName", words.get("packageName", ""))
        if name in names or (not name and comment.resource == image.place.resource):
            yield words


def _notes(estate: Estate, image: Image) -> Mapping[str, str]:
    """Diun's annotations of the object and of its pods."""
    body: Value = dict(estate.by_key[image.place.resource].body)
    found: dict[str, str] = {}
    for route in _TEMPLATES:
        for key, value in mapping(at(body, *route, "annotations")).items():
            if key.startswith(_DIUN):
                found[key] = text(value)
    return found


def _patterns(notes: Mapping[str, str], key: str) -> list[str]:
    return [one.strip() for one in notes.get(key, "").split(";") if one.strip()]


def _matches(pattern: str, tag: str) -> bool:
    """Whether a tag is one of a pattern in the words of Go or JavaScript; one that Python cannot read is taken to."""
    try:
        return re.search(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern), tag) is not None
    except re.error:
        return True
