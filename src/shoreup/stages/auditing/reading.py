"""Every source, asked in turn: the estate's resources with their origins, and what else its files tell.

The order matters in one place only: releases are found among the resources that other sources gave, and what they
run is added behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource
from shoreup.sources.ci import read_pipelines
from shoreup.sources.comments import YamlComment, read_comments
from shoreup.sources.compose import read_compose, read_compose_aside
from shoreup.sources.kustomize import read_kustomizations
from shoreup.sources.loose import LooseText, read_loose
from shoreup.sources.manifests import read_aside, read_manifests
from shoreup.sources.node_files import read_node_files
from shoreup.sources.reading import Found
from shoreup.sources.releases import ReleaseReading, expand, releases
from shoreup.sources.repository import RepositoryFile, read_repository
from shoreup.sources.terraform import TerraformReading
from shoreup.stages.auditing.companion import read_terraform_shared
from shoreup.stages.auditing.formats import format_of
from shoreup.terraform.plan import Plan

Progress = Callable[[str, int, int], None]


class Reading(Struct):
    """What was read. ``found[key]`` is the resource with that key."""

    tree: FileTree
    found: list[Found] = field(default_factory=list)
    terraform: TerraformReading = field(default_factory=TerraformReading)
    releases: list[ReleaseReading] = field(default_factory=list)
    repository: tuple[RepositoryFile, ...] = ()
    comments: tuple[YamlComment, ...] = ()
    loose: tuple[LooseText, ...] = ()
    aside: list[Found] = field(default_factory=list)
    """What lies in files that nothing applies, with keys of its own."""

    @property
    def resources(self) -> list[Resource]:
        """The resources, by key."""
        return [found.resource for found in self.found]

    def trace(self, key: int, route: Route) -> Origin | None:
        """The origin of a field; ``None`` where the route leads nowhere."""
        found = self.found[key]
        try:
            return found.tracer.trace(route)
        except Exception as problem:  # a fault of ours costs one place: what is around it is shown instead
            cause = f"Shoreup failed to find where {'.'.join(map(str, route))} stands: {type(problem).__name__}"
            self.tree.error("", 0, cause, f"the line in {found.resource.address}")
            return None

    @property
    def formats(self) -> dict[str, int]:
        """How many files there are of each format."""
        return dict(Counter(format_of(path) for path in self.tree.files if format_of(path)))


def read(tree: FileTree, plan: Plan | None, progress: Progress, *, alone: bool = False) -> Reading:
    """Read everything in the tree. A source that fails on it keeps what it has given so far.

    ``alone`` keeps every tree in this process, whatever the size.
    """
    reading = Reading(tree)
    total = len(tree.files)
    progress("reading Terraform", 0, total)
    with _surviving(tree, "Terraform"):
        reading.terraform = read_terraform_shared(tree, plan, alone=alone)
        _add(reading, reading.terraform.found)
    progress("reading manifests", total // 2, total)
    taken: frozenset[str] = frozenset()
    with _surviving(tree, "kustomizations"):
        kustomized = read_kustomizations(tree)
        taken = kustomized.taken
        _add(reading, kustomized.found)
    with _surviving(tree, "manifests"):
        _add(reading, _not_applied_by(reading.terraform.found, read_manifests(tree, taken)))
    with _surviving(tree, "compose files"):
        _add(reading, read_compose(tree))
    with _surviving(tree, "files that nothing applies"), tree.unheard():
        for found in (*read_aside(tree, taken), *read_compose_aside(tree)):
            reading.aside.append(_keyed(found, len(reading.aside)))
    with _surviving(tree, "pipelines"):
        _add(reading, read_pipelines(tree))
    with _surviving(tree, "files of the nodes"):
        _add(reading, read_node_files(tree))
    reading.repository = tuple(read_repository(tree))
    with _surviving(tree, "comments"):
        reading.comments = tuple(read_comments(tree))
    with _surviving(tree, "small files"):
        reading.loose = tuple(read_loose(tree))
    progress("following releases", total * 3 // 4, total)
    with _surviving(tree, "releases"):
        reading.releases = releases(reading.found, tree)
    for release in reading.releases:
        with _surviving(tree, f"the release {release.name}"):
            _add(reading, expand(release))
    for path in sorted(path for path, why in tree.skipped.items() if why == "binary" and format_of(path)):
        tree.error(path, 0, f"binary, where its name promises {format_of(path)}", "the file")
    return reading


@contextmanager
def _surviving(tree: FileTree, what: str) -> Iterator[None]:
    """A fault of ours in one source must not hide what the others read; it is said, and the rest of it is skipped."""
    try:
        yield
    except Exception as problem:
        tree.error("", 0, f"Shoreup failed while reading {what}: {type(problem).__name__}", f"the rest of {what}")


def _not_applied_by(terraform: Sequence[Found], manifests: Iterable[Found]) -> Iterator[Found]:
    """The manifests that Terraform does not read from the same file and apply itself."""
    made: dict[tuple[str, str, str | None, str], list[Found]] = {}
    for found in terraform:
        if found.resource.api_version != "terraform":
            made.setdefault(_identity(found), []).append(found)
    for found in manifests:
        same = made.get(_identity(found), [])
        if not same or _file_of(found) not in {_file_of(one) for one in same}:
            yield found


def _identity(found: Found) -> tuple[str, str, str | None, str]:
    one = found.resource
    return one.api_version, one.kind, one.namespace, one.name


def _file_of(found: Found) -> str | None:
    origin = found.tracer.trace(("kind",))
    return None if origin is None else origin.span.file


def _add(reading: Reading, more: Iterable[Found]) -> None:
    for found in more:
        reading.found.append(_keyed(found, len(reading.found)))


def _keyed(found: Found, key: int) -> Found:
    return Found(replace(found.resource, key=key), found.tracer)
