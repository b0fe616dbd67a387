"""Charts that k3s (``HelmChart``) or Kustomize (``helmCharts``) installs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.reading import Found
from shoreup.sources.releases.assignments import Assignment, assign, assignments
from shoreup.sources.releases.layers import Layer, Stack, TraceValue, stack
from shoreup.sources.releases.reading import ReleaseReading, Where
from shoreup.sources.releases.text import layer_from_file, layer_from_text
from shoreup.sources.releases.values import Below


def inflated_releases(found: Sequence[Found], tree: FileTree) -> Iterator[ReleaseReading]:
    """Every k3s HelmChart, and every entry below ``helmCharts`` of a kustomization, among the resources."""
    for item in found:
        if item.resource.kind == "HelmChart" and item.resource.api_version.startswith("helm.cattle.io/"):
            yield _k3s(item)
        elif item.resource.kind == "HelmChart" and item.resource.api_version == "kustomize":
            yield _kustomize(item, tree)


def _k3s(found: Found) -> ReleaseReading:
    spec: Value = found.resource.body.get("spec")
    key = found.resource.key
    chart, repository = pattern(at(spec, "chart")), pattern(at(spec, "repo"))
    version = at(spec, "version")
    layers: list[Layer] = []
    text = at(spec, "valuesContent")
    if text is not None:
        trace = found.tracer.trace
        layers.append(layer_from_text(text, lambda: trace(("spec", "valuesContent")), "valuesContent"))
    made: list[Assignment] = []
    sets = at(spec, "set")
    for name, value in sets.items() if isinstance(sets, dict) else ():
        made += assignments(name, value, "", _finder(found, ("spec", "set", name)))
    source = "oci" if chart.startswith("oci://") else "repository"
    if at(spec, "chartContent") is not None or (not repository and "://" in chart and source != "oci"):
        source = "path"
    return ReleaseReading(
        found=found,
        name=found.resource.name,
        namespace=_decided(at(spec, "targetNamespace")) or found.resource.namespace,
        chart=chart.rstrip("/").rpartition("/")[2],
        repository=repository,
        version=_decided(version),
        source=source,
        place=Where(key, ("spec", "chart") if chart else ("spec",)),
        version_place=Where(key, ("spec", "version") if version is not None else ("spec",)),
        unversioned=("spec", "version"),
        stack=assign(stack(layers), made),
        values_route=("spec", "valuesContent") if text is not None else ("spec",),
    )


def _kustomize(found: Found, tree: FileTree) -> ReleaseReading:
    chart: Value = dict(found.resource.body)
    key = found.resource.key
    name, version = pattern(at(chart, "name")), at(chart, "version")
    repository = pattern(at(chart, "repo"))
    origin = found.tracer.trace(())
    folder = found.resource.root if origin is None else posixpath.dirname(origin.site.file)
    path = posixpath.normpath(posixpath.join(folder, "charts", name))
    here = not repository and f"{path}/Chart.yaml" in tree
    kind = "oci" if repository.startswith("oci://") else "repository"
    inline = at(chart, "valuesInline")
    return ReleaseReading(
        found=found,
        name=pattern(at(chart, "releaseName")) or name,
        namespace=_decided(at(chart, "namespace")) or found.resource.namespace,
        chart=name,
        repository=repository,
        version=_decided(version),
        source="path" if here or not repository else kind,
        place=Where(key, ("name",)),
        version_place=Where(key, ("version",) if version is not None else ()),
        unversioned=("version",),
        stack=_kustomize_values(found, folder, chart, tree),
        values_route=("valuesInline",) if inline is not None else (),
        chart_path=path if here else "",
    )


def _kustomize_values(found: Found, folder: str, chart: Value, tree: FileTree) -> Stack:
    more = at(chart, "additionalValuesFiles")
    layers: list[Layer] = []
    for name in [at(chart, "valuesFile"), *(more if isinstance(more, list) else [])]:
        if isinstance(name, str):
            path = posixpath.normpath(posixpath.join(folder, name))
            layers.append(layer_from_file(path, tree.read(path)))
    inline = at(chart, "valuesInline")
    if isinstance(inline, dict):
        home = ("valuesInline",)
        written = Layer(inline, lambda below: found.tracer.trace((*home, *below)), Below(found.tracer, home))
        how = at(chart, "valuesMerge")
        layers = [written] if how == "replace" else [written, *layers] if how == "merge" else [*layers, written]
    return stack(layers)


def _finder(found: Found, route: Route) -> TraceValue:
    return lambda below: found.tracer.trace((*route, *below))


def _decided(value: Value) -> str | Unknown | None:
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    return None if value in (None, "") else str(value)
