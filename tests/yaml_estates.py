"""Small estates written by tests, and what holds for every resource read from one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from shoreup.formats.files import FileTree
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.sources.kustomize import read_kustomizations
from shoreup.sources.manifests import read_manifests
from shoreup.sources.reading import Found


def write(root: Path, files: Mapping[str, str | bytes]) -> FileTree:
    """Write files (dedented) below ``root``, and list them."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
    return FileTree(root)


class Estate:
    """Everything that an estate's YAML declares."""

    def __init__(self, root: Path, files: Mapping[str, str | bytes]) -> None:
        self.tree = write(root, files)
        built = read_kustomizations(self.tree)
        self.taken = built.taken
        self.built: Sequence[Found] = built.found
        self.loose: Sequence[Found] = list(read_manifests(self.tree, built.taken))
        self.found: Sequence[Found] = [*self.built, *self.loose]

    @property
    def addresses(self) -> list[str]:
        """The resources' addresses, sorted."""
        return sorted(found.resource.address for found in self.found)

    @property
    def causes(self) -> list[tuple[str, int, str]]:
        """What could not be read: file, line and cause."""
        return [(error.file, error.line, error.cause) for error in self.tree.errors]

    def get(self, kind: str, name: str, root: str | None = None) -> Found:
        """The one resource of a kind and name."""
        (found,) = (
            one
            for one in self.found
            if one.resource.kind == kind and one.resource.name == name and root in (None, one.resource.root)
        )
        return found

    def resource(self, kind: str, name: str) -> Resource:
        """The one resource of a kind and name."""
        return self.get(kind, name).resource

    def value(self, kind: str, name: str, *route: str | int, root: str | None = None) -> Value:
        """A value in the one resource of a kind and name."""
        return at(dict(self.get(kind, name, root).resource.body), *route)

    def origin(self, kind: str, name: str, *route: str | int, root: str | None = None) -> Origin:
        """The origin of a field."""
        origin = self.get(kind, name, root).tracer.trace(route)
        assert origin is not None
        return origin

    def written(self, kind: str, name: str, *route: str | int, root: str | None = None) -> tuple[str, str]:
        """The file that gives a field its value, and what is written there."""
        span = self.origin(kind, name, *route, root=root).span
        return span.file, self.bytes_of(span)

    def bytes_of(self, span: Span) -> str:
        """What a span holds."""
        content = self.tree.read(span.file)
        assert content is not None
        return content[span.start : span.end].decode()


def places(value: Value, route: Route = ()) -> Iterator[tuple[Route, Value]]:
    """Every value inside a value, with its route."""
    yield route, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*route, index))


def assert_every_text_leads_to_its_bytes(estate: Estate) -> None:
    """The promise of every source: segments spell the value, and their bytes are what they say."""
    for found in estate.found:
        for route, value in places(dict(found.resource.body)):
            origin = found.tracer.trace(route)
            assert origin is not None, (found.resource.address, route)
            if not isinstance(value, str):
                continue
            assert origin.text == value, (found.resource.address, route)
            for segment in origin.segments:
                if segment.span is not None and segment.verbatim and not segment.derived:
                    assert estate.bytes_of(segment.span) == segment.text, (found.resource.address, route)
