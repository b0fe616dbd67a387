"""HCL's JSON syntax (``.tf.json``), read into the same tree as the native syntax.

JSON has no difference between arguments and blocks, so the tree is built by what Terraform's own block kinds
say; inside a resource, an object becomes an argument, which later layers read the same way. Strings are templates.
"""

from __future__ import annotations

import json

from shoreup.formats.hcl.source import Problem, Source, SyntaxProblem
from shoreup.formats.hcl.syntax import (
    Attribute,
    Block,
    Body,
    Expression,
    File,
    ListOf,
    Literal,
    ObjectOf,
    Template,
    Text,
)

_LABELS = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1, "provider": 1}
_BLOCKS = {*_LABELS, "terraform", "locals", "moved", "import", "removed", "check"}


def parse_json_file(source: Source) -> File:
    """Read a whole file. Never fails: what cannot be read is in ``problems``."""
    file, top = _read(source)
    for key, value in top.items if top else ():
        _declare(file.body, _word(key), value)
    return file


def parse_json_values(source: Source) -> File:
    """Read a file of values (``.tfvars.json``): one argument a key. Never fails."""
    file, top = _read(source)
    for key, value in top.items if top else ():
        name = _word(key)
        file.body.attributes[name] = Attribute(source, key.start, value.end, name, value)
    return file


def _read(source: Source) -> tuple[File, ObjectOf | None]:
    file = File(source, Body(source, 0, len(source.text)), [], [])
    try:
        reader = _Reader(source)
        top = reader.value(reader.skip(0))
        if isinstance(top, ObjectOf):
            return file, top
        raise SyntaxProblem(0, "the file is not a JSON object")
    except (SyntaxProblem, ValueError, RecursionError) as problem:
        offset = problem.offset if isinstance(problem, SyntaxProblem) else getattr(problem, "pos", 0)
        cause = problem.cause if isinstance(problem, SyntaxProblem) else str(problem) or "nested too deeply"
        file.problems.append(Problem(source.line(offset), cause, "the file"))
    return file, None


def _word(key: Expression) -> str:
    return key.constant or "" if isinstance(key, Template) else ""


def _objects(value: Expression) -> list[ObjectOf]:
    if isinstance(value, ObjectOf):
        return [value]
    if isinstance(value, ListOf):
        return [item for item in value.items if isinstance(item, ObjectOf)]
    return []


def _declare(body: Body, kind: str, value: Expression) -> None:
    if kind not in _BLOCKS:
        return
    for holder in _objects(value):
        _blocks(body, kind, [], holder, _LABELS.get(kind, 0))


def _blocks(body: Body, kind: str, labels: list[str], holder: ObjectOf, wanted: int) -> None:
    if wanted:
        for key, value in holder.items:
            for inner in _objects(value):
                _blocks(body, kind, [*labels, _word(key)], inner, wanted - 1)
        return
    body.blocks.append(Block(holder.source, holder.start, holder.end, kind, labels, _body(holder)))


def _body(holder: ObjectOf) -> Body:
    body = Body(holder.source, holder.start, holder.end)
    for key, value in holder.items:
        name = _word(key)
        if name in ("lifecycle", "dynamic", "provisioner", "connection", "backend", "required_providers"):
            labelled = name in ("dynamic", "provisioner", "backend")
            for inner in _objects(value):
                if labelled:
                    _blocks(body, name, [], inner, 1)
                else:
                    body.blocks.append(Block(holder.source, key.start, value.end, name, [], _body(inner)))
        elif name == "content" and isinstance(value, ObjectOf):
            body.blocks.append(Block(holder.source, key.start, value.end, name, [], _body(value)))
        elif name != "//":
            body.attributes.setdefault(name, Attribute(holder.source, key.start, value.end, name, value))
    return body


class _Reader:
    """JSON with positions; numbers and strings are read by the standard library."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self._decoder = json.JSONDecoder()

    def skip(self, offset: int) -> int:
        while offset < len(self.text) and self.text[offset] in " \t\r\n":
            offset += 1
        return offset

    def value(self, start: int) -> Expression:
        character = self.text[start : start + 1]
        if character == "{":
            return self._object(start)
        if character == "[":
            return self._list(start)
        try:
            value, end = self._decoder.raw_decode(self.text, start)
        except ValueError:
            raise SyntaxProblem(start, "a JSON value is missing") from None
        if isinstance(value, str):
            return self._string(start, end, value)
        return Literal(self.source, start, end, value)

    def _string(self, start: int, end: int, value: str) -> Template:
        from shoreup.formats.hcl.parse import parse_template

        raw = self.text[start + 1 : end - 1]
        if "${" not in value and "%{" not in value:
            return Template(self.source, start, end, [Text(self.source, start + 1, end - 1, value)], "json", value)
        if raw == value:
            # no escapes: the template can be read in place, with true offsets
            window = _Window(self.source, end - 1)
            return parse_template(window, start + 1, end - 1, "json")
        inner = parse_template(_Rewritten(self.source, value, start + 1))
        return Template(self.source, start, end, inner.parts, "json", inner.constant)

    def _object(self, start: int) -> ObjectOf:
        items: list[tuple[Expression, Expression]] = []
        offset = self.skip(start + 1)
        while self.text[offset : offset + 1] != "}":
            key = self.value(offset)
            if not isinstance(key, Template):
                raise SyntaxProblem(offset, "a key is not a string")
            offset = self.skip(key.end)
            if self.text[offset : offset + 1] != ":":
                raise SyntaxProblem(offset, "expected ':'")
            value = self.value(self.skip(offset + 1))
            items.append((key, value))
            offset = self._next(value.end, "}")
        return ObjectOf(self.source, start, offset + 1, items)

    def _list(self, start: int) -> ListOf:
        items: list[Expression] = []
        offset = self.skip(start + 1)
        while self.text[offset : offset + 1] != "]":
            item = self.value(offset)
            items.append(item)
            offset = self._next(item.end, "]")
        return ListOf(self.source, start, offset + 1, items)

    def _next(self, offset: int, closing: str) -> int:
        offset = self.skip(offset)
        if self.text[offset : offset + 1] == ",":
            return self.skip(offset + 1)
        if self.text[offset : offset + 1] != closing:
            raise SyntaxProblem(offset, f"expected ',' or '{closing}'")
        return offset


class _Window(Source):
    """The same file, cut off after a string's last character, so that offsets stay true."""

    __slots__ = ()

    def __init__(self, source: Source, end: int) -> None:
        self.path, self.text = source.path, source.text[:end]
        self._prefix, self._lines, self._bytes = source._prefix, source._lines, source._bytes


class _Rewritten(Source):
    """A string whose escapes are resolved; its characters have no bytes of their own but the string's."""

    __slots__ = ("_origin", "_start")

    def __init__(self, source: Source, text: str, start: int) -> None:
        self.path, self.text = source.path, text
        self._prefix, self._lines, self._bytes = source._prefix, source._lines, source._bytes
        self._origin, self._start = source, start

    def line(self, offset: int) -> int:
        return self._origin.line(self._start)
