"""Helm releases: however they are declared, what they run."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.sources.reading import Found
from shoreup.sources.releases.argo import argo_releases
from shoreup.sources.releases.expand import expand
from shoreup.sources.releases.flux import flux_releases
from shoreup.sources.releases.helm_provider import terraform_releases
from shoreup.sources.releases.inflated import inflated_releases
from shoreup.sources.releases.layers import stack
from shoreup.sources.releases.reading import Estate, ReleaseReading, Where
from shoreup.sources.releases.text import layer_from_file

__all__ = ["ReleaseReading", "Where", "expand", "releases"]


def releases(found: Sequence[Found], tree: FileTree) -> list[ReleaseReading]:
    """Every Helm release among the resources of an estate, with its values merged."""
    estate = Estate(found)
    declared = [
        *flux_releases(found, estate),
        *terraform_releases(found, tree),
        *argo_releases(found, tree),
        *inflated_releases(found, tree),
    ]
    return [_with_own_values(release, tree) if release.chart_path else release for release in declared]


def _with_own_values(release: ReleaseReading, tree: FileTree) -> ReleaseReading:
    """A chart in the repository brings the values that its release does not give."""
    path = f"{release.chart_path}/values.yaml"
    if path not in tree:
        return replace(release, tree=tree)
    own = layer_from_file(path, tree.read(path))
    return replace(release, tree=tree, stack=stack((own, *release.stack.layers)))
