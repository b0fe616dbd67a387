"""Flux HelmRelease objects and the sources that they name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.reading import Found
from shoreup.sources.releases.layers import Layer, Stack, nowhere, stack
from shoreup.sources.releases.reading import Estate, ReleaseReading, Where
from shoreup.sources.releases.text import layer_from_text
from shoreup.sources.releases.values import Below

GROUP = "helm.toolkit.fluxcd.io/"


def flux_releases(found: Sequence[Found], estate: Estate) -> Iterator[ReleaseReading]:
    """Every HelmRelease among the resources."""
    for item in found:
        if item.resource.kind == "HelmRelease" and item.resource.api_version.startswith(GROUP):
            yield _release(item, estate)


def _release(found: Found, estate: Estate) -> ReleaseReading:
    body: Value = dict(found.resource.body)
    target = at(body, "spec", "targetNamespace")
    namespace = found.resource.namespace if target is None else target
    given = at(body, "spec", "releaseName")
    name = pattern(given) if given else found.resource.name
    if not given and isinstance(target, str):
        name = f"{target}-{name}"
    chart = (
        _chart_reference(found, body, estate) if at(body, "spec", "chartRef") else _chart_template(found, body, estate)
    )
    renderers = at(body, "spec", "postRenderers")
    patches = [
        patch
        for renderer in (renderers if isinstance(renderers, list) else [])
        for patch in _listed(at(renderer, "kustomize", "patches"))
    ]
    return ReleaseReading(
        found=found,
        name=name,
        namespace=namespace if isinstance(namespace, (str, type(None), Unknown)) else Unknown(_reason(namespace)),
        chart=chart.chart,
        repository=chart.repository,
        version=chart.version,
        source=chart.source,
        place=chart.place,
        version_place=chart.version_place,
        unversioned=chart.unversioned,
        stack=_values(found, body, estate),
        values_route=("spec", "values"),
        chart_path=chart.path,
        suspended=at(body, "spec", "suspend") is True,
        patches=tuple(patches),
    )


class _Chart:
    __slots__ = ("chart", "path", "place", "repository", "source", "unversioned", "version", "version_place")

    def __init__(
        self,
        chart: str,
        repository: str,
        version: str | Unknown | None,
        source: str,
        place: Where,
        version_place: Where,
        path: str = "",
        unversioned: Route = (),
    ) -> None:
        self.chart = chart
        self.repository = repository
        self.version = version
        self.source = source
        self.place = place
        self.version_place = version_place
        self.path = path
        self.unversioned = unversioned


def _chart_template(found: Found, body: Value, estate: Estate) -> _Chart:
    key = found.resource.key
    return _from_spec(found, at(body, "spec", "chart", "spec"), ("spec", "chart", "spec"), key, estate)


def _from_spec(found: Found, spec: Value, route: Route, key: int, estate: Estate) -> _Chart:
    named = at(spec, "chart")
    place = Where(key, (*route, "chart") if named is not None else route)
    version = _version(at(spec, "version"))
    version_place = Where(key, (*route, "version") if at(spec, "version") is not None else place.route)
    reference = at(spec, "sourceRef")
    kind = pattern(at(reference, "kind"))
    chart = pattern(named)
    if kind == "GitRepository" or kind == "Bucket":
        path = posixpath.normpath(chart) if chart else ""
        return _Chart(path.rpartition("/")[2], "", version, "git", place, version_place, path)
    home = at(reference, "namespace")
    namespace = home if isinstance(home, str) else found.resource.namespace
    source = estate.find(kind or "HelmRepository", pattern(at(reference, "name")), namespace, found)
    url = "" if source is None else pattern(at(dict(source.resource.body), "spec", "url"))
    return _Chart(chart, url, version, "repository", place, version_place, "", (*route, "version"))


def _chart_reference(found: Found, body: Value, estate: Estate) -> _Chart:
    key = found.resource.key
    reference = at(body, "spec", "chartRef")
    kind, name = pattern(at(reference, "kind")), pattern(at(reference, "name"))
    home = at(reference, "namespace")
    source = estate.find(kind, name, home if isinstance(home, str) else found.resource.namespace, found)
    here = Where(key, ("spec", "chartRef"))
    if source is None:
        reason = Unknown(f"the {kind} {name} is not in the estate")
        return _Chart(name, "", reason, "unknown", here, here)
    spec: Value = source.resource.body.get("spec")
    if kind == "HelmChart":
        return _from_spec(source, spec, ("spec",), source.resource.key, estate)
    url = pattern(at(spec, "url"))
    version, at_route = _oci_version(spec)
    chart = url.rstrip("/").rpartition("/")[2]
    written = Where(source.resource.key, at_route)
    return _Chart(chart or name, url, version, "oci", here, written, "", ("spec", "ref", "tag"))


def _oci_version(spec: Value) -> tuple[str | Unknown | None, Route]:
    """Flux takes the digest before the range before the tag; without any of them the tag is ``latest``."""
    for field in ("digest", "semver", "tag"):
        value = at(spec, "ref", field)
        if value is not None:
            tag = at(spec, "ref", "tag")
            shown = tag if field == "digest" and isinstance(tag, str) else value
            return _version(shown), ("spec", "ref", field)
    return None, ("spec", "ref") if at(spec, "ref") is not None else ("spec",)


def _version(value: Value) -> str | Unknown | None:
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    return str(value).strip() or None


def _values(found: Found, body: Value, estate: Estate) -> Stack:
    layers = [_referred(found, item, estate) for item in _listed(at(body, "spec", "valuesFrom"))]
    inline = at(body, "spec", "values")
    if isinstance(inline, dict):
        home = ("spec", "values")
        layers.append(Layer(inline, lambda route: found.tracer.trace((*home, *route)), Below(found.tracer, home)))
    elif isinstance(inline, (Unknown, PartialText)):
        layers.append(Layer(Unknown(_reason(inline)), nowhere))
    return stack(layers)


def _referred(found: Found, reference: Value, estate: Estate) -> Layer:
    kind, name = pattern(at(reference, "kind")), pattern(at(reference, "name"))
    if at(reference, "targetPath") is not None:
        return Layer(Unknown(f"a value is taken from the {kind} {name}"), nowhere)
    source = None if kind != "ConfigMap" else estate.find(kind, name, found.resource.namespace, found)
    if source is None:
        return Layer(Unknown(f"values are taken from the {kind} {name}, which is not in the estate"), nowhere)
    key = at(reference, "valuesKey")
    wanted = key if isinstance(key, str) else "values.yaml"
    text = at(dict(source.resource.body), "data", wanted)
    return layer_from_text(text, lambda: source.tracer.trace(("data", wanted)), f"the ConfigMap {name}")


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _reason(value: Value) -> str:
    return value.reason if isinstance(value, (Unknown, PartialText)) else "not a text"
