"""Databases that were copied as files among files: found by their content, and tried as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from shoreup.drills.restoring.copies import Copy, products
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import NoProvider, Wanted
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Scratch
from shoreup.engines.sqlite import MAGIC, damage


class InnerDatabase(Struct, frozen=True):
    """A database in a tree of files.

    ``path`` is the file or folder, below the tree. ``product`` is whose data directory it is, empty for a file of
    SQLite. ``telling`` is a file of it that cannot be cut off unnoticed.
    """

    path: str
    product: str
    telling: str


class Judged(Struct, frozen=True):
    """What a trial of one came to: what is ``wrong``, and what could not be looked at."""

    wrong: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


class _Signs(Struct, frozen=True):
    product: str
    files: tuple[str, ...]
    telling: str


_SIGNS = (
    _Signs("postgresql", ("PG_VERSION", "global/pg_control"), "global/pg_control"),
    _Signs("mariadb", ("ibdata1", "mysql"), "ibdata1"),
)
"""What tells a server's data directory, and which server's."""


def inner_databases(root: Path) -> tuple[InnerDatabase, ...]:
    """The databases in a tree, those of servers first. Links are not followed."""
    return tuple(sorted(_below(root, root), key=lambda one: (not one.product, one.path)))


def tried(one: InnerDatabase, root: Path, scratch: Scratch, copy: Copy) -> Judged:
    """Try one where it lies in the scratch folder."""
    path = root / one.path
    if not one.product:
        return Judged(tuple(f"{one.path}: {words}" for words in damage(path)))
    product = products()[one.product]()
    files = Copy(path, jobs=copy.jobs)
    choice = product.choose(Wanted(one.product, files=True), files)
    if isinstance(choice, NoProvider):
        return Judged(unseen=(f"whether the {one.product} in {one.path} starts: {choice}",))
    try:
        with product.serve(choice, scratch, files) as target:
            errors = target.load(path, "restored")
            wrong = errors or target.unsound("restored")
            return Judged(tuple(f"{one.path}: {words}" for words in wrong), target.limits())
    except BrokenCopy as broken:
        return Judged((f"{one.path}: {broken}",))
    except EngineTrouble as trouble:
        return Judged(unseen=(f"whether the {one.product} in {one.path} is sound: {trouble}",))


def _below(folder: Path, root: Path) -> Iterator[InnerDatabase]:
    here = folder.relative_to(root).as_posix()
    for signs in _SIGNS:
        if all((folder / name).exists() for name in signs.files):
            telling = signs.telling if here == "." else f"{here}/{signs.telling}"
            yield InnerDatabase(here, signs.product, telling)
            return
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _below(entry, root)
        elif entry.is_file() and _is_sqlite(entry):
            name = entry.relative_to(root).as_posix()
            yield InnerDatabase(name, "", name)


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
