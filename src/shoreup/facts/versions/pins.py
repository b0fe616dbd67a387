"""Moving image references and what they stood for: the only versions and digests that a fix may write."""

from __future__ import annotations

import re

from shoreup.facts.estate import Estate, Image
from shoreup.model.edit import Substitute
from shoreup.model.finding import Place
from shoreup.model.pin import ImagePin
from shoreup.model.value import at

LOCK_FIRST = (
    "which version runs is not recorded; 'shoreup images lock' asks the registry or the cluster and writes it down"
)
_FULL = re.compile(r"v?\d+(?:\.\d+){1,}")


def full_reference(image: Image) -> str:
    """The reference with registry, repository and tag written out."""
    tag = image.tag if isinstance(image.tag, str) else "latest"
    return f"{image.registry}/{image.repository}:{tag}"


def image_at(estate: Estate, place: Place) -> Image | None:
    """The image that a finding points at, by its tag's place, or by its container."""
    near = estate.once(_by_resource).get(place.resource, ())
    exact = next((one for one in near if place in (one.tag_place, one.place)), None)
    return exact or next((one for one in near if place.container and one.place.container == place.container), None)


def _by_resource(estate: Estate) -> dict[int, list[Image]]:
    found: dict[int, list[Image]] = {}
    for image in estate.images:
        found.setdefault(image.place.resource, []).append(image)
    return found


def pin_of(estate: Estate, image: Image) -> ImagePin | None:
    """What the lock file says of an image."""
    return estate.pins.get(full_reference(image))


def pinned(estate: Estate, image: Image, pin: ImagePin) -> Substitute | None:
    """The edit that writes the pin into the reference; ``None`` where the reference is not one string that is known.

    The digest is written beside the tag where the images nearby have digests, and where no tag is fine enough to stay.
    """
    value = at(dict(estate.by_key[image.place.resource].body), *image.place.route)
    if not isinstance(value, str) or isinstance(image.digest, str):
        return None
    written = pin.tag
    if not fine(pin) or _writes_digests(estate, image):
        written = f"{pin.tag}@{pin.digest}"
    if image.tag_chars is not None:
        return Substitute(image.place.resource, image.place.route, *image.tag_chars, written)
    if image.tag is not None:
        return None
    end = len(value.rstrip())
    return Substitute(image.place.resource, image.place.route, end, end, f":{written}")


def fine(pin: ImagePin) -> bool:
    """Whether the tag is a version that its publisher does not move."""
    return bool(_FULL.match(pin.tag)) and not pin.reference.endswith(f":{pin.tag}")


def _writes_digests(estate: Estate, image: Image) -> bool:
    """Whether the nearest images that stay as they are have digests: those of the object, of what is applied with it,
    of the estate."""
    own = estate.by_key[image.place.resource]
    for near in (own.key, own.root, None):
        if (known := estate.once(_digests).get(near)) is not None:
            return known
    return False


def _digests(estate: Estate) -> dict[int | str | None, bool]:
    """For each object, each root and the estate: whether there is a digest, where there is anything that stays."""
    found: dict[int | str | None, bool] = {}
    for image in estate.images:
        digest = isinstance(image.digest, str)
        if not digest and not (isinstance(image.tag, str) and _FULL.match(image.tag)):
            continue
        key = image.place.resource
        for near in (key, estate.by_key[key].root, None):
            found[near] = found.get(near, False) or digest
    return found
