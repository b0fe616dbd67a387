"""The lines of a file of HCL as its formatter sees them: what is named, what it is given, what is said about it.

``terraform fmt`` lines up the equals signs of arguments on neighbouring lines, and the comments behind them. A line is
here what it is there: it ends where a newline token is, so a heredoc is one line with the argument that holds it,
while the lines inside of brackets are lines of their own.
"""

from __future__ import annotations

import re

from msgspec import Struct


class Line(Struct):
    """Characters ``start`` to ``end`` (exclusive, without the line's end) of a text.

    ``equals`` is where the equals sign stands that is lined up with others, ``opens`` where one stands that is not, for
    what it gives goes on in later lines; ``comment`` is where a comment stands behind code. All are -1 where there is
    none. ``code`` is the end of what stands before the comment.
    """

    start: int
    end: int
    equals: int = -1
    opens: int = -1
    comment: int = -1
    code: int = -1
    alone: bool = False
    """Nothing but a comment."""

    @property
    def blank(self) -> bool:
        """Whether nothing stands on the line."""
        return self.code < 0 and not self.alone


_TOKEN = re.compile(
    r"""[ \t\r\ufeff]*(?:
      (?P<newline>\n)
    | (?P<comment>\#[^\n]*|//[^\n]*)
    | (?P<block>/\*.*?\*/)
    | (?P<heredoc><<-?(?P<marker>[^\W\d][\w-]*)[ \t]*\r?\n)
    | (?P<quote>")
    | (?P<open>[\[({])
    | (?P<close>[\])}])
    | (?P<other>==|=>|<=|>=|!=|[^\s"=\[\](){}\#/<]+|.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r'(?:[^"\\$%]|\\.|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*', re.DOTALL)


def lines_of(text: str) -> list[Line]:
    """Every line of a text that can be read as HCL."""
    lines: list[Line] = []
    line, tokens, net, equals = Line(0, 0), 0, 0, -1
    offset = 0
    while True:
        match = _TOKEN.match(text, offset)
        if match is None:
            break
        kind, start, offset = match.lastgroup, match.start(match.lastgroup or 0), match.end()
        if match["heredoc"]:
            kind, start = "heredoc", match.start("heredoc")
        if kind == "newline":
            line.equals, line.opens = (equals, -1) if net == 0 else (-1, equals)
            line.end = start - 1 if text[start - 1 : start] == "\r" else start
            lines.append(line)
            line, tokens, net, equals = Line(offset, offset), 0, 0, -1
            continue
        if kind == "comment":
            line.alone = tokens == 0
            line.comment = start if tokens else -1
            continue
        if kind == "quote":
            offset = skip_quoted(text, offset)
        elif kind == "heredoc":
            offset = _skip_heredoc(text, offset, match["marker"])
        elif kind == "open" and equals >= 0:
            net += 1
        elif kind == "close" and equals >= 0:
            net -= 1
        elif kind == "other" and match["other"] == "=" and tokens and equals < 0:
            equals = start
        tokens += 1
        line.code = offset
    line.end = len(text)
    line.equals, line.opens = (equals, -1) if net == 0 else (-1, equals)
    lines.append(line)
    return lines


def skip_quoted(text: str, offset: int) -> int:
    """The offset behind a quoted string whose inside begins at ``offset``."""
    while offset < len(text):
        match = _QUOTED.match(text, offset)
        offset = match.end() if match else offset
        if text[offset : offset + 1] == '"':
            return offset + 1
        offset = _skip_sequence(text, offset + 2)
    return len(text)


def _skip_sequence(text: str, offset: int) -> int:
    """The offset behind the brace that closes ``${`` or ``%{``, whose inside begins at ``offset``."""
    depth = 1
    while depth:
        match = _TOKEN.match(text, offset)
        if match is None:
            return len(text)
        offset = match.end()
        if match["quote"]:
            offset = skip_quoted(text, offset)
        elif match["heredoc"]:
            offset = _skip_heredoc(text, offset, match["marker"])
        elif match["open"] == "{":
            depth += 1
        elif match["close"] == "}":
            depth -= 1
    return offset


def _skip_heredoc(text: str, offset: int, marker: str) -> int:
    closing = re.compile(rf"^[ \t]*{re.escape(marker)}(?=[ \t\r]*(?:\n|\Z))", re.MULTILINE)
    found = closing.search(text, offset)
    return found.end() if found else len(text)
