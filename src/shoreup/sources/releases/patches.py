"""What is done to a chart's objects after Helm rendered them (Flux post renderers, Argo's and Kustomize's patches).

A strategic merge patch of maps is applied; whatever a patch touches that is harder than that becomes unknown,
and an object that cannot be matched with certainty is left with unknown fields rather than with wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.yaml import load
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource, Tracer
from shoreup.model.value import Unknown, Value, at
from shoreup.sources.editing import Editor, Like
from shoreup.sources.reading import Found
from shoreup.sources.releases.layers import merge
from shoreup.sources.releases.reading import ReleaseReading

REASON = "a patch after rendering changes it"


def patched(release: ReleaseReading, found: Found) -> Iterator[Found]:
    """The object after the release's patches; nothing when a patch deletes it."""
    body = dict(found.resource.body)
    touched: list[Route] = []
    for patch in release.patches:
        text = at(patch, "patch")
        content = _parse(text)
        if not _meant(found.resource, at(patch, "target"), content):
            continue
        if isinstance(content, dict):
            if content.get("$patch") == "delete":
                return
            strategic = {key: item for key, item in content.items() if key not in ("apiVersion", "kind")}
            body = merge(body, _veiled(strategic, body, (), touched))
        elif isinstance(content, list):
            for operation in content:
                route = _pointer(at(operation, "path"))
                body = _unknown_at(body, route)
                touched.append(route)
        else:
            body["spec"] = Unknown(REASON)
            touched.append(("spec",))
    if not touched and body == found.resource.body:
        yield found
    else:
        yield Found(replace(found.resource, body=body), _PatchedTracer(found.tracer, tuple(touched)))


def _parse(text: Value) -> Value:
    if not isinstance(text, str):
        return Unknown(REASON)
    documents = load(text).documents
    content = documents[0].value if len(documents) == 1 else None
    return content if isinstance(content, (dict, list)) else Unknown(REASON)


def _meant(resource: Resource, target: Value, content: Value) -> bool:
    if not isinstance(target, dict):
        same = at(content, "metadata", "name")
        return resource.kind == at(content, "kind") and (same is None or same == resource.name)
    for key, have in (("kind", resource.kind), ("name", resource.name), ("namespace", resource.namespace or "")):
        want = target.get(key)
        if isinstance(want, str) and want:
            try:
                if not re.fullmatch(want, have):
                    return False
            except re.error:
                continue
    return True


def _veiled(patch: Value, under: Value, route: Route, touched: list[Route]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    assert isinstance(patch, dict)
    for key, item in patch.items():
        below = at(under, key)
        if isinstance(item, dict) and (below is None or isinstance(below, dict)):
            made[key] = _veiled(item, below, (*route, key), touched)
        elif isinstance(item, list) and isinstance(below, list):
            touched.append((*route, key))
            made[key] = _veiled_list(item, below, (*route, key), touched)
        else:
            touched.append((*route, key))
            made[key] = item
    return made


def _veiled_list(patch: list[Value], under: list[Value], route: Route, touched: list[Route]) -> Value:
    """Lists of named things are merged by name, as Kubernetes does for containers, volumes and variables."""
    names = [at(item, "name") for item in (*patch, *under)]
    if not all(isinstance(name, str) for name in names):
        return Unknown(REASON)
    merged = list(under)
    for item in patch:
        index = next((at_ for at_, have in enumerate(merged) if at(have, "name") == at(item, "name")), None)
        if index is None:
            merged.append(item)
        else:
            have = merged[index]
            assert isinstance(have, dict)
            merged[index] = merge(have, _veiled(item, have, (*route, index), touched))
    return merged


def _pointer(path: Value) -> Route:
    if not isinstance(path, str):
        return ("spec",)
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.strip("/").split("/")]
    return tuple(int(step) if step.isdigit() else step for step in steps)


def _unknown_at(body: dict[str, Value], route: Route) -> dict[str, Value]:
    """The object with what a JSON patch touches unknown; adding to a list makes the list unknown."""
    made = _replaced(body, route)
    return made if isinstance(made, dict) else body


def _replaced(value: Value, route: Route) -> Value:
    if not route:
        return Unknown(REASON)
    step, rest = route[0], route[1:]
    if isinstance(value, dict) and isinstance(step, str):
        return {**value, step: _replaced(value.get(step), rest)}
    if isinstance(value, list) and isinstance(step, int) and step < len(value) and rest:
        return [_replaced(item, rest) if index == step else item for index, item in enumerate(value)]
    return Unknown(REASON)


class _PatchedTracer:
    """What a patch wrote is traced to the nearest block that was there before."""

    def __init__(self, tracer: Tracer, touched: tuple[Route, ...]) -> None:
        self._tracer = tracer
        self._touched = touched

    def trace(self, route: Route) -> Origin | None:
        if any(route[: len(prefix)] == prefix for prefix in self._touched):
            for length in range(len(route), -1, -1):
                origin = self._tracer.trace(route[:length])
                if origin is not None:
                    return Origin(origin.site, origin.span, origin.via)
        return self._tracer.trace(route)

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`, for what no patch touches."""
        return self._editor(route).put(route, value, read, like=like, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`, for what no patch touches."""
        return self._editor(route).append(route, value, read, like=like, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`, for what no patch touches."""
        return self._editor(route).remove(route, read, alone=alone)

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.add`."""
        return self._editor(()).add(body, read, like=like)

    def _editor(self, route: Route) -> Editor:
        if route and any(_meet(route, touched) for touched in self._touched):
            raise CannotWrite(REASON)
        if not isinstance(self._tracer, Editor):
            raise CannotWrite("the object is made by a template that is not written to")
        return self._tracer


def _meet(one: Route, other: Route) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]
