"""Concerns that the user wrote, and the one question that decides about them: whose code is it?

A concern is a program, and an estate may be a stranger's. So code is loaded only where the user put it: in files that
their own configuration names, in packages that they installed beside Shoreup, in files that they name on the command
line. What lies in the audited estate is loaded for the last of these alone, also when a path in the configuration, a
link or a package's entry point leads there.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from inspect import getmembers, isabstract, isclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.model.finding import Notice

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    from shoreup.concerns.base import Concern

GROUP = "shoreup.concerns"
"""The group of entry points in which a package names its concerns: a module, or one class in it."""
FILE = "config.toml"
_NEEDED = ("id", "title", "severity", "consequence_class", "category", "section")
_TOLD = "Code that lies in the estate is run only when you name it yourself: --concerns FILE."


class OwnCode(Struct, frozen=True):
    """Where concerns of the user's own lie; nothing of it has been run yet. ``notices`` say what was left alone."""

    files: tuple[Path, ...] = ()
    packages: tuple[EntryPoint, ...] = ()
    notices: tuple[Notice, ...] = ()
    digest: str = ""
    """A hash of the files and of the packages' names and versions: part of what an account depends on."""

    def load(self) -> tuple[type[Concern], ...]:
        """Run the code, once, and give its concerns, by id. Raises :class:`UserError` for what is no concern."""
        return _loaded(self) if self.files or self.packages else ()


NO_OWN_CODE = OwnCode()


@cache
def _loaded(code: OwnCode) -> tuple[type[Concern], ...]:
    from shoreup.concerns.registry import all_concerns

    taken = {kind.id: "Shoreup" for kind in all_concerns()}
    found: dict[str, type[Concern]] = {}
    for where, kinds in (*map(_of_file, code.files), *map(_of_package, code.packages)):
        for kind in kinds:
            lacks = [name for name in _NEEDED if not hasattr(kind, name)]
            if lacks:
                raise UserError(f"{where}: the concern {kind.__name__} lacks {', '.join(lacks)}.")
            if kind.id in taken:
                raise UserError(f"{where}: the id {kind.id!r} is taken by {taken[kind.id]}. Choose another one.")
            taken[kind.id] = where
            found[kind.id] = kind
    return tuple(found[name] for name in sorted(found))


def own_code(root: Path, named: Sequence[Path] = ()) -> OwnCode:
    """The concerns beside Shoreup's own for an estate at ``root``. ``named`` are the files of the command line.

    Raises :class:`UserError` for a file that is not there and for a configuration that is wrong.
    """
    files = {path.resolve(): path for path in named}
    notices: list[Notice] = []
    for path in _configured():
        if _inside(path, root) and path.resolve() not in files:
            notices.append(Notice("", 0, f"The concerns in {path} were not loaded. {_TOLD}"))
        else:
            files.setdefault(path.resolve(), path)
    hashed = blake2b(digest_size=16)
    for path in files:
        try:
            hashed.update(path.read_bytes())
        except OSError as problem:
            raise UserError(f"The concerns in {files[path]} cannot be read: {problem.strerror}.") from None
    packages: list[EntryPoint] = []
    for package, point in _installed():
        if _foreign(package, point, root):
            notices.append(Notice("", 0, f"The concerns of {_called(package)} were not loaded. {_TOLD}"))
            continue
        packages.append(point)
        hashed.update(f"\0{_called(package)} {point.value}".encode())
    if not files and not packages:
        return OwnCode(notices=tuple(notices))
    return OwnCode(tuple(files), tuple(packages), tuple(notices), hashed.hexdigest())


def _configuration() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path("~").expanduser() / ".config")
    return Path(base) / "shoreup" / FILE


def _configured() -> Iterator[Path]:
    """The files that the user's own configuration names; relative ones lie beside it."""
    path = _configuration()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return
    except ValueError as problem:
        raise UserError(f"{path}: {problem}.") from None
    for key in document:
        if key != "concerns":
            raise UserError(f"{path}: unknown key {key!r}. There is 'concerns'; the rest belongs into shoreup.toml.")
    names = document.get("concerns", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{path}: 'concerns' must be a list of Python files.")
    for name in names:
        yield path.parent / Path(name).expanduser()


def _inside(path: Path, root: Path) -> bool:
    """Whether a file lies in the estate, by its own name or by where a link leads."""
    estate = root.resolve()
    return any(one.is_relative_to(estate) for one in (path.absolute(), path.resolve()))


# -------------------------------------------------------------------------------------------------- packages


def _installed() -> Iterator[tuple[Distribution, EntryPoint]]:
    """The entry points of what is installed, by name, each package once."""
    if not any(map(_may_hold_one, sys.path)):
        return
    from importlib.metadata import distributions

    seen: set[str] = set()
    found: list[tuple[Distribution, EntryPoint]] = []
    for package in distributions():
        text = package.read_text("entry_points.txt") or ""
        if GROUP not in text or package.name in seen:
            continue
        seen.add(package.name)
        try:
            found += [(package, point) for point in package.entry_points if point.group == GROUP]
        except (TypeError, ValueError):
            raise UserError(f"The entry points of {_called(package)} cannot be read: install it anew.") from None
    yield from sorted(found, key=lambda pair: (pair[1].name, pair[1].value))


def _may_hold_one(place: str) -> bool:
    """A cheap look into a place where packages lie, before a library is imported that reads all that is installed."""
    folder = Path(place)
    if folder.is_file() or folder.suffix == ".egg":
        return folder.exists()  # an archive
    try:
        told = [entry for entry in os.scandir(folder) if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    for entry in told:
        with suppress(OSError):
            if GROUP.encode() in Path(entry.path, "entry_points.txt").read_bytes():
                return True
    return False


def _called(package: Distribution) -> str:
    return f"the package {package.name} {package.version}"


def _foreign(package: Distribution, point: EntryPoint, root: Path) -> bool:
    """Whether a package, or the module that it names, lies in the estate or where Python was started.

    Both are searched when Python starts with ``-m``. The environment that Shoreup itself is installed in is the user's
    own, wherever it lies.
    """
    try:
        spec = find_spec(point.module.partition(".")[0])
    except (ImportError, ValueError):
        spec = None  # loading it says what is wrong with it
    module = spec.origin if spec is not None else None
    return any(
        (_inside(place, root) or _inside(place, Path.cwd())) and not place.resolve().is_relative_to(Path(sys.prefix))
        for place in (Path(str(package.locate_file(""))), *([Path(module)] if module else ()))
    )


def _of_package(point: EntryPoint) -> tuple[str, Iterable[type[Concern]]]:
    where = f"the package {point.dist.name}" if point.dist is not None else point.value
    try:
        module = import_module(point.module)
        loaded: object = point.load()
    except (Exception, SystemExit) as problem:
        raise UserError(f"The concerns of {where} cannot be loaded: {type(problem).__name__}: {problem}.") from None
    if isinstance(loaded, ModuleType):
        return where, _defined(loaded)
    kinds = [kind for kind in _defined(module) if kind is loaded]
    if not kinds:
        raise UserError(f"{where}: {point.value} is no concern.")
    return where, kinds


# ------------------------------------------------------------------------------------------------------ files


class _Source(SourceFileLoader):
    """Reads the source and nothing else: no compiled file is trusted, and none is left beside it."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _of_file(path: Path) -> tuple[str, Iterable[type[Concern]]]:
    name = f"shoreup_own_{blake2b(str(path).encode(), digest_size=8).hexdigest()}"
    spec = spec_from_loader(name, _Source(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # where the dataclasses of the file look for their own module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:
        raise UserError(f"The concerns in {path} cannot be loaded: {type(problem).__name__}: {problem}.") from None
    kinds = list(_defined(module))
    if not kinds:
        raise UserError(f"{path} defines no concern: a class with shoreup.concerns.base.Concern as its base.")
    return str(path), kinds


def _defined(module: ModuleType) -> Iterator[type[Concern]]:
    """The concerns of a module, without those that it imports."""
    from shoreup.concerns.base import Concern

    for _, kind in getmembers(module, isclass):
        if issubclass(kind, Concern) and kind.__module__ == module.__name__ and not isabstract(kind):
            yield kind
