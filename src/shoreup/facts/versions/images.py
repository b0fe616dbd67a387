"""Image references, read exactly, also when parts of them are not decided.

A reference is ``[registry[:port]/]repository[:tag][@digest]``. What makes it hard is that any part may
come from a variable: in ``"${var.registry}/app:1.2"`` the tag is certain although the registry is not, while
in ``"app${var.suffix}"`` even whether there is a tag is open. An unknown part may hold a slash, a colon or
an ``@``; what follows from that is decided here, once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.estate import Image
from shoreup.facts.products import Products
from shoreup.model.finding import Place
from shoreup.model.value import PartialText, Unknown, Value

DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

_HOLE = "\0"
"""Stands for an unknown part; it takes no characters in the field's string."""
_TEMPLATED = "\1"
"""Stands for one character of a placeholder (``${TAG}``, ``{{ tag }}``) that something else fills in later."""

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{\{.*?\}\}|\$\([^)]*\)|<[^>]*>")
_OPEN = re.compile(f"[{_HOLE}{_TEMPLATED}]")
_OPEN_RUN = re.compile(f"[{_HOLE}{_TEMPLATED}]+")


class Reference(Struct, frozen=True):
    """The parts of an image reference, as in :class:`Image`. ``registry`` and ``repository`` show ``*`` for unknown
    parts.
    """

    text: str
    registry: str
    repository: str
    tag: str | Unknown | None
    digest: str | Unknown | None
    tag_chars: tuple[int, int] | None = None


_NO_REFERENCE = Unknown("not an image reference")
_STRANGE = Reference("", "*", "*", _NO_REFERENCE, _NO_REFERENCE)


def parse(value: Value) -> Reference:
    """Read a reference. What is no string at all is wholly undecided."""
    if isinstance(value, str):
        return _STRANGE if _OPEN.search(value) else _parse_known(value)
    if isinstance(value, PartialText):
        if any(isinstance(part, str) and _OPEN.search(part) for part in value.parts):
            return _STRANGE
        return _parse_marked(
            "".join(_mark(part) if isinstance(part, str) else _HOLE for part in value.parts),
            Unknown(value.reason),
            value.pattern,
        )
    reason = value if isinstance(value, Unknown) else Unknown("no image is given" if value is None else "not a string")
    return Reference("*" if isinstance(value, Unknown) else "", "*", "*", reason, reason)


def read_image(value: Value, place: Place, products: Products, pull_policy: str | None = None) -> Image:
    """The image asked for by a field's value, with what the product data says of it."""
    reference = parse(value)
    product, version = "", ""
    if "*" not in reference.repository:
        product, version = products.identify(
            reference.registry, reference.repository, reference.tag if isinstance(reference.tag, str) else ""
        )
    return Image(
        place=place,
        text=reference.text,
        registry=reference.registry,
        repository=reference.repository,
        tag=reference.tag,
        digest=reference.digest,
        tag_chars=reference.tag_chars,
        product=product,
        version=version,
        pull_policy=pull_policy,
    )


@lru_cache(maxsize=8192)
def _parse_known(value: str) -> Reference:
    marked = _mark(value)
    return _parse_marked(marked, Unknown("a placeholder that something else fills in"), value)


def _mark(part: str) -> str:
    if "$" not in part and "{{" not in part and "<" not in part:
        return part
    return _PLACEHOLDER.sub(lambda found: _TEMPLATED * len(found[0]), part)


def _parse_marked(marked: str, reason: Unknown, shown: str) -> Reference:
    lead = len(marked) - len(marked.lstrip())
    whole = marked.strip()
    if not whole:
        nothing = Unknown("the image is empty")
        return Reference("", "", "", nothing, nothing)
    if any(character.isspace() for character in whole):
        return Reference(shown.strip(), "*", "*", _NO_REFERENCE, _NO_REFERENCE)
    open_end = bool(_OPEN.match(whole[-1]))
    name, separator, rest = whole.partition("@")
    digest: str | Unknown | None = None
    if separator:
        digest = reason if _OPEN.search(rest) or not rest else rest
    elif open_end:
        digest = reason
    slash, colon = name.rfind("/"), name.rfind(":")
    tag: str | Unknown | None = None
    chars: tuple[int, int] | None = None
    base = name
    if colon > slash:
        base, written = name[:colon], name[colon + 1 :]
        if not written:
            tag = Unknown("the tag is empty")
        elif _OPEN.search(written):
            tag = reason
        else:
            tag = written
            start = lead + colon + 1 - marked[: lead + colon + 1].count(_HOLE)
            chars = (start, start + len(written))
    elif _OPEN.search(name[slash + 1 :]):
        tag = reason
    registry, repository = _split_registry(base)
    return Reference(
        text=shown.strip(), registry=registry, repository=repository, tag=tag, digest=digest, tag_chars=chars
    )


def _split_registry(base: str) -> tuple[str, str]:
    first, slash, rest = base.partition("/")
    if _OPEN.search(first):
        # The unknown may hold the registry alone or the start of the repository too.
        return ("*", _show(rest)) if slash else ("*", _show(base))
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first.lower(), rest
    else:
        registry, repository = DOCKER_HUB, base
    if registry in _DOCKER_HUB_NAMES:
        registry = DOCKER_HUB
        if "/" not in repository:
            repository = f"library/{repository}"
    return registry, _show(repository)


def _show(part: str) -> str:
    return _OPEN_RUN.sub("*", part)


def without_default_tag(image: Image, reason: str) -> Image:
    """The same image where an absent tag means "the one that the chart ships", not ``latest``."""
    if image.tag is not None:
        return image
    return replace(image, tag=Unknown(reason))
