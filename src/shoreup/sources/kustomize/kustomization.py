"""A kustomization file: what it says, what it refers to, and where it says it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.location import Route, locate
from shoreup.model.value import Value
from shoreup.sources.documents import Documents, DocumentTracer
from shoreup.sources.kustomize.provenance import Node, Written, child, listed, trace, with_child

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""In the order in which Kustomize looks for them."""

_REMOTE = re.compile(
    r"\w[\w+.-]*(?:://|::)|git@|[\w.-]+@[\w.-]+:|(?:github\.com|gitlab\.com|bitbucket\.org)[/:]|.*[?&](?:ref|version|timeout|submodules)="
)


class Kustomization(Struct, frozen=True, eq=False):
    """One kustomization. ``folder`` is relative to the estate (``"."``); ``node`` is the origin of ``value``."""

    path: str
    folder: str
    value: dict[str, Value]
    node: Node

    @property
    def is_component(self) -> bool:
        """Whether it changes what another kustomization has gathered, and stands for nothing alone."""
        return self.value.get("kind") == "Component"

    def items(self, field: str) -> Iterator[tuple[int, Value, Node]]:
        """The items of a list, each with its index and origin."""
        found = self.value.get(field)
        where = child(self.node, field)
        for index, item in enumerate(found if isinstance(found, list) else ()):
            yield index, item, child(where, index)

    def text(self, field: str) -> str:
        """A field that is text; empty where it is absent."""
        found = self.value.get(field)
        return found if isinstance(found, str) else ""

    def mapping(self, field: str) -> dict[str, Value]:
        """A field that is a mapping; empty where it is absent."""
        found = self.value.get(field)
        return found if isinstance(found, dict) else {}

    def where(self, *route: str | int) -> Node:
        """The origin of a field."""
        node = self.node
        for step in route:
            node = child(node, step)
        return node

    def with_field(self, field: str, value: Value, node: Node) -> Kustomization:
        """The same with another value for one field."""
        return replace(self, value={**self.value, field: value}, node=with_child(self.node, field, node))

    def with_more(self, field: str, values: list[Value], nodes: list[Node]) -> Kustomization:
        """The same with more items behind those of a list."""
        present = self.value.get(field)
        items = list(present) if isinstance(present, list) else []
        where = self.where(field)
        before = [child(where, index) for index in range(len(items))]
        return self.with_field(field, [*items, *values], listed(where, [*before, *nodes]))


class Kustomizations:
    """The kustomizations of an estate, by folder."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.tree: FileTree = documents.tree
        self.paths: dict[str, str] = {}
        for path in self.tree.files:
            folder, _, name = path.rpartition("/")
            if name in NAMES:
                known = self.paths.get(folder or ".")
                if known is None or NAMES.index(name) < NAMES.index(known.rpartition("/")[2]):
                    self.paths[folder or "."] = path
        self._known: dict[str, Kustomization | None] = {}
        self.folders = _folders(self.tree)

    def get(self, folder: str) -> Kustomization | None:
        """The kustomization of a folder; ``None`` where there is none that can be read."""
        if folder not in self._known:
            self._known[folder] = self._read(folder)
        return self._known[folder]

    def _read(self, folder: str) -> Kustomization | None:
        path = self.paths.get(folder)
        documents = () if path is None else self.documents.of(path)
        for index, document in enumerate(documents):
            if path is not None and isinstance(document.value, dict):
                version = document.value.get("apiVersion")
                if version is not None and not (isinstance(version, str) and version.startswith("kustomize.config.")):
                    continue
                return Kustomization(path, folder, document.value, Written(DocumentTracer(self.documents, path, index)))
            if path is not None and document.value is not None:
                self.tree.error(path, document.line, "a kustomization that is no mapping", "the kustomization")
        return None

    def resolve(self, folder: str, name: str) -> str | None:
        """A path that a kustomization names, relative to the estate; ``None`` where it leads out of it."""
        if name.startswith("/") or "\0" in name:
            return None
        path = posixpath.normpath(posixpath.join(folder, name))
        if path == ".." or path.startswith("../"):
            return None
        return self.tree.real(path)

    def complain(self, kustomization: Kustomization, route: Route, cause: str, skipped: str) -> None:
        """Note a problem at a field of a kustomization."""
        self.complain_at(kustomization.where(*route), kustomization.path, cause, skipped)

    def complain_at(self, node: Node, path: str, cause: str, skipped: str) -> None:
        """Note a problem at the place of a value, or in the file at ``path`` where it has none."""
        origin = trace(node)
        if origin is None:
            self.tree.error(path, 0, cause, skipped)
            return
        content = self.tree.read(origin.site.file) or b""
        self.tree.error(origin.site.file, locate(origin.site, content).line, cause, skipped)


def folders_above(path: str) -> Iterator[str]:
    """The folders that a path is in, nearest first; not the estate's root."""
    while path := path.rpartition("/")[0]:
        yield path


def is_remote(name: str) -> bool:
    """Whether a resource is fetched from elsewhere."""
    return _REMOTE.match(name) is not None


def files_of(found: Kustomizations, kustomization: Kustomization) -> Iterator[str]:
    """Every path in the estate that a kustomization refers to: files and folders."""
    for name in _names(kustomization):
        if "\n" not in name and not is_remote(name):
            path = found.resolve(kustomization.folder, name)
            if path is not None:
                yield path


def _names(kustomization: Kustomization) -> Iterator[str]:
    for field in (
        "resources",
        "bases",
        "components",
        "crds",
        "configurations",
        "transformers",
        "generators",
        "validators",
    ):
        for _, item, _ in kustomization.items(field):
            if isinstance(item, str):
                yield item
    for field in ("patchesStrategicMerge",):
        yield from (item for _, item, _ in kustomization.items(field) if isinstance(item, str))
    for field in ("patches", "patchesJson6902", "replacements"):
        for _, item, _ in kustomization.items(field):
            path = item.get("path") if isinstance(item, dict) else None
            if isinstance(path, str):
                yield path
    for field in ("configMapGenerator", "secretGenerator"):
        for _, item, _ in kustomization.items(field):
            yield from _generator_names(item)
    for _, item, _ in kustomization.items("helmCharts"):
        if isinstance(item, dict):
            several = item.get("additionalValuesFiles")
            for name in (item.get("valuesFile"), *(several if isinstance(several, list) else ())):
                if isinstance(name, str):
                    yield name
    schema = kustomization.mapping("openapi").get("path")
    if isinstance(schema, str):
        yield schema


def _generator_names(item: Value) -> Iterator[str]:
    if not isinstance(item, dict):
        return
    for field in ("files", "envs"):
        listed_names = item.get(field)
        for name in listed_names if isinstance(listed_names, list) else ():
            if isinstance(name, str):
                yield name.partition("=")[2] if field == "files" and "=" in name else name
    if isinstance(item.get("env"), str):
        yield str(item["env"])


def _folders(tree: FileTree) -> frozenset[str]:
    found = {"."}
    for path in tree.files:
        for folder in folders_above(path):
            if folder in found:
                break
            found.add(folder)
    return frozenset(found)
