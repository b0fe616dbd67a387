"""Flux ``Kustomization`` objects: which folder each applies, with what on top, and what it substitutes.

The controller adds the object's own fields to the folder's kustomization before it builds it, or writes one where
there is none, so the same is done here.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable, Iterable

from shoreup.model.value import PartialText, Unknown, Value, pattern
from shoreup.sources.kustomize.build import Build
from shoreup.sources.kustomize.kustomization import Kustomization
from shoreup.sources.kustomize.provenance import Node, Object, child
from shoreup.sources.kustomize.substitute import Variables, substitute, variables_of
from shoreup.sources.kustomize.transform import set_annotations, set_labels

Named = Callable[[str, str], list[Object]]
"""Finds the ConfigMaps or Secrets of a kind and name."""

GROUP = "kustomize.toolkit.fluxcd.io/"


def is_flux(item: Object) -> bool:
    """Whether an object tells Flux to apply a folder."""
    return item.kind == "Kustomization" and item.api_version.startswith(GROUP)


def identity(item: Object) -> tuple[str, str, str]:
    """What makes two such objects the same: namespace, name and folder."""
    return pattern(item.metadata.get("namespace")), pattern(item.metadata.get("name")), folder_of(item) or ""


def folder_of(item: Object) -> str | None:
    """The folder that the object applies, relative to the repository; ``None`` where it is not decided or outside."""
    path = item.get("spec", "path")
    if path is None or path == "":
        return "."
    if not isinstance(path, str) or "${" in path:
        return None
    folder = posixpath.normpath(path.lstrip("/") or ".")
    return None if folder == ".." or folder.startswith("../") else folder


def source_of(item: Object) -> tuple[str, str]:
    """Kind and name of the source that holds the folder."""
    return pattern(item.get("spec", "sourceRef", "kind")), pattern(item.get("spec", "sourceRef", "name"))


def apply_folder(build: Build, item: Object, folder: str, named: Named) -> list[Object]:
    """The objects that Flux makes of a folder. ``named`` finds the objects that hold variables."""
    kustomization = build.found.get(folder) or build.gathered(folder)
    made = build.root(_with_spec(kustomization, item))
    metadata = item.get("spec", "commonMetadata")
    if isinstance(metadata, dict):
        for field, put in (("labels", _labels), ("annotations", _annotations)):
            pairs = metadata.get(field)
            if isinstance(pairs, dict):
                put(made, pairs, item.where("spec", "commonMetadata", field))
    if item.get("spec", "postBuild") is not None:
        substitute(made, _variables(item, named))
    return made


def _labels(made: Iterable[Object], pairs: dict[str, Value], node: Node) -> None:
    set_labels(made, pairs, node, selectors=False, templates=False)


def _annotations(made: Iterable[Object], pairs: dict[str, Value], node: Node) -> None:
    set_annotations(made, pairs, node, pods=False)


def _with_spec(kustomization: Kustomization, item: Object) -> Kustomization:
    spec = item.get("spec")
    if not isinstance(spec, dict):
        return kustomization
    result = kustomization
    for field, target in (("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")):
        value = spec.get(field)
        if isinstance(value, str) and value:
            result = result.with_field(target, value, item.where("spec", field))
    for field in ("patches", "images", "components", "patchesStrategicMerge", "patchesJson6902"):
        values = spec.get(field)
        if isinstance(values, list):
            where = item.where("spec", field)
            nodes = [child(where, index) for index in range(len(values))]
            if field == "patchesStrategicMerge":
                values = [value for value in values if isinstance(value, str)]
            if field == "components" and spec.get("ignoreMissingComponents") is True:
                values, nodes = _present(values, nodes)
            result = result.with_more(field, values, nodes)
    return result


def _present(values: list[Value], nodes: list[Node]) -> tuple[list[Value], list[Node]]:
    kept = [(value, node) for value, node in zip(values, nodes, strict=True) if isinstance(value, str)]
    return [value for value, _ in kept], [node for _, node in kept]


def _variables(item: Object, named: Named) -> Variables:
    variables = Variables()
    sources = item.get("spec", "postBuild", "substituteFrom")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict):
            _from_object(pattern(source.get("kind")), pattern(source.get("name")), item, named, variables)
    pairs = item.get("spec", "postBuild", "substitute")
    if isinstance(pairs, dict):
        variables_of(pairs, item.where("spec", "postBuild", "substitute"), variables)
    elif isinstance(pairs, (Unknown, PartialText)):
        variables.unsure = pairs.reason
    return variables


def _from_object(kind: str, name: str, item: Object, named: Named, variables: Variables) -> None:
    found = named(kind, name)
    if len(found) > 1:
        found = [one for one in found if one.namespace == item.namespace] or found
    if not found:
        variables.unsure = f"the {kind} {name} is not in the estate"
        return
    chosen = found[0]
    for field in ("data", "stringData"):
        pairs = chosen.get(field)
        if isinstance(pairs, dict):
            if kind == "Secret" and field == "data":
                pairs = {key: _decoded(value) for key, value in pairs.items()}
            variables_of(pairs, chosen.where(field), variables)


def _decoded(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return Unknown("a value that is not base64")


def declared(objects: Iterable[Object]) -> list[Object]:
    """The Flux Kustomizations among objects."""
    return [item for item in objects if is_flux(item)]


def site_of(item: Object) -> Node:
    """Where an object names its folder, or the object where it does not."""
    return item.where("spec", "path") if item.get("spec", "path") is not None else item.node
