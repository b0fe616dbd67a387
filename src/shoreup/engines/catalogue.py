"""What is known about engines: how each tells its version, where its programs lie, and what may stand in for what.

The knowledge is data (``data/engines.json``) with a source and a day for each entry. Ids are those of the products
that the audit finds in an estate.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

SAME = "same"
SAME_OR_NEWER = "same-or-newer"

Version = tuple[int, ...]
"""The numbers of a version, ``(17, 2)``; empty where it is not known."""


class ProductEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One engine.

    ``server`` is the program whose ``--version`` tells the version by the pattern ``version``. A series is named by the
    first ``series_parts`` numbers. ``stands_in`` says which series may stand in for another, ``why`` for what reason.
    ``lines`` are the series that live long, where not all do. With ``logical_only`` only dumps in SQL can be carried
    over, never data files. ``folders`` are patterns of places that the programs lie in, ``programs`` those that an
    experiment needs, ``extensions_by`` is the program that tells where extensions lie. ``debian`` is the package that
    has them all, ``{series}`` in it the series. ``tools`` are the names of programs by what they do, ``install`` the
    command that makes a new data directory (``{data}``), ``quiet`` the options that keep a copy from acting by itself.
    ``maker`` is where its maker has packages, for what Debian has not. ``asked`` is the argument that makes the server
    tell its version. ``bundled`` are extensions that come with the product itself, so that every whole build has them.
    """

    id: str
    title: str
    server: str
    version: str
    series_parts: int
    oldest: str
    stands_in: str
    why: str
    source: str
    checked: str
    folders: tuple[str, ...]
    programs: tuple[str, ...]
    debian: str
    logical_only: bool = False
    lines: tuple[str, ...] = ()
    extensions_by: str = ""
    tools: dict[str, str] = {}
    install: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    maker: str = ""
    bundled: tuple[str, ...] = ()
    asked: str = "--version"

    def series(self, version: Version) -> Version:
        """The series that a version belongs to."""
        return version[: self.series_parts]

    def told(self, words: str) -> Version:
        """The version in what the server says of itself; empty where it is another product's."""
        found = re.search(self.version, words)
        return numbers(found.group(1)) if found else ()


class WheelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package of PyPI that brings an engine's programs, in ``folder`` of the package ``module``."""

    product: str
    series: str
    package: str
    module: str
    folder: str
    source: str
    checked: str


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is known."""

    products: tuple[ProductEntry, ...]
    wheels: tuple[WheelEntry, ...]

    def product(self, name: str) -> ProductEntry | None:
        """The entry of a product; ``None`` where there is none."""
        return next((one for one in self.products if one.id == name), None)


@cache
def catalogue() -> Catalogue:
    """The data that comes with Shoreup."""
    content = files("shoreup.engines").joinpath("data", "engines.json").read_bytes()
    return msgspec.json.decode(content, type=Catalogue)


def numbers(text: str) -> Version:
    """The numbers that a version begins with: ``17.2-alpine`` is ``(17, 2)``."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


def written(version: Version) -> str:
    """A version as people write it."""
    return ".".join(str(part) for part in version)
