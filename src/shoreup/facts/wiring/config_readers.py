"""Who reads a ConfigMap: every place of the estate that names it, whatever the kind of object that it stands in.

A pod template looks alike in a Deployment and in an operator's own kind, so what counts is the form of the reference
and not the object around it. What names a ConfigMap in a form that is not known is kept as a reason to leave it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, text
from shoreup.facts.naming import named
from shoreup.facts.wiring.references import COPIES
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_REFERENCES = {"configMapKeyRef": "key", "configMapRef": "all", "configMap": "files"}
_OBJECTS = {"valuesFrom": "object", "substituteFrom": "objects"}
"""Lists of Flux whose items name an object by its kind: one key of it, or all."""
RELOADER = "configmap.reloader.stakater.com/reload"
"""By this annotation Reloader is told for which ConfigMaps it restarts the pods."""
_PLAIN_LABELS = ("app", "k8s-app", "name", "component", "environment", "tier", "managed-by", "part-of", "team")
_PLAIN_PREFIXES = ("app.kubernetes.io/", "helm.sh/", "kustomize.toolkit.fluxcd.io/", "argocd.argoproj.io/")


class Reader(Struct, frozen=True, eq=False):
    """A place that names a ConfigMap. ``route`` leads to what is named ``form``.

    ``form`` is ``key`` (an environment variable), ``all`` (all keys as variables), ``files`` (a volume, or a source of
    a projected one), ``object`` and ``objects`` (an item of a list of Flux), ``reload`` (an annotation of Reloader) or
    ``other``. ``held`` is what stands there.
    """

    resource: Resource
    route: Route
    form: str
    held: Mapping[str, Value]
    name: str | None
    """``None`` where the name is not decided."""


class Readers(Struct, frozen=True, eq=False):
    """Everything that reads one ConfigMap. ``blocked`` says why that is not sure, or cannot be changed."""

    found: tuple[Reader, ...]
    blocked: str = ""


def readers(estate: Estate, config: Resource) -> Readers:
    """Who reads ``config``."""
    metadata = mapping(config.body.get("metadata"))
    if any(key.startswith(COPIES) for key in mapping(metadata.get("annotations"))):
        return Readers((), "a controller copies it into other namespaces, whose readers are not known")
    namespace = config.namespace or "default"
    if "*" in config.name:
        return Readers((), "its name is not decided")
    twins = [
        one
        for one in estate.by_kind.get("ConfigMap", ())
        if one is not config and one.name == config.name and (one.namespace or "default") == namespace
    ]
    index = estate.once(_index)
    found: list[Reader] = []
    for one in (*index.get(config.name, ()), *index.get(None, ())):
        where = one.resource.namespace or "default"
        apart = "*" not in where + namespace and where != namespace
        if apart or ((twins or "*" in where + namespace) and one.resource.root != config.root):
            continue
        if where != namespace:
            return Readers((), f"whether {named(one.resource)} stands in its namespace is not decided")
        if one.name is None:
            return Readers((), f"{named(one.resource)} reads a ConfigMap whose name is not decided")
        if one.form == "other":
            place = ".".join(map(str, one.route))
            return Readers((), f"{named(one.resource)} names it at {place}, which only a ConfigMap may be")
        found.append(one)
    odd = [key for key in mapping(metadata.get("labels")) if not _plain_label(key)]
    if not found and odd:
        return Readers((), f"nothing names it, so that something finds it by its label {odd[0]}")
    return Readers(tuple(found))


def _plain_label(key: str) -> bool:
    return key in _PLAIN_LABELS or key.startswith(_PLAIN_PREFIXES)


def _index(estate: Estate) -> Mapping[str | None, Sequence[Reader]]:
    """By the name that is named."""
    every: dict[int, list[Reader]] = {}
    for resource in estate.resources:
        if resource.kind != "ConfigMap":
            found = list(_walk(resource, dict(resource.body), ()))
            if found:
                every[resource.key] = found
    below: dict[int, set[str | None]] = defaultdict(set)
    for key, found in every.items():
        parent = estate.by_key[key].parent
        while parent >= 0:
            below[parent] |= {one.name for one in found}
            parent = estate.by_key[parent].parent if parent in estate.by_key else -1
    index: dict[str | None, list[Reader]] = defaultdict(list)
    for key, found in every.items():
        for one in found:
            # What a release's values say is read from the objects that are made of them.
            if one.form in ("object", "objects") or one.name not in below.get(key, ()):
                index[one.name].append(one)
    return index


def _name(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _walk(resource: Resource, value: Value, route: Route) -> Iterator[Reader]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(resource, item, (*route, number))
        return
    if not isinstance(value, dict):
        return
    if len(route) > 1 and route[-2] in _OBJECTS and value.get("kind") == "ConfigMap":
        yield Reader(resource, route, _OBJECTS[str(route[-2])], value, _name(value.get("name")))
        return
    if value.get("kind") == "ConfigMap" and text(value.get("name")):
        yield Reader(resource, route, "other", value, text(value.get("name")))
        return
    for key, item in value.items():
        here = (*route, key)
        if key in _REFERENCES and isinstance(item, dict) and "name" in item:
            yield Reader(resource, here, _REFERENCES[key], item, _name(item["name"]))
        elif key == RELOADER:
            for name in text(item).split(","):
                yield Reader(resource, here, "reload", {"names": item}, name.strip())
        elif "configmap" in key.lower().replace("_", "").replace("-", ""):
            yield from _others(resource, item, here)
        else:
            yield from _walk(resource, item, here)


def _others(resource: Resource, value: Value, route: Route) -> Iterator[Reader]:
    """Names below a key that speaks of ConfigMaps and is none of Kubernetes' own."""
    if isinstance(value, str):
        yield Reader(resource, route, "other", {}, value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _others(resource, item, (*route, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _others(resource, item, (*route, key))
