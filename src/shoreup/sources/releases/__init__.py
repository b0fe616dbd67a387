"""Helm releases: however they are declared, what they run."""

from __future__ import annotations

from collections.abc import Sequence

from shoreup.formats.files import FileTree
from shoreup.sources.reading import Found
from shoreup.sources.releases.argo import argo_releases
from shoreup.sources.releases.expand import expand
from shoreup.sources.releases.flux import flux_releases
from shoreup.sources.releases.helm_provider import terraform_releases
from shoreup.sources.releases.inflated import inflated_releases
from shoreup.sources.releases.reading import Estate, ReleaseReading, Where

__all__ = ["ReleaseReading", "Where", "expand", "releases"]


def releases(found: Sequence[Found], tree: FileTree) -> list[ReleaseReading]:
    """Every Helm release among the resources of an estate, with its values merged."""
    estate = Estate(found)
    return [
        *flux_releases(found, estate),
        *terraform_releases(found, tree),
        *argo_releases(found, tree),
        *inflated_releases(found, tree),
    ]
