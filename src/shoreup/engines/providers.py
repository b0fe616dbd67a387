"""Who has an engine on this machine: the system, or a package of Python's.

Finding looks at the file system and asks each server for its version; nothing is started, fetched or imported.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Protocol

from msgspec import Struct

from shoreup.engines.catalogue import Catalogue, ProductEntry, Version, catalogue, written
from shoreup.engines.containers import Container, look_inside, on_this_machine

_PATIENCE = 20.0


class Installation(Struct, frozen=True):
    """The programs of one engine, as one provider has them.

    ``provider`` is ``container``, ``system`` or ``wheel``, ``package`` the package's name where that is known.
    ``extensions`` are those that a database can be given. In a ``container`` the programs lie at ``paths``.
    """

    product: str
    version: Version
    provider: str
    folder: Path
    package: str = ""
    extensions: frozenset[str] = frozenset()
    container: Container | None = None
    paths: Mapping[str, str] = {}

    def program(self, name: str) -> Path:
        """Where a program lies. Debian keeps servers and clients of one package in two folders."""
        if self.container is not None:
            # What was not asked for lies beside what was, or in the image's own search path.
            return Path(self.paths.get(name, self.folder / name))
        here = self.folder / name
        if here.exists():
            return here
        found = which(name)
        if found is None:
            raise FileNotFoundError(f"{name} is not in {self.folder} and not in the search path")
        return Path(found)

    def __str__(self) -> str:
        where = self.container.image if self.container is not None else self.package or self.provider
        return f"{self.product} {written(self.version)} ({where})"


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


def lying_in(product: str, folder: Path) -> Installation | None:
    """The engine whose programs somebody says are in a folder; ``None`` where there is none that runs."""
    entry = catalogue().product(product)
    return next(_installed(entry, folder.resolve(), "own"), None) if entry is not None else None


def in_image(product: str, image: str) -> Installation | None:
    """The engine in an image that lies on this machine; ``None`` where there is none that runs."""
    entry, container = catalogue().product(product), on_this_machine(image)
    if entry is None or container is None:
        return None
    inside = look_inside(container, entry.server, entry.programs, entry.folders, entry.extensions_by)
    version = entry.told(inside.version) if inside is not None else ()
    if inside is None or not version:
        return None
    folder = Path(inside.programs[entry.server]).parent
    return Installation(
        product=product,
        version=version,
        provider="container",
        folder=folder,
        package="",
        extensions=inside.extensions,
        container=container,
        paths=dict(inside.programs),
    )


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
    version = entry.told(_asked(server, entry.asked))
    if not version:
        return
    one = Installation(
        product=entry.id,
        version=version,
        provider=provider,
        folder=folder,
        package=package,
        extensions=_extensions(entry, folder),
    )
    try:
        for program in entry.programs:
            one.program(program)
    except FileNotFoundError:
        return
    yield one


def _asked(server: Path, argument: str) -> str:
    try:
        # Where nginx tells its version others complain.
        done = subprocess.run(  # noqa: S603 (a server of this machine's own packages)
            [server, argument],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
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
