"""ConfigMaps and Secrets that a kustomization makes of files, literals and environment files.

The hash that Kustomize puts behind their names changes with their content; our model leaves it out, and references
resolve to the name without it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Unknown, Value
from shoreup.sources.documents import whole_file
from shoreup.sources.kustomize.provenance import Changed, Composed, Node, Object, Piece, Written, child

Complain = Callable[[Route, str, str], None]
"""How a problem is noted: the route in the kustomization, the cause, what was skipped."""


class FileSource:
    """A file whose whole text is a value."""

    __slots__ = ("_path", "_tree")

    def __init__(self, tree: FileTree, path: str) -> None:
        self._tree = tree
        self._path = path

    def trace(self, route: Route) -> Origin | None:
        """The whole file; it has no fields."""
        return None if route else whole_file(self._tree, self._path)


class Generator:
    """One entry of ``configMapGenerator`` or ``secretGenerator``. ``resolve`` gives a file's path in the estate."""

    def __init__(
        self,
        kind: str,
        entry: dict[str, Value],
        node: Node,
        tree: FileTree,
        resolve: Callable[[str], str | None],
        complain: Complain,
    ) -> None:
        self.kind = kind
        self.entry = entry
        self.node = node
        self.tree = tree
        self.resolve = resolve
        self.complain = complain
        self._missing = ""

    @property
    def behavior(self) -> str:
        """``create``, ``replace`` or ``merge``."""
        found = self.entry.get("behavior")
        return found if isinstance(found, str) and found else "create"

    @property
    def keeps_its_name(self) -> bool:
        """Whether the entry itself asks for a name without a hash."""
        options = self.entry.get("options")
        return isinstance(options, dict) and options.get("disableNameSuffixHash") is True

    def make(self) -> Object:
        """The object, with every key traced to where its value is written."""
        data: dict[str, Value] = {}
        places: dict[str, Node] = {}
        for key, value, place in self._pairs():
            data[key] = value
            places[key] = place
        metadata: dict[str, Value] = {"name": self.entry.get("name")}
        names: dict[str, Node] = {"name": child(self.node, "name")}
        if isinstance(self.entry.get("namespace"), str) and self.entry["namespace"]:
            metadata["namespace"] = self.entry["namespace"]
            names["namespace"] = child(self.node, "namespace")
        body: dict[str, Value] = {"apiVersion": "v1", "kind": self.kind, "metadata": metadata}
        field = "data" if self.kind == "ConfigMap" else "stringData"
        if data:
            body[field] = data
        children: dict[str, Node] = {
            "apiVersion": self._said("v1"),
            "kind": self._said(self.kind),
            "metadata": Changed(self.node, names),
            field: Changed(self.node, places),
        }
        if self.kind == "Secret":
            kind = self.entry.get("type")
            body["type"] = kind if isinstance(kind, str) and kind else "Opaque"
            children["type"] = child(self.node, "type") if isinstance(kind, str) and kind else self._said("Opaque")
        made = Object(body, Changed(self.node, children), missing=self._missing)
        options = self.entry.get("options")
        if isinstance(options, dict):
            for field_name in ("labels", "annotations"):
                pairs = options.get(field_name)
                for key, value in pairs.items() if isinstance(pairs, dict) else ():
                    where = child(child(child(self.node, "options"), field_name), key)
                    made.put(("metadata", field_name, key), value, where)
            if options.get("immutable") is True:
                made.put(("immutable",), True, child(child(self.node, "options"), "immutable"))
        return made

    def _said(self, text: str) -> Node:
        """What no file says, but this entry means."""
        return Composed(self.node, (Piece(text=text),))

    def _pairs(self) -> Iterator[tuple[str, Value, Node]]:
        for index, text in _texts(self.entry.get("files")):
            yield from self._file(text, ("files", index))
        for route, text in self._environments():
            yield from self._environment(text, route)
        for index, text in _texts(self.entry.get("literals")):
            key, equals, value = text.partition("=")
            where = child(child(self.node, "literals"), index)
            if not equals:
                self.complain(("literals", index), "a literal without =", "the literal")
                continue
            start = len(key) + 1
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value, start = value[1:-1], start + 1
            yield key, value, Composed(where, (Piece(where, start, start + len(value), value),))

    def _environments(self) -> Iterator[tuple[Route, str]]:
        for index, text in _texts(self.entry.get("envs")):
            yield ("envs", index), text
        single = self.entry.get("env")
        if isinstance(single, str) and single:
            yield ("env",), single

    def _file(self, text: str, route: Route) -> Iterator[tuple[str, Value, Node]]:
        key, equals, name = text.partition("=")
        if not equals:
            name = text
            key = posixpath.basename(text)
        path = self.resolve(name)
        if path is None:
            self.complain(route, f"{name} is not in the estate", "the file")
            yield key, Unknown(f"the file {name} is not in the estate"), child(child(self.node, "files"), route[-1])
            return
        content = self.tree.read(path)
        value: Value
        if content is None:
            value = Unknown(f"the file {name} is {self.tree.skipped.get(path, 'unreadable')}")
        elif _is_sealed(content):
            self.tree.skipped.setdefault(path, "encrypted")
            value = Unknown("encrypted with sops")
        else:
            try:
                value = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                value = Unknown(f"the file {name} is not text")
        yield key, value, Written(FileSource(self.tree, path))

    def _environment(self, name: str, route: Route) -> Iterator[tuple[str, Value, Node]]:
        path = self.resolve(name)
        text = None if path is None else self.tree.text(path)
        if path is None or text is None:
            self.complain(route, f"{name} is not in the estate", "the file")
            self._missing = f"the file {name} is not in the estate"
            return
        sealed = "sops_mac=" in text
        if sealed:
            self.tree.skipped.setdefault(path, "encrypted")
        file = Written(FileSource(self.tree, path))
        position = 0
        for line in text.splitlines(keepends=True):
            bare = line.strip()
            key, equals, value = bare.partition("=")
            start = position + line.index(bare) + len(key) + 1 if bare else position
            position += len(line)
            if not bare or bare.startswith("#") or not equals or (sealed and key.startswith("sops_")):
                continue
            where = Composed(file, (Piece(file, start, start + len(value), value),))
            yield key, Unknown("encrypted with sops") if value.startswith("ENC[") else value, where


def _texts(value: Value) -> Iterator[tuple[int, str]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str):
            yield index, item


def _is_sealed(content: bytes) -> bool:
    return b"ENC[AES256_GCM," in content and (b"sops" in content)
