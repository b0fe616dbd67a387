"""Flux's ``postBuild``: ``${NAME}`` and ``${NAME:-default}`` in every text of every object.

Flux writes each object out as YAML before it substitutes and reads it again behind, so a text that becomes ``3``
or ``true`` is a number or a boolean then; that is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from shoreup.formats.yaml.resolve import resolve
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.sources.kustomize.provenance import Composed, Node, Object, Piece, at

SWITCH = "kustomize.toolkit.fluxcd.io/substitute"
"""The label or annotation that switches substitution off for an object when it is ``disabled``."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[\w./$][\w./${}:=,+@-]*", re.ASCII)
_MAX_PARTS = 2_000


class Variables(Struct):
    """What is known of the variables. ``unsure`` says why a variable that is not here may still exist."""

    values: dict[str, tuple[Value, Node]] = field(default_factory=dict)
    unsure: str = ""


_Part = tuple[str | Unknown, Piece]


def substitute(objects: Sequence[Object], variables: Variables) -> None:
    """Substitute in every object that does not forbid it."""
    for item in objects:
        if not any(_switched_off(item.metadata.get(field)) for field in ("labels", "annotations")):
            changes: list[tuple[tuple[str | int, ...], str]] = []
            _texts(item.body, (), changes)
            for route, text in changes:
                value, node = _filled(text, at(item.node, route), variables)
                if not route or value is None:
                    item.put(route, value, node)
                elif route[:1] == ("metadata",) and route[-1] in ("name", "namespace") and len(route) == 2:
                    item.put(route, value if isinstance(value, (str, PartialText, Unknown)) else str(value), node)
                else:
                    item.put(route, value, node)


def _switched_off(pairs: Value) -> bool:
    return isinstance(pairs, dict) and pairs.get(SWITCH) == "disabled"


def _texts(value: Value, route: tuple[str | int, ...], found: list[tuple[tuple[str | int, ...], str]]) -> None:
    if isinstance(value, str):
        if "${" in value:
            found.append((route, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (str, dict, list)):
                _texts(item, (*route, key), found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (str, dict, list)):
                _texts(item, (*route, index), found)


def _filled(text: str, site: Node, variables: Variables) -> tuple[Value, Node]:
    parts: list[_Part] = []
    _read(text, 0, len(text), site, variables, parts, 0)
    if all(isinstance(part, str) for part, _ in parts):
        result: Value = "".join(str(part) for part, _ in parts)
        if isinstance(result, str) and _PLAIN.fullmatch(text) and result != text:
            result = resolve(result)
    elif len(parts) == 1:
        result = parts[0][0]
    else:
        result = join_text([part for part, _ in parts])
    used = [piece.node for _, piece in parts if piece.node is not None and piece.node is not site]
    main = used[0] if len(parts) == 1 and used else None
    return result, Composed(site, tuple(piece for _, piece in parts), main)


def _read(text: str, start: int, end: int, site: Node, variables: Variables, parts: list[_Part], depth: int) -> None:
    """The parts of ``text`` between two characters; ``site`` is the origin of the whole text."""
    position = start
    while position < end:
        found = text.find("${", position, end)
        if found < 0 or len(parts) > _MAX_PARTS or depth > 10:
            break
        if found > position and text[found - 1] == "$":
            _keep(text, position, found - 1, site, parts)
            _keep(text, found, found + 2, site, parts)
            position = found + 2
            continue
        _keep(text, position, found, site, parts)
        close = _closing(text, found + 2, end)
        name = _NAME.match(text, found + 2, end) if close >= 0 else None
        if close < 0 or name is None:
            _keep(text, found, found + 2, site, parts)
            position = found + 2
            continue
        _expand(text, found, name.end(), close, name[0], site, variables, parts, depth)
        position = close + 1
    _keep(text, position, end, site, parts)


def _keep(text: str, start: int, end: int, site: Node, parts: list[_Part]) -> None:
    if end > start:
        parts.append((text[start:end], Piece(site, start, end, text[start:end])))


def _closing(text: str, start: int, end: int) -> int:
    depth = 1
    position = start
    while position < end:
        if text.startswith("${", position):
            depth += 1
            position += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return -1


def _expand(
    text: str,
    start: int,
    after: int,
    close: int,
    name: str,
    site: Node,
    variables: Variables,
    parts: list[_Part],
    depth: int,
) -> None:
    operation = text[after:close]
    known = variables.values.get(name)
    default = next((sign for sign in (":-", ":=", "-", "=") if operation.startswith(sign)), "")
    if known is not None and (not operation or default):
        value, node = known
        if isinstance(value, (Unknown, PartialText)):
            parts.append((Unknown(value.reason), Piece(node, unknown=value.reason)))
            return
        written = _written(value)
        if written or not default.startswith(":"):
            if written:
                parts.append((written, Piece(node, text=written)))
            return
    if operation and not default:
        parts.append(_unknown(f"${{{name}{operation[:20]}}} is not computed", site))
    elif known is None and variables.unsure:
        parts.append(_unknown(f"{name}: {variables.unsure}", site))
    elif default:
        _read(text, after + len(default), close, site, variables, parts, depth + 1)


def _unknown(reason: str, site: Node) -> _Part:
    return Unknown(reason), Piece(site, unknown=reason)


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def variables_of(pairs: Mapping[str, Value], node: Node, into: Variables) -> None:
    """Add the pairs of a mapping; later ones win."""
    for key, value in pairs.items():
        into.values[key] = (value, at(node, (key,)))
