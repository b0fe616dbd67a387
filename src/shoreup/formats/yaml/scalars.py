"""How each of YAML's five ways to write text maps to the text: quotes, escapes, folded lines, block indentation.

Every function takes the whole text and the characters of one scalar in it, and gives the runs that the value
is made of, in order. What no run covers (quotes, indentation, a trimmed end) is not part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.formats.sourcemap import Run

ENCODINGS = {"": "yaml-plain", "'": "yaml-single", '"': "yaml-double", "|": "yaml-literal", ">": "yaml-folded"}
"""The name of each style, as :attr:`Segment.encodings` has it."""

_BREAKS = re.compile(r"(?:(?:\r\n|\r|\n|\x85|\u2028|\u2029)[ \t]*)+")
_BREAK = re.compile(r"\r\n|\r|\n|\x85|\u2028|\u2029")
_HEADER = re.compile(r"[|>](?P<marks>[-+0-9]*)[ \t]*(?:#[^\r\n\x85\u2028\u2029]*)?(?:\r\n|\r|\n|\x85|\u2028|\u2029|\Z)")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_DOUBLE = re.compile(r"\\|\r|\n|\x85|\u2028|\u2029")
_SINGLE = re.compile(r"''|\r|\n|\x85|\u2028|\u2029")


def runs_of(text: str, start: int, end: int, style: str, around: int) -> tuple[Run, ...]:
    """The runs of the scalar at ``start`` to ``end`` of ``text``; for quoted styles both include the quotes.

    ``around`` is the indentation of the collection that the scalar is in, 0 at the top. An indicator states the
    indentation of a block scalar relative to it.
    """
    if style == "'":
        return tuple(_quoted(text, start + 1, end - 1, _SINGLE))
    if style == '"':
        return tuple(_quoted(text, start + 1, end - 1, _DOUBLE))
    if style in "|>" and style:
        return tuple(_block(text, start, end, around, folded=style == ">"))
    return tuple(_quoted(text, start, end, _BREAK))


def _verbatim(text: str, start: int, end: int) -> Iterator[Run]:
    if end > start:
        yield Run(start, end, text[start:end])


def _fold(text: str, blank: int, start: int, end: int) -> Run:
    """A fold: one line break is a space, each further one a line break. ``blank`` is where the line's text ended."""
    found = _BREAKS.match(text, start, end)
    assert found is not None
    breaks = _BREAK.findall(found[0])
    return Run(blank, found.end(), "".join(map(_normal, breaks[1:])) or _single(breaks[0]), verbatim=False)


def _normal(line_break: str) -> str:
    return line_break if line_break in "\u2028\u2029" else "\n"


def _single(line_break: str) -> str:
    return line_break if line_break in "\u2028\u2029" else " "


def _quoted(text: str, start: int, end: int, special: re.Pattern[str]) -> Iterator[Run]:
    position = start
    while (found := special.search(text, position, end)) is not None:
        first = found[0][0]
        if first == "'":
            yield from _verbatim(text, position, found.start())
            yield Run(found.start(), found.end(), "'", verbatim=False)
            position = found.end()
        elif first == "\\":
            yield from _verbatim(text, position, found.start())
            run = _escape(text, found.start(), end)
            if run.text:
                yield run
            position = run.end
        else:
            blank = found.start()
            while blank > position and text[blank - 1] in " \t":
                blank -= 1
            yield from _verbatim(text, position, blank)
            run = _fold(text, blank, found.start(), end)
            yield run
            position = run.end
    yield from _verbatim(text, position, end)


def _escape(text: str, start: int, end: int) -> Run:
    """The escape at ``start``; an escaped line break gives the blank lines after it, or nothing."""
    mark = text[start + 1 : start + 2]
    if mark in _HEX:
        stop = start + 2 + _HEX[mark]
        return Run(start, stop, chr(int(text[start + 2 : stop], 16)), verbatim=False)
    if _BREAK.match(text, start + 1, end):
        folded = _BREAKS.match(text, start + 1, end)
        assert folded is not None
        breaks = _BREAK.findall(folded[0])
        return Run(start, folded.end(), "".join(map(_normal, breaks[1:])), verbatim=False)
    return Run(start, start + 2, _ESCAPES.get(mark, mark), verbatim=False)


def _block(text: str, start: int, end: int, around: int, *, folded: bool) -> Iterator[Run]:
    header = _HEADER.match(text, start, end)
    if header is None:
        return
    lines = [*_lines(text, header.end(), end)]
    indent = _indent(text, lines, header["marks"], around)
    blank = [_is_blank(text, line, indent) for line in lines]
    while lines and blank[-1] and lines[-1][1] == lines[-1][2]:
        lines.pop()
        blank.pop()
    last = max((number for number, empty in enumerate(blank) if not empty), default=-1)
    position = 0
    while position <= last:
        first, stop, past = lines[position]
        if blank[position]:
            yield Run(stop, past, _normal(text[stop:past]), verbatim=text[stop:past] == _normal(text[stop:past]))
            position += 1
            continue
        begin = first + indent
        if position == last:
            yield from _verbatim(text, begin, stop)
            break
        following = position + 1
        while blank[following]:
            following += 1
        next_first = lines[following][0] + indent
        if not folded or text[begin] in " \t" or text[next_first] in " \t":
            yield from _verbatim(text, begin, stop)
            yield _break(text, stop, past)
        else:
            yield from _verbatim(text, begin, stop)
            if following == position + 1:
                yield Run(stop, past, _single(text[stop:past]), verbatim=False)
        position += 1
    if last < 0 and "+" not in header["marks"]:
        return
    if "-" not in header["marks"] and last >= 0 and lines[last][2] > lines[last][1]:
        yield _break(text, lines[last][1], lines[last][2])
    if "+" in header["marks"]:
        for _, stop, past in lines[last + 1 :]:
            if past > stop:
                yield _break(text, stop, past)


def _break(text: str, stop: int, past: int) -> Run:
    written = text[stop:past]
    return Run(stop, past, _normal(written), verbatim=written == _normal(written))


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each line as its first character, its end, and its end with the line break."""
    while start < end:
        found = _BREAK.search(text, start, end)
        if found is None:
            yield start, end, end
            return
        yield start, found.start(), found.end()
        start = found.end()


def _is_blank(text: str, line: tuple[int, int, int], indent: int) -> bool:
    first, stop, _ = line
    return (stop - first <= indent and not text[first:stop].strip(" ")) or stop == first


def _indent(text: str, lines: list[tuple[int, int, int]], marks: str, around: int) -> int:
    explicit = marks.strip("-+")
    if explicit:
        return around + int(explicit)
    widest = 0
    for first, stop, _ in lines:
        line = text[first:stop]
        spaces = len(line) - len(line.lstrip(" "))
        if spaces < len(line):
            return max(spaces, widest, 1)
        widest = max(widest, spaces)
    return max(widest, 1)
