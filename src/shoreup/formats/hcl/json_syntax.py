"""HCL's JSON syntax (``.tf.json``), read into the same tree as the native syntax.

JSON has no difference between arguments and blocks, so the tree is built by what Terraform's own block kinds
say; inside a resource, an object becomes an argument, which later layers read the same way. Strings are templates.
"""

from __future__ import annotations

import json
import re

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
    Part,
    Template,
    Text,
)
from shoreup.formats.offsets import offsets
from shoreup.model.location import Span

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
        if source.undecodable:
            raise SyntaxProblem(source.undecodable[0], "not UTF-8")
        reader = _Reader(source)
        top = reader.value(reader.skip(0))
        if reader.skip(top.end) < len(source.text):
            raise SyntaxProblem(reader.skip(top.end), "text after the end of the JSON value")
        if isinstance(top, ObjectOf):
            return file, top
        raise SyntaxProblem(0, "the file is not a JSON object")
    except SyntaxProblem as problem:
        file.problems.append(Problem(source.line(problem.offset), problem.cause, "the file", problem.offset))
    except RecursionError:
        file.problems.append(Problem(1, "nested too deeply", "the file"))
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
        self._decoder = json.JSONDecoder(parse_constant=_refused)

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
            raise SyntaxProblem(start, "a JSON value is missing, or is no value") from None
        if isinstance(value, str):
            return self._string(start, end, value)
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise SyntaxProblem(start, "a number that is too large")
        return Literal(self.source, start, end, value)

    def _string(self, start: int, end: int, value: str) -> Template:
        from shoreup.formats.hcl.parse import parse_template

        if "${" in value or "%{" in value:
            try:
                template = parse_template(_Decoded(self.source, start + 1, end - 1), encoding="json")
            except SyntaxProblem as problem:
                raise SyntaxProblem(start, problem.cause) from None
            return Template(self.source, start, end, template.parts, "json", template.constant)
        source, first, last = self.source, start + 1, end - 1
        if self.text.find("\\", start, end) >= 0:
            source = _Decoded(self.source, start + 1, end - 1)
            first, last = 0, len(source.text)
        text = source.text[first:last]
        parts: list[Part] = [Text(source, first, last)] if text else []
        return Template(self.source, start, end, parts, "json", text)

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


class _Decoded(Source):
    """A string whose escapes are resolved. Its characters know which ones of the file they come from."""

    __slots__ = ("_places", "_whole")

    def __init__(self, source: Source, start: int, end: int) -> None:
        characters: list[str] = []
        self._places: list[int] = []
        for match in _CHARACTERS.finditer(source.text, start, end):
            text = match.group()
            if text.startswith("\\"):
                characters.append(_meaning(text))
                self._places.append(match.start())
            else:
                characters.append(text)
                self._places.extend(range(match.start(), match.end()))
        self._places.append(end)
        self.path, self.text, self.undecodable = source.path, "".join(characters), ()
        self.offsets = offsets(len(self.text))
        self._whole = source

    def span(self, start: int, end: int) -> Span:
        return self._whole.span(self._places[start], self._places[end])

    def line(self, offset: int) -> int:
        return self._whole.line(self._places[offset])

    def runs(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        found: list[tuple[int, int, bool]] = []
        for offset in range(start, end):
            verbatim = self._places[offset + 1] - self._places[offset] == 1
            if verbatim and found and found[-1][2]:
                found[-1] = (found[-1][0], offset + 1, True)
            else:
                found.append((offset, offset + 1, verbatim))
        return found


_CHARACTERS = re.compile(
    r"[^\\]+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL
)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _meaning(escape: str) -> str:
    if not escape.startswith("\\u"):
        return _SIMPLE.get(escape[1], escape[1])
    units = bytes.fromhex(escape.replace("\\u", ""))
    return units.decode("utf-16-be", errors="replace")[:1]


def _refused(word: str) -> float:
    raise ValueError(word)
