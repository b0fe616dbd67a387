"""HCL templates: literal text with ``${...}`` and ``%{...}``, white-space trimming and heredoc indentation.

The order of things follows HCL's own reader: text is cut into tokens (one a line in heredocs), ``~`` trims
the neighbouring token, the indentation of ``<<-`` is taken off, and directives are nested last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from shoreup.formats.hcl.source import Source, SyntaxProblem
from shoreup.formats.hcl.syntax import Expression, ForDirective, IfDirective, Interpolation, Part, Text

if TYPE_CHECKING:
    from shoreup.formats.hcl.parser import Parser

ParserAt: TypeAlias = "Callable[[Source, int, int], Parser]"

_QUOTED_STOP = re.compile(r'(?:[^"\\$%\n]|\\.|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*', re.DOTALL)
_LINE_STOP = re.compile(r"(?:[^$%\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*\n?")
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(\$\$\{|%%\{)', re.DOTALL)
MAX_NESTED = 60
"""Directives inside directives beyond which a template is taken for hostile."""
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class _Directive(Struct, eq=False):
    """``if``, ``else``, ``endif``, ``for`` or ``endfor`` before nesting."""

    word: str
    start: int
    end: int
    expression: Expression | None = None
    key: str = ""
    item: str = ""


_Piece: TypeAlias = "Text | Interpolation | _Directive"


def unescape(raw: str, *, backslashes: bool) -> str:
    """The meaning of literal text. Heredocs and template files know no backslashes."""
    if "$${" not in raw and "%%{" not in raw and not (backslashes and "\\" in raw):
        return raw
    if not backslashes:
        return raw.replace("$${", "${").replace("%%{", "%{")
    return _ESCAPE.sub(_meaning, raw)


def escapes(raw: str, *, backslashes: bool) -> list[tuple[int, int, str]]:
    """The escapes in literal text as ``(start, end, meaning)``."""
    return [
        (match.start(), match.end(), _meaning(match))
        for match in _ESCAPE.finditer(raw)
        if backslashes or match.group(5)
    ]


def _meaning(match: re.Match[str]) -> str:
    simple, short, long, other, marker = match.groups()
    if simple:
        return _SIMPLE[simple]
    if short or long:
        code = int(short or long, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    if marker:
        return str(marker[1:])
    return f"\\{other}"


def quoted_parts(source: Source, start: int, parser_at: ParserAt, depth: int) -> tuple[list[Part], int]:
    """Read a quoted template whose first character stands at ``start``; gives its parts and the offset after the
    closing quote."""
    text = source.text
    tokens: list[_Piece] = []
    trims: list[tuple[bool, bool]] = []
    offset = start
    while True:
        stop = _run(_QUOTED_STOP, text, offset)
        if stop > offset:
            tokens.append(_text(source, offset, stop, backslashes=True))
            trims.append((False, False))
        if stop >= len(text) or text[stop] in "\n\\":
            raise SyntaxProblem(start - 1, "a string that is never closed")
        if text[stop] == '"':
            break
        offset = _sequence(source, stop, tokens, trims, parser_at, depth)
    _trim(tokens, trims, backslashes=True)
    return _nest(source, tokens, start), stop + 1


def heredoc_parts(
    source: Source, start: int, marker: str, flush: bool, parser_at: ParserAt, depth: int
) -> tuple[list[Part], int]:
    """Read the lines of a heredoc whose first one begins at ``start``; gives its parts and the offset after the closing
    ``marker``. A marker inside ``${...}`` belongs to a heredoc in there."""
    closing = re.compile(rf"[ \t]*{re.escape(marker)}(?=[ \t\r]*(?:\n|\Z))")
    never = SyntaxProblem(start, f"the heredoc {marker[:40]} is never closed")
    if re.compile(rf"^[ \t]*{re.escape(marker)}", re.MULTILINE).search(source.text, start) is None:
        raise never
    tokens, trims, end = _lines(source, start, len(source.text), parser_at, depth, closing)
    match = closing.match(source.text, end)
    if match is None:
        raise never
    _trim(tokens, trims, backslashes=False)
    if flush:
        _flush(tokens)
    return _nest(source, tokens, start), match.end()


def template_parts(source: Source, start: int, end: int, parser_at: ParserAt) -> list[Part]:
    """Read a template file."""
    tokens, trims, _ = _lines(source, start, end, parser_at, 0, None)
    _trim(tokens, trims, backslashes=False)
    return _nest(source, tokens, start)


def _run(pattern: re.Pattern[str], text: str, offset: int) -> int:
    match = pattern.match(text, offset)
    return match.end() if match else offset


def _lines(
    source: Source, start: int, end: int, parser_at: ParserAt, depth: int, closing: re.Pattern[str] | None
) -> tuple[list[_Piece], list[tuple[bool, bool]], int]:
    text = source.text
    tokens: list[_Piece] = []
    trims: list[tuple[bool, bool]] = []
    offset = start
    while offset < end:
        if closing is not None and text[offset - 1] == "\n" and closing.match(text, offset):
            break
        match = _LINE_STOP.match(text, offset, end)
        stop = match.end() if match else offset
        if stop > offset:
            tokens.append(_text(source, offset, stop, backslashes=False))
            trims.append((False, False))
            offset = stop
        elif text.startswith(("${", "%{"), offset):
            offset = _sequence(source, offset, tokens, trims, parser_at, depth)
        else:
            # a dollar or percent sign as the very last character
            tokens.append(Text(source, offset, offset + 1))
            trims.append((False, False))
            offset += 1
    return tokens, trims, offset


def _sequence(
    source: Source,
    offset: int,
    tokens: list[_Piece],
    trims: list[tuple[bool, bool]],
    parser_at: ParserAt,
    depth: int,
) -> int:
    """Read one ``${...}`` or ``%{...}`` and give the offset after it."""
    text = source.text
    inside = offset + 2
    left = text.startswith("~", inside)
    parser = parser_at(source, inside + left, depth + 1)
    token: _Piece
    if text[offset] == "$":
        expression = parser.expression()
        token = Interpolation(source, offset, offset, expression)
    else:
        token = _directive(parser, offset)
    right = False
    if parser.kind == "bad" and parser.value == "~":
        right = True
        parser.advance()
    if parser.kind != "operator" or parser.value != "}":
        raise SyntaxProblem(parser.start, f"expected '}}' to end the template sequence, found {parser.found}")
    token.end = parser.start + 1
    tokens.append(token)
    trims.append((left, right))
    return parser.start + 1


def _directive(parser: Parser, start: int) -> _Directive:
    word = parser.value
    parser.advance()
    directive = _Directive(word, start, start)
    if word == "if":
        directive.expression = parser.expression()
    elif word == "for":
        directive.item = parser.value
        parser.advance()
        if parser.value == ",":
            parser.advance()
            directive.key, directive.item = directive.item, parser.value
            parser.advance()
        if parser.value != "in":
            raise SyntaxProblem(parser.start, "expected 'in'")
        parser.advance()
        directive.expression = parser.expression()
    elif word not in ("else", "endif", "endfor"):
        raise SyntaxProblem(start, "'%{' is followed by none of if, else, endif, for and endfor")
    return directive


def _trim(tokens: list[_Piece], trims: list[tuple[bool, bool]], *, backslashes: bool) -> None:
    for index, (left, right) in enumerate(trims):
        if left and index:
            before = tokens[index - 1]
            if type(before) is Text:
                kept = before.value.rstrip()
                _cut(before, before.start, _reach(before, len(kept), backslashes=backslashes), kept)
        if right and index + 1 < len(tokens):
            after = tokens[index + 1]
            if type(after) is Text:
                kept = after.value.lstrip()
                _cut(after, _reach(after, len(after.value) - len(kept), backslashes=backslashes), after.end, kept)


def _reach(text: Text, length: int, *, backslashes: bool) -> int:
    """Where in the file the first ``length`` characters of what a text means end."""
    at, meant = text.start, 0
    if text.decoded is not None:
        for start, end, meaning in escapes(text.source.text[text.start : text.end], backslashes=backslashes):
            plain = text.start + start - at
            if meant + plain >= length:
                break
            at, meant = text.start + end, meant + plain + len(meaning)
    return at + length - meant


def _flush(tokens: list[_Piece]) -> None:
    """Take the common indentation off every line, as ``<<-`` asks."""
    least: int | None = None
    adjusted: list[Text] = []
    fresh = True
    for token in tokens:
        if fresh:
            fresh = False
            spaces: int | None = 0
            if type(token) is Text:
                stripped = token.value.lstrip()
                if not stripped and token.value.endswith("\n"):
                    spaces = None  # a blank line does not count
                else:
                    spaces = len(token.value) - len(stripped)
                    adjusted.append(token)
            if spaces is not None and (least is None or spaces < least):
                least = spaces
        if type(token) is Text and token.value.endswith("\n"):
            fresh = True
    for token in adjusted if least else ():
        _cut(token, token.start + (least or 0), token.end, token.value[least:])


def _text(source: Source, start: int, end: int, *, backslashes: bool) -> Text:
    raw = source.text[start:end]
    meant = unescape(raw, backslashes=backslashes)
    return Text(source, source.offsets[start], source.offsets[end], None if meant == raw else meant)


def _cut(text: Text, start: int, end: int, kept: str) -> None:
    """Leave of a text what stands between ``start`` and ``end``, which means ``kept``."""
    text.start, text.end = text.source.offsets[start], text.source.offsets[end]
    if text.decoded is not None:
        text.decoded = kept


def _nest(source: Source, tokens: list[_Piece], start: int) -> list[Part]:
    parts: list[Part] = []
    stack: list[tuple[list[Part], IfDirective | ForDirective]] = []
    current = parts
    for token in tokens:
        if len(stack) > MAX_NESTED:
            raise SyntaxProblem(token.start, f"template directives nested deeper than {MAX_NESTED}")
        if not isinstance(token, _Directive):
            if type(token) is not Text or token.value:
                current.append(token)
            continue
        if token.word == "if" and token.expression is not None:
            branch = IfDirective(source, token.start, token.end, token.expression, [], [])
            current.append(branch)
            stack.append((current, branch))
            current = branch.then
        elif token.word == "for" and token.expression is not None:
            loop = ForDirective(source, token.start, token.end, token.key, token.item, token.expression, [])
            current.append(loop)
            stack.append((current, loop))
            current = loop.body
        else:
            opened = stack[-1][1] if stack else None
            wanted = ForDirective if token.word == "endfor" else IfDirective
            if not isinstance(opened, wanted):
                raise SyntaxProblem(token.start, f"%{{ {token.word} }} without its opening")
            if token.word == "else" and isinstance(opened, IfDirective):
                current = opened.otherwise
            else:
                opened.end = token.end
                current = stack.pop()[0]
    if stack:
        raise SyntaxProblem(stack[-1][1].start, "a template directive that is never ended")
    return parts
