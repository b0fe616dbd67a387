"""The way back through functions whose result is one of their arguments, or is put together from them.

``merge`` gives an item of its last map that has the key, ``coalesce`` its first argument that is not empty,
``templatefile`` the text of a file, ``format`` its pieces. Everything else is marked as made by the function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from shoreup.formats.hcl.syntax import Call, Expression
from shoreup.formats.sourcemap import cover, cut
from shoreup.model.location import Route, Span
from shoreup.model.origin import Segment
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform import decoding
from shoreup.terraform.expressions import evaluate, evaluate_or_unknown
from shoreup.terraform.files import estate_path, read_template
from shoreup.terraform.operators import text_of
from shoreup.terraform.reached import KeyOf, Lost, Reached, derived, spells
from shoreup.terraform.scope import Binding, EvaluationError, Scope

if TYPE_CHECKING:
    from shoreup.terraform.trace import Trace


def follow_call(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached:
    """Where the value at ``route`` of a function's result is written."""
    inverse = _INVERSE.get(node.name)
    if inverse is not None and not node.expands:
        found = inverse(trace, node, scope, route)
        if found is not None:
            return found
    if node.name == "merge" or node.name == "concat":
        found = _spread(trace, node, scope, route)
        if found is not None:
            return found
    return trace.made(node, scope, route, f"{node.name}()")


def _first(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    return trace.follow(node.arguments[0], scope, route) if node.arguments else None


def _try(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    for argument in node.arguments:
        try:
            evaluate(argument, scope)
        except EvaluationError:
            continue
        return trace.follow(argument, scope, route)
    return None


def _coalesce(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    for argument in node.arguments:
        value = evaluate(argument, scope)
        if isinstance(value, Unknown):
            return None
        if value not in (None, "", []):
            return trace.follow(argument, scope, route)
    return None


def _lookup(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    if len(node.arguments) < 2:
        return None
    mapping, key = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if isinstance(mapping, dict) and isinstance(key, str):
        if key in mapping:
            return trace.follow(node.arguments[0], scope, (key, *route))
        if len(node.arguments) > 2:
            return trace.follow(node.arguments[2], scope, route)
    return None


def _element(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    if len(node.arguments) != 2:
        return None
    items, index = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if isinstance(items, list) and items and isinstance(index, int):
        return trace.follow(node.arguments[0], scope, (index % len(items), *route))
    return None


def _one(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    return trace.follow(node.arguments[0], scope, (0, *route))


def _by_item(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """Functions that give the items of their only argument in another order or without some."""
    if len(node.arguments) != 1:
        return None
    if not route:
        return None
    before, after = evaluate(node.arguments[0], scope), evaluate(node, scope)
    if not isinstance(before, list) or not isinstance(after, list) or not isinstance(route[0], int):
        return None
    wanted = after[route[0]]
    position = next((index for index, item in enumerate(before) if item is wanted or item == wanted), None)
    return None if position is None else trace.follow(node.arguments[0], scope, (position, *route[1:]))


def _keys(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    keys = evaluate(node, scope)
    if len(route) != 1 or not isinstance(keys, list) or not isinstance(route[0], int):
        return None
    key = keys[route[0]]
    return trace.follow(node.arguments[0], scope, (KeyOf(key),)) if isinstance(key, str) else None


def _values(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    mapping = evaluate(node.arguments[0], scope)
    if not route or not isinstance(mapping, dict) or not isinstance(route[0], int):
        return None
    return trace.follow(node.arguments[0], scope, (sorted(mapping)[route[0]], *route[1:]))


def _flatten(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    if not route or not isinstance(route[0], int):
        return None
    way = _nth(evaluate(node.arguments[0], scope), route[0])
    return None if isinstance(way, int) else trace.follow(node.arguments[0], scope, (*way, *route[1:]))


def _nth(value: Value, wanted: int) -> tuple[int, ...] | int:
    """The route of the n-th item of nested lists, or how many items there were."""
    if not isinstance(value, list):
        return 1 if wanted else ()
    count = 0
    for index, item in enumerate(value):
        inner = _nth(item, wanted - count)
        if not isinstance(inner, int):
            return (index, *inner)
        count += inner
    return count


def _spread(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """``merge`` and ``concat``, with or without ``...`` after the last argument."""
    if not route:
        return None
    sources: list[tuple[Expression, Route]] = [(argument, ()) for argument in node.arguments]
    if node.expands:
        last, _ = sources.pop()
        items = evaluate(last, scope)
        sources += [(last, (index,)) for index in range(len(items) if isinstance(items, list) else 0)]
    if node.name == "merge":
        for argument, prefix in reversed(sources):
            value = _step(evaluate(argument, scope), prefix)
            if isinstance(value, dict) and route[0] in value:
                return trace.follow(argument, scope, (*prefix, *route))
        return None
    offset = 0
    for argument, prefix in sources:
        value = _step(evaluate(argument, scope), prefix)
        size = len(value) if isinstance(value, list) else 0
        if isinstance(route[0], int) and route[0] < offset + size:
            return trace.follow(argument, scope, (*prefix, route[0] - offset, *route[1:]))
        offset += size
    return None


def _step(value: Value, prefix: Route) -> Value:
    for step in prefix:
        value = value[step] if isinstance(value, list) and isinstance(step, int) else None
    return value


def _file(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    path = _path(node, scope)
    tree = scope.module.root.configurations.tree
    content = tree.read(path) if path else None
    if path is None or content is None or route:
        return None
    span = Span(path, 0, len(content))
    try:
        return Reached(span, (Segment(content.decode("utf-8"), span),))
    except UnicodeDecodeError:
        return None  # there is no such value, so somebody asks for the field alone


def _templatefile(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    path = _path(node, scope)
    tree = scope.module.root.configurations.tree
    content = tree.read(path) if path else None
    variables = evaluate_or_unknown(node.arguments[1], scope) if len(node.arguments) > 1 else {}
    if path is None or content is None or route or not isinstance(variables, dict):
        return None
    template = read_template(path, content)
    bindings = {name: Binding(node.arguments[1], scope, name, "item") for name in variables}
    inner = Scope(scope.module, variables, bindings, closed=True)
    segments: list[Segment] = []
    trace.spell(template.parts, template, inner, segments)
    return Reached(Span(path, 0, len(content)), tuple(segments))


def _path(node: Call, scope: Scope) -> str | None:
    given = evaluate(node.arguments[0], scope) if node.arguments else None
    return estate_path(scope.module.root.path, given) if isinstance(given, str) else None


def _join(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    if route or len(node.arguments) != 2:
        return None
    separator, items = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if not isinstance(separator, str) or not isinstance(items, list):
        return None
    between = trace.follow(node.arguments[0], scope, ()).segments
    segments: list[Segment] = []
    for index, item in enumerate(items):
        if index:
            segments.extend(between)
        segments.extend(_shown(trace, node.arguments[1], scope, (index,), item))
    return Reached(node.source.span(node.start, node.end), tuple(segments))


def _shown(trace: Trace, node: Expression, scope: Scope, route: Route, value: Value) -> tuple[Segment, ...]:
    """The segments of a value as a template shows it."""
    text = text_of(value)
    span = node.source.span(node.start, node.end)
    if isinstance(text, Unknown):
        return (Segment("", span, unknown=text.reason),)
    try:
        reached = trace.follow(node, scope, route)
    except (Lost, EvaluationError):
        return derived(text, span, "an expression")
    if not spells(reached.segments, text):
        return derived(text, span, "an expression")
    return tuple(replace(segment, via=reached.via + segment.via) for segment in reached.segments)


def _format(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    pattern = evaluate(node.arguments[0], scope) if node.arguments else None
    if route or not isinstance(pattern, str):
        return None
    verbs = list(_VERB.finditer(pattern))
    if any(verb[0] not in ("%s", "%d", "%%") for verb in verbs):
        return None
    reached = trace.follow(node.arguments[0], scope, ())
    if not spells(reached.segments, pattern):
        return None
    segments: list[Segment] = []
    position, number = 0, 0
    for verb in verbs:
        segments.extend(cut(reached.segments, position, verb.start()))
        position = verb.end()
        if verb[0] == "%%":
            sign = cut(reached.segments, verb.start(), verb.end())
            segments.append(Segment("%", cover(sign), verbatim=False, derived="format()"))
            continue
        number += 1
        if number >= len(node.arguments):
            return None
        argument = node.arguments[number]
        segments.extend(_shown(trace, argument, scope, (), evaluate(argument, scope)))
    segments.extend(cut(reached.segments, position, len(pattern)))
    return Reached(node.source.span(node.start, node.end), tuple(segments))


def _split(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """An item of ``split`` is a run of the text's characters."""
    if len(node.arguments) != 2 or len(route) != 1 or not isinstance(route[0], int):
        return None
    separator, text = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if not isinstance(separator, str) or not isinstance(text, str) or not separator:
        return None
    pieces = text.split(separator)
    start = sum(len(piece) + len(separator) for piece in pieces[: route[0]])
    reached = trace.follow(node.arguments[1], scope, ())
    segments = cut(reached.segments, start, start + len(pieces[route[0]]))
    return Reached(reached.span, segments, reached.via)


def _indent(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """``indent`` puts spaces before every line but the first."""
    if len(node.arguments) != 2 or route:
        return None
    count, text = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if not isinstance(count, int) or not isinstance(text, str | PartialText):
        return None
    reached = trace.follow(node.arguments[1], scope, ())
    spaces = Segment(" " * count, node.source.span(node.start, node.end), derived="indent()")
    segments: list[Segment] = []
    for segment in reached.segments:
        if "\n" not in segment.text:
            segments.append(segment)
            continue
        position = 0
        for line in _lines(segment.text):
            segments.extend(cut((segment,), position, position + len(line)))
            position += len(line)
            if line.endswith("\n"):
                segments.append(spaces)
    return Reached(reached.span, tuple(segments), reached.via)


def _replace(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """What ``replace`` leaves of its text, and the new text in between."""
    if len(node.arguments) != 3 or route:
        return None
    text, old, new = (evaluate(argument, scope) for argument in node.arguments)
    if not isinstance(text, str) or not isinstance(old, str) or not isinstance(new, str) or not old:
        return None
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return None  # a pattern
    reached = trace.follow(node.arguments[0], scope, ())
    put = trace.follow(node.arguments[2], scope, ()).segments if new else ()
    segments: list[Segment] = []
    position = 0
    while (found := text.find(old, position)) >= 0:
        segments.extend(cut(reached.segments, position, found))
        segments.extend(put)
        position = found + len(old)
    segments.extend(cut(reached.segments, position, len(text)))
    return Reached(reached.span, tuple(segments), reached.via)


def _zipmap(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    if len(node.arguments) != 2 or not route:
        return None
    keys = evaluate(node.arguments[0], scope)
    if not isinstance(keys, list) or route[0] not in keys:
        return None
    position = len(keys) - 1 - keys[::-1].index(route[0])
    if type(route[0]) is KeyOf:
        return trace.follow(node.arguments[0], scope, (position,))
    return trace.follow(node.arguments[1], scope, (position, *route[1:]))


def _trim(trace: Trace, node: Call, scope: Scope, route: Route) -> Reached | None:
    """Functions whose result is a run of their first argument's characters."""
    before, after = evaluate(node.arguments[0], scope), evaluate(node, scope)
    if route or not isinstance(before, str) or not isinstance(after, str) or not after:
        return None
    # what is taken off at the front holds no character that the result begins with, unless a whole prefix goes
    start = len(before) - len(after) if node.name == "trimprefix" else before.find(after)
    reached = trace.follow(node.arguments[0], scope, ())
    return Reached(reached.span, cut(reached.segments, start, start + len(after)), reached.via)


def _lines(text: str) -> list[str]:
    return [line + "\n" for line in text.split("\n")[:-1]] + [text.rpartition("\n")[2]]


_VERB = re.compile(r"%[^a-zA-Z%]*[a-zA-Z%]?")
_Inverse: TypeAlias = "Callable[[Trace, Call, Scope, Route], Reached | None]"
_INVERSE: dict[str, _Inverse] = {
    "try": _try,
    "coalesce": _coalesce,
    "coalescelist": _coalesce,
    "lookup": _lookup,
    "element": _element,
    "one": _one,
    "keys": _keys,
    "values": _values,
    "flatten": _flatten,
    "file": _file,
    "templatefile": _templatefile,
    "join": _join,
    "format": _format,
    "split": _split,
    "indent": _indent,
    "replace": _replace,
    "zipmap": _zipmap,
    "yamldecode": decoding.decoded,
    "jsondecode": decoding.decoded,
    "yamlencode": decoding.encoded,
    "jsonencode": decoding.encoded,
    **dict.fromkeys(("tostring", "tonumber", "tobool", "tolist", "tomap", "sensitive", "nonsensitive"), _first),
    **dict.fromkeys(("toset", "sort", "reverse", "distinct", "compact", "slice"), _by_item),
    **dict.fromkeys(("trim", "trimspace", "trimprefix", "trimsuffix", "chomp"), _trim),
}
