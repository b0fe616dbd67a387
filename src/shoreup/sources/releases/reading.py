"""A Helm release as an estate declares it, whoever will install it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value
from shoreup.sources.reading import Found
from shoreup.sources.releases.layers import Stack


class Where(Struct, frozen=True):
    """A field of a resource: ``key`` is :attr:`Resource.key`, ``route`` leads to the field or to the block that should
    hold it.
    """

    key: int
    route: Route


class ReleaseReading(Struct, frozen=True, eq=False):
    """One release of a chart.

    ``chart`` is the chart's name, without repository. ``version`` is ``None`` where nothing pins it. ``source``
    says what kind of thing holds the chart: ``repository``, ``oci``, ``git`` (a path in a git repository), ``path``
    (a path in this estate, in ``chart_path``), ``unknown``; only the first two can lack a version. ``place`` is
    where the release names its chart, ``version_place`` where the version stands or should stand, which may be in
    another resource; ``unversioned`` is the route at which one that is missing would be written. ``stack`` holds
    the values; ``values_route`` is where the release's own values stand. ``suspended`` says that changes to the
    declaration are not applied at present. ``patches`` are what is done to the objects after rendering.
    """

    found: Found
    name: str
    namespace: str | Unknown | None
    chart: str
    repository: str
    version: str | Unknown | None
    source: str
    place: Where
    version_place: Where
    stack: Stack
    values_route: Route = ()
    chart_path: str = ""
    suspended: bool = False
    patches: tuple[Value, ...] = ()
    unversioned: Route = ()
    tree: FileTree | None = None
    """The files, for a chart that lies among them."""

    @property
    def resource(self) -> Resource:
        """The object that declares the release."""
        return self.found.resource

    @property
    def values(self) -> dict[str, Value]:
        """The merged values."""
        return self.stack.values

    def trace_value(self, route: Route) -> Origin | None:
        """Where the value at ``route`` is written; ``None`` where no file of the estate says it."""
        return self.stack.trace(route)


class Estate:
    """The resources of an estate by kind and name, for references between them."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._by_name: dict[tuple[str, str], list[Found]] = {}
        for item in found:
            self._by_name.setdefault((item.resource.kind, item.resource.name), []).append(item)

    def find(self, kind: str, name: str, namespace: str | None, near: Found) -> Found | None:
        """The object that a reference means; ``None`` when there is none, or several that could be meant.

        Where namespaces do not decide (a kustomization sets them), the nearest is taken: same root, then same folder.
        """
        candidates = self._by_name.get((kind, name), [])
        if len(candidates) > 1 and namespace is not None:
            exact = [item for item in candidates if item.resource.namespace == namespace]
            candidates = exact or [item for item in candidates if item.resource.namespace is None]
        if len(candidates) > 1:
            candidates = [item for item in candidates if item.resource.root == near.resource.root] or candidates
        if len(candidates) > 1:
            folder = _folder(near)
            candidates = [item for item in candidates if _folder(item) == folder] or candidates
        return candidates[0] if candidates and _alike(candidates) else None


def _folder(found: Found) -> str:
    origin = found.tracer.trace(())
    return "" if origin is None else origin.site.file.rpartition("/")[0]


def _alike(candidates: Sequence[Found]) -> bool:
    first = candidates[0].resource.body
    return all(item.resource.body.get("spec") == first.get("spec") for item in candidates)
