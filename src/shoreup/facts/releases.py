"""Helm releases, whoever installs them: Terraform, Flux, Argo CD or k3s.

``version`` is ``None`` where nothing holds the chart's version, and an ``Unknown`` where something outside the chart
reference does (a git revision, a file of the repository).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shoreup.facts.estate import Release
from shoreup.facts.fields import doubt, items, mapping, text
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value
from shoreup.sources.releases.reading import ReleaseReading

_IN_GIT = Unknown("the chart lies in a git repository, whose revision decides")
_LOCAL = Unknown("the chart lies in this repository")
_ARCHIVE = Unknown("the chart's archive decides")
PINNED_ELSEWHERE = frozenset({_IN_GIT, _LOCAL, _ARCHIVE})
"""Versions that are not known here and yet are held, by something other than a version."""


def read_releases(
    by_kind: Mapping[str, Sequence[Resource]], readings: Sequence[ReleaseReading] = ()
) -> tuple[Release, ...]:
    """Every release of the estate. ``readings`` give the values as they are merged from all that they come from."""
    declared = _declared(by_kind)
    if not readings:
        return declared
    merged: dict[int, list[ReleaseReading]] = defaultdict(list)
    for reading in readings:
        merged[reading.resource.key].append(reading)
    found = [_with_values(release, merged.get(release.resource.key, ())) for release in declared]
    known = {release.resource.key for release in declared}
    found.extend(_read(reading) for reading in readings if reading.resource.key not in known)
    return tuple(found)


def _with_values(release: Release, readings: Sequence[ReleaseReading]) -> Release:
    """The release with its merged values. An object may install several charts, each with values of its own."""
    name = release.chart.rpartition("/")[2]
    reading = next((one for one in readings if one.chart == name), readings[0] if len(readings) == 1 else None)
    return release if reading is None else replace(release, values=reading.values, open=reading.stack.open_reason)


def _read(reading: ReleaseReading) -> Release:
    """A release that no object of its own declares, such as a chart that a kustomization inflates."""
    version = reading.version
    if reading.source in {"git", "path"}:
        version = _IN_GIT if reading.source == "git" else _LOCAL
    elif reading.source == "unknown":
        version = Unknown("where the chart comes from is not known")
    return Release(
        resource=reading.resource,
        namespace=text(reading.namespace) or "default",
        name=reading.name,
        chart=reading.chart,
        repository=reading.repository,
        version=version,
        values=reading.values,
        values_route=reading.values_route,
        place=Place(reading.place.key, reading.place.route),
        version_place=Place(reading.version_place.key, reading.version_place.route),
        open=reading.stack.open_reason,
    )


def _declared(by_kind: Mapping[str, Sequence[Resource]]) -> tuple[Release, ...]:
    found: list[Release] = []
    for resource in by_kind.get("helm_release", ()):
        found.append(_terraform(resource))
    sources = {
        (kind, source.namespace or "default", source.name): source
        for kind in ("OCIRepository", "HelmRepository", "HelmChart", "GitRepository", "Bucket")
        for source in by_kind.get(kind, ())
    }
    for resource in by_kind.get("HelmRelease", ()):
        if resource.api_version.startswith("helm.toolkit.fluxcd.io/"):
            found.append(_flux(resource, sources))
    for resource in by_kind.get("Application", ()):
        if resource.api_version.startswith("argoproj.io/"):
            found.extend(_argo(resource))
    for resource in by_kind.get("HelmChart", ()):
        if resource.api_version.startswith("helm.cattle.io/"):
            found.append(_k3s(resource))
    return tuple(found)


def _version(value: Value) -> str | Unknown | None:
    if value is None or value == "":
        return None
    unsure = doubt(value)
    return text(value) if unsure is None else unsure


def _terraform(resource: Resource) -> Release:
    body = resource.body
    chart, repository = text(body.get("chart")), text(body.get("repository"))
    version = _version(body.get("version"))
    if version is None and not repository and chart.startswith((".", "/")):
        version = _LOCAL
    return Release(
        resource=resource,
        namespace=text(body.get("namespace")) or "default",
        name=text(body.get("name")) or resource.name,
        chart=chart,
        repository=repository,
        version=version,
        values=mapping(body.get("values")),
        values_route=("values",),
        place=Place(resource.key),
        version_place=Place(resource.key, ("version",) if body.get("version") is not None else ()),
    )


def _flux(resource: Resource, sources: Mapping[tuple[str, str, str], Resource]) -> Release:
    spec = mapping(resource.body.get("spec"))
    values = mapping(spec.get("values"))
    namespace = text(spec.get("targetNamespace")) or resource.namespace or "default"
    name = text(spec.get("releaseName")) or resource.name
    place = Place(resource.key)
    reference = mapping(spec.get("chartRef"))
    if reference:
        kind = text(reference.get("kind"))
        where = text(reference.get("namespace")) or resource.namespace or "default"
        source = sources.get((kind, where, text(reference.get("name"))))
        if source is None:
            absent = Unknown(f"{kind or 'the source'} {text(reference.get('name'))} is not in the estate")
            return Release(
                resource, namespace, name, text(reference.get("name")), "", absent, values, ("spec", "values"),
                place, Place(resource.key, ("spec", "chartRef")),
            )  # fmt: skip
        chart, version, version_place = _referenced(source)
        repository = text(mapping(source.body.get("spec")).get("url"))
        return Release(
            resource, namespace, name, chart, repository, version, values, ("spec", "values"), place, version_place
        )
    route: Route = ("spec", "chart", "spec")
    chart_spec = mapping(mapping(spec.get("chart")).get("spec"))
    source_ref = mapping(chart_spec.get("sourceRef"))
    version = _version(chart_spec.get("version"))
    if text(source_ref.get("kind")) in {"GitRepository", "Bucket"}:
        version = _IN_GIT
    where = text(source_ref.get("namespace")) or resource.namespace or "default"
    repository_source = sources.get((text(source_ref.get("kind")), where, text(source_ref.get("name"))))
    repository = text(mapping(repository_source.body.get("spec")).get("url")) if repository_source else ""
    version_place = Place(resource.key, (*route, "version") if chart_spec.get("version") is not None else route)
    return Release(
        resource, namespace, name, text(chart_spec.get("chart")), repository, version, values, ("spec", "values"),
        place, version_place,
    )  # fmt: skip


def _referenced(source: Resource) -> tuple[str, str | Unknown | None, Place]:
    """The chart, its version and where that stands, of a Flux source that holds one chart."""
    spec = mapping(source.body.get("spec"))
    if source.kind == "OCIRepository":
        reference = mapping(spec.get("ref"))
        chart = text(spec.get("url")).rpartition("/")[2]
        for key in ("digest", "tag", "semver"):
            if reference.get(key) is not None:
                return chart, _version(reference.get(key)), Place(source.key, ("spec", "ref", key))
        return chart, None, Place(source.key, ("spec", "ref") if reference else ("spec",))
    if source.kind == "HelmChart":
        route: Route = ("spec", "version") if spec.get("version") is not None else ("spec",)
        git = text(mapping(spec.get("sourceRef")).get("kind")) in {"GitRepository", "Bucket"}
        return text(spec.get("chart")), _IN_GIT if git else _version(spec.get("version")), Place(source.key, route)
    return source.name, _IN_GIT, Place(source.key, ("spec",))


def _argo(resource: Resource) -> Iterator[Release]:
    spec = mapping(resource.body.get("spec"))
    entries: list[tuple[Mapping[str, Value], Route]] = [
        (mapping(source), ("spec", "sources", index)) for index, source in enumerate(items(spec.get("sources")))
    ]
    if mapping(spec.get("source")):
        entries.append((mapping(spec.get("source")), ("spec", "source")))
    namespace = text(mapping(spec.get("destination")).get("namespace")) or "default"
    for source, route in entries:
        if source.get("chart") is None:
            continue
        helm = mapping(source.get("helm"))
        written = source.get("targetRevision")
        version = None if written in ("HEAD", "*") else _version(written)
        yield Release(
            resource=resource,
            namespace=namespace,
            name=text(helm.get("releaseName")) or resource.name,
            chart=text(source.get("chart")),
            repository=text(source.get("repoURL")),
            version=version,
            values=mapping(helm.get("valuesObject")),
            values_route=(*route, "helm", "valuesObject"),
            place=Place(resource.key, route),
            version_place=Place(resource.key, (*route, "targetRevision") if written is not None else route),
        )


def _k3s(resource: Resource) -> Release:
    spec = mapping(resource.body.get("spec"))
    chart = text(spec.get("chart"))
    version: str | Unknown | None = _version(spec.get("version"))
    if spec.get("chartContent") is not None or chart.endswith(".tgz"):
        version = _ARCHIVE
    return Release(
        resource=resource,
        namespace=text(spec.get("targetNamespace")) or resource.namespace or "default",
        name=resource.name,
        chart=chart,
        repository=text(spec.get("repo")),
        version=version,
        values={},
        values_route=("spec", "valuesContent"),
        place=Place(resource.key),
        version_place=Place(resource.key, ("spec", "version") if spec.get("version") is not None else ("spec",)),
    )
