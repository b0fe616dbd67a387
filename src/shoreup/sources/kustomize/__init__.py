"""What Kustomize and Flux would build from a tree, without either."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoreup.formats.files import FileTree
from shoreup.sources.reading import Found


@dataclass(frozen=True, slots=True)
class KustomizeReading:
    """The resources, and the files that they were built from."""

    found: list[Found] = field(default_factory=list)
    taken: frozenset[str] = frozenset()


def read_kustomizations(tree: FileTree) -> KustomizeReading:
    """Build every kustomization that nothing else includes."""
    return KustomizeReading()
