"""HCL's native syntax, read by hand.

The grammar that HCL's users rely on has newlines that matter in some brackets and not in others, templates
inside strings inside templates, and heredocs whose indentation counts. General parsers get corners of it
wrong, and an audit that misreads a nested conditional lies. The parser stops at the first thing that is not HCL;
what can be kept of a broken file is decided in :mod:`shoreup.formats.hcl.recovery`.
"""

from __future__ import annotations

import re
from sys import intern

from shoreup.formats.hcl.heredocs import constant_heredoc
from shoreup.formats.hcl.source import Source, SyntaxProblem
from shoreup.formats.hcl.syntax import (
    Attr,
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Comment,
    Conditional,
    Expression,
    ForOf,
    Index,
    ListOf,
    Literal,
    Name,
    ObjectOf,
    Paren,
    Part,
    Splat,
    SplatItem,
    Template,
    Text,
    Unary,
)
from shoreup.formats.hcl.templates import heredoc_parts, quoted_parts

MAX_DEPTH = 120
"""Nesting of brackets beyond which a file is taken for hostile; Terraform code stays under 20."""

_TOKEN = re.compile(
    r"""[ \t\r\ufeff]*(?:
      (?P<name>[^\W\d][\w-]*)
    | (?P<quote>")
    | (?P<newline>\n)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | (?P<heredoc><<-?[^\W\d][\w-]*[ \t]*\r?\n)
    | (?P<operator>&&|\|\||==|!=|<=|>=|=>|\.\.\.|::|[{}\[\]().,:?=<>+\-*/%!])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_KINDS = ("", *sorted(_TOKEN.groupindex, key=_TOKEN.groupindex.__getitem__))
_BLANKS = re.compile(r"[ \t\r]*")
_PLAIN_STRING = re.compile(r'[^"\\$%\n]*"')
_PLAIN_ATTRIBUTE = re.compile(
    r'[ \t\r]*([^\W\d][\w-]*)[ \t]*=[ \t]*(?:"([^"\\$%\n]*)"|(true|false|null)|([0-9]{1,18}))[ \t]*\r?\n'
)
_ATTRIBUTES = re.compile(r"(?:\.[^\W\d][\w-]*)+")
_FOR = re.compile(r"[ \t\r\n]+[^\W\d][\w-]*[ \t\r\n]*(,|in\b)")
_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_FOUND = {
    "name": "a word",
    "number": "a number",
    "quote": "a string",
    "heredoc": "a heredoc",
    "newline": "the end of the line",
    "end": "the end of the file",
}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parser_inside(source: Source, offset: int, depth: int) -> Parser:
    """A parser that stands at ``offset`` inside ``${`` or ``%{``."""
    parser = Parser(source, offset)
    parser.depth = depth
    parser.ignore_newlines = 1
    parser.advance()
    return parser


def template_of(source: Source, start: int, end: int, parts: list[Part], encoding: str) -> Template:
    """A template of these parts, with its value where nothing is interpolated."""
    texts = [part.value for part in parts if type(part) is Text]
    constant = "".join(texts) if len(texts) == len(parts) else None
    return Template(source, start, end, parts, encoding, constant)


class Parser:
    """A recursive descent over one text. Its methods raise :class:`SyntaxProblem`.

    The current token is ``kind``, ``value``, ``start``; ``offset`` is the first character after it. ``top`` is
    where the attribute or block of the file begins that was read last.
    """

    __slots__ = (
        "comments",
        "depth",
        "ignore_newlines",
        "kind",
        "last",
        "offset",
        "places",
        "source",
        "start",
        "text",
        "top",
        "value",
    )

    def __init__(self, source: Source, offset: int) -> None:
        self.source = source
        self.text = source.text
        self.places = source.offsets
        self.offset = offset
        self.start = offset
        self.last = offset
        self.top = offset
        self.kind = ""
        self.value = ""
        self.ignore_newlines = 0
        self.depth = 0
        self.comments: list[Comment] = []

    def advance(self) -> None:
        """Move to the next token; ``last`` becomes the end of the one before."""
        text, places = self.text, self.places
        offset = self.last = self.offset
        while True:
            match = _TOKEN.match(text, offset)
            if match is None:
                blanks = _BLANKS.match(text, offset)
                self.kind, self.start = "bad", blanks.end() if blanks else offset
                self.value = text[self.start : self.start + 1]
                self.offset = self.start + 1
                return
            group = match.lastindex or 0
            kind = _KINDS[group]
            start, offset = match.span(group)
            if kind == "comment":
                self.comments.append(Comment(places[start], places[offset]))
                continue
            if kind == "newline" and self.ignore_newlines:
                continue
            self.kind = kind
            self.start, self.offset = places[start], places[offset]
            # the same few names stand in every file
            self.value = intern(match[group]) if kind == "name" else match[group]
            return

    @property
    def found(self) -> str:
        """The current token in words. Text of the file is not repeated: in a broken file it may be a password's end."""
        return _FOUND.get(self.kind) or repr(self.value)

    # Bodies

    def items(self, body: Body, closing: str) -> None:
        """Add attributes and blocks to ``body`` up to ``closing`` (``"}"``, or the end of the file for ``""``)."""
        self.advance()
        while True:
            if not closing:
                self.top = self.start
            if self.kind == "newline":
                self._plain_attributes(body)
            elif self.kind == "name":
                self._item(body)
            elif closing and self.kind == "operator" and self.value == closing:
                break
            elif self.kind == "end":
                if closing:
                    raise SyntaxProblem(body.start, f"this block is never closed with {closing}")
                break
            elif self.kind == "quote":
                raise SyntaxProblem(self.start, "a quoted name where an argument or block should begin")
            else:
                raise SyntaxProblem(self.start, f"unexpected {self.found}")
        body.end = self.start

    def _plain_attributes(self, body: Body) -> None:
        # Most lines of real code are `name = "text"`; one match reads such a line whole.
        match = _PLAIN_ATTRIBUTE.match(self.text, self.offset)
        while match is not None:
            name = intern(match[1])
            if name in body.attributes:
                break  # read again, and refused, as an item
            value = self._plain_value(match)
            body.attributes[name] = Attribute(self.source, self.places[match.start(1)], value.end, name, value)
            self.offset = match.end()
            match = _PLAIN_ATTRIBUTE.match(self.text, self.offset)
        self.advance()

    def _plain_value(self, match: re.Match[str]) -> Template | Literal:
        group = match.lastindex or 2
        start, end = match.span(group)
        if group == 2:
            return Template(self.source, self.places[start - 1], self.places[end + 1], None, "hcl-quoted", match[2])
        value = _CONSTANTS[match[3]] if group == 3 else int(match[4])
        return Literal(self.source, self.places[start], self.places[end], value)

    def _item(self, body: Body) -> None:
        start, name = self.start, self.value
        self.advance()
        if not (self.kind == "operator" and self.value == "="):
            self._block(body, start, name)
            return
        self.advance()
        expression = self.expression()
        if self.kind not in ("newline", "end") and not (self.kind == "operator" and self.value == "}"):
            raise SyntaxProblem(self.start, f"unexpected {self.found} after the value of {name}")
        if name in body.attributes:
            raise SyntaxProblem(start, f"the argument {name} is set twice in one block")
        body.attributes[name] = Attribute(self.source, start, self.last, name, expression)

    def _block(self, body: Body, start: int, name: str) -> None:
        labels: list[str] = []
        while not (self.kind == "operator" and self.value == "{"):
            if self.kind == "name":
                labels.append(self.value)
                self.advance()
            elif self.kind == "quote":
                label = self._quoted()
                labels.append(label.constant or "")
            else:
                raise SyntaxProblem(self.start, "a word that begins neither an argument nor a block")
        self._deeper()
        inner = Body(self.source, self.offset, self.offset)
        self.items(inner, closing="}")
        self.depth -= 1
        body.blocks.append(Block(self.source, start, self.offset, name, labels, inner))
        self.advance()

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxProblem(self.start, f"nested deeper than {MAX_DEPTH}")

    # Expressions

    def expression(self) -> Expression:
        """Read one expression; the current token is then the first one after it."""
        self._deeper()
        start = self.start
        condition = self._binary(1)
        if self.kind == "operator" and self.value == "?":
            self._skip_after("?")
            then = self.expression()
            self._skip_newlines()
            self._expect(":")
            self._skip_newlines()
            otherwise = self.expression()
            condition = Conditional(self.source, start, self.last, condition, then, otherwise)
        self.depth -= 1
        return condition

    def _skip_after(self, operator: str) -> None:
        self._expect(operator)
        self._skip_newlines()

    def _skip_newlines(self) -> None:
        while self.kind == "newline":
            self.advance()

    def _expect(self, operator: str) -> None:
        if self.kind != "operator" or self.value != operator:
            raise SyntaxProblem(self.start, f"expected {operator!r}, found {self.found}")
        self.advance()

    def _binary(self, lowest: int) -> Expression:
        start = self.start
        left = self._unary()
        while self.kind == "operator":
            operator = self.value
            precedence = _PRECEDENCE.get(operator, 0)
            if precedence < lowest:
                break
            self.advance()
            right = self._binary(precedence + 1)
            left = Binary(self.source, start, self.last, operator, left, right)
        return left

    def _unary(self) -> Expression:
        if self.kind == "operator" and self.value in "!-":
            start, operator = self.start, self.value
            self._deeper()
            self.advance()
            operand = self._unary()
            self.depth -= 1
            return Unary(self.source, start, self.last, operator, operand)
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        kind, start, value = self.kind, self.start, self.value
        if kind == "quote":
            return self._quoted()
        if kind == "name":
            return self._word(start, value)
        if kind == "number":
            self.advance()
            return Literal(self.source, start, self.last, _number(value, start))
        if kind == "heredoc":
            return self._heredoc(start, value)
        if kind == "operator":
            if value == "(":
                self._open("(")
                inner = self.expression()
                end = self._close(")")
                return Paren(self.source, start, end, inner)
            if value == "[":
                return self._list(start)
            if value == "{":
                return self._object(start)
        if kind in ("newline", "end"):
            raise SyntaxProblem(start, "an expression is missing")
        raise SyntaxProblem(start, f"unexpected {self.found}")

    def _open(self, bracket: str) -> None:
        self.ignore_newlines += 1
        self._expect(bracket)

    def _close(self, bracket: str) -> int:
        """Step over a closing bracket and give the offset after it."""
        if self.kind != "operator" or self.value != bracket:
            raise SyntaxProblem(self.start, f"expected {bracket!r}, found {self.found}")
        end = self.offset
        self.ignore_newlines -= 1
        self.advance()
        return end

    def _word(self, start: int, word: str) -> Expression:
        following = _ATTRIBUTES.match(self.text, self.offset) if word not in _CONSTANTS else None
        if following is not None:
            return self._reference(start, word, following)
        self.advance()
        if word in _CONSTANTS:
            return Literal(self.source, start, self.last, _CONSTANTS[word])
        while self.kind == "operator" and self.value == "::":
            self.advance()
            word = f"{word}::{self.value}"
            if len(word) > 1000:
                raise SyntaxProblem(start, "a name of more than 1000 characters")
            self.advance()
        if self.kind == "operator" and self.value == "(":
            return self._call(start, word)
        return Name(self.source, start, self.last, word)

    def _reference(self, start: int, word: str, attributes: re.Match[str]) -> Expression:
        # `module.name.output` in one match
        end = self.offset
        reference: Expression = Name(self.source, start, end, word)
        for name in attributes[0][1:].split("."):
            end += len(name) + 1
            reference = Attr(self.source, start, self.places[end], reference, intern(name))
        self.offset = self.places[end]
        self.advance()
        return reference

    def _call(self, start: int, name: str) -> Call:
        self._open("(")
        arguments: list[Expression] = []
        expands = False
        while not (self.kind == "operator" and self.value == ")"):
            arguments.append(self.expression())
            if self.kind == "operator" and self.value == "...":
                expands = True
                self.advance()
            if self.kind == "operator" and self.value == ",":
                self.advance()
            else:
                break
        end = self._close(")")
        return Call(self.source, start, end, name, arguments, expands)

    def _postfix(self, base: Expression) -> Expression:
        start = base.start
        while self.kind == "operator":
            if self.value == ".":
                self.advance()
                if self.kind == "name":
                    name = self.value
                    self.advance()
                    base = Attr(self.source, start, self.last, base, name)
                elif self.kind == "number":
                    base = self._legacy_index(base)
                elif self.kind == "operator" and self.value == "*":
                    self.advance()
                    base = self._splat(base, attributes_only=True)
                else:
                    raise SyntaxProblem(self.start, f"unexpected {self.found} after '.'")
            elif self.value == "[":
                self._open("[")
                if self.kind == "operator" and self.value == "*":
                    self.advance()
                    self._close("]")
                    base = self._splat(base, attributes_only=False)
                    continue
                key = self.expression()
                end = self._close("]")
                base = Index(self.source, start, end, base, key)
            else:
                break
        return base

    def _legacy_index(self, base: Expression) -> Expression:
        # `a.0.1` lexes as the number 0.1
        offset = self.start
        for digits in self.value.split("."):
            if not digits.isdecimal():
                raise SyntaxProblem(self.start, "an index with an exponent")
            key = Literal(self.source, offset, offset + len(digits), _whole(digits, offset))
            offset += len(digits)
            base = Index(self.source, base.start, offset, base, key)
            offset += 1
        self.advance()
        return base

    def _splat(self, base: Expression, *, attributes_only: bool) -> Splat:
        each: Expression = SplatItem(self.source, self.last, self.last)
        start = self.last
        if attributes_only:
            while self.kind == "operator" and self.value == ".":
                self.advance()
                if self.kind == "number":
                    each = self._legacy_index(each)
                    continue
                name = self.value
                self.advance()
                each = Attr(self.source, start, self.last, each, name)
        else:
            each = self._postfix(each)
        return Splat(self.source, base.start, self.last, base, each)

    def _list(self, start: int) -> Expression:
        self._open("[")
        if self.kind == "name" and self.value == "for":
            return self._for(start, "]")
        items: list[Expression] = []
        while not (self.kind == "operator" and self.value == "]"):
            items.append(self.expression())
            if self.kind == "operator" and self.value == ",":
                self.advance()
            else:
                break
        end = self._close("]")
        return ListOf(self.source, start, end, items)

    def _object(self, start: int) -> Expression:
        self._deeper()
        ignored, self.ignore_newlines = self.ignore_newlines, 0
        self._expect("{")
        self._skip_newlines()
        if self.kind == "name" and self.value == "for" and self._really_for():
            self.ignore_newlines = ignored + 1
            self.depth -= 1
            return self._for(start, "}")
        items: list[tuple[Expression, Expression]] = []
        while not (self.kind == "operator" and self.value == "}"):
            items.append(self._object_item())
            if self.kind == "operator" and self.value == ",":
                self.advance()
            elif self.kind != "newline" and not (self.kind == "operator" and self.value == "}"):
                raise SyntaxProblem(self.start, f"expected a comma or a new line, found {self.found}")
            while self.kind == "newline":
                self._plain_items(items)
        end = self.offset
        self.ignore_newlines = ignored
        self.depth -= 1
        self.advance()
        return ObjectOf(self.source, start, end, items)

    def _really_for(self) -> bool:
        return _FOR.match(self.text, self.offset) is not None

    def _plain_items(self, items: list[tuple[Expression, Expression]]) -> None:
        # as in bodies, lines of `name = "text"` are read whole
        match = _PLAIN_ATTRIBUTE.match(self.text, self.offset)
        while match is not None and match[1] not in _CONSTANTS:
            start, end = match.span(1)
            key = Template(self.source, self.places[start], self.places[end], None, "raw", intern(match[1]))
            items.append((key, self._plain_value(match)))
            self.offset = match.end()
            match = _PLAIN_ATTRIBUTE.match(self.text, self.offset)
        self.advance()

    def _object_item(self) -> tuple[Expression, Expression]:
        key = self._binary(1)
        if type(key) is Name:
            key = Template(key.source, key.start, key.end, None, "raw", key.name)
        elif type(key) is Literal and key.value is not None:
            word = self.text[key.start : key.end]
            key = Template(key.source, key.start, key.end, None, "raw", word)
        if self.kind != "operator" or self.value not in ("=", ":"):
            raise SyntaxProblem(self.start, f"expected '=' after the key, found {self.found}")
        self.advance()
        return key, self.expression()

    def _for(self, start: int, bracket: str) -> ForOf:
        self.advance()
        self._skip_newlines()
        first = self._identifier()
        second = ""
        if self.kind == "operator" and self.value == ",":
            self.advance()
            second = self._identifier()
        if self.kind != "name" or self.value != "in":
            raise SyntaxProblem(self.start, "expected 'in'")
        self.advance()
        collection = self.expression()
        self._expect(":")
        result = self.expression()
        result_key: Expression | None = None
        grouped = False
        if bracket == "}":
            result_key = result
            self._expect("=>")
            result = self.expression()
            if self.kind == "operator" and self.value == "...":
                grouped = True
                self.advance()
        condition: Expression | None = None
        if self.kind == "name" and self.value == "if":
            self.advance()
            condition = self.expression()
        end = self._close(bracket)
        key_name, item_name = (first, second) if second else ("", first)
        return ForOf(self.source, start, end, key_name, item_name, collection, result_key, result, condition, grouped)

    def _identifier(self) -> str:
        if self.kind != "name":
            raise SyntaxProblem(self.start, f"expected a name, found {self.found}")
        name = self.value
        self.advance()
        return name

    # Strings

    def _quoted(self) -> Template:
        start = self.start
        match = _PLAIN_STRING.match(self.text, self.offset)
        if match is not None:
            end = self.places[match.end()]
            template = Template(self.source, start, end, None, "hcl-quoted", match.group()[:-1])
        else:
            parts, end = quoted_parts(self.source, self.offset, parser_inside, self.depth)
            template = template_of(self.source, start, end, parts, "hcl-quoted")
        self.offset = end
        self.advance()
        self.last = end
        return template

    def _heredoc(self, start: int, opening: str) -> Template:
        flush = opening.startswith("<<-")
        marker = opening.lstrip("<-").strip()
        constant = constant_heredoc(self.text, self.offset, marker, flush)
        if constant is not None:
            end = self.places[constant[1]]
            template = Template(self.source, start, end, None, "hcl-heredoc", constant[0])
        else:
            try:
                parts, end = heredoc_parts(self.source, self.offset, marker, flush, parser_inside, self.depth)
            except SyntaxProblem as problem:
                raise SyntaxProblem(start if problem.offset == self.offset else problem.offset, problem.cause) from None
            template = template_of(self.source, start, end, parts, "hcl-heredoc")
        self.offset = end
        self.advance()
        self.last = end
        return template


def _number(text: str, offset: int) -> int | float:
    if text.isdecimal():
        return _whole(text, offset)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise SyntaxProblem(offset, "a number that is too large")
    return number


def _whole(digits: str, offset: int) -> int:
    if len(digits) > 300:
        raise SyntaxProblem(offset, "a number of more than 300 digits")
    return int(digits)
