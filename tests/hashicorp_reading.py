"""What HashiCorp's parser reads in a file, compared with what Shoreup reads: the same literals and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hashicorp import answer
from shoreup.formats.hcl.parse import parse_file
from shoreup.formats.hcl.source import Source
from shoreup.formats.hcl.syntax import (
    Attr,
    Body,
    Expression,
    Interpolation,
    ListOf,
    Literal,
    ObjectOf,
    Template,
    Text,
    Unary,
)

_UNSAID = object()
"""A template with directives, which HashiCorp's package gives as it stands."""
_BLANKS = re.compile(r"\s+")


def disagreements(text: str) -> Iterator[str]:
    """Where the two readings of a file differ, or why one of them refuses it."""
    text = text.removeprefix("\ufeff")
    theirs = answer({"file": text})
    if "problem" in theirs:
        yield str(theirs["problem"])
        return
    ours = parse_file(Source("file.tf", text.encode()))
    for problem in ours.problems:
        yield f"Shoreup: {problem.cause}"
    yield from _different(theirs["value"], _body(ours.body), "")


def _different(theirs: object, ours: object, place: str) -> Iterator[str]:
    if ours is _UNSAID:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted({*theirs, *ours}):
            yield from _different(theirs.get(key), ours.get(key), f"{place}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from _different(one, other, f"{place}[{index}]")
    elif isinstance(theirs, str) and isinstance(ours, str):
        if _plain(theirs) != _plain(ours):
            yield f"{place}: {theirs!r} and {ours!r}"
    elif theirs != ours:
        yield f"{place}: {theirs!r} and {ours!r}"


def _plain(text: str) -> str:
    return _BLANKS.sub("", text).replace("$${", "${").replace("%%{", "%{")


def _body(body: Body) -> dict[str, object]:
    found: dict[str, object] = {name: _value(one.expression) for name, one in body.attributes.items()}
    for block in body.blocks:
        inside = found
        for step in (block.kind, *block.labels[:-1]) if block.labels else ():
            held = inside.setdefault(step, {})
            assert isinstance(held, dict)
            inside = held
        same = inside.setdefault(block.labels[-1] if block.labels else block.kind, [])
        assert isinstance(same, list)
        same.append(_body(block.body))
    return found


def _value(one: Expression) -> object:
    if isinstance(one, Literal):
        return one.value
    if isinstance(one, Unary) and one.operator == "-" and isinstance(one.operand, Literal):
        assert isinstance(one.operand.value, int | float)
        return -one.operand.value
    if isinstance(one, Template) and all(isinstance(part, Text | Interpolation) for part in one.parts):
        return "".join(_part(part) for part in one.parts)
    if isinstance(one, ListOf):
        return [_value(item) for item in one.items]
    if isinstance(one, ObjectOf):
        return {_key(key): _value(item) for key, item in one.items}
    if isinstance(one, Template):
        return _UNSAID
    return f"${{{one.source.text[one.start : one.end]}}}"


def _key(key: Expression) -> str:
    if isinstance(key, Attr):  # a provider with an alias, which the package gives as a word
        return key.source.text[key.start : key.end]
    text = _value(key)
    return text if isinstance(text, str) else str(text)


def _part(part: object) -> str:
    if isinstance(part, Text):
        return part.value
    assert isinstance(part, Interpolation)
    expression = part.expression
    return f"${{{expression.source.text[expression.start : expression.end]}}}"
