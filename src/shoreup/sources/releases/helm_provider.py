"""Terraform's ``helm_release``: values as YAML texts, with ``set`` blocks over them.

The provider lays ``values`` over each other in order, then ``set``, ``set_list`` and ``set_sensitive``. In
version 2 the sets are blocks, in version 3 a list of objects; both arrive as lists of maps.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.reading import Found
from shoreup.sources.releases.assignments import Assignment, assign, assignments
from shoreup.sources.releases.layers import Layer, Stack, TraceValue, nowhere, stack
from shoreup.sources.releases.reading import ReleaseReading, Where
from shoreup.sources.releases.text import layer_from_text
from shoreup.sources.releases.values import Below, Either

_SETS = ("set", "set_list", "set_sensitive", "set_wo")


def terraform_releases(found: Sequence[Found], tree: FileTree) -> Iterator[ReleaseReading]:
    """Every ``helm_release`` among the resources."""
    for item in found:
        if item.resource.kind == "helm_release" and item.resource.api_version == "terraform":
            yield _release(item, tree)


def _release(found: Found, tree: FileTree) -> ReleaseReading:
    body: Value = dict(found.resource.body)
    key = found.resource.key
    named, repository = pattern(at(body, "chart")), pattern(at(body, "repository"))
    source, path = _source(named, repository, found.resource.root, tree)
    version = at(body, "version")
    namespace = at(body, "namespace")
    return ReleaseReading(
        found=found,
        name=pattern(at(body, "name")) or found.resource.name,
        namespace="default" if namespace in (None, "") else _decided(namespace),
        chart=named.rstrip("/").rpartition("/")[2],
        repository=repository or (named.rpartition("/")[0] if named.startswith("oci://") else ""),
        version=None if version in (None, "") else _decided(version),
        source=source,
        place=Where(key, ("chart",) if at(body, "chart") is not None else ()),
        version_place=Where(key, ("version",) if version not in (None, "") else ()),
        unversioned=("version",),
        stack=_values(found, body),
        values_route=("values",) if at(body, "values") is not None else (),
        chart_path=path,
    )


def _source(chart: str, repository: str, root: str, tree: FileTree) -> tuple[str, str]:
    if repository.startswith("oci://") or chart.startswith("oci://"):
        return "oci", ""
    if repository:
        return "repository", ""
    if "*" in chart or not chart:
        return "unknown", ""
    path = posixpath.normpath(posixpath.join(root, chart))
    if f"{path}/Chart.yaml" in tree:
        return "path", path
    if chart.startswith((".", "/")) or chart.endswith((".tgz", ".tar.gz")):
        return "path", "" if path.startswith("..") else path
    return "repository", ""


def _values(found: Found, body: Value) -> Stack:
    layers: list[Layer] = []
    written = at(body, "values")
    if isinstance(written, list):
        layers = [_layer(found, text, index) for index, text in enumerate(written) if text not in (None, "")]
    elif isinstance(written, (Unknown, PartialText)):
        layers = [Layer(Unknown(written.reason), nowhere)]
    made: list[Assignment] = []
    below = stack(layers)
    for name in _SETS:
        blocks = at(body, name)
        if isinstance(blocks, (Unknown, PartialText)):
            below = stack((*below.layers, Layer(Unknown(blocks.reason), nowhere)))
        for index, block in enumerate(blocks if isinstance(blocks, list) else []):
            key = at(block, "name")
            if isinstance(key, str):
                kind = pattern(at(block, "type"))
                made += assignments(key, at(block, "value"), kind, _finder(found, name, index))
            elif isinstance(key, (Unknown, PartialText)):
                below = stack((*below.layers, Layer(Unknown(key.reason), nowhere)))
    return assign(below, made)


def _layer(found: Found, text: Value, index: int) -> Layer:
    layer = layer_from_text(text, lambda: found.tracer.trace(("values", index)), f"values[{index}]")
    if layer.editor is None:
        return layer
    return replace(layer, editor=Either(layer.editor, Below(found.tracer, ("values", index))))


def _finder(found: Found, name: str, index: int) -> TraceValue:
    return lambda below: found.tracer.trace((name, index, "value", *below))


def _decided(value: Value) -> str | Unknown:
    if isinstance(value, Unknown):
        return value
    return Unknown(value.reason) if isinstance(value, PartialText) else str(value)
