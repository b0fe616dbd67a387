"""Texts of HCL's native syntax as trees."""

from __future__ import annotations

from shoreup.formats.hcl.parser import Parser, parser_inside, template_of
from shoreup.formats.hcl.recovery import readable, salvage
from shoreup.formats.hcl.source import Source, SyntaxProblem
from shoreup.formats.hcl.syntax import Body, Expression, File, Template
from shoreup.formats.hcl.templates import template_parts


def parse_file(source: Source) -> File:
    """Read a whole file. Never fails: what cannot be read is in ``problems``."""
    parser = Parser(source, 0)
    body = Body(source, 0, 0)
    try:
        parser.items(body, closing="")
    except (SyntaxProblem, RecursionError):
        return readable(salvage(source))
    return readable(File(source, body, parser.comments, []))


def parse_expression(source: Source) -> Expression:
    """Read a text that is one expression. Raises :class:`SyntaxProblem`."""
    parser = parser_inside(source, 0, 0)
    try:
        expression = parser.expression()
    except RecursionError:
        raise SyntaxProblem(0, "nested too deeply") from None
    if parser.kind != "end":
        raise SyntaxProblem(parser.start, "text after the expression")
    return expression


def parse_template(source: Source, start: int = 0, end: int | None = None, encoding: str = "hcl-template") -> Template:
    """Read a template file, or the characters ``start`` to ``end`` of one. Raises :class:`SyntaxProblem`."""
    end = len(source.text) if end is None else end
    try:
        parts = template_parts(source, start, end, parser_inside)
    except RecursionError:
        raise SyntaxProblem(start, "nested too deeply") from None
    return template_of(source, start, end, parts, encoding)
