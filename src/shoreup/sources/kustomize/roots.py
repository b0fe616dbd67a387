"""Which folders of an estate are applied, and by what.

A kustomization that another includes is no root, and yields nothing for itself. A folder that a Flux Kustomization
names is applied as that object says, and what it yields may hold further such objects; so is a folder that an
Application of Argo CD names. What is left out on purpose
(an application whose entry is commented out) is not applied, and not read as a manifest either; nor is a root that lies
among examples or what was retired, and that nothing names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.value import Value
from shoreup.sources.aside import SUFFIXES, out_of_service
from shoreup.sources.documents import Documents, DocumentTracer, objects
from shoreup.sources.kustomize import argo
from shoreup.sources.kustomize.build import Build
from shoreup.sources.kustomize.built import BuiltTracer, document_of
from shoreup.sources.kustomize.flux import apply_folder, declared, folder_of, identity, is_flux, site_of, source_of
from shoreup.sources.kustomize.kustomization import NAMES, Kustomizations, files_of, folders_above
from shoreup.sources.kustomize.provenance import Object, Written
from shoreup.sources.manifests import resource_of
from shoreup.sources.reading import Found

MAX_ROOTS = 5_000


class Rooted(Struct):
    """The objects of one root, and what kind of thing applies it."""

    folder: str
    source: str
    objects: list[Object]


class _Declared(Struct):
    """A Flux Kustomization as a file declares it, before anything is built."""

    path: str
    item: Object


@dataclass(slots=True)
class Roots:
    """Finds the roots and builds them."""

    tree: FileTree
    roots: list[Rooted] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    found: Kustomizations = field(init=False)
    build: Build = field(init=False)
    _done: set[tuple[str, str, str]] = field(default_factory=set)
    _queue: list[Object] = field(default_factory=list)
    _own: str = ""
    _named_like: set[tuple[str, int, str]] = field(default_factory=set)
    _built: dict[tuple[str, str], list[Object]] = field(default_factory=dict)
    _values: dict[tuple[str, str], list[Object]] = field(default_factory=dict)
    _aside: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.found = Kustomizations(Documents(self.tree, words=False))
        self.build = Build(self.found)

    def read(self) -> list[Found]:
        """Build every root."""
        self._aside = out_of_service(self.tree)
        references = self._references()
        flux = list(self._flux())
        self._own = _own_source(flux)
        sources = self._sources()
        targets = {
            folder
            for one in flux
            if (folder := folder_of(one.item)) is not None
            and folder in self.found.folders
            and not self._foreign(one.item, sources)
        }
        gathered = {one for one in targets if one not in self.found.paths}
        applications = [one for one in self._applications() if one.folder not in targets | references]
        targets |= {one.folder for one in applications}
        self._named_like = {_likeness(above, one) for one in references for above in folders_above(one)}
        for folder in sorted(self.found.paths):
            kustomization = self.found.get(folder)
            if kustomization is None or kustomization.is_component or folder in references or folder in targets:
                continue
            if _within(folder, gathered) or kustomization.path in self._aside:
                continue
            self._add(folder, "kustomize", self.build.root(kustomization))
        loose = [
            one
            for one in flux
            if one.path not in references
            and not _within(one.path, gathered)
            and not self._left_out(one.path, references)
        ]
        self._follow([one.item for one in loose], sources)
        for self_applied in (True, False):
            rest = [one for one in flux if identity(one.item) not in self._done and not self._is_built(one)]
            for one in rest:
                folder = folder_of(one.item) or "."
                if _below(one.path, folder) == self_applied and not self._left_out(one.path, references):
                    self._follow([one.item], sources)
        self._apply(applications, references)
        self._break_circles()
        self._take(references)
        return list(self._resources(references))

    def _applications(self) -> list[argo.Applied]:
        """What Argo applies of this repository, which is the one that most of the folders here are said to be in."""
        declared = [
            one for path, item in self._items(b"argoproj.io/") if argo.is_argo(item)
            for one in argo.applied(path, item, self.build)
        ]  # fmt: skip
        addresses = Counter(one.repository for one in declared)
        return [one for one in declared if addresses[one.repository] == max(addresses.values())]

    def _apply(self, declared: Sequence[argo.Applied], references: set[str]) -> None:
        """Apply what Applications say: first those that nothing else here applies, then what they bring."""
        targets = {one.folder for one in declared}
        waiting = [one for root in self.roots for one in self._brought(root.objects, declared)]
        for inside in (False, True):
            waiting += [
                one
                for one in declared
                if _within(one.path, targets) is inside and not self._left_out(one.path, references)
            ]
            while waiting and len(self.roots) < MAX_ROOTS:
                one = waiting.pop(0)
                if one.identity in self._done or (one.path in self.build.used and one in declared):
                    continue
                self._done.add(one.identity)
                made = argo.apply(self.build, one)
                self._add(one.folder, "argo", made)
                waiting += self._brought(made, declared)

    def _brought(self, made: Iterable[Object], declared: Sequence[argo.Applied]) -> list[argo.Applied]:
        folders = {one.folder for one in declared}
        found = [one for item in made if argo.is_argo(item) for one in argo.applied("", item, self.build)]
        return [one for one in found if one.folder in folders]

    def _break_circles(self) -> None:
        """Build one of each circle of kustomizations that nothing outside it includes, so that the circle is said."""
        for folder in sorted(self.found.paths):
            kustomization = self.found.get(folder)
            if kustomization is None or kustomization.path in self.build.used:
                continue
            seen: set[str] = set()
            ahead = [folder]
            while ahead:
                inner = self.found.get(ahead.pop())
                for path in files_of(self.found, inner) if inner is not None else ():
                    if path in self.found.paths and path not in seen:
                        seen.add(path)
                        ahead.append(path)
            if folder in seen:
                self._add(folder, "kustomize", self.build.root(kustomization))

    def _is_built(self, one: _Declared) -> bool:
        return one.path in self.build.used

    def _follow(self, items: Iterable[Object], sources: dict[str, Value]) -> None:
        """Apply what Flux objects say, and what those say that they bring."""
        self._queue.extend(items)
        while self._queue and len(self.roots) < MAX_ROOTS:
            item = self._queue.pop(0)
            name = identity(item)
            if name in self._done:
                continue
            self._done.add(name)
            folder = folder_of(item)
            if folder is None:
                self._complain(item, "the path is not decided by the estate")
            elif self._foreign(item, sources):
                self._complain(item, f"its source {' '.join(source_of(item))} is not this repository")
            elif folder not in self.found.folders:
                self._complain(item, f"the folder {folder} is not in the estate")
            else:
                self._add(folder, "flux", apply_folder(self.build, item, folder, self._named))

    def _named(self, kind: str, name: str) -> list[Object]:
        """The ConfigMaps or Secrets of a name: built ones, else as files declare them."""
        if (kind, name) in self._built:
            return self._built[kind, name]
        if (kind, name) not in self._values:
            self._values[kind, name] = list(self._declared(kind, name))
        return self._values[kind, name]

    def _declared(self, kind: str, name: str) -> Iterable[Object]:
        for path in self.tree.files:
            if path.endswith(SUFFIXES):
                content = self.tree.read(path)
                if content is not None and kind.encode() in content and name.encode() in content:
                    for index, document in enumerate(self.found.documents.of(path)):
                        for prefix, body in objects(document.value):
                            item = Object(body, Written(DocumentTracer(self.found.documents, path, index, prefix)))
                            if item.kind == kind and item.name == name and item.api_version == "v1":
                                yield item

    def _complain(self, item: Object, cause: str) -> None:
        name = f"the Kustomization {item.name}"
        self.found.complain_at(site_of(item), "", cause, name)

    def _add(self, folder: str, source: str, made: list[Object]) -> None:
        self.roots.append(Rooted(folder, source, made))
        self._queue.extend(declared(made))
        for one in made:
            if one.kind in ("ConfigMap", "Secret"):
                self._built.setdefault((one.kind, one.name), []).append(one)

    def _references(self) -> set[str]:
        """Everything in the estate that some kustomization refers to."""
        found: set[str] = set()
        for folder in self.found.paths:
            kustomization = self.found.get(folder)
            if kustomization is not None:
                found.update(files_of(self.found, kustomization))
        return found

    def _flux(self) -> Iterable[_Declared]:
        return (_Declared(path, item) for path, item in self._items(b"kustomize.toolkit.fluxcd.io/") if is_flux(item))

    def _items(self, group: bytes) -> Iterable[tuple[str, Object]]:
        """The objects in files that name an API group."""
        for path in self.tree.files:
            if path.endswith(SUFFIXES) and path.rpartition("/")[2] not in NAMES and path not in self._aside:
                content = self.tree.read(path)
                if content is not None and group in content:
                    for index, document in enumerate(self.found.documents.of(path)):
                        for prefix, body in objects(document.value):
                            tracer = DocumentTracer(self.found.documents, path, index, prefix)
                            yield path, Object(body, Written(tracer))

    def _sources(self) -> dict[str, Value]:
        """The addresses of the git repositories that the estate declares, by name."""
        found: dict[str, Value] = {}
        for path in self.tree.files:
            if path.endswith(SUFFIXES):
                content = self.tree.read(path)
                if content is not None and b"source.toolkit.fluxcd.io/" in content and b"GitRepository" in content:
                    for document in self.found.documents.of(path):
                        for _, body in objects(document.value):
                            item = Object(body, Written(DocumentTracer(self.found.documents, path, 0)))
                            if item.kind == "GitRepository":
                                found[item.name] = item.get("spec", "url")
        return found

    def _foreign(self, item: Object, sources: dict[str, Value]) -> bool:
        """Whether a Flux object's folder lies in another repository."""
        kind, name = source_of(item)
        if kind not in ("GitRepository", ""):
            return kind in ("OCIRepository", "Bucket")
        if name == self._own or not self._own:
            return False
        url = sources.get(name)
        return url is not None and url != sources.get(self._own)

    def _left_out(self, path: str, references: set[str]) -> bool:
        """Whether the nearest kustomization above names files like this one in other folders, but not this one."""
        if path in references:
            return False
        for number, folder in enumerate(folders_above(path)):
            if folder in self.found.paths:
                return number == 0 or _likeness(folder, path) in self._named_like
        return False

    def _take(self, references: set[str]) -> None:
        self.taken |= self.build.used
        self.taken |= {path for path in references if path in self.tree and path not in self.found.folders}
        self.taken |= set(self.found.paths.values())
        for path in self.tree.files:
            if not path.endswith(SUFFIXES) or path in self.taken:
                continue
            folder = path.rpartition("/")[0] or "."
            if folder in self.found.paths or self._left_out(path, references):
                content = self.tree.read(path)
                if content is not None and b"apiVersion" in content and b"kind" in content:
                    self.taken.add(path)
                    self.tree.not_applied(path)

    def _resources(self, included: set[str]) -> Iterable[Found]:
        uses = Counter(document_of(item.node) for root in self.roots for item in root.objects)
        for root in self.roots:
            overlay = None if root.folder in included else self.found.get(root.folder)
            for item in root.objects:
                resource = resource_of(item.body, root.folder, root.source)
                if resource is not None:
                    resource = replace(resource, hashed=True) if item.hashed else resource
                    users = uses[document_of(item.node)]
                    yield Found(resource, BuiltTracer(item.node, item.body, users, overlay))
        for charts in self.build.charts.values():
            yield from charts


def _own_source(flux: Sequence[_Declared]) -> str:
    """The name under which the estate's own repository is known: that of most of its Kustomizations."""
    names = Counter(source_of(one.item)[1] for one in flux if source_of(one.item)[0] == "GitRepository")
    return names.most_common(1)[0][0] if names else ""


def _likeness(folder: str, path: str) -> tuple[str, int, str]:
    """What files of different applications have in common: the folder above, the depth, and the name."""
    return folder, path.count("/"), path.rpartition("/")[2]


def _within(path: str, folders: set[str]) -> bool:
    return "." in folders or path in folders or any(above in folders for above in folders_above(path))


def _below(path: str, folder: str) -> bool:
    return folder == "." or path == folder or path.startswith(f"{folder}/")
