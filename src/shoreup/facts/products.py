"""What the images of self-hosted platforms are: a database, a proxy, a job; its ports, its probe, its data.

The knowledge is data (``data/products.json``), dated, with a source for each entry. An owner may add
entries or replace them by id; nothing in the code knows a product by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypedDict

import msgspec
from msgspec import Struct, field

from shoreup.facts.knowledge import table
from shoreup.facts.patterns import fits

GUARDING_KINDS = frozenset({"database", "ingress", "auth", "gate"})
"""Kinds that others stand behind: when they fail, so does what depends on them."""

_VERSION = re.compile(
    r"^v?(?P<v>\d+(?:\.\d+)*(?:[-.]?(?:alpha|beta|rc|preview|pre|m(?=\d))[-.]?\d*)?)(?=$|[-_+])", re.IGNORECASE
)
_REPOSITORY = "repository:"


class ProbeData(TypedDict, total=False):
    """How to ask a product whether it is ready: a command, or an HTTP path or a TCP connection with a port.

    ``alive`` is another command that asks whether it answers at all, where ``exec`` says no to a server that no restart
    would mend. ``remote`` asks it from another pod, at ``{host}``, and takes no password. The images that have the
    commands are ``only`` these (all, where it is not said), ``since`` this version. ``{port}`` stands for the port that
    it serves on.
    """

    exec: list[str]
    alive: list[str]
    remote: list[str]
    only: list[str]
    since: str
    http: str
    tcp: int
    port: int


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One product.

    ``images`` maps a repository (``docker.io/library/postgres``, a final ``*`` allowed) to the pattern that finds the
    version (``(?P<v>...)``) in a tag, or, after ``repository:``, in the repository; empty is the usual one. ``lasting``
    says that it keeps data that must outlive its pod. ``writers`` is ``one`` where two instances must not write the
    same data, ``quorum`` where instances agree among themselves, ``many`` where any number may run. ``support`` is the
    id in the support data; ``short_lived`` names releases there that end within a year. ``server`` are words of a
    command that starts the product itself. ``signs`` are variables that its server alone reads; with them the product
    is told in images of other names too. ``builds`` maps words in an image's name to the extensions that such a build
    brings. ``reserved`` is how many of its connections an engine with ``max_connections`` keeps for itself.
    """

    id: str
    title: str
    kind: str
    images: dict[str, str]
    source: str
    ports: tuple[int, ...] = ()
    lasting: bool = False
    writers: str = ""
    slow: bool = False
    data: tuple[str, ...] = ()
    probe: ProbeData = {}
    support: str = ""
    short_lived: str = ""
    server: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    builds: dict[str, str] = {}
    reserved: int = 0
    spared: bool = False
    needed_by: tuple[str, ...] = ()


class _ProductData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    date: str
    mirrors: dict[str, str]
    products: list[Product]


class Products(Struct, frozen=True, eq=False):
    """Every known product, found by image."""

    date: str
    by_id: Mapping[str, Product]
    _mirrors: Mapping[str, str]
    _exact: Mapping[str, tuple[Product, str]]
    _globs: tuple[tuple[str, Product, str], ...]
    _seen: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)

    def get(self, product: str) -> Product | None:
        """The product with this id."""
        return self.by_id.get(product)

    def title(self, product: str) -> str:
        """The product's name for people."""
        entry = self.by_id.get(product)
        return entry.title if entry else product

    def kind(self, product: str) -> str:
        """The product's kind, empty when it is not known."""
        entry = self.by_id.get(product)
        return entry.kind if entry else ""

    def identify(self, registry: str, repository: str, tag: str) -> tuple[str, str]:
        """The product id of an image and the version that its tag names; each empty where not known."""
        asked = (registry, repository, tag)
        if asked not in self._seen:
            self._seen[asked] = self._identify(registry, repository, tag)
        return self._seen[asked]

    def _identify(self, registry: str, repository: str, tag: str) -> tuple[str, str]:
        for name in self._names(registry, repository):
            found = self._exact.get(name) or next(
                ((product, version) for pattern, product, version in self._globs if fits(name, pattern)), None
            )
            if found:
                product, version_pattern = found
                return product.id, _version(version_pattern, name, tag)
        return "", ""

    def _names(self, registry: str, repository: str) -> Iterable[str]:
        name = f"{registry}/{repository}"
        yield name
        for mirror, original in self._mirrors.items():
            if name.startswith(mirror):
                yield original + name.removeprefix(mirror)
                yield f"{original}library/{name.removeprefix(mirror)}"
        if registry == "*" and "/" in repository:
            yield f"docker.io/{repository}"
        before, library, rest = repository.rpartition("library/")
        if library and (not before or before.endswith("/")):
            yield f"docker.io/library/{rest}"


def _version(version_pattern: str, name: str, tag: str) -> str:
    if version_pattern.startswith(_REPOSITORY):
        found = re.search(version_pattern.removeprefix(_REPOSITORY), name)
    elif version_pattern:
        found = re.search(version_pattern, tag)
    else:
        found = _VERSION.match(tag)
    return found["v"] if found else ""


def version_of(tag: str) -> str:
    """The version that a tag begins with; empty where it begins with none."""
    return _version("", "", tag)


def with_products(own: Iterable[Product] = ()) -> Products:
    """The bundled products, with the owner's own added or put in their place by id."""
    data = _bundled()
    entries = {product.id: product for product in data.products}
    entries.update((product.id, product) for product in own)
    exact: dict[str, tuple[Product, str]] = {}
    globs: list[tuple[str, Product, str]] = []
    for product in entries.values():
        for image, version in product.images.items():
            if "*" in image:
                globs.append((image, product, version))
            else:
                exact[image] = (product, version)
    return Products(data.date, entries, data.mirrors, exact, tuple(globs))


def product_from_mapping(entry: Mapping[str, object]) -> Product:
    """An owner's own entry. Raises ``ValueError`` naming the key that is wrong."""
    try:
        return msgspec.convert(dict(entry), Product)
    except msgspec.ValidationError as problem:
        raise ValueError(str(problem)) from problem


@cache
def _bundled() -> _ProductData:
    return table("products", _ProductData)
