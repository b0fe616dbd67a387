"""Values that are written as YAML inside a string: a heredoc, a ConfigMap's key, a values file.

Unknown parts of the string become placeholders while the YAML is read, so that the rest stays readable: an
unknown scalar is an unknown value, an unknown part of a scalar leaves the other parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import yaml

from shoreup.formats.sourcemap import Run, cover, nest, whole
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.sources.releases.layers import Layer, nowhere

_FIRST_MARK = 0xE000
_LAST_MARK = 0xF8FF


def layer_from_file(path: str, content: bytes) -> Layer:
    """The values in a file of the estate."""
    offset = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = content[offset:].decode()
    except UnicodeDecodeError:
        return Layer(Unknown(f"{path} is not UTF-8"), nowhere)
    span = Span(path, offset, len(content))
    return layer_from_text(text, lambda: Origin(span, span, (), whole(path, text, offset)), path)


def layer_from_text(text: Value, origin: Callable[[], Origin | None], what: str) -> Layer:
    """The values in a string. ``origin`` finds where the string is written, ``what`` names it for people."""
    if isinstance(text, Unknown):
        return Layer(text, nowhere)
    if text is None or not isinstance(text, (str, PartialText)):
        return Layer(Unknown(f"{what} holds no values"), nowhere)
    marked, reasons = _marked(text)
    if marked is None:
        return Layer(Unknown(f"{what} has too many unknown parts"), nowhere)
    try:
        node = yaml.compose(marked, Loader=_LOADER)
        value = _value(node, reasons, set())
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        return Layer(Unknown(f"{what} is not YAML: {str(problem).splitlines()[0]}"), nowhere)
    if value is None:
        return Layer({}, nowhere)
    if not isinstance(value, dict):
        reason = value.reason if isinstance(value, (Unknown, PartialText)) else f"{what} is not a map"
        return Layer(Unknown(reason), nowhere)
    return Layer(value, lambda route: _trace(node, marked, route, origin(), reasons))


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _marked(text: str | PartialText) -> tuple[str | None, list[Unknown]]:
    if isinstance(text, str):
        return text, []
    reasons = [part for part in text.parts if isinstance(part, Unknown)]
    if len(reasons) > _LAST_MARK - _FIRST_MARK:
        return None, []
    marks = iter(range(_FIRST_MARK, _LAST_MARK))
    return "".join(part if isinstance(part, str) else chr(next(marks)) for part in text.parts), reasons


def _value(node: yaml.Node | None, reasons: list[Unknown], above: set[int]) -> Value:
    if node is None:
        return None
    if id(node) in above:
        raise ValueError("an alias to its own parent")
    if isinstance(node, yaml.MappingNode):
        inside = above | {id(node)}
        merged: dict[str, Value] = {}
        own: dict[str, Value] = {}
        for key, item in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for part in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    below = _value(part, reasons, inside)
                    if isinstance(below, dict):
                        merged = {**below, **merged}
            else:
                own[str(key.value)] = _value(item, reasons, inside)
        return {**merged, **own}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, reasons, above | {id(node)}) for item in node.value]
    return _scalar(node, reasons)


def _scalar(node: yaml.Node, reasons: list[Unknown]) -> Value:
    text = str(node.value)
    if reasons and any(_FIRST_MARK <= ord(char) <= _LAST_MARK for char in text):
        parts: list[str | Unknown] = []
        for char in text:
            index = ord(char) - _FIRST_MARK
            parts.append(reasons[index] if 0 <= index < len(reasons) else char)
        return parts[0] if len(parts) == 1 else join_text(parts)
    if node.tag == "tag:yaml.org,2002:str":
        return text
    plain = yaml.SafeLoader.construct_object(yaml.SafeLoader(""), node)
    return plain if plain is None or isinstance(plain, (bool, int, float, str)) else text


def _find(node: yaml.Node | None, route: Route) -> yaml.Node | None:
    for step in route:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key.value, item) for key, item in node.value]
            own = [item for key, item in pairs if key == step]
            if own:
                node = own[-1]
                continue
            below = [item for key, item in node.value if key.tag == "tag:yaml.org,2002:merge"]
            options = [part for item in below for part in (item.value if isinstance(item, yaml.SequenceNode) else [item])]
            node = next((hit for hit in (_find(part, (step,)) for part in options) if hit is not None), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def _trace(node: yaml.Node | None, text: str, route: Route, outer: Origin | None, reasons: list[Unknown]) -> Origin | None:
    found = _find(node, route)
    if found is None or outer is None:
        return None
    start, end = found.start_mark.index, found.end_mark.index
    while end > start and text[end - 1] in " \n\r":
        end -= 1
    segments = _filled(outer.segments, text)
    raw = text[start:end]
    span = cover(nest(segments, [Run(start, end, raw)], "yaml")) or outer.span
    if not isinstance(found, yaml.ScalarNode):
        return Origin(span, span, outer.via)
    value = str(found.value)
    if raw == value:
        runs, encoding = [Run(start, end, value)], "yaml-plain"
    elif raw[1:-1] == value and raw[:1] in "\"'":
        runs, encoding = [Run(start + 1, end - 1, value)], "yaml-double" if raw[0] == '"' else "yaml-single"
    else:
        runs, encoding = [Run(start, end, value, verbatim=False)], "yaml"
    return Origin(span, span, outer.via, tuple(map(_emptied, nest(segments, runs, encoding))))


def _filled(segments: tuple[Segment, ...], text: str) -> list[Segment]:
    """The outer segments with a placeholder in each unknown one, so that they spell the marked text."""
    marks = iter(char for char in text if _FIRST_MARK <= ord(char) <= _LAST_MARK)
    return [replace(part, text=next(marks, "")) if part.unknown and not part.text else part for part in segments]


def _emptied(segment: Segment) -> Segment:
    return replace(segment, text="", verbatim=False) if segment.unknown else segment
