"""What Kustomize and Flux would build from a tree, without either."""

from __future__ import annotations

from msgspec import Struct, field

from shoreup.formats.files import FileTree
from shoreup.sources.kustomize.roots import Roots
from shoreup.sources.reading import Found

__all__ = ["KustomizeReading", "read_kustomizations"]


class KustomizeReading(Struct, frozen=True):
    """The resources of every root, and the files that are part of some kustomization or left out on purpose."""

    found: list[Found] = field(default_factory=list)
    taken: frozenset[str] = frozenset()


def read_kustomizations(tree: FileTree) -> KustomizeReading:
    """Build every kustomization that nothing else includes, and every folder that Flux applies."""
    roots = Roots(tree)
    found = roots.read()
    return KustomizeReading(found, frozenset(roots.taken))
