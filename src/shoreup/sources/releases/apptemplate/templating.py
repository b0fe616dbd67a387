"""Template expressions inside values.

The chart passes many strings through Helm's ``tpl``. The few expressions that people write there (the release's name
and namespace, another value, a quoted brace) are evaluated; anything else is an unknown part of an
otherwise readable string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from msgspec import Struct

from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at, join_text
from shoreup.sources.releases.derive import From, Piece, Text, Tree
from shoreup.sources.releases.layers import Node

_PATH = re.compile(r"^\$?\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)$")
_FULLNAME = re.compile(r'^\(?include "bjw-s\.common\.lib\.chart\.names\.(fullname|name)" [.$]\)?$')
_CONTROL = re.compile(r"^(if|else|end|range|with|define|block|template|break|continue)\b|:=")


_INSIDE = re.compile(r"""`[^`]*`|"(?:[^"\\\n]|\\.)*"|/\*.*?\*/|\}\}|[`"]|/\*""", re.DOTALL)


class _Action(Struct, frozen=True):
    """Characters ``start`` to ``end`` of a text are ``{{ expression }}``; dashes trim the text beside it."""

    start: int
    end: int
    expression: str
    trims_left: bool
    trims_right: bool


def _actions(text: str) -> tuple[list[_Action], int]:
    """The actions of a text, and where the first one begins that is never closed (the end when there is none)."""
    found: list[_Action] = []
    start = text.find("{{")
    while start >= 0:
        end = next((match.end() for match in _INSIDE.finditer(text, start + 2) if match[0] in _ENDS), -1)
        if end < 0 or text[end - 2 : end] != "}}":
            return found, start
        inner = text[start + 2 : end - 2]
        left, right = inner.startswith(("- ", "-\n", "-\t")), inner.endswith((" -", "\n-", "\t-"))
        inner = inner[1:] if left else inner
        inner = inner[:-1] if right else inner
        found.append(_Action(start, end, inner.strip(), left, right))
        start = text.find("{{", end)
    return found, len(text)


_ENDS = ("}}", "`", '"', "/*")
"""What ends the search: the action's end, or a quote or comment that is never closed."""


class Scope(Struct, frozen=True, eq=False):
    """What expressions can refer to. ``full_name`` and ``name`` are the chart's names for the release."""

    release: str
    namespace: str | Unknown
    chart: str
    full_name: str
    name: str
    values: Value


def tpl(node: Node, scope: Scope) -> Tree:
    """A value as ``tpl`` would give it. Strings without expressions stay as they are; maps and lists are walked."""
    value = node.value
    if isinstance(value, (str, PartialText)):
        return _text(node, scope)
    if isinstance(value, dict):
        return From({key: tpl(node[key], scope) for key in value}, node.route)
    if isinstance(value, list):
        return From([tpl(entry, scope) for entry in node.entries()], node.route)
    return From(value, node.route)


def pieces(node: Node, scope: Scope | None) -> tuple[Piece, ...]:
    """The pieces of a value as text, with its expressions evaluated when a scope is given."""
    value = node.value
    if isinstance(value, Unknown):
        return (Piece(value, node.route),)
    if isinstance(value, (str, PartialText)):
        parts = (value,) if isinstance(value, str) else value.parts
        found: list[Piece] = []
        position = 0
        for part in parts:
            if isinstance(part, Unknown):
                found.append(Piece(part, node.route))
            else:
                found.extend(_expressions(part, position, node.route, scope))
                position += len(part)
        return tuple(found)
    return (Piece(go_string(value), node.route, None, "toString"),)


def plain(node: Node, scope: Scope) -> str | PartialText | Unknown:
    """The text alone."""
    if isinstance(node.value, Unknown):
        return node.value
    return join_text([piece.text for piece in pieces(node, scope)])


def go_string(value: Value) -> str:
    """How Go prints a value that YAML took for a number or a truth; numbers are floating in Helm."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        value = float(value)
    if isinstance(value, float):
        return _go_float(value)
    return str(value)


def _go_float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else ("+Inf" if value > 0 else "-Inf")
    shortest = repr(value)
    scientific = next(text for text in (f"{value:.{size}e}" for size in range(18)) if float(text) == value)
    mantissa, _, exponent = scientific.partition("e")
    power = int(exponent)
    if power < -4 or power >= 6:  # Go's %v goes scientific from a million on
        return f"{mantissa}e{exponent[0]}{abs(power):02d}"
    return shortest.removesuffix(".0") if "e" not in shortest else f"{value:f}".rstrip("0")


def _text(node: Node, scope: Scope) -> Tree:
    found = pieces(node, scope)
    if len(found) == 1 and found[0].chars is None and not found[0].derived:
        return From(node.value, node.route, exact=True)
    return Text(found, node.route)


def _expressions(text: str, offset: int, route: Route, scope: Scope | None) -> list[Piece]:
    if scope is None or "{{" not in text:
        return [Piece(text, route, None if offset == 0 else (offset, offset + len(text)))]
    actions, whole = _actions(text)
    if any(_CONTROL.search(action.expression) for action in actions):
        return [Piece(Unknown("a Helm template with control structures"), route)]
    found: list[Piece] = []
    position = 0
    trim = False
    for action in actions:
        start, end = _trimmed(text, position, action.start, trim, action.trims_left)
        if end > start:
            found.append(Piece(text[start:end], route, (offset + start, offset + end)))
        result = _evaluate(action.expression, scope)
        if result != "":
            found.append(Piece(result, route, (offset + action.start, offset + action.end), "template"))
        trim, position = action.trims_right, action.end
    start, end = _trimmed(text, position, whole, trim, False)
    if end > start:
        found.append(Piece(text[start:end], route, (offset + start, offset + end)))
    if whole < len(text):
        found.append(Piece(Unknown("a Helm template that is not closed"), route, (offset + whole, offset + len(text))))
    return found or [Piece("", route, (offset, offset), "template")]


def _trimmed(text: str, start: int, end: int, left: bool, right: bool) -> tuple[int, int]:
    literal = text[start:end]
    if left:
        start = end - len(literal.lstrip())
    if right:
        end = start + len(text[start:end].rstrip())
    return start, end


_FILTERS: dict[str, Callable[[str], str]] = {
    "quote": lambda text: json.dumps(text, ensure_ascii=False),
    "squote": lambda text: f"'{text}'",
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "toString": lambda text: text,
}


def _evaluate(expression: str, scope: Scope) -> str | Unknown:
    if expression.startswith("/*"):
        return ""
    if expression.startswith("`") and expression.endswith("`") and expression.count("`") == 2:
        return expression[1:-1]
    head, *filters = (part.strip() for part in expression.split("|"))
    words = head.split(None, 1)
    if len(words) == 2 and words[0] in _FILTERS:
        head, filters = words[1], [words[0], *filters]
    result = _operand(head, scope)
    for name in filters:
        if isinstance(result, Unknown) or name not in _FILTERS:
            return Unknown(f"the Helm template {{{{ {expression} }}}}")
        result = _FILTERS[name](result)
    return result


def _operand(word: str, scope: Scope) -> str | Unknown:
    known = {
        ".Release.Name": scope.release,
        ".Release.Namespace": scope.namespace,
        ".Release.Service": "Helm",
        ".Chart.Name": scope.chart,
    }
    if word.removeprefix("$") in known:
        return known[word.removeprefix("$")]
    named = _FULLNAME.match(word)
    if named:
        return scope.full_name if named.group(1) == "fullname" else scope.name
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', word):
        try:
            return str(json.loads(word))
        except ValueError:
            return Unknown(f"the Helm template {word}")
    path = _PATH.match(word)
    if path:
        value = at(scope.values, *path.group(1)[1:].split("."))
        if isinstance(value, (str, int, float, bool)) and not (isinstance(value, str) and "{{" in value):
            return go_string(value)
        if isinstance(value, (Unknown, PartialText)):
            return Unknown(value.reason)
    return Unknown(f"the Helm template {{{{ {word} }}}}")
