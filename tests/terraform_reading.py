"""Terraform in a folder, read; and one expression, evaluated."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.sources.terraform import TerraformReading, read_terraform
from shoreup.terraform.configuration import Configurations
from shoreup.terraform.module import ModuleInstance, Root
from shoreup.terraform.plan import Plan


@dataclass
class Read:
    """What was read, with the files still there."""

    tree: FileTree
    reading: TerraformReading

    @property
    def resources(self) -> dict[str, Resource]:
        """The resources by address."""
        return {found.resource.address: found.resource for found in self.reading.found}

    def value(self, address: str, *route: str | int) -> Value:
        """A value in a resource's body."""
        return at(dict(self.resources[address].body), *route)

    def written(self, address: str, *route: str | int) -> list[tuple[str, str]]:
        """The file and the bytes of each segment of a value; the function and its text for one that is made."""
        return list(self._written(address, route))

    def _written(self, address: str, route: Route) -> Iterator[tuple[str, str]]:
        found = next(found for found in self.reading.found if found.resource.address == address)
        origin = found.tracer.trace(route)
        assert origin is not None
        for segment in origin.segments:
            if segment.derived or segment.span is None:
                yield segment.derived, segment.text
            else:
                content = self.tree.read(segment.span.file)
                assert content is not None
                yield segment.span.file, content[segment.span.start : segment.span.end].decode()

    @property
    def problems(self) -> list[tuple[str, int, str, str]]:
        """The errors: file, line, cause and what was skipped."""
        return [(error.file, error.line, error.cause, error.skipped) for error in self.tree.errors]


@contextmanager
def terraform(files: Mapping[str, str | bytes], plan: Plan | None = None) -> Iterator[Read]:
    """Read these files."""
    with tempfile.TemporaryDirectory() as folder:
        tree = write(Path(folder), files)
        yield Read(tree, read_terraform(tree, plan))


def evaluated(expression: str, files: Mapping[str, str | bytes] | None = None) -> Value:
    """The value of an expression in a root that has these files. Raises what evaluation raises."""
    with tempfile.TemporaryDirectory() as folder:
        tree = write(Path(folder), {"result.tf": f'output "result" {{\n  value = {expression}\n}}\n', **(files or {})})
        configurations = Configurations(tree)
        module = configurations.module(".")
        assert module is not None
        assert tree.errors == []
        return ModuleInstance(Root(configurations, ".", lambda *_: None), module, "", {}).output("result")


def write(folder: Path, files: Mapping[str, str | bytes]) -> FileTree:
    """Write files and list them."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return FileTree(folder)
