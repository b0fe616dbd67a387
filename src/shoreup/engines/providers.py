"""Who has an engine on this machine: the system, or a package of Python's.

Finding looks at the file system and asks each server for its version; nothing is started, fetched or imported.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Protocol

from msgspec import Struct

from shoreup.engines.catalogue import Catalogue, ProductEntry, Version, catalogue, written

_PATIENCE = 20.0


class Installation(Struct, frozen=True):
    """The programs of one engine, as one provider has them.

    ``provider`` is ``system`` or ``wheel``, ``package`` the package's name where that is known. ``extensions`` are
    those that a database can be given.
    """

    product: str
    version: Version
    provider: str
    folder: Path
    package: str = ""
    extensions: frozenset[str] = frozenset()

    def program(self, name: str) -> Path:
        """Where a program lies. Debian keeps servers and clients of one package in two folders."""
        here = self.folder / name
        if here.exists():
            return here
        found = which(name)
        if found is None:
            raise FileNotFoundError(f"{name} is not in {self.folder} and not in the search path")
        return Path(found)

    def __str__(self) -> str:
        return f"{self.product} {written(self.version)} ({self.package or self.provider})"


class Provider(Protocol):
    """Somebody who may have engines."""

    def installations(self, entry: ProductEntry) -> Iterator[Installation]:
        """Every installation of a product, in no order."""
        ...


class System:
    """What the system's packages brought."""

    def installations(self, entry: ProductEntry) -> Iterator[Installation]:
        """The servers in the folders that the catalogue names, and in the search path."""
        folders = [folder for pattern in entry.folders for folder in _matching(pattern)]
        found = which(entry.server)
        if found is not None:
            folders.append(Path(found).resolve().parent)
        for folder in dict.fromkeys(one.resolve() for one in folders):
            yield from _installed(entry, folder, "system")


class Wheels:
    """What packages of this Python brought."""

    def __init__(self, known: Catalogue) -> None:
        self._known = known

    def installations(self, entry: ProductEntry) -> Iterator[Installation]:
        """The packages of the catalogue that are installed. They are found, not imported."""
        for wheel in self._known.wheels:
            if wheel.product == entry.id:
                spec = find_spec(wheel.module)
                for place in (spec.submodule_search_locations or ()) if spec else ():
                    yield from _installed(entry, Path(place) / wheel.folder, "wheel", wheel.package)


@cache
def installed(product: str) -> tuple[Installation, ...]:
    """Every installation of a product on this machine, the preferred ones first."""
    known = catalogue()
    entry = known.product(product)
    if entry is None:
        return ()
    providers: tuple[Provider, ...] = (System(), Wheels(known))
    return tuple(one for provider in providers for one in provider.installations(entry))


def _matching(pattern: str) -> list[Path]:
    fixed, star, rest = pattern.partition("*")
    if not star:
        return [Path(pattern)]
    parent, _, beginning = fixed.rpartition("/")
    return sorted(Path(parent or "/").glob(f"{beginning}*{rest}"))


def _installed(entry: ProductEntry, folder: Path, provider: str, package: str = "") -> Iterator[Installation]:
    server = folder / entry.server
    if not server.is_file():
        return
    version = entry.told(_asked(server))
    if not version:
        return
    one = Installation(entry.id, version, provider, folder, package, _extensions(entry, folder))
    try:
        for program in entry.programs:
            one.program(program)
    except FileNotFoundError:
        return
    yield one


def _asked(server: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (a server of this machine's own packages)
            [server, "--version"], capture_output=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _extensions(entry: ProductEntry, folder: Path) -> frozenset[str]:
    """The extensions that a server can be given: control files in the directory that its own program names."""
    config = folder / entry.extensions_by
    if not entry.extensions_by or not config.is_file():
        return frozenset()
    try:
        done = subprocess.run(  # noqa: S603 (see above)
            [config, "--sharedir"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    shared = Path(done.stdout.rstrip())
    return frozenset(one.stem for one in (shared / "extension").glob("*.control"))
