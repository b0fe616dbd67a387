"""The YAML and JSON files of an estate, each parsed once, whoever asks.

A component may be included a hundred times; its file is parsed for the first of them. What is wrong in a file
is noted once, in the tree's errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import FileTree, Reader
from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml import ENCRYPTED, Document, Stream, load, load_json, origin_of
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Value, at
from shoreup.sources.additions import Home, added
from shoreup.sources.editing import Like, Names
from shoreup.sources.pages import PageEditor

BOM = b"\xef\xbb\xbf"


class Documents:
    """Every document of the estate's files. Values are shared: never change one in place.

    ``words`` is as in :func:`shoreup.formats.yaml.load`.
    """

    def __init__(self, tree: FileTree, *, words: bool = True) -> None:
        self.tree = tree
        self._words = words
        self._streams: dict[str, Stream] = {}
        self._outer: tuple[str, tuple[Segment, ...]] = ("", ())

    def of(self, path: str) -> tuple[Document, ...]:
        """The whole documents of a file; none where it cannot be read."""
        return self.stream(path).documents

    def stream(self, path: str) -> Stream:
        """What a file holds. Its problems are in the tree's errors already."""
        found = self._streams.get(path)
        if found is None:
            found = self._streams[path] = self._read(path)
        return found

    def look(self, path: str) -> None:
        """Say what is wrong in a file from which nothing is wanted; its documents are not kept."""
        if path not in self._streams:
            self._read(path)

    def outer(self, path: str) -> tuple[Segment, ...]:
        """The file's text over its bytes, for origins."""
        if self._outer[0] != path:
            text = self.tree.text(path) or ""
            content = self.tree.read(path) or b""
            self._outer = (path, whole(path, text, len(BOM) if content.startswith(BOM) else 0))
        return self._outer[1]

    def trace(self, path: str, index: int, route: Route) -> Origin | None:
        """The origin of the value at ``route`` of a file's document ``index``."""
        documents = self.of(path)
        trace = documents[index].trace(route) if index < len(documents) else None
        if trace is None:
            return None
        return origin_of(trace, self.outer(path), encoding="json" if path.endswith(".json") else "")

    def page(self, path: str, index: int) -> Page:
        """A file's document, to write into. Raises :class:`CannotWrite`."""
        text = self.tree.text(path)
        if text is None:
            raise CannotWrite(f"{path} cannot be read")
        return Page(text, index, words=self._words, is_json=path.endswith(".json"))

    def _read(self, path: str) -> Stream:
        text = self.tree.text(path)
        if text is None:
            return Stream(())
        again = self._again(path)
        stream = load_json(text, again=again) if path.endswith(".json") else load(text, words=self._words, again=again)
        for problem in stream.problems:
            self.tree.error(path, problem.line, problem.cause, problem.skipped)
        if stream.skipped:
            self.tree.skipped.setdefault(path, stream.skipped)
        elif any(document.encrypted for document in stream.documents):
            self.tree.skipped.setdefault(path, ENCRYPTED)
        return stream

    def _again(self, path: str) -> Callable[[], str]:
        return lambda: self.tree.text(path) or ""


class DocumentTracer:
    """Finds the fields of a resource that is (a part of) a document, as it stands there."""

    __slots__ = ("_documents", "_index", "_path", "_prefix")

    def __init__(self, documents: Documents, path: str, index: int, prefix: Route = ()) -> None:
        self._documents = documents
        self._path = path
        self._index = index
        self._prefix = prefix

    def trace(self, route: Route) -> Origin | None:
        """The origin of the field at ``route``."""
        return self._documents.trace(self._path, self._index, self._prefix + route)

    @property
    def home(self) -> Home:
        """The file, the document in it and the place of the resource in that."""
        return Home(self._path, self._index, self._prefix)

    def value(self, route: Route) -> Value:
        """The value that stands at ``route``."""
        documents = self._documents.of(self._path)
        return at(documents[self._index].value, *self._prefix, *route) if self._index < len(documents) else None

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`."""
        return self._editor().put(route, value, read, like=like, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`."""
        return self._editor().append(route, value, read, like=like, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`."""
        return self._editor().remove(route, read, alone=alone)

    def rename(
        self, route: Route, name: str, inside: Names, read: Reader, *, alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.rename`."""
        return self._editor().rename(route, name, inside, read)

    def become(self, kind: str, names: Names, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.become`."""
        return self._editor().become(kind, names, read)

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.add`."""
        return added(self._documents.tree, self.home, body, read)

    def _editor(self) -> PageEditor:
        documents, path = self._documents, self._path
        origin = whole_file(documents.tree, path)
        return PageEditor(lambda: documents.page(path, self._index), lambda: origin, self._prefix)


def whole_file(tree: FileTree, path: str) -> Origin | None:
    """The origin of a value that is a file's whole text."""
    content = tree.read(path)
    if content is None:
        return None
    span = Span(path, 0, len(content))
    text = tree.text(path)
    return Origin(span, span, (), () if text is None else whole(path, text, len(BOM) if content.startswith(BOM) else 0))


def objects(value: Value) -> Sequence[tuple[Route, dict[str, Value]]]:
    """The Kubernetes objects in a document, with the route to each: itself, or the items of a list kind."""
    if not isinstance(value, dict):
        return ()
    kind, version = value.get("kind"), value.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str):
        return ()
    items = value.get("items")
    if kind.endswith("List") and isinstance(items, list):
        return [
            ((("items", number, *route)), item) for number, inner in enumerate(items) for route, item in objects(inner)
        ]
    return (((), value),)
