"""An estate written in a test, read as far as its Helm releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value
from shoreup.sources.manifests import read_manifests
from shoreup.sources.reading import Found
from shoreup.sources.releases import ReleaseReading, expand, releases
from shoreup.sources.terraform import read_terraform


@dataclass(frozen=True)
class Estate:
    """Files, what they declare, and the releases among it."""

    tree: FileTree
    found: list[Found]
    releases: list[ReleaseReading]

    @property
    def release(self) -> ReleaseReading:
        """The only release."""
        (release,) = self.releases
        return release

    @property
    def made(self) -> dict[str, Found]:
        """What the releases run, as ``Kind/name``."""
        return {f"{item.resource.kind}/{item.resource.name}": item for one in self.releases for item in expand(one)}

    def text_at(self, origin: Origin | None) -> str:
        """The bytes that an origin's span holds."""
        assert origin is not None
        content = self.tree.read(origin.span.file)
        assert content is not None
        return content[origin.span.start : origin.span.end].decode()

    def agrees(self, origin: Origin | None, value: str) -> None:
        """The segments spell the value, and those that stand in a file stand there."""
        assert origin is not None
        assert origin.text == value
        for segment in origin.segments:
            if segment.span is not None and segment.verbatim and not segment.derived:
                content = self.tree.read(segment.span.file)
                assert content is not None
                assert content[segment.span.start : segment.span.end].decode() == segment.text


def estate(root: Path, files: Mapping[str, str]) -> Estate:
    """Write ``files`` below ``root`` and read them."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    tree = FileTree(root)
    read = [*read_terraform(tree).found, *read_manifests(tree, frozenset())]
    found = [Found(replace(item.resource, key=key), item.tracer) for key, item in enumerate(read)]
    return Estate(tree, found, releases(found, tree))


def leaves(value: Value, route: Route = ()) -> Iterator[tuple[Route, Value]]:
    """Every value that is no map and no list, with its route."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*route, index))
    else:
        yield route, value
