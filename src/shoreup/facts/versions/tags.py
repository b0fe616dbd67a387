"""Which image tags move: what a name in a registry will point at tomorrow.

A tag moves when its publisher pushes another image under the same name. That is certain for `latest`, for names of
branches and channels (`main`, `stable`, `nightly`), and for a version that leaves out the last numbers of what its
product publishes (`redis:7`). A tag with a commit, a date or a build number behind the branch's name is one build.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, TypeAlias

from shoreup.facts.estate import Image
from shoreup.facts.products import Products
from shoreup.facts.versions.support import support
from shoreup.model.value import Unknown

Movement: TypeAlias = Literal["latest", "branch", "floating"]

_BRANCHES = frozenset(
    "main master trunk head develop dev development nightly daily weekly edge canary unstable rolling stable latest "
    "mainline".split()
)
_CHANNELS = frozenset("testing snapshot current lts next preview release insiders beta".split())
"""Names of channels that may as well qualify one version, so they count only where no number stands before them."""
_PARTS = re.compile(r"[-_+]")
_BUILD = re.compile(r"\d[\d.]*|v\d[\d.]*|(?:sha)?(?=[a-f]*\d)[0-9a-f]{7,40}|r\d+|b\d+|build\d*")
_NUMBERS = re.compile(r"\d+")
_ANY_DAY = date.min
"""How fine a product's versions are does not depend on the day."""


def movement(image: Image, products: Products) -> Movement | None:
    """How the image's tag moves; ``None`` for one that is not known to move, undecided ones and digests included."""
    if image.digest is not None or isinstance(image.tag, Unknown):
        return None
    if image.tag is None or image.tag == "latest":
        return "latest"
    if is_branch(image.tag):
        return "branch"
    return "floating" if _floating(image, products) else None


def is_branch(tag: str) -> bool:
    """Whether a tag names a branch or channel (`main`, `16-master`, `stable-alpine`) and no single build of it."""
    parts = [part for part in _PARTS.split(tag.lower()) if part]
    at = next((index for index, part in enumerate(parts) if part in _BRANCHES | _CHANNELS), None)
    if at is None or any(_BUILD.fullmatch(part) for part in parts[at + 1 :]):
        return False
    before = [part for part in parts[:at] if _BUILD.fullmatch(part)]
    if parts[at] in _CHANNELS:
        return not before
    # A short number before the name is the line that the branch belongs to; a full version is a build of it.
    return all(len(part) < 7 and part.count(".") < 2 for part in before)


def _floating(image: Image, products: Products) -> bool:
    product = products.get(image.product)
    if product is None or not product.support or not image.version:
        return False
    known = support(product, image.version, _ANY_DAY)
    if known is None or known.cycle is None or not known.cycle.newest:
        return False
    newest = re.split(r"[+-]", known.cycle.newest, maxsplit=1)[0]  # a build of a release is no finer version of it
    return len(_NUMBERS.findall(image.version)) < len(_NUMBERS.findall(newest))
