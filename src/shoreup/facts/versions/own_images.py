"""Images that the owner builds, and whether the repository holds what builds them.

Which images are the owner's is said in the settings, follows from where the repository was cloned from (the registry
of the same forge under the same name), or from a build file that names its image. What builds an image is a build file
called like it, or any build file or pipeline in which its name stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from shoreup.facts.estate import Estate, Image
from shoreup.facts.fields import every_text
from shoreup.facts.versions.images import DOCKER_HUB
from shoreup.sources.repository import Role

_OFFICIAL = f"{DOCKER_HUB}/library"
"""Docker's own images, which are nobody's build."""
_REGISTRIES: Mapping[str, str] = {"github.com": "ghcr.io", "gitlab.com": "registry.gitlab.com"}
"""The registry of a forge, where it has another name than the forge (their documentation, 2026-11)."""


_ITS_OWN = re.compile(
    r"\s*#.*(?:\bbuil[dt]|\bpush|\btag\b|\bpublish|\s-t\s|\bimage\s*[:=]|\bname\s*[:=])|\s*#+\s*[\w.-]+(?::\d+)?/\S+\s*$",
    re.IGNORECASE,
)
"""A comment that says what its file makes: by a command, under a word for it, or by nothing but the name."""
_ABOUT_ANOTHER = re.compile(
    r"\b(?:based? on|from|copied|same as|like|instead of|upstream|pull|unlike|see|derived)\b", re.IGNORECASE
)


class OwnImage(Struct, frozen=True, eq=False):
    """An image of the owner's own that nothing in the repository builds. ``uses`` are all its places, in order.

    ``certain`` is false where more of the repository may hold the build. ``why`` says how it is known to be the
    owner's.
    """

    repository: str
    uses: tuple[Image, ...]
    why: str
    certain: bool


def untracked(estate: Estate) -> Iterator[OwnImage]:
    """Every image of the owner's own without a build in the repository, once each."""
    builds = [file for file in estate.repository if file.role is Role.IMAGE_BUILD]
    found: dict[str, list[Image]] = {}
    for image in estate.images:
        if image.text and "*" not in image.registry and "*" not in image.repository and image.pull_policy != "Never":
            found.setdefault(f"{image.registry}/{image.repository}", []).append(image)
    if not found:
        return
    proven = _proven(found, [file.text for file in builds])
    pipelines = [text for resource in estate.resources if resource.api_version == "ci"
                 for text in every_text(dict(resource.body))]  # fmt: skip
    for name, uses in found.items():
        why = _why_own(estate, name, proven)
        if not why:
            continue
        short = name.rpartition("/")[2]
        called = any(_called(file.path, short) or _names(file.text, name) for file in builds)
        if called or any(_names(text, name) or _builds(text, short) for text in pipelines):
            continue
        yield OwnImage(name, tuple(uses), why, not estate.part_of_more or name.rpartition("/")[0] in proven)


def _proven(names: Mapping[str, object], builds: list[str]) -> frozenset[str]:
    """The namespaces of images that a build file of the repository names as its own."""
    return frozenset(
        name.rpartition("/")[0]
        for name in names
        if name.count("/") > 1
        and not name.startswith(f"{_OFFICIAL}/")
        and any(_says_its_name(text, name) for text in builds)
    )


def _says_its_name(text: str, name: str) -> bool:
    """Whether a build file says in a comment or a label that this is its image; a ``FROM`` names another's.

    A comment that speaks of what the image is made from, or explains another image, says no such thing.
    """
    return any(
        _names(line, name)
        for line in text.splitlines()
        if re.match(r"\s*(?:LABEL\b|ARG\s+IMAGE)", line, re.IGNORECASE)
        or (_ITS_OWN.match(line) and not _ABOUT_ANOTHER.search(line))
    )


def _why_own(estate: Estate, name: str, proven: frozenset[str]) -> str:
    plain = name.removeprefix(f"{DOCKER_HUB}/")
    for pattern in estate.settings.owner.images:
        if fnmatchcase(name, pattern) or fnmatchcase(plain, pattern):
            return f"the settings say that {pattern} is your own"
    if name.rpartition("/")[0] in proven:
        return "a build file in the repository is for an image beside it"
    host, _, owner = estate.origin.partition("/")
    if host and name.startswith(f"{_REGISTRIES.get(host, host)}/{owner}/"):
        return f"the repository comes from {estate.origin}"
    return ""


def _called(path: str, short: str) -> bool:
    """Whether a build file is called like the image: by its folder, its ending or its name."""
    *folders, file = path.split("/")
    return short in folders or file in (f"Dockerfile.{short}", f"Containerfile.{short}") or file.startswith(f"{short}.")


def _names(text: str, name: str) -> bool:
    plain = name.removeprefix(f"{DOCKER_HUB}/").removeprefix("library/")
    return re.search(rf"(?<![\w./-]){re.escape(plain)}(?![\w-])", text) is not None or (name != plain and name in text)


def _builds(text: str, short: str) -> bool:
    """Whether a step of a pipeline builds or pushes an image of that name, the registry being put in when it runs."""
    return re.search(rf"/{re.escape(short)}(?![\w./-])", text) is not None and re.search(
        r"\b(build|push|kaniko|buildah|ko|bake)\b|\}\}/", text
    ) is not None  # fmt: skip
