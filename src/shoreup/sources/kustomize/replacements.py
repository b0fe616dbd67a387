"""Replacements: a value copied from one object's field to others'. The simple forms; others are said and left alone.

Where the value cannot be had, as of a file that is kept out of the repository, the targets are unknown: what stands in
them is there to be replaced, and means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.sources.kustomize.patches import selects
from shoreup.sources.kustomize.provenance import Composed, Node, Object, Piece, at, reach

Complain = Callable[[str], None]

_STEP = re.compile(r"\[([^\]=]+)=([^\]]*)\]|((?:\\.|[^.\\\[])+)|\[([^\]]*)\]")


def replace(objects: Sequence[Object], replacement: Value, complain: Complain) -> None:
    """Carry out one replacement."""
    source = replacement.get("source") if isinstance(replacement, dict) else None
    targets = replacement.get("targets") if isinstance(replacement, dict) else None
    if not isinstance(source, dict) or not isinstance(targets, list):
        complain("a replacement without source or targets")
        return
    value, node = _source(objects, source, complain)
    for target in targets:
        if isinstance(target, dict):
            _replace_in(objects, target, value, node)


def _source(objects: Sequence[Object], source: dict[str, Value], complain: Complain) -> tuple[Value, Node | None]:
    """The value to copy and where it stands; an unknown one, from nowhere, where it cannot be had."""
    found = [item for item in objects if _is(item, source)]
    if len(found) != 1:
        cause = f"the replacement's source fits {len(found)} objects"
        complain(cause)
        return Unknown(cause), None
    field = source.get("fieldPath")
    routes = list(_routes(found[0].body, field if isinstance(field, str) and field else "metadata.name"))
    if len(routes) != 1:
        cause = found[0].missing or "the replacement's source field is not found"
        if not found[0].missing:  # the missing file has been said already
            complain(cause)
        return Unknown(cause), None
    value, node = reach(found[0].body, found[0].node, routes[0])
    return _split(value, node, source.get("options"))


def _replace_in(objects: Sequence[Object], target: dict[str, Value], value: Value, node: Node | None) -> None:
    select, rejected = target.get("select"), target.get("reject")
    paths = target.get("fieldPaths")
    options = target.get("options")
    create = isinstance(options, dict) and options.get("create") is True
    for item in objects:
        if not isinstance(select, dict) or not selects(select, item):
            continue
        if any(
            isinstance(one, dict) and selects(one, item) for one in (rejected if isinstance(rejected, list) else ())
        ):
            continue
        for path in paths if isinstance(paths, list) else ["metadata.name"]:
            if not isinstance(path, str):
                continue
            for route in list(_routes(item.body, path, create=create and node is not None)):
                new, new_node = _joined(item, route, value, node or at(item.node, route), options)
                if route == ("metadata", "name"):
                    item.remember()
                item.put(route, new, new_node)


def _is(item: Object, source: dict[str, Value]) -> bool:
    group, _, version = item.api_version.rpartition("/")
    exact = {"kind": item.kind, "group": group, "version": version}
    if any(isinstance(source.get(key), str) and source[key] != text for key, text in exact.items()):
        return False
    known = [(item.name, item.namespace), *item.names]
    return any(
        source.get("name") in (None, "", name) and source.get("namespace") in (None, "", namespace)
        for name, namespace in known
    )


def _routes(body: Value, path: str, *, create: bool = False) -> Iterator[Route]:
    """The routes that a field path means: names joined by dots, ``[key=value]`` for items, ``*`` for all."""
    steps: list[str | tuple[str, str]] = []
    for found in _STEP.finditer(path):
        key, value, name, bracket = found.groups()
        if key is not None:
            steps.append((key, value))
        elif name is not None:
            steps.append(re.sub(r"\\(.)", r"\1", name))
        else:
            steps.append(bracket)
    yield from _walk(body, steps, (), create)


def _walk(value: Value, steps: Sequence[str | tuple[str, str]], route: Route, create: bool) -> Iterator[Route]:
    if not steps:
        yield route
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        for index, item in enumerate(value):
            chosen = step in ("*", str(index))
            if isinstance(step, tuple):
                chosen = isinstance(item, dict) and str(item.get(step[0])) == step[1]
            if chosen:
                yield from _walk(item, rest, (*route, index), create)
    elif isinstance(step, str) and isinstance(value, dict) and step in value:
        yield from _walk(value[step], rest, (*route, step), create)
    elif isinstance(step, str) and create and (value is None or isinstance(value, dict)):
        yield from _walk(None, rest, (*route, step), create)


def _split(value: Value, node: Node, options: Value) -> tuple[Value, Node]:
    delimiter = options.get("delimiter") if isinstance(options, dict) else None
    if not isinstance(delimiter, str) or not delimiter or not isinstance(value, str):
        return value, node
    index = options.get("index") if isinstance(options, dict) else 0
    parts = value.split(delimiter)
    number = index if isinstance(index, int) and 0 <= index < len(parts) else 0
    start = sum(len(part) + len(delimiter) for part in parts[:number])
    text = parts[number]
    return text, Composed(node, (Piece(node, start, start + len(text), text),))


def _joined(item: Object, route: Route, value: Value, node: Node, options: Value) -> tuple[Value, Node]:
    delimiter = options.get("delimiter") if isinstance(options, dict) else None
    present = item.get(*route)
    if not isinstance(delimiter, str) or not delimiter or not isinstance(present, str):
        return value, node
    index = options.get("index") if isinstance(options, dict) else 0
    number = index if isinstance(index, int) else 0
    site = at(item.node, route)
    parts = present.split(delimiter)
    if isinstance(value, (Unknown, PartialText)):
        before = delimiter.join(parts[:number]) + delimiter if number > 0 else ""
        after = delimiter + delimiter.join(parts[number + 1 :]) if number < len(parts) - 1 else ""
        if number < 0:
            after = delimiter + present
        return join_text([before, *(value.parts if isinstance(value, PartialText) else (value,)), after]), site
    text = str(value)
    if number < 0:
        new = text + delimiter + present
        return new, Composed(site, (Piece(node, text=text), Piece(text=delimiter), Piece(site, text=present)), node)
    if number >= len(parts):
        new = present + delimiter + text
        return new, Composed(site, (Piece(site, text=present), Piece(text=delimiter), Piece(node, text=text)), node)
    start = sum(len(part) + len(delimiter) for part in parts[:number])
    end = start + len(parts[number])
    pieces = (Piece(site, 0, start, present[:start]), Piece(node, text=text), Piece(site, end, None, present[end:]))
    return present[:start] + text + present[end:], Composed(site, tuple(piece for piece in pieces if piece.text), node)
