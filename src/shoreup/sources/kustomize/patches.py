"""Patches: which objects they mean, and both of the languages that they are written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from shoreup.formats.yaml import Document, load, origin_of
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at
from shoreup.sources.kustomize.merge import CORE_GROUPS, merged
from shoreup.sources.kustomize.provenance import (
    Node,
    Object,
    Written,
    child,
    inserted,
    put,
    reach,
    trace,
    without,
)
from shoreup.sources.pages import PageEditor

Complain = Callable[[str, str], None]
"""How a cause, and what was skipped, is noted for a patch."""


class Patch(Struct, frozen=True, eq=False):
    """One patch: the documents of its text with their origins, and its target (``None``: what it names itself)."""

    documents: tuple[tuple[Value, Node], ...]
    target: dict[str, Value] | None


class TextSource(PageEditor):
    """A document inside a text that stands somewhere itself."""

    __slots__ = ("_document", "_node")

    def __init__(self, document: Document, node: Node, text: str, index: int) -> None:
        super().__init__(lambda: Page(text, index, words=False), lambda: trace(node))
        self._document = document
        self._node = node

    def trace(self, route: Route) -> Origin | None:
        """The origin of the value at ``route`` of the document, in the file that holds the text."""
        outer = trace(self._node)
        found = self._document.trace(route)
        return None if outer is None or found is None else origin_of(found, outer.segments)

    def value(self, route: Route) -> Value:
        """The value that stands at ``route``."""
        return at(self._document.value, *route)


def inline(text: str, node: Node, complain: Complain) -> tuple[tuple[Value, Node], ...]:
    """The documents of a patch that is written as text inside another file."""
    stream = load(text, words=False)
    for problem in stream.problems:
        complain(problem.cause, "the patch")
    if stream.skipped:
        complain(f"a {stream.skipped}", "the patch")
    return tuple(
        (document.value, Written(TextSource(document, node, text, index)))
        for index, document in enumerate(stream.documents)
    )


def apply(patch: Patch, objects: list[Object], complain: Complain) -> list[Object]:
    """The objects after a patch; those that it deletes are gone."""
    for value, node in patch.documents:
        if value is None:
            continue
        if isinstance(value, list):
            if patch.target is None:
                complain("a list of operations needs a target", "the patch")
            else:
                for found in _select(objects, patch.target):
                    _operate(found, value, node, complain)
        elif isinstance(value, dict):
            if "op" in value and "path" in value and "kind" not in value and patch.target is not None:
                for found in _select(objects, patch.target):
                    _operate(found, [value], node, complain, single=True)
                continue
            chosen = list(_named(objects, value) if patch.target is None else _select(objects, patch.target))
            if value.get("$patch") == "delete":
                objects = [item for item in objects if item not in chosen]
            else:
                for found in chosen:
                    _merge(found, value, node)
        else:
            complain("neither an object nor a list of operations", "the patch")
    return objects


def _merge(found: Object, value: dict[str, Value], node: Node) -> None:
    found.remember()
    kept = {key: found.body.get(key) for key in ("apiVersion", "kind")}
    name, namespace = found.metadata.get("name"), found.metadata.get("namespace")
    places = {key: child(found.where("metadata"), key) for key in ("name", "namespace")}
    patch = {key: item for key, item in value.items() if key not in kept}
    metadata = patch.get("metadata")
    if isinstance(metadata, dict):
        patch["metadata"] = {key: item for key, item in metadata.items() if key not in ("name", "namespace")}
    found.take(merged(found.body, found.node, patch, node, core=found.group in CORE_GROUPS))
    for key, before in (("name", name), ("namespace", namespace)):
        if before is not None and found.metadata.get(key) != before:
            found.put(("metadata", key), before, places[key])


def _named(objects: Sequence[Object], value: dict[str, Value]) -> Iterator[Object]:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    version = value.get("apiVersion")
    group = version.rpartition("/")[0] if isinstance(version, str) else None
    for item in objects:
        if item.kind != value.get("kind") or (group is not None and item.group != group):
            continue
        known = [(item.name, item.namespace), *item.names]
        if any(name == one and (not namespace or namespace == home or not home) for one, home in known):
            yield item


def _select(objects: Sequence[Object], target: dict[str, Value]) -> Iterator[Object]:
    for item in objects:
        if selects(target, item):
            yield item


def selects(target: dict[str, Value], item: Object) -> bool:
    """Whether a target's group, version, kind, name and namespace (expressions) and selectors fit an object."""
    group, _, version = item.api_version.rpartition("/")
    if not all(
        _fits(target.get(key), text) for key, text in (("group", group), ("version", version), ("kind", item.kind))
    ):
        return False
    known = [(item.name, item.namespace), *item.names]
    if not any(_fits(target.get("name"), name) and _fits(target.get("namespace"), home) for name, home in known):
        return False
    return _labelled(target.get("labelSelector"), item.metadata.get("labels")) and _labelled(
        target.get("annotationSelector"), item.metadata.get("annotations")
    )


def _fits(expression: Value, text: str) -> bool:
    if not isinstance(expression, str) or not expression:
        return True
    if expression == text:
        return True
    if len(expression) > 500 or re.search(r"[*+}]\)?[*+{]", expression):
        return False  # nested repetition could run for ever
    try:
        return re.fullmatch(expression, text[:300]) is not None
    except (re.error, RecursionError):
        return False


def _labelled(selector: Value, labels: Value) -> bool:
    if not isinstance(selector, str) or not selector.strip():
        return True
    have = labels if isinstance(labels, dict) else {}
    for term in re.split(r",(?![^()]*\))", selector):
        found = re.fullmatch(r"\s*(!?)\s*([\w./-]+)\s*(?:(==|=|!=|in|notin)\s*(?:\(([^)]*)\)|([\w.-]*)))?\s*", term)
        if found is None:
            return False
        negated, key, operator, several, one = found.groups()
        values = [part.strip() for part in several.split(",")] if several is not None else [one or ""]
        if operator is None:
            fits = (key in have) != bool(negated)
        elif operator in ("!=", "notin"):
            fits = have.get(key) not in values
        else:
            fits = have.get(key) in values
        if not fits:
            return False
    return True


def _operate(found: Object, operations: list[Value], node: Node, complain: Complain, *, single: bool = False) -> None:
    """Apply JSON patch operations; one that cannot be leaves the object as it was before it, and is said."""
    found.remember()
    for number, operation in enumerate(operations):
        where = node if single else child(node, number)
        if not isinstance(operation, dict):
            complain("an operation that is no mapping", "the operation")
            continue
        cause = _step(found, operation, where)
        if cause:
            complain(cause, f"the operation on {found.kind} {found.name}")
            return


def _step(found: Object, operation: dict[str, Value], where: Node) -> str:
    kind, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str) or not isinstance(kind, str):
        return "an operation without op and path"
    route = _pointer(path, found.body)
    if route is None:
        return f"{path[:80]} leads nowhere"
    value, value_node = operation.get("value"), child(where, "value")
    if kind in ("move", "copy"):
        source = operation.get("from")
        origin = _pointer(source, found.body) if isinstance(source, str) else None
        if not origin:
            return "from leads nowhere"
        value, value_node = reach(found.body, found.node, origin)
        if kind == "move":
            found.remove(origin)
        kind = "add"
    if kind == "test":
        return "" if reach(found.body, found.node, route)[0] == value else f"the test of {path[:80]} fails"
    if not route:
        return "an operation on the whole object"
    parent = reach(found.body, found.node, route[:-1])[0]
    last = route[-1]
    exists = (isinstance(parent, dict) and last in parent) or (
        isinstance(parent, list) and isinstance(last, int) and 0 <= last < len(parent)
    )
    if kind == "remove" and exists:
        found.take(without(found.body, found.node, route))
    elif (kind == "replace" and exists) or (kind in ("add", "replace") and isinstance(parent, dict)):
        found.take(put(found.body, found.node, route, value, value_node))
    elif kind == "add" and isinstance(parent, list) and isinstance(last, int) and 0 <= last <= len(parent):
        found.take(inserted(found.body, found.node, route, value, value_node))
    elif kind not in ("add", "remove", "replace"):
        return f"an operation {kind[:40]} that is not known"
    else:
        return f"{path[:80]} leads nowhere"
    return ""


def _pointer(path: str, body: Value) -> Route | None:
    """A JSON pointer as a route of ``body``; ``-`` is the index behind a list's last item."""
    if path == "":
        return ()
    if not path.startswith("/"):
        return None
    route: list[str | int] = []
    value = body
    for part in path[1:].split("/"):
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            if step != "-" and not (step.isascii() and step.isdigit() and len(step) < 9):
                return None
            index = len(value) if step == "-" else int(step)
            route.append(index)
            value = value[index] if index < len(value) else None
        else:
            route.append(step)
            value = value.get(step) if isinstance(value, dict) else None
    return tuple(route)
