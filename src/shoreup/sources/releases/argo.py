"""Argo CD Applications and simple ApplicationSets that install Helm charts.

What wins over what, by Argo's manual (2.14): parameters, then ``valuesObject``, then ``values``, then value
files in order. A value file is read where it lies in this estate; a ``$name/`` file belongs to the source with
that ``ref``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Unknown, Value, at, join_text, pattern
from shoreup.sources.reading import Found
from shoreup.sources.releases.assignments import Assignment, assign, assignments
from shoreup.sources.releases.layers import Layer, Stack, TraceValue, nowhere, stack
from shoreup.sources.releases.reading import ReleaseReading, Where
from shoreup.sources.releases.text import layer_from_file, layer_from_text
from shoreup.sources.releases.values import Below

GROUP = "argoproj.io/"
_GENERATED = "the generator of the ApplicationSet decides it"
_PARAMETER = re.compile(r"\{\{-?\s*\.?([A-Za-z0-9_.-]+)\s*-?\}\}")
_FLOATING = ("", "*", "HEAD")


def argo_releases(found: Sequence[Found], tree: FileTree) -> Iterator[ReleaseReading]:
    """Every Helm source of every Application and ApplicationSet among the resources."""
    for item in found:
        if not item.resource.api_version.startswith(GROUP):
            continue
        if item.resource.kind == "Application":
            spec: Value = item.resource.body.get("spec")
            yield from _application(_Spec(item, spec, ("spec",), item.resource.name), tree)
        elif item.resource.kind == "ApplicationSet":
            yield from _application_set(item, tree)


class _Spec(Struct, frozen=True, eq=False):
    """An Application's spec: itself, or a template's with its parameters filled in."""

    found: Found
    value: Value
    route: Route
    name: str

    def trace(self, route: Route) -> Origin | None:
        origin = self.found.tracer.trace((*self.route, *route))
        value = at(self.value, *route)
        if origin is None or not isinstance(value, str) or not origin.segments or origin.text == value:
            return origin
        made = Segment(value, origin.span, verbatim=False, derived="ApplicationSet", via=origin.via)
        return Origin(origin.site, origin.span, origin.via, (made,))


def _application_set(found: Found, tree: FileTree) -> Iterator[ReleaseReading]:
    body: Value = dict(found.resource.body)
    template = at(body, "spec", "template")
    generators = at(body, "spec", "generators")
    for parameters in _elements(generators):
        filled = _fill(template, parameters)
        name = pattern(at(filled, "metadata", "name")) or found.resource.name
        yield from _application(_Spec(found, at(filled, "spec"), ("spec", "template", "spec"), name), tree)


def _elements(generators: Value) -> list[Mapping[str, Value] | None]:
    """The parameters of each Application; one ``None`` where they are not certain."""
    listed = generators if isinstance(generators, list) else []
    if len(listed) == 1 and isinstance(at(listed[0], "list", "elements"), list) and len(_keys(listed[0])) == 1:
        elements = at(listed[0], "list", "elements")
        assert isinstance(elements, list)
        if all(isinstance(element, dict) for element in elements):
            return [element for element in elements if isinstance(element, dict)]
    return [None]


def _keys(value: Value) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _fill(value: Value, parameters: Mapping[str, Value] | None) -> Value:
    if isinstance(value, dict):
        return {key: _fill(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, parameters) for item in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    parts: list[str | Unknown] = []
    position = 0
    for match in _PARAMETER.finditer(value):
        parts.append(value[position : match.start()])
        item = None if parameters is None else at(dict(parameters), *match[1].split("."))
        parts.append(str(item) if isinstance(item, (str, int, float)) else Unknown(_GENERATED))
        position = match.end()
    rest = value[position:]
    parts.append(Unknown(_GENERATED) if "{{" in rest else rest)
    known = [part for part in parts if part != ""]
    return known[0] if len(known) == 1 else join_text(parts)


def _application(spec: _Spec, tree: FileTree) -> Iterator[ReleaseReading]:
    sources = at(spec.value, "sources")
    listed: list[tuple[Route, Value]] = [
        (("sources", index), source) for index, source in enumerate(sources if isinstance(sources, list) else [])
    ]
    if not listed and at(spec.value, "source") is not None:
        listed = [(("source",), at(spec.value, "source"))]
    for route, source in listed:
        path = at(source, "path")
        chart_here = isinstance(path, str) and f"{posixpath.normpath(path)}/Chart.yaml" in tree
        if at(source, "chart") is not None or at(source, "helm") is not None or chart_here:
            yield _release(spec, route, source, tree, alone=len(listed) == 1)


def _release(spec: _Spec, route: Route, source: Value, tree: FileTree, *, alone: bool) -> ReleaseReading:
    key = spec.found.resource.key
    full = (*spec.route, *route)
    chart, path = at(source, "chart"), at(source, "path")
    url = pattern(at(source, "repoURL"))
    given = at(source, "helm", "releaseName")
    name = pattern(given) if given is not None else spec.name
    folder = posixpath.normpath(path) if isinstance(path, str) else ""
    if chart is not None:
        kind = "oci" if url.startswith("oci://") or "://" not in url else "repository"
    else:
        kind = "path" if f"{folder}/Chart.yaml" in tree else "git"
    revision = at(source, "targetRevision")
    values = _values(spec, route, source, folder, tree)
    namespace = at(spec.value, "destination", "namespace")
    written = (*full, "targetRevision") if revision is not None else full
    return ReleaseReading(
        found=spec.found,
        name=name,
        namespace=_decided(namespace),
        chart=pattern(chart) if chart is not None else folder.rpartition("/")[2],
        repository=url,
        version=None if revision is None or revision in _FLOATING else _decided(revision),
        source=kind,
        place=Where(key, (*full, "chart") if chart is not None else full),
        version_place=Where(key, written),
        unversioned=(*full, "targetRevision"),
        stack=values,
        values_route=(*full, "helm") if at(source, "helm") is not None else full,
        chart_path=folder if kind == "path" else "",
    )


def _values(spec: _Spec, route: Route, source: Value, folder: str, tree: FileTree) -> Stack:
    helm: Route = (*route, "helm")
    layers: list[Layer] = []
    files = at(source, "helm", "valueFiles")
    for name in files if isinstance(files, list) else []:
        layer = _file(spec, name, folder, tree, skip=at(source, "helm", "ignoreMissingValueFiles") is True)
        if layer is not None:
            layers.append(layer)
    text = at(source, "helm", "values")
    if text is not None:
        layers.append(layer_from_text(text, lambda: spec.trace((*helm, "values")), "helm.values"))
    inline = at(source, "helm", "valuesObject")
    if isinstance(inline, dict):
        home = (*helm, "valuesObject")
        editor = Below(spec.found.tracer, (*spec.route, *home))
        layers.append(Layer(inline, lambda below: spec.trace((*home, *below)), editor))
    made: list[Assignment] = []
    parameters = at(source, "helm", "parameters")
    for index, item in enumerate(parameters if isinstance(parameters, list) else []):
        key = at(item, "name")
        if isinstance(key, str):
            kind = "string" if at(item, "forceString") is True else ""
            made += assignments(key, at(item, "value"), kind, _finder(spec, (*helm, "parameters", index, "value")))
    return assign(stack(layers), made)


def _finder(spec: _Spec, route: Route) -> TraceValue:
    return lambda below: spec.trace((*route, *below))


def _file(spec: _Spec, name: Value, folder: str, tree: FileTree, *, skip: bool) -> Layer | None:
    if not isinstance(name, str):
        return Layer(Unknown(f"a value file whose name is not decided ({pattern(name)})"), nowhere)
    if "://" in name:
        return Layer(Unknown(f"the value file {name} lies elsewhere"), nowhere)
    if name.startswith("$"):
        path = posixpath.normpath(name.partition("/")[2])
    else:
        path = posixpath.normpath(name[1:] if name.startswith("/") else posixpath.join(folder, name))
    if path in tree:
        return layer_from_file(path, tree.read(path))
    return (
        None
        if skip and not name.startswith("$")
        else Layer(Unknown(f"the value file {name} is not in the estate"), nowhere)
    )


def _decided(value: Value) -> str | Unknown | None:
    if value is None or isinstance(value, Unknown):
        return value
    return Unknown(value.reason) if isinstance(value, PartialText) else str(value)
